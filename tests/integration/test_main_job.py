# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job through both faces: declared, changed once, proven, reported; and every way in which it can fail."""

from __future__ import annotations

import pytest
import yaml

from simulator import Failure, SessionDrop
from simulator.exchange.cmdlets import CmdletCall
from support.pop3_tasks import Pop3Tasks

OWN = {
    "pop_use_protocol_defaults": True,
    "pop_messages_retrieval_mime_format": "BestBodyFormat",
    "pop_enable_exact_rfc822_size": False,
    "pop_suppress_read_receipt": False,
    "pop_force_ical_for_calendar_retrieval_option": False,
}
GET, SET = "Get-CASMailbox", "Set-CASMailbox"


def test_check_then_change_then_nothing(pop3: Pop3Tasks) -> None:
    """The story of the demo: John Smith's POP3 is off; dry run, real run, second run."""
    john = pop3.simulator.organisation.mailbox("John Smith")

    dry = pop3("--check", "--diff", identity="John Smith").result
    assert dry["changed"]
    assert dry["restart_required"]
    assert "pop_enabled: true" in dry["diff"]["after"]
    assert dry["mailboxes"][0]["after"]["pop_enabled"] is True
    assert not pop3.pop_enabled("John Smith")
    assert pop3.sent(SET) == []

    real = pop3(identity="John Smith").result
    assert real["changed"]
    assert real["restart_required"]
    assert real["mailboxes"] == [
        {
            "identity": "John Smith",
            "name": "John Smith",
            "guid": str(john.guid),
            "primary_smtp_address": john.primary_smtp_address,
            "server": john.server.lower(),  # as Exchange writes it
            "changed": True,
            "before": {"pop_enabled": False, **OWN},
            "after": {"pop_enabled": True, **OWN},
        }
    ]
    assert real["counts"] == {"total": 1, "changed": 1, "unchanged": 0, "failed": 0}
    assert pop3.pop_enabled("John Smith")
    assert pop3.sent(SET) == [{"Identity": str(john.guid), "PopEnabled": True}]

    second = pop3(identity="John Smith").result
    assert not second["changed"]
    assert not second["restart_required"]
    assert len(pop3.sent(SET)) == 1


def test_disabled(pop3: Pop3Tasks) -> None:
    assert pop3.pop_enabled("Patrick Colon")
    assert pop3(identity="Patrick Colon", state="disabled").result["changed"]
    assert not pop3.pop_enabled("Patrick Colon")


def test_every_form_of_identity_names_the_mailbox(pop3: Pop3Tasks) -> None:
    john = pop3.simulator.organisation.mailbox("John Smith")
    forms = [
        john.name,
        john.alias,
        john.primary_smtp_address.upper(),
        john.user_principal_name,
        john.logon_name,
        john.distinguished_name,
        john.canonical_name,
        john.legacy_exchange_dn,
        str(john.guid),
        john.name,
    ]
    run = pop3(identities=forms)
    assert [line["identity"] for line in run.result["mailboxes"]] == forms
    assert {line["guid"] for line in run.result["mailboxes"]} == {str(john.guid)}
    assert [line["changed"] for line in run.result["mailboxes"]] == [True] * len(forms)
    assert len(pop3.sent(SET)) == 1
    assert run.result["diff"]["after"].count("\n") == 1


def test_one_bad_name_does_not_stop_the_others(pop3: Pop3Tasks) -> None:
    run = pop3(identities=["John Smith", "Jon Smith", "Alex Meyer", "Smith, Jane"])
    result = run.result
    assert run.returncode == 2
    assert result["changed"]
    assert pop3.pop_enabled("John Smith")
    assert [(f["identity"], f["reason"]) for f in result["failures"]] == [
        ("Jon Smith", "not_found"),
        ("Alex Meyer", "ambiguous"),
    ]
    assert [line["identity"] for line in result["mailboxes"]] == [
        "John Smith",
        "Jon Smith",
        "Alex Meyer",
        "Smith, Jane",
    ]
    assert [line["guid"] is None for line in result["mailboxes"]] == [False, True, True, False]
    assert result["counts"]["failed"] == 2
    assert result["counts"]["total"] == 4
    assert result["msg"].startswith("2 of 4 mailboxes failed: 1 not found, 1 ambiguous.")
    assert "couldn't be found on 'DC0" in result["failures"][0]["msg"]


