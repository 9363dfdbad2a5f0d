# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From mailboxes and a list to a report: counts, verdicts, names that are none, and when there is no report."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.filter.pop3_report_text import pop3_report_text
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._data import from_data, to_data
from support.reports import MADE_AT, failure, mailbox, many, named, report

ANN, BOB, EVE = mailbox("Ann", on=True), mailbox("Bob"), mailbox("Eve", on=True, server="MBX02")


def verdicts(data: dict[str, Any]) -> dict[str, str]:
    return {line["name"]: line["verdict"] for line in data["mailboxes"]}


def test_without_a_list_there_are_counts_and_no_verdict() -> None:
    data = report([ANN, BOB, EVE])
    assert data["counts"] == {"total": 3, "enabled": 2, "disabled": 1}
    assert data["drift"] is None
    assert verdicts(data) == {"Ann": None, "Bob": None, "Eve": None}
    assert data["by_server"] == [
        {"name": "MBX01", "total": 2, "enabled": 1},
        {"name": "MBX02", "total": 1, "enabled": 1},
    ]
    assert pop3_report_text(data) == (
        "2 of 3 mailboxes can be read over POP3. Nobody has declared who should. "
        "Give pop3_report_declared to have that compared."
    )


def test_each_kind_of_drift() -> None:
    data = report(
        [ANN, BOB, EVE], [named(ANN, "ann"), named(BOB, "bob")], failures=[failure("Jon"), failure("A", "ambiguous")]
    )
    assert verdicts(data) == {"Ann": "as_declared", "Bob": "should_have_it", "Eve": "should_not_have_it"}
    assert data["drift"]["as_declared"] is False
    assert data["drift"]["declared"] == 4
    assert data["drift"]["counts"] == {"should_not_have_it": 1, "should_have_it": 1, "unresolved": 2}
    assert pop3_report_text(data) == (
        "2 of 3 mailboxes can be read over POP3. Not as declared: 1 should not have it (eve@contoso.com); 1 should "
        "have it and has not (bob@contoso.com); 1 declared name matches no mailbox ('Jon'); 1 declared name matches "
        "several mailboxes ('A')."
    )


def test_exactly_as_declared() -> None:
    data = report([ANN, BOB], [named(ANN, "ann")])
    assert data["drift"]["as_declared"] is True
    assert pop3_report_text(data) == "1 of 2 mailboxes can be read over POP3. Exactly as declared."


def test_one_name_that_is_wrong_is_drift_even_if_every_mailbox_is_right() -> None:
    assert report([ANN], [named(ANN, "ann")], failures=[failure("Jon")])["drift"]["as_declared"] is False


def test_an_empty_list_is_a_list() -> None:
    assert verdicts(report([ANN, BOB], [])) == {"Ann": "should_not_have_it", "Bob": "as_declared"}


def test_two_names_for_one_mailbox_are_one_row() -> None:
    data = report([ANN], [named(ANN, "ann"), named(ANN, "Ann"), named(ANN, "ann")])
    assert [(line["name"], line["declared_as"]) for line in data["mailboxes"]] == [("Ann", ["ann", "Ann"])]
    assert data["drift"]["declared"] == 3


def test_a_mailbox_is_known_by_its_guid_and_never_by_its_name() -> None:
    other = mailbox("Ann", on=True, guid="11111111-2222-3333-4444-555555555555", mail=ANN["primary_smtp_address"])
    data = report([ANN], [named(other, "Ann")])
    assert [line["verdict"] for line in data["mailboxes"]] == ["should_not_have_it", "as_declared"]


def test_a_declared_mailbox_outside_the_scope_is_a_row_and_not_counted() -> None:
    data = report([ANN], [named(ANN, "ann"), named(BOB, "bob")], organizational_unit="contoso.com/Sales")
    assert data["counts"]["total"] == 1
    assert [(line["name"], line["in_scope"], line["verdict"]) for line in data["mailboxes"]] == [
        ("Ann", True, "as_declared"),
        ("Bob", False, "should_have_it"),
    ]
    assert data["by_server"] == [{"name": "MBX01", "total": 1, "enabled": 1, "should_not_have_it": 0}]


