# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many mailboxes at once: streamed, listed, shared out among sessions; and each answer is that of the right mailbox.

The work runs in this process; the wire is real. What the way there costs is another thing over each transport.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from simulator import Ending, Failure, SessionDrop
from simulator.exchange.cmdlets import CmdletCall
from simulator.exchange.directory import DomainDirectory
from simulator.wire.negotiate import Account, Negotiate
from support.pop3_tasks import ADMIN, Pop3Tasks
from support.transports import REMOTE_POWERSHELL

from .test_main_job import forbid_sessions_after

GET, SET = "Get-CASMailbox", "Set-CASMailbox"
TRANSIENT = "Microsoft.Exchange.Data.Directory.ADTransientException"


@pytest.fixture
def many(in_process: Pop3Tasks) -> Pop3Tasks:
    """Forty more mailboxes without POP3: user00 to user39."""
    for number in range(40):
        in_process.simulator.organisation.add_mailbox(f"user{number:02}", pop_enabled=False)
    return in_process


USERS = [f"user{number:02}" for number in range(40)]


def reasons(result: dict[str, Any]) -> dict[str, str]:
    return {failure["identity"]: failure["reason"] for failure in result["failures"]}


def changed(result: dict[str, Any]) -> set[str]:
    return {line["identity"] for line in result["mailboxes"] if line["changed"]}


def test_many_need_few_round_trips(many: Pop3Tasks) -> None:
    """Open 2, look 4, change 4, read back 4, close 1; some more for what arrives in parts."""
    result = many(identities=USERS).result
    assert result["counts"] == {"total": 40, "changed": 40, "unchanged": 0, "failed": 0}
    assert many.simulator.exchange.http_requests <= 25
    assert [call.name for call in many.simulator.exchange.calls] == [GET, SET, GET]


def test_each_error_among_many_is_that_of_its_mailbox(many: Pop3Tasks) -> None:
    names = [*USERS[:10], "Jon Smith", *USERS[10:20], "Alex Meyer", "", *USERS[20:]]
    names.remove("")
    result = many(identities=names).result
    assert reasons(result) == {"Jon Smith": "not_found", "Alex Meyer": "ambiguous"}
    assert [line["identity"] for line in result["mailboxes"]] == names
    assert changed(result) == set(USERS)
    assert {line["identity"]: line["name"] for line in result["mailboxes"] if line["name"]} == dict(
        zip(USERS, USERS, strict=True)
    )


def test_an_error_that_names_nobody_is_put_to_nobody_else(many: Pop3Tasks) -> None:
    """Halves of the list are asked again until the answer is that of one mailbox."""
    many.simulator.exchange.behaviour.failing_reads["user17"] = Failure("The directory is busy.", TRANSIENT)
    result = many(identities=USERS).result
    assert reasons(result) == {"user17": "error"}
    assert changed(result) == set(USERS) - {"user17"}


def test_a_name_within_a_name_is_not_mistaken_for_it(many: Pop3Tasks) -> None:
    """The errors name 'jo' and 'jo.user', and 'on' is a word of every message."""
    for name in ("jo.user", "jo.user.x"):
        many.simulator.organisation.add_mailbox(name, pop_enabled=False)
    names = ["jo", "jo.user", "on", *USERS, "jo.user.x", "user"]
    result = many(identities=names).result
    assert reasons(result) == {"jo": "not_found", "on": "not_found", "user": "not_found"}
    assert {line["identity"] for line in result["mailboxes"] if line["name"] == line["identity"]} == {
        "jo.user",
        "jo.user.x",
        *USERS,
    }


def test_a_refused_change_among_many_is_that_of_its_mailbox(many: Pop3Tasks) -> None:
    many.simulator.exchange.behaviour.failing_writes["user17"] = Failure("The directory is busy.", TRANSIENT)
    result = many(identities=USERS).result
    assert reasons(result) == {"user17": "error"}
    assert "The directory is busy." in result["msg"]
    assert changed(result) == set(USERS) - {"user17"}
    assert not many.pop_enabled("user17")


