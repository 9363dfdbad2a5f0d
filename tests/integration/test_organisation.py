# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole organisations: selections, exclusive lists with their brake, a mailbox's other POP3 settings, and the look."""

from __future__ import annotations

from typing import Any

import pytest

from support.controller import Run
from support.pop3_tasks import Pop3Tasks

SET = "Set-CASMailbox"
INFO = "mailops.exchange.exchange_pop3_access_info"


def enabled(pop3: Pop3Tasks) -> set[str]:
    """Who has POP3 in the organisation now."""
    organisation = pop3.simulator.organisation
    return {m.name for m in organisation.mailboxes() if organisation.settings(m).pop_enabled}


def look(pop3: Pop3Tasks, **options: Any) -> Run:
    given = {name: value for name, value in pop3.connection.items() if name != "state"} | options
    delegation = {"delegate_to": pop3.delegate_to} if pop3.delegate_to else {}
    task = {"name": "Task", INFO: given, **delegation}
    return pop3.controller.play([{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task]}])


def test_exclusive_from_the_plan_to_the_end_state(pop3: Pop3Tasks) -> None:
    """Check mode shows who gains and loses; the run makes it exactly so; a second run changes nothing."""
    before = enabled(pop3)
    listed = ["John Smith", "Patrick Colon"]
    dry = pop3("--check", "--diff", identities=listed, exclusive=True).result
    gained = {line["name"] for line in dry["mailboxes"] if line["changed"] and line["after"]["pop_enabled"]}
    lost = {line["name"] for line in dry["mailboxes"] if line["changed"] and not line["after"]["pop_enabled"]}
    assert gained == {"John Smith"}
    assert lost == before - set(listed)
    assert {line.split(" <")[0] for line in dry["diff"]["before"].splitlines()} == lost
    assert {line.split(" <")[0] for line in dry["diff"]["after"].splitlines()} == gained
    assert enabled(pop3) == before

    real = pop3(identities=listed, exclusive=True).result
    assert real["changed"]
    assert enabled(pop3) == set(listed)

    second = pop3(identities=listed, exclusive=True).result
    assert not second["changed"]
    assert second["counts"] == {"total": 2, "changed": 0, "unchanged": 2, "failed": 0}


def test_exclusive_with_a_typo_takes_access_from_nobody(pop3: Pop3Tasks) -> None:
    before = enabled(pop3)
    for arguments in ((), ("--check",)):
        result = pop3(*arguments, identities=["John Smith", "Patrik Colon"], exclusive=True).result
        assert "Nothing was changed: with exclusive, every listed mailbox has to be found first" in result["msg"]
        assert "Patrik Colon" in result["msg"]
        assert not result["changed"]
    assert enabled(pop3) == before
    assert pop3.sent(SET) == []


def test_the_brake_changes_nothing_and_shows_the_plan(pop3: Pop3Tasks) -> None:
    before = enabled(pop3)
    result = pop3(identities=["John Smith"], exclusive=True, max_changes=3).result
    assert "max_changes is 3" in result["msg"]
    assert not result["changed"]
    assert not result["restart_required"]
    assert {line["name"] for line in result["plan"]} == before | {"John Smith"}
    assert result["failures"] == result["mailboxes"] == []
    assert "1 would gain POP3 access, and 8 would lose it." in result["msg"]
    assert pop3.sent(SET) == []

    dry = pop3("--check", identities=["John Smith"], exclusive=True, max_changes=3).result
    assert dry["changed"]
    assert any("max_changes is 3" in warning for warning in dry["warnings"])
    assert dry["msg"].startswith("Nothing would be changed. The plan has 9 changes")
    assert not dry["restart_required"]

    assert pop3(identities=["John Smith"], exclusive=True, max_changes=-1).result["changed"]
    assert enabled(pop3) == {"John Smith"}


def test_everybody_loses_access_only_if_that_is_said_twice(here: Pop3Tasks) -> None:
    assert "allow_empty" in here(identities=[], exclusive=True).result["msg"]
    assert here.simulator.exchange.http_requests == 0
    here(identities=[], exclusive=True, allow_empty=True)
    assert enabled(here) == set()


def test_exclusive_in_an_organizational_unit_leaves_the_others_alone(here: Pop3Tasks) -> None:
    before = enabled(here)
    in_sales = {m.name for m in here.simulator.organisation.mailboxes("Sales")}
    here(identities=["John Smith"], exclusive=True, organizational_unit="contoso.com/Sales")
    assert enabled(here) == (before - in_sales) | {"John Smith"}


