# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-ExchangeServer over a session that answers as told: what is understood, what is refused, what is done without."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._core._server import Server
from ansible_collections.mailops.exchange.plugins.module_utils._errors import ListingFailed, UnexpectedReply
from ansible_collections.mailops.exchange.plugins.module_utils._gateway._exchange_server import ExchangeServers
from ansible_collections.mailops.exchange.plugins.module_utils._session._protocol import (
    ErrorRecord,
    Pipeline,
    Record,
    Reply,
)

SERVERS, DAGS, MEMBERS = "Get-ExchangeServer", "Get-DatabaseAvailabilityGroup", "Get-MailboxServer"
HIDDEN = Reply((ErrorRecord("The term 'x' is not recognized.", "CommandNotFoundException"),))
DENIED = Reply((ErrorRecord("no role", "[FailureCategory=AuthZ-CmdletAccessDeniedException] 1,Get"),))
BROKEN = Reply(
    (ErrorRecord("Active\x1b[31m Directory is away.", "[FailureCategory=Cmdlet-ADTransientException] 1,Get"),)
)


class Answers:
    """A session with one answer for each cmdlet."""

    def __init__(self, **answers: Reply) -> None:
        self._answers = {name.replace("_", "-"): reply for name, reply in answers.items()}
        self.asked: list[str] = []
        self.parameters: list[dict[str, object]] = []

    def __enter__(self) -> Answers:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def invoke(
        self,
        pipeline: Pipeline,
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
    ) -> Reply:
        del take, again
        self.asked.append(pipeline.name)
        self.parameters.append(dict(pipeline.cmdlets[0].parameters))
        return self._answers.get(pipeline.name, Reply())

    def abort(self) -> None:
        return None


def record(name: str = "MBX01", **properties: object) -> dict[str, object]:
    return {
        "Name": name,
        "Fqdn": f"{name}.contoso.com",
        "ServerRole": "Mailbox, ClientAccess",
        "AdminDisplayVersion": "Version 15.2 (Build 2562.17)",
        "Site": "contoso.com/Configuration/Sites/Berlin",
        "Edition": "Standard",
        **properties,
    }


def listed(session: Answers, warnings: list[str] | None = None, domain_controller: str | None = None) -> list[Server]:
    warn = (warnings if warnings is not None else []).append
    return ExchangeServers(session, domain_controller, warn, warn).list()


def test_all_that_exchange_says() -> None:
    session = Answers(
        Get_ExchangeServer=Reply((record(),)),
        Get_DatabaseAvailabilityGroup=Reply(({"Name": "DAG1", "Servers": ["MBX02", "mbx01"]},)),
    )
    assert listed(session) == [
        Server(
            name="MBX01",
            fqdn="MBX01.contoso.com",
            roles=("mailbox", "client_access"),
            version="15.2.2562.17",
            build="2562.17",
            product="SE",
            site="Berlin",
            dag="DAG1",
            edition="Standard",
        )
    ]
    assert session.asked == [SERVERS, DAGS]


def test_the_domain_controller_is_given_to_every_cmdlet() -> None:
    session = Answers(Get_ExchangeServer=Reply((record(),)), Get_DatabaseAvailabilityGroup=HIDDEN)
    listed(session, domain_controller="dc01.contoso.com")
    assert session.asked == [SERVERS, DAGS, MEMBERS]
    assert session.parameters == [{"DomainController": "dc01.contoso.com"}] * 3


def test_what_exchange_left_out_is_not_known() -> None:
    edge = {"Name": "EDGE01", "ServerRole": "Edge", "Fqdn": None, "Site": None, "AdminDisplayVersion": None}
    warnings: list[str] = []
    assert listed(Answers(Get_ExchangeServer=Reply((edge,))), warnings) == [Server("EDGE01", None, ("edge",))]
    assert warnings == ["The version of EDGE01 is not known: Exchange calls it ''."]


def test_nobody_is_asked_for_dags_where_no_server_can_be_in_one() -> None:
    session = Answers(Get_ExchangeServer=Reply((record(ServerRole="ClientAccess"),)))
    listed(session)
    assert session.asked == [SERVERS]


@pytest.mark.parametrize("groups", [HIDDEN, DENIED, BROKEN])
def test_mailbox_servers_say_it_where_the_groups_may_not_be_seen(groups: Reply) -> None:
    session = Answers(
        Get_ExchangeServer=Reply((record(), record("MBX02"))),
        Get_DatabaseAvailabilityGroup=groups,
        Get_MailboxServer=Reply(
            (
                {"Name": "mbx01", "DatabaseAvailabilityGroup": "DAG1"},
                {"Name": "MBX02", "DatabaseAvailabilityGroup": None},
            )
        ),
    )
    warnings: list[str] = []
    assert [server.dag for server in listed(session, warnings)] == ["DAG1", None]
    assert warnings == []


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (HIDDEN, "This user's session has no cmdlet Get-DatabaseAvailabilityGroup"),
        (DENIED, "Get-DatabaseAvailabilityGroup is not allowed to this user. The management role 'View-Only Config"),
        (BROKEN, "Get-DatabaseAvailabilityGroup failed. Exchange answered: Active\\x1b[31m Directory is away."),
    ],
)
def test_where_neither_may_be_seen_there_are_no_dags_and_a_warning(refusal: Reply, why: str) -> None:
    session = Answers(
        Get_ExchangeServer=Reply((record(),)), Get_DatabaseAvailabilityGroup=refusal, Get_MailboxServer=refusal
    )
    warnings: list[str] = []
    assert [server.dag for server in listed(session, warnings)] == [None]
    assert len(warnings) == 1
    assert why in warnings[0]


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (HIDDEN, "This user's session has no cmdlet Get-ExchangeServer"),
        (DENIED, "Get-ExchangeServer is not allowed to this user"),
        (BROKEN, "Get-ExchangeServer failed"),
        (Reply(), "was answered with no server at all"),
        (Reply((record(), *BROKEN.answers)), "Get-ExchangeServer failed"),
    ],
)
def test_without_the_whole_list_there_is_none(refusal: Reply, why: str) -> None:
    with pytest.raises(ListingFailed, match=why):
        listed(Answers(Get_ExchangeServer=refusal))


@pytest.mark.parametrize(
    "odd",
    [
        record(""),
        record("-oProxyCommand=id"),
        record(Fqdn="-oProxyCommand=id"),
        record(Fqdn="mbx01 ansible_host=evil"),
        record("mbx01\nmbx02"),
        record("mbx[01:99]"),
    ],
)
def test_what_is_no_name_of_a_server_does_not_become_a_host(odd: dict[str, object]) -> None:
    with pytest.raises(UnexpectedReply, match="which is none for a server"):
        listed(Answers(Get_ExchangeServer=Reply((record(), odd))))


def test_exchanges_warnings_are_passed_on() -> None:
    warnings: list[str] = []
    listed(Answers(Get_ExchangeServer=Reply((record(),), ("Take care.",))), warnings)
    assert warnings == ["Take care."]
