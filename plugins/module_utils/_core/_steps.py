# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to Exchange in steps, and what became of each: pure data and words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class StepName(StrEnum):
    """The steps in their order; the values of ``steps[].step``."""

    NAME = "name"
    PORT = "port"
    TLS = "tls"
    PATH = "path"
    AUTHENTICATION = "authentication"
    SESSION = "session"
    RIGHTS = "rights"


class StepState(StrEnum):
    """What became of a step; the values of ``steps[].state``."""

    OK = "ok"
    FAILED = "failed"
    NOT_NEEDED = "not_needed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``msg`` is what was seen, ``check`` what to do about it. ``seconds`` is how long it took."""

    name: StepName
    state: StepState
    msg: str
    check: str = ""
    seconds: float | None = None


def all_steps(taken: Iterable[Step]) -> tuple[Step, ...]:
    """Return every step in its order; those that were not reached say so."""
    reached = {step.name: step for step in taken}
    return tuple(
        reached.get(name) or Step(name, StepState.NOT_TRIED, "Not tried: a step before it failed.") for name in StepName
    )


def first_failure(steps: Iterable[Step]) -> Step | None:
    """Return the step that stopped the way, if one did."""
    return next((step for step in steps if step.state is StepState.FAILED), None)