def test_in_words_long_lists_are_cut_and_counted() -> None:
    words = pop3_report_text(report(many(60), []))
    assert "20 should not have it (person.00000@contoso.com, " in words
    assert words.endswith("person.00012@contoso.com and 15 more).")


@pytest.mark.parametrize(
    ("number", "on", "says"),
    [
        (0, 0, "No mailbox is in this organisation."),
        (1, 1, "1 of 1 mailbox can be read over POP3."),
        (2, 0, "None of 2 mailboxes can be read over POP3."),
        (1200, 1200, "1,200 of 1,200 mailboxes can be read over POP3."),
    ],
)
def test_the_headline(number: int, on: int, says: str) -> None:
    assert pop3_report_text(report([mailbox(str(i), on=i < on) for i in range(number)])).startswith(says)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"declared": ["ann", "bob"], "declared_mailboxes": [ANN]}, "Exchange answered for 1 of them"),
        (
            {"declared": ["ann"], "failures": [failure("ann", "access_denied")]},
            "'ann' is declared and could not be read",
        ),
        ({"declared": "ann"}, "declared has to be a list"),
        ({"made_at": "yesterday"}, "not a time"),
        ({"made_at": "2026-11-24T21:30:00"}, "time zone"),
        ({"mailboxes": [{"name": "Ann"}]}, "has to be text"),
        ({"mailboxes": [{**ANN, "pop_enabled": "yes"}]}, "has to be true or false"),
        ({"mailboxes": ["Ann"]}, "a mailbox has to be a dictionary"),
    ],
)
def test_rather_no_report_than_a_wrong_one(given: dict[str, Any], says: str) -> None:
    from ansible_collections.mailops.exchange.plugins.filter.pop3_report import pop3_report

    with pytest.raises(AnsibleFilterError, match=says):
        pop3_report(**{"mailboxes": [ANN], "made_at": MADE_AT, **given})


@pytest.mark.parametrize("wrong", [{}, {"format": 2}, [], "report", None])
def test_what_is_no_report_is_refused_in_words(wrong: object) -> None:
    with pytest.raises(AnsibleFilterError, match=r"pop3_report_text: .*(format|dictionary)"):
        pop3_report_text(wrong)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.pop("scope"), "'scope'"),
        (lambda data: data["exchange"].pop("connection_uri"), "'connection_uri'"),
        (lambda data: data["mailboxes"][0].update(verdict="perhaps"), "'perhaps'"),
    ],
)
def test_a_report_that_was_changed_by_hand_is_refused_in_words(change: Any, says: str) -> None:
    data = report([ANN], [named(ANN, "ann")])
    change(data)
    with pytest.raises(AnsibleFilterError, match=f"cannot be read, because of .*{says}"):
        pop3_report_text(data)


def test_a_key_that_a_later_version_adds_does_not_matter() -> None:
    data = report([ANN], [named(ANN, "ann")])
    later = {**data, "exchange": {**data["exchange"], "version": "15.2"}, "by_day": []}
    assert to_data(from_data(later)) == data


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_every_mailbox_has_one_verdict_and_the_numbers_add_up(people: list[tuple[bool, bool]]) -> None:
    lines = [mailbox(str(index), on=on) for index, (on, _listed) in enumerate(people)]
    data = report(lines, [line for line, (_on, listed) in zip(lines, people, strict=True) if listed])
    counts, found = data["drift"]["counts"], list(verdicts(data).values())
    assert counts["should_not_have_it"] == found.count("should_not_have_it") == people.count((True, False))
    assert counts["should_have_it"] == found.count("should_have_it") == people.count((False, True))
    for by in ("by_server", "by_organizational_unit"):
        for key in ("total", "enabled"):
            assert sum(group[key] for group in data[by]) == data["counts"][key]


def test_the_json_has_everything_that_the_page_needs() -> None:
    data = report(
        [ANN, EVE], [named(ANN, "ann"), named(BOB, "bob")], failures=[failure("Jon")], filter="PopEnabled -eq $true"
    )
    assert to_data(from_data(json.loads(json.dumps(data)))) == data
