# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role pop3_services with settings: configured, restarted where they changed, proven by logins, and then silent."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator import POP3_OFF, Failure, Farm, ServerSetup
from simulator.exchange.pop_settings import LoginOptions
from support import pop3_login
from support.controller import LOCAL, ROOT, Controller, Run
from support.servers import PENDING, Servers
from support.transports import BOTH, HOST_SHELL

USER = "pcolon@contoso.com"
SETTINGS: dict[str, Any] = {
    "banner": "Contoso POP3",
    "login_type": "SecureLogin",
    "max_command_size": 256,
    "authenticated_connection_timeout": "01:00:00",
    "external_connection_settings": ["Mail.contoso.com:995:ssl", "mail.contoso.com:110:TLS"],
    "unencrypted_or_tls_bindings": ["0.0.0.0:110"],
}


def servers_of(controller: Controller, farm: Farm) -> Servers:
    controller.inventory = farm.inventory()
    for setup in farm.setups:
        host = farm.hosts[setup.name]
        controller.inventory["all"]["children"]["exchange"]["hosts"][setup.inventory_name] |= {
            "pop3_ports": {"tls": host.pop3s_port, "stls": host.pop3_port}
        }
    controller.inventory["all"]["hosts"]["localhost"] = LOCAL
    return Servers(farm, controller)


def configured_and_proven(servers: Servers, *arguments: str, **variables: Any) -> Run:
    """One playbook: the settings, the restarts, and a login of a mail client at each server, with STLS and TLS."""
    farm = servers.farm
    log_in = {
        "name": "Log in as a mail client does",
        "ansible.builtin.command": {
            "argv": [
                sys.executable,
                str(Path(pop3_login.__file__)),
                "{{ ansible_host }}",
                "{{ pop3_ports[item] }}",
                str(farm.ca_file),
                USER,
                farm.pop3_password,
                "{{ item }}",
            ]
        },
        "loop": ["stls", "tls"],
        "delegate_to": "localhost",
        "changed_when": False,
    }
    play = {
        "name": "POP3 services",
        "hosts": "exchange",
        "gather_facts": False,
        "vars": {"pop3_services_verify_stable_for": 0, "pop3_services_settings": SETTINGS, **variables},
        "roles": ["mailops.exchange.pop3_services"],
        "post_tasks": [log_in],
    }
    return servers.controller.play([play], *arguments)


def over_host_shell(controller: Controller, farm: Farm) -> dict[str, Any]:
    """Nothing but the hosts' own connections: each asks its own Exchange, which needs no address."""
    del controller.inventory["all"]["children"]["exchange"]["vars"]
    return {
        "pop3_services_transport": HOST_SHELL,
        "pop3_services_username": farm.administrator.name,
        "pop3_services_password": farm.password,
    }


def changed(run: Run) -> list[dict[str, Any]]:
    return [result for result in run.results if result.get("changed")]


@BOTH
def test_three_servers_are_configured_restarted_and_proven_and_the_second_run_is_silent(
    controller: Controller, transport: str
) -> None:
    with Farm(("MBX01", "MBX02", "MBX03")) as farm:
        servers = servers_of(controller, farm)
        login = over_host_shell(controller, farm) if transport == HOST_SHELL else {}
        for name in farm.hosts:
            # As a password in the clear would pass before: a change of the login type is felt after a restart only.
            farm.organisation.change_pop_settings(name, LoginType=LoginOptions.PlainTextLogin)
            farm.hosts[name].services.restart("MSExchangePOP3")
            farm.hosts[name].clear_records()
            assert servers.may_log_in(name, USER, "plain")

        run = configured_and_proven(servers, **login)
        assert run.returncode == 0, run.output
        assert servers.restarts() == {name: [1, 1] for name in ("mbx01", "mbx02", "mbx03")}
        assert servers.marks() == {name: [] for name in ("mbx01", "mbx02", "mbx03")}
        assert servers.changes() == ["Set-PopSettings"] * 3
        for name, host in farm.hosts.items():
            assert host.pop_settings.banner == "Contoso POP3"
            assert servers.may_log_in(name, USER, "stls")
            assert servers.may_log_in(name, USER, "tls")
            assert not servers.may_log_in(name, USER, "plain")

        again = configured_and_proven(servers, **login)
        assert again.returncode == 0, again.output
        assert changed(again) == []
        assert servers.restarts() == {name: [1, 1] for name in ("mbx01", "mbx02", "mbx03")}
        assert servers.changes() == ["Set-PopSettings"] * 3


