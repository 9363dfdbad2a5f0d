# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line now and then while long work goes on: how much is done, of how much, how fast, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET_SECONDS = 10.0
"""How long work may take without a word, and how long it is between two words."""


class Progress:
    """Counts what is done in one phase after the other; several threads may count."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._last = clock()
        self.begin("done", None)

    def begin(self, done: str, total: int | None) -> None:
        """Begin a phase; ``done`` says in a participle what is done to a mailbox, ``total`` to how many, if known."""
        self._participle, self._total, self._done, self._started = done, total, 0, self._clock()

    def advance(self, number: int = 1) -> None:
        """So many more are done."""
        self._done += number
        now = self._clock()
        if now - self._last < QUIET_SECONDS:
            return
        self._last = now
        self._say(self._line(now - self._started))

    def _line(self, seconds: float) -> str:
        of = "" if self._total is None else f" of {self._total:,}"
        rate = self._done / seconds if seconds > 0 else 0.0
        parts = [f"POP3 access: {self._done:,}{of} mailboxes {self._participle}", f"{_rounded(rate)} a second"]
        if self._total is not None and rate > 0 and self._done < self._total:
            parts.append(f"about {_duration((self._total - self._done) / rate)} left")
        return ", ".join(parts)


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
