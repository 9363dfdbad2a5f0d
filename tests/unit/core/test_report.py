# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""report(): the result of a task loses nothing, counts right, and says in words what went wrong."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._core import _outcome
from ansible_collections.mailops.exchange.plugins.module_utils._core._mailbox import (
    Failure,
    Mailbox,
    MimeFormat,
    Pop3Settings,
    Reason,
    WantedSettings,
)
from ansible_collections.mailops.exchange.plugins.module_utils._core._outcome import Outcome
from ansible_collections.mailops.exchange.plugins.module_utils._core._plan import Change, Observation, plan
from ansible_collections.mailops.exchange.plugins.module_utils._core._report import report, report_held_back

OWN = {
    "pop_use_protocol_defaults": None,
    "pop_messages_retrieval_mime_format": None,
    "pop_enable_exact_rfc822_size": None,
    "pop_suppress_read_receipt": None,
    "pop_force_ical_for_calendar_retrieval_option": None,
}
ON, OFF = Pop3Settings(pop_enabled=True), Pop3Settings(pop_enabled=False)
JOHN = Mailbox(UUID(int=1), "John Smith", "john.smith@contoso.com", "MBX01", OFF)
JANE = Mailbox(UUID(int=2), "Jane Smith", "jane.smith@contoso.com", "MBX02", ON)
NOBODY = Failure(Reason.NOT_FOUND, "No mailbox is named 'Jon'.")
WANTED = WantedSettings(pop_enabled=True)
CHANGE = Change(JOHN, WANTED)
REFUSAL = Failure(Reason.ACCESS_DENIED, "Set-CASMailbox is not allowed.")


def result(*asked: tuple[str, Mailbox | Failure], outcome: Outcome | None = None, stopped: str | None = None) -> Any:
    needed = plan(Observation(identity, finding, WANTED) for identity, finding in asked)
    return report(needed, {JOHN.guid: outcome} if outcome else {}, stopped)


def test_a_change_that_was_kept() -> None:
    got = result(("John Smith", JOHN), ("jane", JANE), outcome=_outcome.read_back(CHANGE, ON))
    assert got["changed"]
    assert got["restart_required"]
    assert "failed" not in got
    assert got["counts"] == {"total": 2, "changed": 1, "unchanged": 1, "failed": 0}
    assert got["mailboxes"][0] == {
        "identity": "John Smith",
        "name": "John Smith",
        "guid": "00000000-0000-0000-0000-000000000001",
        "primary_smtp_address": "john.smith@contoso.com",
        "server": "MBX01",
        "changed": True,
        "before": {"pop_enabled": False, **OWN},
        "after": {"pop_enabled": True, **OWN},
    }
    assert got["diff"]["before"] == ""  # nothing could be read: he gains it
    assert got["diff"]["after"] == "John Smith <john.smith@contoso.com>: pop_enabled: true\n"


def test_nothing_to_do_is_no_change_and_no_diff() -> None:
    got = result(("jane", JANE))
    assert not got["changed"]
    assert not got["restart_required"]
    assert got["diff"]["before"] == got["diff"]["after"] == ""


def test_two_identities_of_one_mailbox_are_reported_twice_and_differ_once() -> None:
    got = result(("John Smith", JOHN), ("john.smith", JOHN), outcome=_outcome.read_back(CHANGE, ON))
    assert [line["changed"] for line in got["mailboxes"]] == [True, True]
    assert got["counts"]["changed"] == 2
    assert got["diff"]["after"].count("John Smith") == 1


@pytest.mark.parametrize(
    ("outcome", "reason", "changed", "restart", "after"),
    [
        (_outcome.refused(CHANGE, REFUSAL), "access_denied", False, False, {"pop_enabled": False, **OWN}),
        (_outcome.not_tried(CHANGE), "error", False, False, {"pop_enabled": False, **OWN}),
        (_outcome.unanswered(), "unconfirmed", False, True, None),
        (_outcome.not_read_back("it broke."), "unconfirmed", True, True, None),
        (_outcome.read_back(CHANGE, OFF), "not_kept", False, True, {"pop_enabled": False, **OWN}),
    ],
)
def test_each_way_to_fail(outcome: Outcome, reason: str, changed: bool, restart: bool, after: object) -> None:
    got = result(("John Smith", JOHN), outcome=outcome)
    assert got["failed"]
    assert [(f["identity"], f["reason"]) for f in got["failures"]] == [("John Smith", reason)]
    assert (got["changed"], got["restart_required"]) == (changed, restart)
    assert got["mailboxes"][0]["after"] == after
    assert got["counts"] == {"total": 1, "changed": 0, "unchanged": 0, "failed": 1}


def test_a_planned_change_without_an_outcome_is_reported_as_not_tried() -> None:
    got = result(("John Smith", JOHN), stopped="The session broke.")
    assert got["failures"][0]["reason"] == "error"
    assert got["msg"].startswith("The session broke. 1 of 1 mailbox failed")