def test_a_server_is_set_and_restarted_before_the_next_one_is_touched(controller: Controller) -> None:
    """So settings with which a service does not come up again break one server, and not all."""
    with Farm(("MBX01", "MBX02", "MBX03")) as farm:
        servers = servers_of(controller, farm)
        refusal = Failure("It is not to be.", "Microsoft.Exchange.Data.DataValidationException")
        farm.exchange.behaviour.failing_pop_settings["MBX02"] = refusal
        run = configured_and_proven(servers)
        assert run.returncode == 2
        assert "It is not to be." in run.output
        assert "The POP3 services of mbx02 were not restarted. Nothing was changed there." in run.output
        assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [0, 0], "mbx03": [0, 0]}
        assert servers.marks() == {"mbx01": [], "mbx02": [], "mbx03": []}
        assert farm.hosts["MBX03"].module_calls == []

        farm.exchange.behaviour.failing_pop_settings.clear()
        run = configured_and_proven(servers)
        assert run.returncode == 0, run.output
        assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1], "mbx03": [1, 1]}


def test_a_server_that_cannot_be_reached_fails_in_its_turn(controller: Controller) -> None:
    """Those before it were served, and those after it are not touched."""
    with Farm(("MBX01", "MBX02", "MBX03")) as farm:
        servers = servers_of(controller, farm)
        farm.hosts["MBX02"].go_down()
        run = servers.have_services(pop3_services_settings={"banner": "Contoso POP3"})
        assert run.returncode != 0
        assert [bool(result.get("unreachable")) for result in run.results][-1:] == [True]
        assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [0, 0], "mbx03": [0, 0]}
        assert servers.marks() == {"mbx01": [], "mbx02": [], "mbx03": []}
        assert [farm.organisation.pop_settings(name).Banner == "Contoso POP3" for name in farm.hosts] == [
            True,
            False,
            False,
        ]
        assert farm.hosts["MBX03"].module_calls == []


def test_each_server_costs_the_same_however_many_there_are(controller: Controller) -> None:
    """None of them goes through the turns of others, whether there is something to do or not."""
    costs = {}
    for count in (2, 4):
        with Farm([f"MBX{number:02}" for number in range(1, count + 1)]) as farm:
            servers = servers_of(controller, farm)
            runs = [servers.have_services(pop3_services_settings={"banner": "Contoso POP3"}) for _again in range(2)]
            assert [run.returncode for run in runs] == [0, 0], [run.output for run in runs]
            assert [bool(changed(run)) for run in runs] == [True, False]
            assert set(map(tuple, servers.restarts().values())) == {(1, 1)}
            costs[count] = [len(run.results) / count for run in runs]
    assert costs[2] == costs[4]


def test_batches_come_in_the_order_of_the_inventory(controller: Controller) -> None:
    """However the servers race before: whoever is restarted is so after all of the batch before."""
    with Farm([f"MBX{number:02}" for number in range(1, 6)]) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services(
            "--forks", "5", pop3_services_settings={"banner": "Contoso POP3"}, pop3_services_throttle=2
        )
        assert run.returncode == 0, run.output
        batch_of = {"MBX01": 1, "MBX02": 1, "MBX03": 2, "MBX04": 2, "MBX05": 3}
        calls = sorted((call.at, batch_of[name]) for name, host in farm.hosts.items() for call in host.module_calls)
        batches = [batch for _at, batch in calls]
        assert batches == sorted(batches)
        assert set(batches) == {1, 2, 3}


def test_a_run_that_ends_between_change_and_restart_is_finished_by_the_next(controller: Controller) -> None:
    with Farm(("MBX01", "MBX02")) as farm:
        servers = servers_of(controller, farm)
        for service in ("MSExchangePOP3", "MSExchangePOP3BE"):
            farm.hosts["MBX01"].services[service].fail_next_start(times=2)
        assert configured_and_proven(servers).returncode == 2
        assert farm.organisation.pop_settings("MBX01").Banner == "Contoso POP3"
        assert servers.marks()["mbx01"] != []

        for service in ("MSExchangePOP3", "MSExchangePOP3BE"):
            farm.hosts["MBX01"].services[service].start_failures.clear()
        run = configured_and_proven(servers)
        assert run.returncode == 0, run.output
        assert servers.marks() == {"mbx01": [], "mbx02": []}
        assert farm.hosts["MBX01"].pop_settings.banner == "Contoso POP3"


@pytest.mark.parametrize("marked", [True, False])
def test_a_mark_alone_restarts(controller: Controller, marked: bool) -> None:
    """The settings are as declared; whether the services know them says the mark."""
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        farm.organisation.change_pop_settings("MBX01", Banner="Contoso POP3")
        if marked:
            farm.hosts["MBX01"].registry.set_value(r"HKLM:\SOFTWARE\mailops.exchange", PENDING, "POP3 settings")
        run = servers.have_services(pop3_services_settings={"banner": "Contoso POP3"})
        assert run.returncode == 0, run.output
        assert servers.restarts() == {"mbx01": [1, 1] if marked else [0, 0]}
        assert servers.marks() == {"mbx01": []}