def test_a_selection_without_a_list(pop3: Pop3Tasks) -> None:
    result = pop3(filter="PopEnabled -eq $true", organizational_unit="contoso.com/Engineering", state="disabled").result
    names = {m.name for m in pop3.simulator.organisation.mailboxes("Engineering")}
    assert {line["name"] for line in result["mailboxes"]} == names
    assert result["counts"]["changed"] == len(names)
    assert not enabled(pop3) & names


@pytest.mark.parametrize("scope", [{"organizational_unit": ""}, {"filter": " "}])
def test_a_scope_that_is_blank_is_not_the_whole_organisation(here: Pop3Tasks, scope: dict[str, Any]) -> None:
    before = enabled(here)
    result = here(identities=["John Smith"], exclusive=True, max_changes=-1, **scope).result
    assert "is blank. Leave it out if it is not to limit anything." in result["msg"]
    assert enabled(here) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"filter": "PopEnabled -equals $true"}, "-Filter PopEnabled -equals $true"),
        ({"organizational_unit": "contoso.com/Nowhere"}, "-OrganizationalUnit contoso.com/Nowhere"),
    ],
)
def test_a_selection_that_exchange_does_not_understand(here: Pop3Tasks, options: dict[str, Any], says: str) -> None:
    result = here(**options).result
    assert "The mailboxes could not be selected" in result["msg"]
    assert says in result["msg"]
    assert here.sent(SET) == []


def test_the_other_settings_are_applied_read_back_and_left_alone(pop3: Pop3Tasks) -> None:
    own = {
        "use_protocol_defaults": False,
        "messages_retrieval_mime_format": "TextOnly",
        "enable_exact_rfc822_size": True,
        "suppress_read_receipt": True,
        "force_ical_for_calendar_retrieval_option": True,
    }
    result = pop3(identity="Patrick Colon", **own).result
    assert result["mailboxes"][0]["after"] == {f"pop_{name}": value for name, value in own.items()} | {
        "pop_enabled": True
    }
    (sent,) = pop3.sent(SET)
    assert "PopEnabled" not in sent  # it was on: only what differs is sent
    assert sent["PopMessagesRetrievalMimeFormat"] == "TextOnly"
    assert not pop3(identity="Patrick Colon", **own).result["changed"]
    assert not pop3(identity="Patrick Colon").result["changed"]  # what is not declared is left as it is


@pytest.mark.parametrize("form", ["object", "text", "number"])
def test_the_format_compares_equal_in_every_form(here: Pop3Tasks, form: str) -> None:
    here.simulator.exchange.behaviour.mime_format_form = form  # type: ignore[assignment]
    options = {"use_protocol_defaults": False, "messages_retrieval_mime_format": "Tnef"}
    assert here(identity="Patrick Colon", **options).result["changed"]
    assert not here(identity="Patrick Colon", **options).result["changed"]


def test_info_of_the_whole_organisation(pop3: Pop3Tasks) -> None:
    result = look(pop3).result
    organisation = pop3.simulator.organisation
    assert result["counts"] == {
        "total": len(organisation),
        "enabled": len(enabled(pop3)),
        "disabled": len(organisation) - len(enabled(pop3)),
    }
    jane = next(line for line in result["mailboxes"] if line["name"] == "Smith, Jane")
    assert jane["organizational_unit"] == "contoso.com/Sales"
    assert jane["pop_messages_retrieval_mime_format"] == "BestBodyFormat"
    assert not result["changed"]


def test_info_of_some(here: Pop3Tasks) -> None:
    assert {line["name"] for line in look(here, state="enabled").result["mailboxes"]} == enabled(here)
    assert [line["identity"] for line in look(here, identities=["jsmith", "jane"]).result["mailboxes"]] == [
        "jsmith",
        "jane",
    ]
    assert {line["name"] for line in look(here, organizational_unit="Sales").result["mailboxes"]} == {
        m.name for m in here.simulator.organisation.mailboxes("Sales")
    }
    failed = look(here, identities=["Jon Smith", "jane"])
    assert failed.returncode == 2
    assert [f["reason"] for f in failed.result["failures"]] == ["not_found"]
    assert [line["identity"] for line in failed.result["mailboxes"]] == ["jane"]


def test_info_is_not_cut_after_1000(here: Pop3Tasks) -> None:
    for number in range(1500):
        here.simulator.organisation.add_mailbox(f"user{number:04}")
    result = look(here, state="disabled").result
    assert result["counts"]["total"] == len(here.simulator.organisation) > 1500
    assert "warnings" not in result
