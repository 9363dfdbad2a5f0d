# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plan(): which changes are needed, for any mixture of mailboxes, failures and identities that meet."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._core._mailbox import (
    Failure,
    Finding,
    Mailbox,
    Pop3Settings,
    Reason,
)
from ansible_collections.mailops.exchange.plugins.module_utils._core._plan import Observation, plan

ON, OFF = Pop3Settings(pop_enabled=True), Pop3Settings(pop_enabled=False)


def mailbox(number: int, settings: Pop3Settings = OFF) -> Mailbox:
    return Mailbox(UUID(int=number), f"Mailbox {number}", f"m{number}@contoso.com", "MBX01", settings)


# Looked at twice, one mailbox may look different: two domain controllers, or another administrator.
mailboxes = st.builds(mailbox, st.integers(0, 20), st.sampled_from([ON, OFF]))
failures = st.sampled_from(Reason).map(lambda reason: Failure(reason, "because"))
findings: st.SearchStrategy[Finding] = mailboxes | failures
observations = st.lists(st.builds(Observation, identity=st.text(), finding=findings), max_size=40)
settings = st.sampled_from([ON, OFF])


def test_a_mailbox_that_differs_is_changed() -> None:
    needed = plan(ON, [Observation("a", mailbox(1, OFF)), Observation("b", mailbox(2, ON))])
    assert [(c.mailbox.guid.int, c.wanted) for c in needed.changes] == [(1, ON)]


def test_changes_come_in_the_order_in_which_mailboxes_were_first_met() -> None:
    needed = plan(ON, [Observation(str(n), mailbox(n)) for n in (3, 1, 3, 2, 1)])
    assert [c.mailbox.guid.int for c in needed.changes] == [3, 1, 2]


@given(settings, observations)
def test_exactly_the_differing_mailboxes_are_changed_once_each(wanted: Pop3Settings, asked: list[Observation]) -> None:
    needed = plan(wanted, asked)
    changed = [c.mailbox.guid for c in needed.changes]
    differing = {o.finding.guid for o in asked if isinstance(o.finding, Mailbox) and o.finding.settings != wanted}
    assert len(changed) == len(set(changed))
    assert set(changed) == differing


@given(settings, observations)
def test_nothing_asked_for_is_lost(wanted: Pop3Settings, asked: list[Observation]) -> None:
    assert list(plan(wanted, asked).observations) == asked


@given(settings, observations)
def test_a_second_run_has_nothing_to_do(wanted: Pop3Settings, asked: list[Observation]) -> None:
    changed = {c.mailbox.guid: c.wanted for c in plan(wanted, asked).changes}

    def afterwards(observation: Observation) -> Observation:
        found = observation.finding
        if isinstance(found, Failure):
            return observation
        after = changed.get(found.guid, found.settings)
        return Observation(
            observation.identity,
            Mailbox(found.guid, found.name, found.primary_smtp_address, found.server, after),
        )

    assert plan(wanted, [afterwards(o) for o in asked]).changes == ()