def test_a_french_exchange_is_understood_too(pop3: Pop3Tasks) -> None:
    pop3.simulator.organisation.language = "fr"
    result = pop3(identities=["Jon Smith", "Alex Meyer"]).result
    assert [f["reason"] for f in result["failures"]] == ["not_found", "ambiguous"]


def test_what_exchange_does_not_keep_is_a_failure(pop3: Pop3Tasks) -> None:
    pop3.simulator.exchange.behaviour.ignored_writes.add("John Smith")
    result = pop3(identities=["John Smith", "Patrick Colon"]).result
    assert result["failed"]
    assert result["failures"][0]["reason"] == "not_kept"
    assert result["mailboxes"][0]["after"]["pop_enabled"] is False
    assert result["restart_required"]


def test_what_shows_up_a_moment_later_is_kept(pop3: Pop3Tasks) -> None:
    """Reading back from a domain controller that is a little behind is no failure."""
    pop3.simulator.organisation.replication_delay = 0.3
    pop3.simulator.exchange.behaviour.domain_controller_per_cmdlet = True
    result = pop3(identity="John Smith").result
    assert "failed" not in result or not result["failed"]
    assert result["mailboxes"][0]["after"]["pop_enabled"] is True


def test_the_domain_controller_is_given_to_every_cmdlet(pop3: Pop3Tasks) -> None:
    pop3(identity="John Smith", domain_controller="DC02.contoso.com")
    assert {call.get("DomainController") for call in pop3.sent(GET) + pop3.sent(SET)} == {"DC02.contoso.com"}


def test_a_change_without_read_back_is_unconfirmed(pop3: Pop3Tasks) -> None:
    pop3.simulator.exchange.behaviour.session_drops.append(SessionDrop(SET, when="after"))
    forbid_sessions_after(pop3, SET)
    run = pop3(identities=["John Smith", "Jon Smith"])
    result = run.result
    assert run.returncode == 2
    assert [f["reason"] for f in result["failures"]] == ["unconfirmed", "not_found"]
    assert result["mailboxes"][0]["after"] is None
    assert result["restart_required"]
    assert "broke during" in result["msg"]


def forbid_sessions_after(pop3: Pop3Tasks, cmdlet: str) -> None:
    """No further session can be opened once the cmdlet has arrived."""

    def on_call(call: CmdletCall) -> None:
        if call.name == cmdlet:
            pop3.simulator.exchange.behaviour.refuse_opening = "Access is denied."

    pop3.simulator.exchange.on_call = on_call


def test_the_time_out_of_a_task_loses_nothing(here: Pop3Tasks) -> None:
    """Ansible's keyword ``timeout`` ends the run in the middle of the second change."""
    here.simulator.exchange.behaviour.cmdlet_delays[SET] = 2
    names = ["John Smith", "Support 😀", "Patrick Colon"]
    run = here(identities=names, keywords={"timeout": 3})
    result = run.result
    assert result["msg"].startswith("Timed out after 3 second")
    assert [line["identity"] for line in result["mailboxes"]] == names
    assert [f["reason"] for f in result["failures"]] == ["unconfirmed", "unconfirmed"]
    assert result["changed"]
    assert result["restart_required"]


def test_an_error_that_comes_after_the_change_hides_no_change(here: Pop3Tasks) -> None:
    """A directory's time-out can follow a write that took effect."""
    behaviour = here.simulator.exchange.behaviour
    behaviour.failing_writes["John Smith"] = Failure(
        "No answer.", "Microsoft.Exchange.Data.Directory.ADTransientException"
    )
    behaviour.failing_writes_apply = True
    result = here(identity="John Smith").result
    assert [f["reason"] for f in result["failures"]] == ["error"]
    assert result["mailboxes"][0]["after"]["pop_enabled"] is True
    assert result["changed"]
    assert result["restart_required"]


def test_a_session_that_breaks_while_reading_changes_nothing_and_accounts_for_all(pop3: Pop3Tasks) -> None:
    pop3.simulator.exchange.behaviour.session_drops += [SessionDrop(GET, nth=number) for number in range(2, 20)]
    result = pop3(identities=["John Smith", "Patrick Colon", "Smith, Jane"]).result
    assert result["failed"]
    assert [line["identity"] for line in result["mailboxes"]] == ["John Smith", "Patrick Colon", "Smith, Jane"]
    assert {f["reason"] for f in result["failures"]} == {"error"}
    assert not result["changed"]
    assert not result["restart_required"]
    assert pop3.sent(SET) == []


