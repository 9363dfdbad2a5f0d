# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time to close a session when the user or the system ends the run.

An abandoned session counts against the user's PowerShellMaxConcurrency (18 by default) until Exchange's idle time-out
of 15 minutes. So a first Ctrl-C or SIGTERM becomes an exception, the session is closed on its way out, and then the
signal does what it would have done. A second one does that at once.
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
    """Turn a first SIGINT or SIGTERM inside the block into Interrupted, and deliver it again after the block."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python sets signal handlers in the main thread only
        return

    previous = {signum: signal.getsignal(signum) for signum in _SIGNALS}

    def restore() -> None:
        for signum, handler in previous.items():
            signal.signal(signum, handler)

    def interrupt(signum: int, _frame: FrameType | None) -> None:
        restore()
        raise Interrupted(signum)

    for signum in _SIGNALS:
        signal.signal(signum, interrupt)
    try:
        yield
    except Interrupted as exc:
        restore()
        os.kill(os.getpid(), exc.signum)
        raise
    finally:
        restore()