def test_a_change_that_is_not_kept_among_many(many: Pop3Tasks) -> None:
    many.simulator.exchange.behaviour.ignored_writes |= {"user03", "user30"}
    result = many(identities=USERS).result
    assert reasons(result) == {"user03": "not_kept", "user30": "not_kept"}
    assert changed(result) == set(USERS) - {"user03", "user30"}


def test_many_refused_are_all_told_why(many: Pop3Tasks) -> None:
    user = many.simulator.users.add("limited@contoso.com", "not-shown", "Mail Recipients")
    user.denied_cmdlets.add(SET)
    result = many(identities=USERS, username="limited@contoso.com", password="not-shown").result
    assert set(reasons(result).values()) == {"access_denied"}
    assert not result["changed"]
    assert not result["restart_required"]


def test_a_hidden_cmdlet_is_asked_for_once(many: Pop3Tasks) -> None:
    many.simulator.users.add("viewer@contoso.com", "not-shown", "View-Only Recipients")
    result = many(identities=USERS, username="viewer@contoso.com", password="not-shown").result
    assert set(reasons(result).values()) == {"access_denied"}
    assert len(many.simulator.exchange.calls_of(SET)) == 1


def test_different_changes_go_in_different_pipelines(many: Pop3Tasks, transport: str) -> None:
    for name in USERS[:20]:
        many.simulator.organisation.change_settings(
            many.simulator.organisation.mailbox(name),
            {"PopEnabled": True},
            many.simulator.organisation.domain_controllers[0],
        )
    result = many(identities=USERS, use_protocol_defaults=False, suppress_read_receipt=True).result
    assert result["counts"]["changed"] == 40
    both = {"PopUseProtocolDefaults": False, "PopSuppressReadReceipt": True}
    sent = [{name: value for name, value in one.items() if name != "Identity"} for one in many.sent(SET)]
    assert sorted(sent, key=len) == [both] * 20 + [{"PopEnabled": True, **both}] * 20
    if transport == REMOTE_POWERSHELL:  # over host_shell, each value is piped in alone
        assert len(many.simulator.exchange.calls_of(SET)) == 2


def test_a_session_that_breaks_among_many_changes_leaves_the_truth(many: Pop3Tasks) -> None:
    """What was sent and not answered is unconfirmed, and may have been changed: the services have to be restarted."""
    many.simulator.exchange.behaviour.session_drops.append(SessionDrop(SET, nth=11))
    forbid_sessions_after(many, SET)
    result = many(identities=USERS).result
    assert set(reasons(result).values()) == {"unconfirmed"}
    assert set(reasons(result)) == set(USERS)
    assert result["restart_required"]
    assert "broke during Set-CASMailbox" in result["msg"]


def test_select_object_is_tried_once(many: Pop3Tasks) -> None:
    for number in range(60):
        many.simulator.organisation.add_mailbox(f"more{number:02}", pop_enabled=False)
    names = [*USERS, *(f"more{number:02}" for number in range(60))]
    assert many(identities=names).result["counts"]["changed"] == 100
    assert len(many.simulator.exchange.calls_of("Select-Object")) == 1
    whole = bytes_of(many, names)
    many.simulator.exchange.behaviour.select_object_visible = True
    assert bytes_of(many, names) < whole / 2


def bytes_of(many: Pop3Tasks, names: list[str]) -> int:
    before = many.simulator.exchange.bytes_out
    assert many(identities=names).result["counts"]["unchanged"] == len(names)
    return many.simulator.exchange.bytes_out - before


def test_a_long_list_is_looked_up_in_a_listing(many: Pop3Tasks) -> None:
    """Who is as declared is asked for no more; whoever has to be changed, Exchange itself is asked about."""
    organisation = many.simulator.organisation
    for number in range(300):
        organisation.add_mailbox(f"long{number:03}", pop_enabled=number >= 20)
    addresses = [organisation.mailbox(f"long{number:03}").primary_smtp_address for number in range(300)]
    result = many(identities=[*addresses, "nobody@contoso.com", "Alex Meyer"]).result
    assert result["counts"] == {"total": 302, "changed": 20, "unchanged": 280, "failed": 2}
    assert reasons(result) == {"nobody@contoso.com": "not_found", "Alex Meyer": "ambiguous"}
    assert many.sent(GET)[0] == {"ResultSize": 604}
    asked = {value for call in many.simulator.exchange.calls_of(GET) for value in call.pipeline_input}
    assert set(addresses[20:]).isdisjoint(asked)
    assert set(addresses[:20]) <= asked


