# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role pop3_services: restart, start and stop in order, prove it, and say what is wrong."""

from __future__ import annotations

import pytest

from simulator import NO_POP3, POP3_OFF, Farm, ServerSetup
from simulator.windows import StartFailure, StartMode, Win32Error
from support.controller import Controller
from support.servers import BACKEND, FRONTEND, UNDER_WAY, Servers

pytestmark = pytest.mark.usefixtures("controller")


def servers_of(controller: Controller, farm: Farm) -> Servers:
    controller.inventory = farm.inventory()
    return Servers(farm, controller)


def test_restarts_frontend_then_backend_server_by_server(controller: Controller) -> None:
    with Farm(("MBX01", "MBX02")) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services()
        assert run.returncode == 0, run.output
        assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}
        order = sorted(
            (call.at, name, call.args["name"])
            for name, host in farm.hosts.items()
            for call in host.module_calls
            if call.short_name == "win_service"
        )
        assert [(name, service) for _at, name, service in order] == [
            ("MBX01", FRONTEND),
            ("MBX01", BACKEND),
            ("MBX02", FRONTEND),
            ("MBX02", BACKEND),
        ]
        assert [host.frontend.greetings for host in farm.hosts.values()] == [1, 1]


def test_several_servers_at_a_time(controller: Controller) -> None:
    """The first two are restarted although the second fails; the third, of the next batch, is not touched."""
    with Farm(("MBX01", "MBX02", "MBX03")) as farm:
        servers = servers_of(controller, farm)
        farm.hosts["MBX02"].services[BACKEND].always_fails = StartFailure(Win32Error.PROCESS_ABORTED)
        run = servers.have_services(pop3_services_throttle=2)
        assert run.returncode == 2
        assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 0], "mbx03": [0, 0]}
        assert farm.hosts["MBX03"].module_calls == []


def test_check_mode_restarts_nothing(controller: Controller) -> None:
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services("--check")
        assert run.returncode == 0, run.output
        assert any(result.get("changed") for result in run.results)
        assert servers.restarts() == {"mbx01": [0, 0]}
        assert farm.hosts["MBX01"].registry.writes == []


def test_started_with_a_start_mode_and_stopped_again(controller: Controller) -> None:
    with Farm((ServerSetup("MBX01", POP3_OFF),)) as farm:
        servers = servers_of(controller, farm)
        services = farm.hosts["MBX01"].services
        run = servers.have_services(pop3_services_state="started", pop3_services_start_mode="auto")
        assert run.returncode == 0, run.output
        assert servers.states() == {"mbx01": ["running", "running"]}
        assert [services[name].start_mode for name in (FRONTEND, BACKEND)] == [StartMode.AUTO, StartMode.AUTO]

        again = servers.have_services(pop3_services_state="started", pop3_services_start_mode="auto")
        assert again.returncode == 0, again.output
        assert not any(result.get("changed") for result in again.results)

        run = servers.have_services(pop3_services_state="stopped", pop3_services_start_mode="disabled")
        assert run.returncode == 0, run.output
        assert servers.states() == {"mbx01": ["stopped", "stopped"]}


def test_a_misspelt_variable_restarts_nobody(controller: Controller) -> None:
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services(pop3_services_setings={"banner": "Contoso POP3"})
        assert run.returncode == 2
        assert "Not a variable of this role: pop3_services_setings." in run.output
        assert servers.restarts() == {"mbx01": [0, 0]}


def test_a_start_is_no_restart_for_what_ran_meanwhile(controller: Controller) -> None:
    """After a restart whose frontend did not come up, the backend still has what it read when it started."""
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        service = farm.hosts["MBX01"].services[FRONTEND]
        service.always_fails = StartFailure(Win32Error.PROCESS_ABORTED)
        assert servers.have_services().returncode == 2
        service.always_fails = None
        assert servers.have_services(pop3_services_state="started").returncode == 0
        assert servers.states() == {"mbx01": ["running", "running"]}
        assert servers.marks() == {"mbx01": [UNDER_WAY]}
        assert servers.have_services(pop3_services_state="when_changed").returncode == 0
        assert servers.restarts()["mbx01"][1] == 1
        assert servers.marks() == {"mbx01": []}


def test_a_host_without_pop3_is_an_error(controller: Controller) -> None:
    with Farm((ServerSetup("EDGE01", NO_POP3),)) as farm:
        run = servers_of(controller, farm).have_services()
        assert run.returncode == 2
        assert "edge01 has neither MSExchangePOP3 nor MSExchangePOP3BE" in run.output


def test_services_that_stop_by_design_are_explained(controller: Controller) -> None:
    """While the server component PopProxy is Inactive, the services start and stop again by themselves."""
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        farm.hosts["MBX01"].set_component("PopProxy", active=False)
        run = servers.have_services(pop3_services_state="started", pop3_services_verify_timeout=1)
        assert run.returncode == 2
        assert "MSExchangePOP3 (Microsoft Exchange POP3) on mbx01 is stopped and should be started" in run.output
        assert "Get-ServerComponentState mbx01" in run.output


def test_a_service_that_runs_and_does_not_greet_fails(controller: Controller) -> None:
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services("-e", "pop3_services_verify_port=9", pop3_services_verify_timeout=1)
        assert run.returncode == 2
        assert "did not greet within 1 seconds. The last attempt: nothing listens there" in run.output


def test_the_greeting_can_be_left_out(controller: Controller) -> None:
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services("-e", "pop3_services_verify_port=9", pop3_services_verify=False)
        assert run.returncode == 0, run.output
        assert servers.restarts() == {"mbx01": [1, 1]}


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"pop3_services_throttle": 0}, "pop3_services_throttle is a number of servers, at least 1"),
        ({"pop3_services_state": "restarted", "pop3_services_start_mode": "auto"}, "a start mode goes with the states"),
        ({"pop3_services_state": "started", "pop3_services_start_mode": "disabled"}, "'disabled' with stopped only"),
        ({"pop3_services_state": "paused"}, "value of pop3_services_state must be one of"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(
    controller: Controller, variables: dict[str, object], says: str
) -> None:
    with Farm(("MBX01",)) as farm:
        servers = servers_of(controller, farm)
        run = servers.have_services(**variables)
        assert run.returncode == 2
        assert says in run.output
        assert farm.hosts["MBX01"].module_calls == []
