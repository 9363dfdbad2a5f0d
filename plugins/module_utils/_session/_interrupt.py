# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time to close a session when the user, the system or Ansible ends the run.

An abandoned session counts against the user's PowerShellMaxConcurrency (18 by default) until Exchange's idle time-out
of 15 minutes. So a signal becomes an exception, the session is closed on its way out, and then the signal does what it
would have done. More signals wait for that, for closing is bounded in time: after a Ctrl-C, Ansible sends its workers a
SIGTERM at once (WORKER_SHUTDOWN_POLL_COUNT is 0 by default).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asked the run to end. Not an ``Exception``: nothing but a clean-up may catch it."""


class TimedOut(BaseException):
    """The keyword ``timeout`` of the task ended the run; the message is Ansible's own."""


@contextmanager
def closing_on_signals() -> Iterator[None]:
    """Turn a signal inside the block into Interrupted, and deliver it again after the block.

    Ansible's alarm for the ``timeout`` of a task becomes TimedOut, so that what was done until then can be reported.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python sets signal handlers in the main thread only
        return

    caught: list[int] = []
    inside = False

    def interrupt(signum: int, _frame: FrameType | None) -> None:
        caught.append(signum)
        if inside and len(caught) == 1:
            raise Interrupted(signal.Signals(signum).name)

    previous: dict[int, Any] = {}
    try:
        for ending in _ENDING:
            previous[ending] = signal.signal(ending, interrupt)
        previous[signal.SIGALRM] = signal.signal(signal.SIGALRM, _alarm(signal.getsignal(signal.SIGALRM)))
        inside = True
        if caught:
            raise Interrupted(signal.Signals(caught[0]).name)
        yield
    finally:
        inside = False
        for number, handler in previous.items():
            signal.signal(number, handler)
        for number in caught:
            os.kill(os.getpid(), number)


def _alarm(ansibles: Any) -> Callable[[int, FrameType | None], None] | signal.Handlers | None:
    """Wrap Ansible's handler, which raises an exception of its own; anything else is left as it is."""
    if not callable(ansibles):
        return signal.SIG_DFL if ansibles is None else ansibles

    def alarm(signum: int, frame: FrameType | None) -> None:
        try:
            ansibles(signum, frame)
        except BaseException as exc:
            raise TimedOut(str(exc)) from exc

    return alarm