@pytest.mark.parametrize(("on", "reason"), [(False, "ambiguous"), (True, None)])
def test_an_address_that_is_anothers_user_principal_name(many: Pop3Tasks, on: bool, reason: str | None) -> None:
    """Exchange calls it ambiguous, and a listing cannot see that: nobody is changed on a listing's word."""
    organisation = many.simulator.organisation
    for number in range(250):
        organisation.add_mailbox(f"long{number:03}")
    addresses = [organisation.mailbox(f"long{number:03}").primary_smtp_address for number in range(250)]
    organisation.add_mailbox("Owner", alias="owner", user_principal_name="o@contoso.com", pop_enabled=on)
    organisation.add_mailbox("Other", user_principal_name="owner@contoso.com", pop_enabled=False)
    result = many(identities=[*addresses, "owner@contoso.com"]).result
    assert reasons(result).get("owner@contoso.com") == reason
    assert many.sent(SET) == []


def test_where_pipeline_input_does_not_bind_each_is_asked_for_alone(many: Pop3Tasks, transport: str) -> None:
    many.simulator.exchange.behaviour.pipeline_input_binds = False
    names = [*USERS[:20], "Jon Smith", *USERS[20:]]
    result = many(identities=names).result
    assert result["counts"] == {"total": 41, "changed": 40, "unchanged": 0, "failed": 1}
    if transport == REMOTE_POWERSHELL:  # over host_shell, the script pipes each in alone: then no other way is needed
        assert [len(call.pipeline_input) for call in many.simulator.exchange.calls if call.pipeline_input] == [41]


def test_exclusive_takes_no_listing_s_word(many: Pop3Tasks) -> None:
    organisation = many.simulator.organisation
    for number in range(250):
        organisation.add_mailbox(f"long{number:03}")
    addresses = [organisation.mailbox(f"long{number:03}").primary_smtp_address for number in range(250)]
    result = many(identities=addresses, exclusive=True, max_changes=-1).result
    assert "failed" not in result
    asked = {value for call in many.simulator.exchange.calls_of(GET) for value in call.pipeline_input}
    assert set(addresses) <= asked


@pytest.mark.parametrize("sessions", [1, 3])
def test_more_sessions_give_the_same_result(many: Pop3Tasks, sessions: int) -> None:
    behaviour = many.simulator.exchange.behaviour
    behaviour.ignored_writes.add("user03")
    behaviour.failing_writes["user17"] = Failure("The directory is busy.", TRANSIENT)
    names = [*USERS[:20], "Jon Smith", *USERS[20:]]
    result = many(identities=names, parallel_sessions=sessions).result
    assert [line["identity"] for line in result["mailboxes"]] == names
    assert reasons(result) == {"Jon Smith": "not_found", "user03": "not_kept", "user17": "error"}
    assert list(reasons(result)) == ["user03", "user17", "Jon Smith"]
    assert changed(result) == set(USERS) - {"user03", "user17"}
    assert len(many.simulator.exchange.shells) == sessions
    assert {shell.ending for shell in many.simulator.exchange.shells} == {Ending.CLOSED}


def test_where_exchange_allows_fewer_sessions_fewer_do_the_work(many: Pop3Tasks) -> None:
    many.simulator.exchange.behaviour.max_shells_per_user = 2
    result = many(identities=USERS, parallel_sessions=8).result
    assert result["counts"]["changed"] == 40
    assert len(many.simulator.exchange.shells) == 2


