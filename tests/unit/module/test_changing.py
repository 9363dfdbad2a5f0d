# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making changes and proving them over sessions that break in between, at moments that a wire cannot be made to hit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._core._mailbox import Failure, Reason
from ansible_collections.mailops.exchange.plugins.module_utils._core._outcome import Outcome
from ansible_collections.mailops.exchange.plugins.module_utils._errors import SessionLost
from ansible_collections.mailops.exchange.plugins.module_utils._module._changing import Changing


@dataclass(frozen=True)
class Switch:
    """A thing whose only setting is on or off; it is to be on."""

    guid: UUID
    noun: str = "switch"
    before: bool = False
    after: bool = True

    def is_met_by(self, settings: bool) -> bool:
        return settings


class Switches:
    """Answers each ``set`` and each ``look`` with what comes next in a list; an exception is raised."""

    def __init__(self, answers: Sequence[Failure | SessionLost | None], looks: Sequence[bool | Failure]) -> None:
        self._answers, self._looks = iter(answers), iter(looks)
        self.openings = 1

    def set(self, _change: Switch, /) -> Failure | None:
        answer = next(self._answers)
        if isinstance(answer, SessionLost):
            self.openings += 1
            raise answer
        return answer

    def look(self, changes: Sequence[Switch]) -> dict[UUID, bool | Failure]:
        return {change.guid: next(self._looks) for change in changes}


@pytest.fixture
def turn_on(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Outcome[bool]]]:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)

    def run(
        number: int, answers: Sequence[Failure | SessionLost | None], looks: Sequence[bool | Failure]
    ) -> list[Outcome[bool]]:
        switches = Switches(answers, looks)
        outcomes: dict[UUID, Outcome[bool]] = {}
        changes = [Switch(uuid4()) for _one in range(number)]
        list(Changing(switches, switches.look, outcomes).make([changes]))
        return [outcomes[change.guid] for change in changes]

    return run


REFUSED = Failure(Reason.NOT_FOUND, "There is no such switch.")
TIMED_OUT = Failure(Reason.ERROR, "The directory timed out.")
LOST = SessionLost("The session broke.")


def test_a_change_that_was_accepted_stays_so_when_it_is_refused_the_second_time(
    turn_on: Callable[..., list[Outcome[bool]]],
) -> None:
    """The first was accepted, the session broke over the second, and the next domain controller has neither yet."""
    first, second = turn_on(2, [None, LOST, REFUSED, None], [False, False, True])
    assert (first.changed, first.may_have_changed) == (True, True)
    assert first.failure
    assert first.failure.reason is Reason.UNCONFIRMED
    assert "Exchange accepted the change" in first.failure.msg
    assert "There is no such switch." in first.failure.msg
    assert second == Outcome(True, changed=True, may_have_changed=True)


def test_an_error_is_told_also_where_looking_fails(turn_on: Callable[..., list[Outcome[bool]]]) -> None:
    (outcome,) = turn_on(1, [TIMED_OUT], [Failure(Reason.ERROR, "Nothing can be seen.")])
    assert (outcome.changed, outcome.may_have_changed) == (False, True)
    assert outcome.failure
    assert outcome.failure.reason is Reason.UNCONFIRMED
    assert outcome.failure.msg.startswith("The directory timed out.")
    assert "Nothing can be seen." in outcome.failure.msg