def test_check_mode_shows_the_diff_and_touches_nothing(controller: Controller) -> None:
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = configured_and_proven(servers, "--check", "--diff")
        assert run.returncode == 0, run.output
        assert "banner: Contoso POP3" in run.output
        assert len(changed(run)) == 2  # the settings, and the services that would be restarted
        assert servers.changes() == []
        assert servers.restarts() == {"mbx01": [0, 0]}
        assert farm.hosts["MBX01"].registry.writes == []


def test_with_started_what_is_off_comes_up_with_the_settings(controller: Controller) -> None:
    with Farm((ServerSetup("MBX01", POP3_OFF),)) as farm:
        servers = servers_of(controller, farm)
        run = configured_and_proven(servers, pop3_services_state="started", pop3_services_start_mode="auto")
        assert run.returncode == 0, run.output
        assert servers.states() == {"mbx01": ["running", "running"]}
        assert servers.marks() == {"mbx01": []}
        again = configured_and_proven(servers, pop3_services_state="started", pop3_services_start_mode="auto")
        assert again.returncode == 0, again.output
        assert changed(again) == []


def test_what_is_stopped_with_new_settings_owes_nothing(controller: Controller) -> None:
    """It reads them when it starts."""
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services(pop3_services_settings={"banner": "Contoso POP3"}, pop3_services_state="stopped")
        assert run.returncode == 0, run.output
        assert servers.states() == {"mbx01": ["stopped", "stopped"]}
        assert servers.marks() == {"mbx01": []}


def test_what_is_off_stays_off_and_gets_the_settings(controller: Controller) -> None:
    with Farm((ServerSetup("MBX01", POP3_OFF),)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services(pop3_services_settings={"banner": "Contoso POP3"})
        assert run.returncode == 0, run.output
        assert servers.states() == {"mbx01": ["stopped", "stopped"]}
        assert farm.organisation.pop_settings("MBX01").Banner == "Contoso POP3"
        assert servers.marks() == {"mbx01": []}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"baner": "Contoso POP3"}, "In pop3_services_settings and no setting: baner"),
        ({"server": "mbx02"}, "In pop3_services_settings and no setting: server"),
        ({"banner": None, "login_type": 2}, "In pop3_services_settings without a value: banner"),
        ("banner", "dict"),
        ({"login_type": "Open"}, "login_type is 'Open': expected one of PlainTextLogin (1)"),
    ],
)
def test_what_is_no_setting_is_refused(controller: Controller, settings: Any, says: str) -> None:
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services(pop3_services_settings=settings)
        assert run.returncode == 2
        assert says in run.output
        assert servers.changes() == []
        assert farm.hosts["MBX01"].registry.writes == []


def test_the_playbook_of_the_guide_runs_as_it_is(controller: Controller) -> None:
    guide = (ROOT / "docs" / "settings.md").read_text("utf-8")
    playbook = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)[0]
    with Farm(("MBX01", "MBX02")) as farm:
        servers = servers_of(controller, farm)
        run = controller.play(playbook, "-e", "pop3_services_verify_stable_for=0")
        assert run.returncode == 0, run.output
        assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}
        assert farm.organisation.pop_settings("MBX02").X509CertificateName == "mail.contoso.com"
        assert changed(controller.play(playbook, "-e", "pop3_services_verify_stable_for=0")) == []


def test_from_nothing_to_a_working_farm_as_the_guide_has_it(controller: Controller) -> None:
    """New servers, where POP3 is off: the playbook of docs/farm.md, the logins that it is for, a silent second run."""
    guide = (ROOT / "docs" / "farm.md").read_text("utf-8")
    (playbook,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    with Farm([ServerSetup(name, POP3_OFF) for name in ("MBX01", "MBX02", "MBX03")]) as farm:
        organisation = farm.organisation
        organisation.remove_mailbox(organisation.mailbox("John Smith"))
        organisation.add_mailbox("John Smith", alias="john.smith", pop_enabled=False)
        organisation.remove_mailbox(organisation.mailbox("Patrick Colon"))
        organisation.add_mailbox("Patrick Colon", alias="patrick.colon")
        servers = servers_of(controller, farm)
        connection = servers.connection
        also = {name.replace("pop3_access_", "pop3_services_"): value for name, value in connection.items()}
        variables = ["-e", json.dumps({"pop3_services_verify_stable_for": 0, **connection, **also})]
        run = controller.play(playbook, *variables)
        assert run.returncode == 0, run.output
        assert set(map(tuple, servers.states().values())) == {("running", "running")}
        for server in ("MBX01", "MBX02", "MBX03"):
            for how in ("tls", "stls"):
                assert servers.may_log_in(server, "john.smith@contoso.com", how)
                assert not servers.may_log_in(server, "jane@contoso.com", how)
            assert not servers.may_log_in(server, "john.smith@contoso.com", "plain")
        assert changed(controller.play(playbook, *variables)) == []