def test_one_of_several_sessions_breaks(many: Pop3Tasks) -> None:
    many.simulator.exchange.behaviour.session_drops.append(SessionDrop(SET, nth=25))
    result = many(identities=USERS, parallel_sessions=4).result
    assert "failed" not in result
    assert changed(result) == set(USERS)
    assert len(many.simulator.exchange.shells) == 5


def test_one_of_several_sessions_breaks_for_good(many: Pop3Tasks) -> None:
    """The others finish what they have, and it is known."""
    drops = many.simulator.exchange.behaviour.session_drops
    drops.append(SessionDrop(SET, nth=25))
    many.simulator.exchange.on_call = lambda _call: many.simulator.exchange.behaviour.__setattr__(
        "refuse_opening", "Access is denied." if drops[0].seen else None
    )
    result = many(identities=USERS, parallel_sessions=4).result
    assert "broke during Set-CASMailbox" in result["msg"]
    unconfirmed = {identity for identity, reason in reasons(result).items() if reason == "unconfirmed"}
    assert unconfirmed
    assert changed(result) | set(reasons(result)) == set(USERS)
    assert all(many.pop_enabled(name) for name in changed(result))


@pytest.mark.parametrize("number", [0, -1, 19])
def test_a_number_of_sessions_that_is_none(many: Pop3Tasks, number: int) -> None:
    result = many(identities=USERS, parallel_sessions=number).result
    assert result["msg"] == "parallel_sessions is a number of sessions, from 1 to 18."
    assert many.simulator.exchange.http_requests == 0


def test_a_change_among_errors_that_cannot_be_read_back_is_not_called_unchanged(many: Pop3Tasks) -> None:
    """One error in the pipeline, and a mailbox that was changed in it and cannot be seen or found afterwards."""
    exchange = many.simulator.exchange
    exchange.behaviour.failing_writes["user09"] = Failure("The directory is busy.", TRANSIENT)
    gone = Failure("It is gone.", "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException")

    def on_call(call: CmdletCall) -> None:
        if call.name == GET and exchange.calls_of(SET):
            exchange.behaviour.failing_reads["user00"] = exchange.behaviour.failing_writes["user00"] = gone

    exchange.on_call = on_call
    result = many(identities=USERS).result
    assert many.pop_enabled("user00")
    assert reasons(result)["user00"] == "unconfirmed"
    assert result["restart_required"]


class OneLogin(DomainDirectory):
    """Knows everybody until somebody has logged in, and nobody afterwards."""

    logins: Sequence[object] = ()

    def accounts(self) -> Iterator[Account]:
        return iter(()) if self.logins else super().accounts()


def test_a_further_session_that_is_refused_its_login_leaves_the_work_to_the_first(many: Pop3Tasks) -> None:
    """One server of a load-balanced name that does not take it, or a ticket that has just ended."""
    directory = OneLogin(many.simulator.users, "CONTOSO", "contoso.com")
    negotiate = Negotiate(directory, ntlm=True)
    directory.logins = negotiate.logins
    many.simulator.exchange.accept_logins(negotiate)
    result = many(identities=USERS, parallel_sessions=4, authentication="ntlm").result
    assert "failed" not in result, result
    assert changed(result) == set(USERS)
    assert len(many.simulator.exchange.shells) == 1
    assert many.simulator.exchange.open_shells == []


@pytest.mark.parametrize("sessions", [1, 4])
def test_a_password_that_stops_being_right_is_not_tried_again(many: Pop3Tasks, sessions: int) -> None:
    """Enough of that locks the account. What is on its way at that moment is sent: one request for each session."""
    exchange, users = many.simulator.exchange, many.simulator.users
    at = 0

    def on_call(call: CmdletCall) -> None:
        nonlocal at
        if call.name == SET and not at:
            at = len(exchange.authorizations)
            users.add(ADMIN, "another one", "Mail Recipients")

    exchange.on_call = on_call
    result = many(identities=USERS, parallel_sessions=sessions).result
    assert "The login was not accepted" in result["msg"]
    assert len(exchange.authorizations) - at <= sessions
    assert set(reasons(result).values()) <= {"unconfirmed", "error"}
    exchange.kill_shells()