def test_the_message_says_how_many_and_why() -> None:
    got = result(("Jon", NOBODY), ("John Smith", JOHN), ("jane", JANE), outcome=_outcome.read_back(CHANGE, ON))
    assert got["msg"] == (
        "1 of 3 mailboxes failed: 1 not found. Of the others, 1 changed and 1 were as declared. "
        "No mailbox is named 'Jon'."
    )


def test_check_mode_says_what_would_be() -> None:
    needed = plan([Observation("Jon", NOBODY, WANTED), Observation("John Smith", JOHN, WANTED)])
    got = report(needed, {JOHN.guid: _outcome.would_change(CHANGE)}, foreseen=True)
    assert "Of the others, 1 would change and 0 were as declared." in got["msg"]


def test_the_message_quotes_a_few_failures_and_names_the_rest() -> None:
    got = result(*[(f"Jon{n}", Failure(Reason.NOT_FOUND, f"No mailbox {n}.")) for n in range(5)])
    assert "No mailbox 2." in got["msg"]
    assert "No mailbox 3." not in got["msg"]
    assert got["msg"].endswith("The other 2: see 'failures' in the result.")


def test_only_what_differs_is_in_the_diff() -> None:
    before = Pop3Settings(pop_enabled=True, pop_use_protocol_defaults=True, pop_suppress_read_receipt=False)
    mailbox = Mailbox(UUID(int=3), "Ann", "ann@contoso.com", "MBX01", before)
    wanted = WantedSettings(
        pop_enabled=True, pop_use_protocol_defaults=False, pop_messages_retrieval_mime_format=MimeFormat.TNEF
    )
    change = Change(mailbox, wanted)
    got = report(plan([Observation("Ann", mailbox, wanted)]), {mailbox.guid: _outcome.would_change(change)})
    assert got["diff"]["before"] == (
        "Ann <ann@contoso.com>: pop_use_protocol_defaults: true, pop_messages_retrieval_mime_format: None\n"
    )
    assert got["diff"]["after"] == (
        "Ann <ann@contoso.com>: pop_use_protocol_defaults: false, pop_messages_retrieval_mime_format: Tnef\n"
    )
    assert type(got["mailboxes"][0]["after"]["pop_messages_retrieval_mime_format"]) is str  # pylint: disable=unidiomatic-typecheck


def test_a_plan_that_is_held_back_is_in_the_result() -> None:
    got = report_held_back(
        plan([Observation("John Smith", JOHN, WANTED), Observation("jane", JANE, WANTED)]), "Too many."
    )
    assert got["failed"]
    assert not got["changed"]
    assert not got["restart_required"]
    assert got["msg"] == "Nothing was changed. Too many. 1 would gain POP3 access, and 0 would lose it."
    assert got["failures"] == []
    assert [line["identity"] for line in got["mailboxes"]] == ["jane"]
    (line,) = got["plan"]
    assert (line["identity"], line["before"], line["after"]) == (
        "John Smith",
        {"pop_enabled": False},
        {"pop_enabled": True},
    )
    assert got["counts"] == {"total": 2, "changed": 0, "unchanged": 1, "failed": 1}


identities = st.text(max_size=10)
JOHN_ELSEWHERE = Mailbox(UUID(int=1), "John Smith", "john.smith@contoso.com", "MBX01", ON)
found = st.sampled_from([JOHN, JANE, NOBODY, JOHN_ELSEWHERE])
outcomes = st.sampled_from(
    [
        None,
        _outcome.would_change(CHANGE),
        _outcome.refused(CHANGE, REFUSAL),
        _outcome.unanswered(),
        _outcome.not_read_back("x"),
        _outcome.read_back(CHANGE, ON),
        _outcome.read_back(CHANGE, OFF),
    ]
)


@given(st.lists(st.tuples(identities, found), max_size=12), outcomes, st.none() | st.just("It stopped."))
def test_every_identity_is_accounted_for(
    asked: list[tuple[str, Mailbox | Failure]], outcome: Outcome | None, stopped: str | None
) -> None:
    got = result(*asked, outcome=outcome, stopped=stopped)
    counts = got["counts"]
    assert [line["identity"] for line in got["mailboxes"]] == [identity for identity, _found in asked]
    assert counts["total"] == counts["changed"] + counts["unchanged"] + counts["failed"] == len(asked)
    assert counts["failed"] == len(got["failures"])
    assert got.get("failed", False) == bool(got["failures"] or stopped)
    assert got["changed"] == any(line["changed"] for line in got["mailboxes"])
    assert not got["changed"] or got["restart_required"]
    by_guid = {line["guid"]: (line["before"], line["after"], line["changed"]) for line in got["mailboxes"]}
    assert all(by_guid[ln["guid"]] == (ln["before"], ln["after"], ln["changed"]) for ln in got["mailboxes"])
    if not got.get("failed"):
        assert all(line["after"]["pop_enabled"] for line in got["mailboxes"])
    json.dumps(got)  # what Ansible has to be able to send
