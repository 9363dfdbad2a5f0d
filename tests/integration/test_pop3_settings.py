# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exchange_pop3_settings and exchange_pop3_settings_info: through both faces once, and then what lies behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from simulator import MAIL_RECIPIENTS, POP3_AND_IMAP4_PROTOCOLS, Failure, Organisation, SessionDrop, Simulator
from support.controller import Controller
from support.pop3_tasks import ADMIN, PASSWORD
from support.transports import Modules, modules_over

WANTED: dict[str, Any] = {
    "login_type": 2,
    "authenticated_connection_timeout": 3600,
    "log_per_file_size_quota": "2000 KB",
    "external_connection_settings": ["mail.contoso.com:995:SSL"],
    "ssl_bindings": ["0.0.0.0:995"],
    "enforce_certificate_errors": True,
    "owa_server_url": "https://mail.contoso.com/owa",
}


@dataclass
class Farmhand:
    """Runs the two modules in this process against three servers."""

    simulator: Simulator
    modules: Modules

    def __call__(self, *servers: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        where = {} if "all_servers" in options else {"servers": list(servers)}
        return self.modules(
            "exchange_pop3_settings",
            {**self.connection, **where, **options},
            check_mode=check_mode,
            note=lambda _: None,
        )

    def info(self, **options: Any) -> dict[str, Any]:
        return self.modules("exchange_pop3_settings_info", {**self.connection, **options}, note=lambda _: None)

    @property
    def connection(self) -> dict[str, Any]:
        return {
            "connection_uri": self.simulator.exchange.https_uri,
            "ca_cert": str(self.simulator.ca_file),
            "authentication": "basic",
            "username": self.simulator.administrator.name,
            "password": self.simulator.password,
        }

    def sets(self) -> list[dict[str, Any]]:
        """What was sent, without the domain controller that host_shell names by itself, to keep to one."""
        sent = [call.parameters for call in self.simulator.exchange.calls_of("Set-PopSettings")]
        return [{name: value for name, value in one.items() if name != "DomainController"} for one in sent]

    def banner(self, server: str) -> str:
        return self.simulator.organisation.pop_settings(server).Banner


@pytest.fixture
def servers(transport: str) -> Iterator[Farmhand]:
    with (
        Simulator(Organisation(servers=("MBX01", "MBX02", "MBX03"))) as simulator,
        modules_over(transport, simulator) as modules,
    ):
        yield Farmhand(simulator, modules)
        assert simulator.exchange.open_shells == [], "a session was left open"


# --- both faces -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delegation", [{}, {"delegate_to": "jump"}], ids=["controller", "jump host"])
def test_through_either_face(servers: Farmhand, controller: Controller, delegation: dict[str, str]) -> None:
    task = {
        "name": "Task",
        "mailops.exchange.exchange_pop3_settings": {**servers.connection, "server": "mbx01.contoso.com", **WANTED},
        **delegation,
    }
    look = {
        "name": "Look",
        "mailops.exchange.exchange_pop3_settings_info": {**servers.connection, "server": "MBX01"},
        **delegation,
    }
    play = {"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task, look]}
    run = controller.play([play], "--diff")
    assert run.returncode == 0, run.output
    changed, read = run.results
    assert (changed["changed"], changed["restart_required"]) == (True, True)
    assert changed["servers"][0]["after"] | {"server": "MBX01", "name": "MBX01"} == read["servers"][0]
    assert read["servers"][0]["login_type"] == "PlainTextAuthentication"
    assert read["servers"][0]["authenticated_connection_timeout"] == "01:00:00"
    assert read["servers"][0]["log_per_file_size_quota"] == "2000 KB"

    again = controller.play([play], "--diff")
    assert [result["changed"] for result in again.results] == [False, False]
    assert len(servers.sets()) == 1


# --- what is the same, whatever it looks like -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["object", "primitive", "text"])
def test_the_second_run_changes_nothing_however_exchange_shows_its_values(servers: Farmhand, form: Any) -> None:
    servers.simulator.exchange.behaviour.pop_settings_form = form
    first = servers("MBX01", **WANTED)
    assert first["counts"] == {"total": 1, "changed": 1, "unchanged": 0, "failed": 0}
    again = servers("MBX01", **WANTED)
    assert again["counts"] == {"total": 1, "changed": 0, "unchanged": 1, "failed": 0}
    assert (again["changed"], again["restart_required"], again["diff"]) == (False, False, [])
    assert len(servers.sets()) == 1
    assert again["servers"][0]["before"]["owa_server_url"] == "https://mail.contoso.com/owa"


def test_in_french_too(servers: Farmhand) -> None:
    servers.simulator.organisation.language = "fr"
    assert servers("MBX01", **WANTED)["changed"]
    assert servers("nobody", banner="x")["failures"][0]["reason"] == "not_found"


def test_a_list_is_emptied(servers: Farmhand) -> None:
    servers("MBX01", external_connection_settings=["mail.contoso.com:995:SSL"])
    result = servers("MBX01", external_connection_settings=[])
    assert result["servers"][0]["after"]["external_connection_settings"] == []
    assert not servers("MBX01", external_connection_settings=[])["changed"]


def test_only_what_differs_is_sent(servers: Farmhand) -> None:
    servers("MBX01", banner="Contoso", max_command_size=512, ssl_bindings=["0.0.0.0:995", "[::]:995"])
    assert servers.sets() == [{"Server": "MBX01", "Banner": "Contoso"}]


# --- every server -----------------------------------------------------------------------------------------------------


def test_one_bad_server_does_not_stop_the_others(servers: Farmhand) -> None:
    behaviour = servers.simulator.exchange.behaviour
    behaviour.failing_pop_settings["MBX02"] = Failure(
        "Not this one.", "Microsoft.Exchange.Data.DataValidationException"
    )
    result = servers("nobody", "MBX02", "mbx03", "MBX01", banner="Contoso")
    assert result["counts"] == {"total": 4, "changed": 2, "unchanged": 0, "failed": 2}
    assert [(f["server"], f["reason"]) for f in result["failures"]] == [("nobody", "not_found"), ("MBX02", "error")]
    assert [line["restart_required"] for line in result["servers"]] == [False, False, True, True]
    assert result["msg"].startswith("2 of 4 servers failed: 1 not found, 1 error. Of the others, 2 changed")
    assert servers.banner("MBX03") == servers.banner("MBX01") == "Contoso"


def test_all_servers_are_those_that_serve_clients(servers: Farmhand) -> None:
    servers.simulator.organisation.add_server("OLD01", roles=("Mailbox",))
    result = servers(all_servers=True, banner="Contoso")
    assert [line["server"] for line in result["servers"]] == ["MBX01", "MBX02", "MBX03"]
    assert result["counts"]["changed"] == 3
    assert [line["name"] for line in servers.info()["servers"]] == ["MBX01", "MBX02", "MBX03"]


def test_two_names_of_one_server_are_one_change(servers: Farmhand) -> None:
    result = servers("MBX01", "mbx01.contoso.com", banner="Contoso")
    assert result["counts"]["changed"] == 2
    assert len(servers.sets()) == 1
    assert len(result["diff"]) == 1


def test_a_server_without_pop3_settings(servers: Farmhand) -> None:
    servers.simulator.organisation.add_server("OLD01", roles=("Mailbox",))
    result = servers("OLD01", banner="Contoso")
    assert "'OLD01' has no POP3 settings, so it serves no POP3 clients" in result["msg"]
    assert "1 of 1 servers could not be read" in servers.info(server="OLD01")["msg"]


# --- check mode, and what is refused ----------------------------------------------------------------------------------


def test_check_mode_sends_nothing(servers: Farmhand) -> None:
    result = servers("MBX01", check_mode=True, banner="Contoso")
    assert (result["changed"], result["restart_required"]) == (True, True)
    assert result["servers"][0]["after"]["banner"] == "Contoso"
    assert result["diff"][0]["after"] == "banner: Contoso\n"
    assert servers.sets() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"servers": []}, "servers is an empty list"),
        ({"servers": "MBX01,MBX02"}, "servers is a list of servers, and this is the text 'MBX01,MBX02'"),
        ({"servers": None, "server": " "}, "server is blank: it has to name a server"),
        ({"servers": None}, "one of the following is required: server, servers, all_servers"),
        ({"servers": None, "all_servers": False}, "without one, no server is changed"),
        ({"banner": None}, "No setting is declared"),
        ({"login_type": "Open"}, "login_type is 'Open': expected one of PlainTextLogin (1)"),
        ({"max_command_size": 2000}, "max_command_size is 2000: expected a whole number from 40 through 1024"),
        ({"authenticated_connection_timeout": "1:30"}, "expected a time span such as 00:30:00"),
        ({"ssl_bindings": ["995"]}, "expected an IP address and a port"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(
    servers: Farmhand, options: dict[str, Any], says: str
) -> None:
    given = {"servers": ["MBX01"], "banner": "x", **options}
    result = servers.modules(
        "exchange_pop3_settings",
        servers.connection | {name: value for name, value in given.items() if value is not None},
    )
    assert says in result["msg"]
    assert servers.simulator.exchange.shells == []


def test_what_exchange_refuses_is_said(servers: Farmhand) -> None:
    """More than an hour is let through, because Microsoft's pages differ."""
    result = servers("MBX01", authenticated_connection_timeout="02:00:00")
    assert result["failures"][0]["reason"] == "error"
    assert "Set-PopSettings failed for 'MBX01'. Exchange answered: Cannot bind parameter" in result["msg"]
    assert not result["restart_required"]


def test_a_user_without_the_role(servers: Farmhand) -> None:
    servers.simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
    result = servers("MBX01", banner="x", username=ADMIN, password=PASSWORD)
    assert result["failures"][0]["reason"] == "access_denied"
    assert "'POP3 And IMAP4 Protocols' is needed" in result["msg"]
    everywhere = servers(all_servers=True, banner="x", username=ADMIN, password=PASSWORD)
    assert "The servers of the organisation could not be listed." in everywhere["msg"]
    assert everywhere["failed"]


def test_a_role_of_ones_own_that_leaves_a_parameter_out(servers: Farmhand) -> None:
    user = servers.simulator.users.add(ADMIN, PASSWORD, POP3_AND_IMAP4_PROTOCOLS)
    user.entries = {"Get-PopSettings": frozenset({"Server"}), "Set-PopSettings": frozenset({"Server", "LoginType"})}
    result = servers("MBX01", "MBX02", banner="x", login_type=2, username=ADMIN, password=PASSWORD)
    assert [f["reason"] for f in result["failures"]] == ["access_denied", "access_denied"]
    assert "A management role of an organisation's own may leave parameters out" in result["msg"]
    assert "parameter name 'Banner'" in result["msg"]
    assert not result["restart_required"]


# --- what does not keep, and what breaks ------------------------------------------------------------------------------


def test_a_change_that_is_not_kept_is_a_failure(servers: Farmhand) -> None:
    servers.simulator.exchange.behaviour.ignored_pop_settings.add("MBX02")
    result = servers("MBX01", "MBX02", banner="Contoso")
    assert [(f["server"], f["reason"]) for f in result["failures"]] == [("MBX02", "not_kept")]
    assert [(line["changed"], line["restart_required"]) for line in result["servers"]] == [(True, True), (False, True)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_session_that_breaks_over_a_change_is_opened_again_and_looks_first(servers: Farmhand, when: Any) -> None:
    servers.simulator.exchange.behaviour.session_drops.append(SessionDrop("Set-PopSettings", nth=2, when=when))
    result = servers("MBX01", "MBX02", "MBX03", banner="Contoso")
    assert "msg" not in result
    assert result["counts"] == {"total": 3, "changed": 3, "unchanged": 0, "failed": 0}
    assert len(servers.sets()) == (4 if when == "before" else 3)


def test_where_nobody_can_look_any_more_nothing_is_lost(servers: Farmhand) -> None:
    behaviour = servers.simulator.exchange.behaviour
    behaviour.session_drops.append(SessionDrop("Set-PopSettings", nth=2, when="after"))
    servers.simulator.exchange.on_call = lambda call: (
        setattr(behaviour, "refuse_opening", "No more.")
        if len(servers.sets()) >= 2 and call.name == "Set-PopSettings"
        else None
    )
    result = servers("MBX01", "MBX02", "MBX03", banner="Contoso")
    assert [(line["changed"], line["restart_required"]) for line in result["servers"]] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    assert [f["reason"] for f in result["failures"]] == ["unconfirmed", "error"]
    assert result["restart_required"]


def test_a_second_try_that_is_refused_says_nothing_of_the_first(servers: Farmhand) -> None:
    """The first was sent, and the session broke; it may take effect yet. So the restart is owed all the same."""
    behaviour = servers.simulator.exchange.behaviour
    behaviour.session_drops.append(SessionDrop("Set-PopSettings"))
    behaviour.failing_pop_settings["MBX01"] = Failure(
        "The server wasn't found.", "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
    )
    result = servers("MBX01", banner="Contoso")
    assert [f["reason"] for f in result["failures"]] == ["unconfirmed"]
    assert "when it was sent again: " in result["msg"]
    assert result["servers"][0]["after"] is None
    assert (result["changed"], result["restart_required"]) == (False, True)


def test_what_another_domain_controller_does_not_have_yet_is_not_called_lost(servers: Farmhand) -> None:
    """Accepted in one session; the one that looks may be served by a domain controller that has yet to hear of it."""
    exchange, organisation = servers.simulator.exchange, servers.simulator.organisation
    exchange.behaviour.session_drops.append(SessionDrop("Get-PopSettings", nth=2))

    def not_heard_of_it_yet(call: Any) -> None:
        if call.name == "Get-PopSettings" and servers.sets():
            organisation.change_pop_settings("MBX01", Banner="Old")

    exchange.on_call = not_heard_of_it_yet
    result = servers("MBX01", banner="Contoso")
    assert [f["reason"] for f in result["failures"]] == ["unconfirmed"]
    assert "may have another domain controller" in result["msg"]
    assert (result["changed"], result["restart_required"]) == (True, True)


def test_an_error_that_comes_after_the_change_is_looked_into(servers: Farmhand) -> None:
    """Another administrator makes the change while Exchange refuses ours: what there is now is what is reported."""
    behaviour = servers.simulator.exchange.behaviour
    behaviour.failing_pop_settings["MBX01"] = Failure(
        "Timed out.", "Microsoft.Exchange.Data.Directory.ADTransientException"
    )

    def other_hand(call: Any) -> None:
        if call.name == "Set-PopSettings":
            servers.simulator.organisation.change_pop_settings("MBX01", Banner="Contoso")

    servers.simulator.exchange.on_call = other_hand
    result = servers("MBX01", banner="Contoso")
    assert result["failed"]
    assert result["servers"][0]["after"]["banner"] == "Contoso"
    assert result["restart_required"]


def test_a_version_without_a_setting(servers: Farmhand) -> None:
    servers.simulator.exchange.behaviour.missing_pop_settings.add("ExtendedProtectionPolicy")
    result = servers("MBX01", extended_protection_policy="Require", banner="Contoso")
    assert "MBX01 shows no ExtendedProtectionPolicy" in result["msg"]
    assert servers.sets() == []
    assert "extended_protection_policy" not in servers.info(server="MBX01")["servers"][0]


def test_the_domain_controller_is_that_of_every_cmdlet(servers: Farmhand) -> None:
    servers(all_servers=True, banner="Contoso", domain_controller="DC02.contoso.com")
    assert {call.parameters.get("DomainController") for call in servers.simulator.exchange.calls} == {
        "DC02.contoso.com"
    }


def test_exchange_asks_for_the_restart_and_a_wrong_port_is_told(servers: Farmhand) -> None:
    result = servers("MBX01", external_connection_settings=["mail.contoso.com:9995:SSL"])
    told, asks = result["warnings"]
    assert "MBX01 would tell clients mail.contoso.com:9995:SSL in external_connection_settings" in told
    assert "Exchange warns: Changes to POP3 settings will only take effect after" in asks