def test_a_user_without_the_role_is_told_which_one(pop3: Pop3Tasks) -> None:
    pop3.simulator.users.add("nobody@contoso.com", "not-shown")
    result = pop3(
        identities=["John Smith", "Patrick Colon"], username="nobody@contoso.com", password="not-shown"
    ).result
    assert [f["reason"] for f in result["failures"]] == ["access_denied", "access_denied"]
    assert "has no cmdlet Get-CASMailbox" in result["msg"]
    assert "'Mail Recipients'" in result["msg"]


def test_a_user_who_may_only_look_changes_nothing(pop3: Pop3Tasks) -> None:
    pop3.simulator.users.add("viewer@contoso.com", "not-shown", "View-Only Recipients")
    result = pop3(
        identities=["John Smith", "Patrick Colon"], username="viewer@contoso.com", password="not-shown"
    ).result
    assert [(f["identity"], f["reason"]) for f in result["failures"]] == [("John Smith", "access_denied")]
    assert "has no cmdlet Set-CASMailbox" in result["msg"]
    assert result["mailboxes"][0]["after"]["pop_enabled"] is False
    assert not result["restart_required"]


def test_a_denied_cmdlet_is_reported_for_each_mailbox(pop3: Pop3Tasks) -> None:
    pop3.simulator.users.add("limited@contoso.com", "not-shown", "Mail Recipients").denied_cmdlets.add(SET)
    result = pop3(identity="John Smith", username="limited@contoso.com", password="not-shown").result
    assert result["failures"][0]["reason"] == "access_denied"
    assert "Set-CASMailbox is not allowed" in result["msg"]


def test_warnings_are_shown_once_each(pop3: Pop3Tasks) -> None:
    pop3.simulator.exchange.behaviour.extra_warnings[GET] = ["A certificate expires soon."]
    run = pop3(identities=["John Smith", "Patrick Colon"])
    assert [w for w in run.result.get("warnings", []) if "expires soon" in w] == [
        "Exchange warns: A certificate expires soon."
    ]


@pytest.mark.parametrize("form", ["text", "missing"])
def test_an_answer_of_the_wrong_type_is_not_guessed_at(here: Pop3Tasks, form: str) -> None:
    here.simulator.exchange.behaviour.pop_enabled_form = form  # type: ignore[assignment]
    result = here(identity="John Smith").result
    assert result["failures"][0]["reason"] == "error"
    assert "PopEnabled" in result["msg"]
    assert here.sent(SET) == []


STRANGE = [
    "O'Brien",
    'He said "hi"',
    "a; Remove-Mailbox *",
    "$(Remove-Mailbox John)",
    "`whoami`",
    "$null",
    "*",
    "line\nbreak",
    "tab\there",
    "_x0041_",
    "Ümit Öztürk 🦆",
    "{{ 7 * 7 }}",
    "<S>&amp;</S>",
    "-Identity",
    " leading and trailing ",
]


class Unsafe(str):
    """Text that Ansible must not take for a template."""

    __slots__ = ()


yaml.SafeDumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def test_strange_names_travel_as_data(pop3: Pop3Tasks) -> None:
    """Each is a mailbox of its own; exactly that one is found and changed."""
    for number, name in enumerate(STRANGE):
        pop3.simulator.organisation.add_mailbox(name, alias=f"strange{number}", pop_enabled=False)
    run = pop3(identities=[Unsafe(name) if "{{" in name else name for name in STRANGE])
    assert run.returncode == 0, run.output
    assert [line["name"] for line in run.result["mailboxes"]] == STRANGE
    assert [call["Identity"] for call in pop3.sent(GET) if "Identity" in call][: len(STRANGE)] == STRANGE
    assert all(pop3.pop_enabled(f"strange{number}") for number in range(len(STRANGE)))


def test_500_identities_use_one_session_or_a_few(pop3: Pop3Tasks) -> None:
    names = [f"user{n:03}" for n in range(500)]
    for name in names:
        pop3.simulator.organisation.add_mailbox(name, pop_enabled=name.endswith("0"))
    result = pop3(identities=names).result
    assert result["counts"] == {"total": 500, "changed": 450, "unchanged": 50, "failed": 0}
    assert len(pop3.simulator.exchange.shells) <= 4


def test_one_mailbox_with_nothing_to_do_costs_six_requests(here: Pop3Tasks) -> None:
    here(identity="Patrick Colon")
    assert here.simulator.exchange.http_requests <= 6
