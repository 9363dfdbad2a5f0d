# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated time that is right in the sum, although no clock can wait for a millisecond exactly.

A `Pace` keeps the moment at which the work done so far is due. What the simulator needs itself, and what a wait takes
too long, is not added to the model: the next wait is that much shorter. Ten thousand times 1 ms are 10 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable

QUANTUM = 0.02
"""Seconds of work that may be ahead of the clock. Waiting for each millisecond would cost more than the work."""


class Pace:
    """The time of one worker. Not to be shared between threads; holds no lock while it waits."""

    def __init__(self, wait: Callable[[float], object], clock: Callable[[], float] = time.monotonic) -> None:
        """`wait` sleeps that many seconds, or raises what is to end the work."""
        self._wait = wait
        self._clock = clock
        self._due = clock()

    def resume(self) -> None:
        """Work begins, or goes on after a pause for which nobody is to be paid back: waiting for input."""
        self._due = max(self._due, self._clock())

    def spend(self, seconds: float) -> None:
        """Work for that long."""
        if seconds > 0:
            self._due += seconds
            if self._due - self._clock() >= QUANTUM:
                self.settle()

    def settle(self) -> None:
        """Wait for all that was spent."""
        ahead = self._due - self._clock()
        if ahead > 0:
            self._wait(ahead)
