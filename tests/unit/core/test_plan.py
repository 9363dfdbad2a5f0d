# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""plan(): which changes are needed, for any mixture of mailboxes, failures and identities that meet."""

from __future__ import annotations

from dataclasses import fields, replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._core._mailbox import (
    Failure,
    Finding,
    Mailbox,
    MimeFormat,
    Pop3Settings,
    Reason,
    WantedSettings,
)
from ansible_collections.mailops.exchange.plugins.module_utils._core._plan import Observation, plan

ON, OFF = Pop3Settings(pop_enabled=True), Pop3Settings(pop_enabled=False)


WANT_ON, WANT_OFF = WantedSettings(pop_enabled=True), WantedSettings(pop_enabled=False)


def mailbox(number: int, settings: Pop3Settings = OFF) -> Mailbox:
    return Mailbox(UUID(int=number), f"Mailbox {number}", f"m{number}@contoso.com", "MBX01", settings)


optional = st.none() | st.booleans()
formats = st.none() | st.sampled_from(MimeFormat)
settings = st.builds(Pop3Settings, st.booleans(), optional, formats, optional, optional, optional)
wanted = st.builds(WantedSettings, st.booleans(), optional, formats, optional, optional, optional)
# Looked at twice, one mailbox may look different: two domain controllers, or another administrator.
mailboxes = st.builds(mailbox, st.integers(0, 20), settings)
failures = st.sampled_from(Reason).map(lambda reason: Failure(reason, "because"))
findings: st.SearchStrategy[Finding] = mailboxes | failures


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    """What is declared is the same for all listed, and for all others."""
    declared = draw(st.lists(wanted, min_size=1, max_size=2))
    return [
        Observation(draw(st.text(max_size=5)), finding, draw(st.sampled_from(declared)))
        for finding in draw(st.lists(findings, max_size=30))
    ]


def test_a_mailbox_that_differs_is_changed() -> None:
    needed = plan([Observation("a", mailbox(1, OFF), WANT_ON), Observation("b", mailbox(2, ON), WANT_ON)])
    assert [(c.mailbox.guid.int, c.after) for c in needed.changes] == [(1, ON)]


def test_listed_and_others_can_want_different_things() -> None:
    needed = plan([Observation("a", mailbox(1, OFF), WANT_ON), Observation("b", mailbox(2, ON), WANT_OFF)])
    assert [(c.mailbox.guid.int, c.after) for c in needed.changes] == [(1, ON), (2, OFF)]


def test_changes_come_in_the_order_in_which_mailboxes_were_first_met() -> None:
    needed = plan([Observation(str(n), mailbox(n), WANT_ON) for n in (3, 1, 3, 2, 1)])
    assert [c.mailbox.guid.int for c in needed.changes] == [3, 1, 2]


@given(wanted, settings)
def test_what_is_not_declared_is_left_as_it_is(declared: WantedSettings, before: Pop3Settings) -> None:
    after = declared.applied_to(before)
    assert declared.missing_in(after) == {}
    for field in fields(declared):
        wants = getattr(declared, field.name)
        assert getattr(after, field.name) == (getattr(before, field.name) if wants is None else wants)


@given(observations())
def test_exactly_the_differing_mailboxes_are_changed_once_each(asked: list[Observation]) -> None:
    changed = [c.mailbox.guid for c in plan(asked).changes]
    differing = {
        o.finding.guid for o in asked if isinstance(o.finding, Mailbox) and o.wanted.missing_in(o.finding.settings)
    }
    assert len(changed) == len(set(changed))
    assert set(changed) == differing


@given(observations())
def test_nothing_asked_for_is_lost(asked: list[Observation]) -> None:
    assert list(plan(asked).observations) == asked


@given(st.lists(mailboxes, unique_by=lambda m: m.guid), wanted)
def test_a_second_run_has_nothing_to_do(found: list[Mailbox], declared: WantedSettings) -> None:
    changes = {c.mailbox.guid: c.after for c in plan(Observation("x", m, declared) for m in found).changes}
    afterwards = [replace(m, settings=changes.get(m.guid, m.settings)) for m in found]
    assert plan(Observation("x", m, declared) for m in afterwards).changes == ()
