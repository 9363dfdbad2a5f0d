# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark found: rows of figures, and goals that were met or missed. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["met", "missed", "not measured"]


@dataclass(frozen=True, slots=True)
class Row:
    """One way to do the work of a case. What was not measured is None."""

    what: str
    seconds: float
    requests: float | None = None
    megabytes: float | None = None
    """On the network, both ways."""
    client_cpu: float | None = None
    peak_mb: float | None = None
    server_cpu: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is aimed at. `figure` is None when this run cannot say."""

    text: str
    figure: float | None
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether it was reached."""
        if self.figure is None:
            return "not measured"
        reached = self.figure >= self.bound if self.at_least else self.figure <= self.bound
        return "met" if reached else "missed"


@dataclass(slots=True)
class CaseResult:
    """All of one case."""

    name: str
    title: str
    limit: float | None = None
    """The least number of seconds that the work can take; see `limit`."""
    rows: list[Row] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    broke: str | None = None
    """Why there is nothing to see, or not all."""
