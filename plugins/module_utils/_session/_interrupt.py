# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time to close a session when the user or the system ends the run.

An abandoned session counts against the user's PowerShellMaxConcurrency (18 by default) until Exchange's idle time-out
of 15 minutes. So Ctrl-C or SIGTERM becomes an exception, the session is closed on its way out, and then the signal
does what it would have done. More signals wait for that, for closing is bounded in time: after a Ctrl-C, Ansible sends
its workers a SIGTERM at once (WORKER_SHUTDOWN_POLL_COUNT is 0 by default).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal asked the run to end. Not an ``Exception``: nothing but a clean-up may catch it."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum


@contextmanager
def closing_on_signals() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM inside the block into Interrupted, and deliver it again after the block."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python sets signal handlers in the main thread only
        return

    caught: list[int] = []

    def interrupt(signum: int, _frame: FrameType | None) -> None:
        caught.append(signum)
        if len(caught) == 1:
            raise Interrupted(signum)

    previous = {signum: signal.signal(signum, interrupt) for signum in _SIGNALS}
    try:
        yield
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)
        for number in caught:
            os.kill(os.getpid(), number)
