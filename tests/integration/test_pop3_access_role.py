# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role pop3_access over the real ``winrm`` connection: restarted exactly where and when that is due, never lost."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from simulator import BACKEND_ONLY, FRONTEND_ONLY, POP3_OFF, Farm, ServerSetup
from simulator.windows import StartFailure, StartMode, Win32Error
from simulator.windows.faults import DropConnection
from simulator.windows.modules.service import win_service
from support.controller import Controller
from support.servers import BACKEND, FRONTEND, PENDING, UNDER_WAY, Servers
from support.transports import BOTH, HOST_SHELL

JOHN = "jsmith@contoso.com"
INCLUDE: dict[str, Any] = {
    "name": "POP3 access",
    "ansible.builtin.include_role": {"name": "mailops.exchange.pop3_access"},
}
Build = Callable[..., Servers]


@pytest.fixture
def build(transport: str, controller: Controller) -> Iterator[Build]:
    """Builds a farm of the servers that are named."""
    farms: list[Farm] = []

    def of(*servers: str | ServerSetup, connection: str = "winrm", method: str = "basic") -> Servers:
        farm = Farm(servers or ("MBX01", "MBX02"))
        farms.append(farm)
        farm.start()
        controller.inventory = farm.inventory(connection=connection, method=method)
        return Servers(farm, controller, transport)

    yield of
    for farm in farms:
        open_shells = farm.exchange.open_shells
        farm.stop()
        assert open_shells == []


def fails(run: Any, *words: str) -> None:
    assert run.returncode == 2, run.output
    for word in words:
        assert word in run.output


@pytest.mark.parametrize(("connection", "method"), [("winrm", "ntlm"), ("psrp", "basic")])
def test_a_login_is_accepted_only_after_the_restart(build: Build, connection: str, method: str) -> None:
    servers = build(connection=connection, method=method)
    wire: list[bytes] = []
    for host in servers.farm.hosts.values():
        host.winrm.http.recording = wire
    assert not servers.may_log_in("MBX01", JOHN)

    left = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_access_restart="never")
    assert left.returncode == 0, left.output
    assert servers.changes() == ["Set-CASMailbox"]
    assert not servers.may_log_in("MBX01", JOHN)
    assert servers.marks() == {"mbx01": [PENDING], "mbx02": [PENDING]}

    done = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert done.returncode == 0, done.output
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}
    assert servers.marks() == {"mbx01": [], "mbx02": []}
    assert servers.may_log_in("MBX01", JOHN)
    assert servers.may_log_in("MBX02", JOHN)
    assert wire
    if method == "ntlm":
        assert b"Envelope" not in b"".join(wire), "messages over http are encrypted"
        assert all(host.negotiate.logins for host in servers.farm.hosts.values())


def test_check_mode_says_it_all_and_touches_nothing(build: Build) -> None:
    servers = build()
    run = servers.have_pop3_access(
        "--check",
        "--diff",
        json_output=False,
        pop3_access_enabled=["John Smith"],
        pop3_access_disabled=["Patrick Colon"],
    )
    assert run.returncode == 0, run.output
    assert "+John Smith <jsmith@contoso.com>: pop_enabled: true" in run.stdout
    assert "-Patrick Colon <pcolon@contoso.com>: pop_enabled: true" in run.stdout
    assert run.stdout.count(f"changed: [mbx01] => (item={FRONTEND})") == 1
    assert run.stdout.count(f"changed: [mbx02] => (item={BACKEND})") == 1
    assert servers.changes() == []
    assert servers.restarts() == {"mbx01": [0, 0], "mbx02": [0, 0]}
    assert [host.registry.writes for host in servers.farm.hosts.values()] == [[], []]


def test_a_second_run_does_nothing_at_all(build: Build) -> None:
    servers = build()
    declared: dict[str, Any] = {"pop3_access_enabled": ["John Smith"], "pop3_access_disabled": ["Patrick Colon"]}
    assert servers.have_pop3_access(**declared).returncode == 0
    for host in servers.farm.hosts.values():
        host.clear_records()
    run = servers.have_pop3_access(json_output=False, **declared)
    assert run.returncode == 0, run.output
    assert re.findall(r"changed=(\d+)", run.stdout) == ["0", "0"]
    assert servers.restarts() == {"mbx01": [0, 0], "mbx02": [0, 0]}  # none since the records were cleared
    for host in servers.farm.hosts.values():
        assert host.registry.writes == []
        assert {call.short_name for call in host.module_calls} == {"win_reg_stat"}


def test_a_server_with_pop3_off_stays_off(build: Build) -> None:
    servers = build("MBX01", ServerSetup("MBX02", POP3_OFF))
    run = servers.have_pop3_access(json_output=False, pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert "MSExchangePOP3 and MSExchangePOP3BE on mbx02 did not run, and stays so." in run.output
    assert servers.states() == {"mbx01": ["running", "running"], "mbx02": ["stopped", "stopped"]}
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [0, 0]}
    assert servers.marks() == {"mbx01": [], "mbx02": []}


def test_split_roles_of_exchange_2013(build: Build) -> None:
    servers = build(ServerSetup("CAS01", FRONTEND_ONLY), ServerSetup("MBX01", BACKEND_ONLY))
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"cas01": [1], "mbx01": [1]}
    assert servers.may_log_in("CAS01", JOHN)


@BOTH
def test_a_typo_stops_neither_the_others_nor_the_restart_and_fails_the_play(build: Build) -> None:
    servers = build()
    run = servers.have_pop3_access(json_output=False, pop3_access_enabled=["Jon Smith", "John Smith"])
    fails(run, "1 of 2 mailboxes failed: 1 not found", "'Jon Smith'")
    assert servers.changes() == ["Set-CASMailbox"]
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}
    assert servers.marks() == {"mbx01": [], "mbx02": []}


def test_what_could_not_be_changed_leaves_no_marks_and_no_restart(build: Build) -> None:
    servers = build()
    servers.farm.administrator.denied_cmdlets.add("Set-CASMailbox")
    fails(servers.have_pop3_access(json_output=False, pop3_access_enabled=["John Smith"]), "not allowed")
    assert servers.restarts() == {"mbx01": [0, 0], "mbx02": [0, 0]}
    assert servers.marks() == {"mbx01": [], "mbx02": []}


@BOTH
def test_without_exchange_what_is_owed_is_done_and_the_play_fails(build: Build, transport: str) -> None:
    servers = build()
    servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_access_restart="never")
    assert servers.farm.exchange.https
    servers.farm.exchange.https.refuse_connections()
    run = servers.have_pop3_access(json_output=False, pop3_access_enabled=["John Smith"])
    fails(run, "CannotConnect" if transport == HOST_SHELL else "Nothing listens at localhost:")
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}


def test_a_restart_that_was_owed_for_settings_is_owed_still_when_marks_are_taken_back(build: Build) -> None:
    """pop3_services writes another text there; a mark that was there before is none that was made just now."""
    servers = build()
    memory = servers.farm.hosts["MBX02"].registry
    memory.set_value(r"HKLM:\SOFTWARE\mailops.exchange", PENDING, "POP3 settings were changed.")
    servers.farm.administrator.denied_cmdlets.add("Set-CASMailbox")
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_access_restart="never")
    assert run.returncode == 2, run.output
    assert servers.marks() == {"mbx01": [], "mbx02": [PENDING]}


def test_a_server_that_cannot_be_marked_stops_the_change(build: Build) -> None:
    """A restart that nobody would remember is not begun."""
    servers = build()
    servers.farm.hosts["MBX02"].go_down()
    run = servers.have_pop3_access(
        "--limit",
        "mbx01",
        json_output=False,
        pop3_access_enabled=["John Smith"],
        pop3_access_servers=["mbx01", "mbx02"],
    )
    fails(run, "Nothing was changed: mbx02 would owe a restart", "Connection refused")
    assert servers.changes() == []
    # It was marked, and the mark was taken back.
    assert [write.action.value for write in servers.farm.hosts["MBX01"].registry.writes][1:] == [
        "set_value",
        "delete_value",
    ]
    assert servers.marks()["mbx01"] == []


@pytest.mark.parametrize("both", [["John Smith"], ["jsmith@contoso.com"]])
def test_a_mailbox_that_is_declared_both_ways_stops_the_run(build: Build, both: list[str]) -> None:
    servers = build("MBX01")
    run = servers.have_pop3_access(json_output=False, pop3_access_enabled=["John Smith"], pop3_access_disabled=both)
    fails(run, "pop3_access_enabled and in pop3_access_disabled")
    assert servers.changes() == []


def test_the_roll_stops_at_the_server_that_fails_and_the_next_run_finishes(build: Build) -> None:
    servers = build("MBX01", "MBX02", "MBX03")
    service = servers.farm.hosts["MBX02"].services[FRONTEND]
    service.always_fails = StartFailure(Win32Error.PROCESS_ABORTED)
    run = servers.have_pop3_access(json_output=False, pop3_access_enabled=["John Smith"])
    fails(run, "MSExchangePOP3 (Microsoft Exchange POP3) on mbx02 is stopped and should be started", "PopProxy", "1067")
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [0, 0], "mbx03": [0, 0]}
    assert servers.marks() == {"mbx01": [], "mbx02": [UNDER_WAY], "mbx03": [PENDING]}

    service.always_fails = None
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert servers.changes() == ["Set-CASMailbox"]
    assert servers.restarts()["mbx01"] == [1, 1]
    assert servers.restarts()["mbx03"] == [1, 1]
    assert servers.states()["mbx02"] == ["running", "running"]
    assert servers.marks() == {"mbx01": [], "mbx02": [], "mbx03": []}


def test_a_host_that_is_lost_during_its_restart_is_finished_by_the_next_run(build: Build) -> None:
    servers = build()
    servers.farm.hosts["MBX01"].module_faults.add("win_service", DropConnection())
    first = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert first.returncode != 0
    assert servers.marks() == {"mbx01": [UNDER_WAY], "mbx02": [PENDING]}
    second = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert second.returncode == 0, second.output
    assert servers.marks() == {"mbx01": [], "mbx02": []}
    assert servers.states() == {"mbx01": ["running", "running"], "mbx02": ["running", "running"]}
    assert servers.may_log_in("MBX02", JOHN)


def test_serial_restarts_every_server_once_for_a_change_of_the_first_batch(build: Build) -> None:
    servers = build("MBX01", "MBX02", "MBX03")
    run = servers.have_pop3_access(play={"serial": 1}, pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert servers.changes() == ["Set-CASMailbox"]
    assert len(servers.farm.exchange.shells) == 2  # to look, and to change; not once for each batch
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1], "mbx03": [1, 1]}


def test_serial_fails_for_a_mailbox_only_after_the_last_batch(build: Build) -> None:
    servers = build("MBX01", "MBX02", "MBX03")
    run = servers.have_pop3_access(
        json_output=False, play={"serial": 1}, pop3_access_enabled=["Jon Smith", "John Smith"]
    )
    fails(run, "'Jon Smith'")
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1], "mbx03": [1, 1]}


def test_servers_that_limit_leaves_out_stay_marked_for_the_next_run(build: Build) -> None:
    servers = build()
    everybody = "{{ groups['exchange'] }}"
    run = servers.have_pop3_access(
        "--limit", "mbx01", pop3_access_enabled=["John Smith"], pop3_access_servers=everybody
    )
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [0, 0]}
    assert servers.marks() == {"mbx01": [], "mbx02": [PENDING]}
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_access_servers=everybody)
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}
    assert servers.marks() == {"mbx01": [], "mbx02": []}


def test_always_restarts_without_a_change(build: Build) -> None:
    servers = build()
    run = servers.have_pop3_access(pop3_access_enabled=["Patrick Colon"], pop3_access_restart="always")
    assert run.returncode == 0, run.output
    assert servers.changes() == []
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}


def test_always_also_restarts_who_owes_it_from_before(build: Build) -> None:
    servers = build()
    left = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_access_restart="never")
    assert left.returncode == 0, left.output
    run = servers.have_pop3_access(pop3_access_restart="always", pop3_access_servers=["mbx01"])
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}


def test_a_service_is_found_however_its_server_writes_it(build: Build) -> None:
    """Windows does not mind the case of a service's name, and servers write it in more than one way."""
    servers = build("MBX01")
    servers.farm.hosts["MBX01"].services[FRONTEND].name = "MSExchangePop3"
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1]}
    assert servers.may_log_in("MBX01", JOHN)


def test_a_play_that_ignores_errors_forgets_nothing(build: Build) -> None:
    servers = build("MBX01")
    servers.farm.hosts["MBX01"].services[FRONTEND].always_fails = StartFailure(Win32Error.PROCESS_ABORTED)
    run = servers.have_pop3_access(play={"ignore_errors": True}, pop3_access_enabled=["John Smith"])
    assert run.returncode == 2
    assert servers.marks() == {"mbx01": [UNDER_WAY]}


def test_a_server_that_is_down_is_an_error_also_where_the_play_ignores_that(build: Build) -> None:
    """Nobody looked whether it owes a restart."""
    servers = build()
    servers.farm.hosts["MBX02"].go_down()
    run = servers.have_pop3_access(play={"ignore_unreachable": True}, pop3_access_enabled=["Patrick Colon"])
    assert run.returncode == 4, run.output


def test_two_at_a_time_the_good_one_is_settled(build: Build) -> None:
    servers = build()
    service = servers.farm.hosts["MBX02"].services[FRONTEND]
    service.always_fails = StartFailure(Win32Error.PROCESS_ABORTED)
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_services_throttle=2)
    assert run.returncode == 2
    assert servers.marks() == {"mbx01": [], "mbx02": [UNDER_WAY]}
    service.always_fails = None
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_services_throttle=2)
    assert run.returncode == 0, run.output
    assert servers.restarts()["mbx01"] == [1, 1]


def test_a_service_that_could_not_start_again_is_not_stopped(build: Build) -> None:
    servers = build("MBX01")
    servers.farm.hosts["MBX01"].services[FRONTEND].start_mode = StartMode.DISABLED
    run = servers.have_pop3_access(json_output=False, pop3_access_enabled=["John Smith"])
    fails(run, "MSExchangePOP3 on mbx01 runs", "its start mode is 'disabled'", "Nothing was touched")
    assert servers.states() == {"mbx01": ["running", "running"]}
    assert servers.marks() == {"mbx01": [PENDING]}


@pytest.mark.parametrize("leak", [{"pop3_services_state": "stopped"}, {"pop3_services_start_mode": "auto"}])
def test_what_other_plays_say_of_the_services_does_not_matter(build: Build, leak: dict[str, str]) -> None:
    servers = build("MBX01")
    extra = [argument for name, value in leak.items() for argument in ("-e", f"{name}={value}")]
    run = servers.have_pop3_access(*extra, pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1]}


def test_a_service_that_was_stopped_on_purpose_stays_stopped(build: Build) -> None:
    servers = build("MBX01")
    service = servers.farm.hosts["MBX01"].services[FRONTEND]
    service.always_fails = StartFailure(Win32Error.PROCESS_ABORTED)
    assert servers.have_pop3_access(pop3_access_enabled=["John Smith"]).returncode == 2
    service.always_fails = None
    stopped = servers.have_services(pop3_services_state="stopped")
    assert stopped.returncode == 0, stopped.output
    assert servers.marks() == {"mbx01": []}
    again = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert again.returncode == 0, again.output
    assert servers.states() == {"mbx01": ["stopped", "stopped"]}


def test_a_change_that_no_server_would_remember_is_refused(build: Build) -> None:
    servers = build("MBX01")
    run = servers.have_pop3_access(json_output=False, pop3_access_enabled=["John Smith"], pop3_access_servers=[])
    fails(run, "pop3_access_servers is empty", "Nothing was changed")
    assert servers.changes() == []


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"pop3_access_servers": "mbx01,mbx02"}, "are lists, and one of them is text"),
        ({"pop3_access_enabled": "John Smith"}, "are lists, and one of them is text"),
        ({"pop3_access_servers": ["mbx01", "mbx77"]}, "not in the inventory: mbx77"),
    ],
)
def test_lists_that_are_none_are_refused(build: Build, variables: dict[str, Any], says: str) -> None:
    servers = build("MBX01")
    fails(servers.have_pop3_access(json_output=False, **{"pop3_access_enabled": ["John Smith"], **variables}), says)
    assert servers.changes() == []


def test_a_misspelt_variable_is_refused_and_nothing_declared_is_said(build: Build) -> None:
    servers = build("MBX01")
    fails(servers.have_pop3_access("-e", "pop3_access_enable=x", json_output=False), "Not a variable of this role")
    run = servers.have_pop3_access(json_output=False)
    assert run.returncode == 0, run.output
    assert "Only restarts that are owed are made" in run.stdout


@BOTH
def test_a_wrong_password_is_tried_once(build: Build, transport: str) -> None:
    servers = build("MBX01")
    run = servers.have_pop3_access(
        json_output=False, pop3_access_enabled=["a"], pop3_access_disabled=["b"], pop3_access_password="wrong"
    )
    fails(run, "Check username and password" if transport == HOST_SHELL else "The login was not accepted")
    assert len(servers.farm.exchange.authorizations) == 1


def test_a_host_of_the_play_that_skips_the_role_hides_no_failure(build: Build) -> None:
    servers = build()
    play = servers.play(
        {"tasks": [{**INCLUDE, "when": "inventory_hostname == 'mbx01'"}]}, pop3_access_enabled=["Jon Smith"]
    )
    del play["roles"]
    fails(servers.controller.play([play], json_output=False), "'Jon Smith'")


def test_the_role_can_be_used_twice_in_a_play_and_in_two_plays(build: Build) -> None:
    """What one use knows of the mailboxes does not count for another: other organisations, retries, later plays."""
    servers = build("MBX01")
    nowhere = {**INCLUDE, "loop": [servers.farm.exchange.https_uri, "https://localhost:9/PowerShell/"]}
    nowhere["vars"] = {"pop3_access_connection_uri": "{{ item }}"}
    play = servers.play({"tasks": [nowhere]}, pop3_access_enabled=["John Smith"])
    del play["roles"]
    run = servers.controller.play([play], json_output=False)
    fails(run, "Nothing listens at localhost:9")
    assert "loop variable" not in run.output
    assert servers.restarts() == {"mbx01": [1, 1]}


def test_two_scopes_in_batches_do_not_take_each_other_for_their_own(build: Build) -> None:
    """The first is held back, the second has nothing to do, and what is said of them is the same but for the scope."""
    servers = build()
    uses = [
        {**INCLUDE, "vars": {"pop3_access_filter": scope}}
        for scope in ("PopEnabled -eq $true", "DisplayName -eq 'Patrick Colon'")
    ]
    play = servers.play(
        {"serial": 1, "tasks": uses},
        pop3_access_exclusive=True,
        pop3_access_enabled=["Patrick Colon"],
        pop3_access_max_changes=0,
    )
    del play["roles"]
    fails(servers.controller.play([play], json_output=False), "max_changes")
    assert servers.changes() == []


def test_a_login_that_is_refused_at_the_change_is_not_tried_with_the_other_list(build: Build) -> None:
    """And that the other list was not begun is said."""
    servers = build("MBX01")
    account = servers.farm.administrator
    registry = servers.farm.hosts["MBX01"].registry
    marked = registry.set_value

    def change_the_password(*given: Any, **more: Any) -> None:
        marked(*given, **more)
        account.password = "another"

    registry.set_value = change_the_password  # type: ignore[method-assign]
    run = servers.have_pop3_access(
        json_output=False, pop3_access_enabled=["John Smith"], pop3_access_disabled=["Patrick Colon"]
    )
    fails(run, "No session with Exchange", "Nobody was disabled: that was not begun.")


def test_a_second_play_with_serial_restarts_all_before_it_fails(build: Build) -> None:
    servers = build()
    first = servers.play(pop3_access_enabled=["John Smith"])
    second = servers.play({"serial": 1, "name": "Second"}, pop3_access_enabled=["Support 😀", "Jon Smith"])
    fails(servers.controller.play([first, second], json_output=False), "'Jon Smith'")
    assert servers.restarts() == {"mbx01": [2, 2], "mbx02": [2, 2]}


def test_another_run_that_takes_the_mark_away_takes_no_restart_away(build: Build) -> None:
    """Between this run's mark and its change another run restarts the server and forgets the mark."""
    servers = build("MBX01")
    registry = servers.farm.hosts["MBX01"].registry

    def another_run(call: Any) -> None:
        if call.name == "Set-CASMailbox":
            registry.delete_value(r"HKLM:\SOFTWARE\mailops.exchange", PENDING)

    servers.farm.exchange.on_call = another_run
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1]}


def test_a_mark_that_is_made_during_a_restart_survives_it(build: Build) -> None:
    """Another run changes a mailbox while this one waits for its greeting: that change needs a restart of its own."""
    servers = build("MBX01")
    host = servers.farm.hosts["MBX01"]

    def restart_and_mark(call: Any, machine: Any) -> dict[str, Any]:
        result = win_service(call, machine)
        host.registry.set_value(r"HKLM:\SOFTWARE\mailops.exchange", PENDING, "by another run", "string")
        return dict(result)

    host.modules.register("win_service", restart_and_mark)
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    assert servers.marks() == {"mbx01": [PENDING]}


def test_the_playbook_by_its_full_name(build: Build) -> None:
    servers = build()
    variables = servers.controller.folder / "pop3.yml"
    lines = {**servers.connection, "pop3_access_enabled": "['John Smith']"}
    variables.write_text("".join(f"{name}: {value}\n" for name, value in lines.items()))
    run = servers.controller.run_playbook("mailops.exchange.pop3_access", "--limit", "mbx02", "-e", f"@{variables}")
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [0, 0], "mbx02": [1, 1]}
    assert servers.marks() == {"mbx01": [PENDING], "mbx02": []}


def test_the_pattern_for_those_who_use_the_module_directly(build: Build) -> None:
    """Two tasks, as docs/roles.md has them: register, and include the role where a restart is due."""
    servers = build()
    module = {name.removeprefix("pop3_access_"): value for name, value in servers.connection.items()}
    tasks = [
        {
            "name": "John Smith may read his mail over POP3",
            "mailops.exchange.exchange_pop3_access": {**module, "identity": "John Smith", "state": "enabled"},
            "run_once": True,
            "register": "pop3",
        },
        {
            "name": "Restart the services where that is due",
            "ansible.builtin.include_role": {"name": "mailops.exchange.pop3_services"},
            "when": "pop3.restart_required",
        },
    ]
    play = {"name": "Play", "hosts": "exchange", "gather_facts": False, "tasks": tasks}
    for expected in ([1, 1], [1, 1]):
        run = servers.controller.play([play])
        assert run.returncode == 0, run.output
        assert servers.restarts() == {"mbx01": expected, "mbx02": expected}


@contextmanager
def as_a_slice(servers: Servers, name: str) -> Iterator[None]:
    """What a slice of a job sees: one of the servers is in the inventory, and no other."""
    whole = servers.controller.inventory
    servers.controller.inventory = cut = copy.deepcopy(whole)
    groups = [cut["all"]]
    for group in groups:
        group["hosts"] = {host: value for host, value in group.get("hosts", {}).items() if host in (name, "localhost")}
        groups += group.get("children", {}).values()
    yield
    servers.controller.inventory = whole


def test_a_slice_does_not_know_the_servers_of_the_others(build: Build) -> None:
    """What docs/scaling.md warns of: the first slice changes the mailbox, and the servers of the second owe nothing."""
    servers = build()
    declared: dict[str, Any] = {
        "pop3_access_enabled": ["John Smith"],
        "pop3_access_servers": "{{ groups['exchange'] }}",
    }
    for name in ("mbx01", "mbx02"):
        with as_a_slice(servers, name):
            run = servers.have_pop3_access(**declared)
        assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [0, 0]}
    assert not servers.may_log_in("MBX02", JOHN)

    with as_a_slice(servers, "mbx01"):
        run = servers.have_pop3_access(json_output=False, pop3_access_servers=["mbx01", "mbx02"])
    fails(run, "In pop3_access_servers and not in the inventory: mbx02")


def test_restarts_that_are_owed_may_be_sliced(build: Build) -> None:
    """The way of docs/scaling.md: one run that marks all servers, then slices without a list."""
    servers = build()
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_access_restart="never")
    assert run.returncode == 0, run.output
    assert servers.marks() == {"mbx01": [PENDING], "mbx02": [PENDING]}
    for name in ("mbx02", "mbx01"):
        with as_a_slice(servers, name):
            run = servers.have_pop3_access()
        assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}
    assert servers.marks() == {"mbx01": [], "mbx02": []}
    assert servers.may_log_in("MBX02", JOHN)


def test_nobody_but_a_list_and_then_the_restart(build: Build) -> None:
    servers = build()
    assert servers.may_log_in("MBX01", "pcolon@contoso.com")
    run = servers.have_pop3_access(pop3_access_enabled=["John Smith"], pop3_access_exclusive=True)
    assert run.returncode == 0, run.output
    organisation = servers.farm.organisation
    assert {m.name for m in organisation.mailboxes() if organisation.settings(m).pop_enabled} == {"John Smith"}
    assert servers.restarts() == {"mbx01": [1, 1], "mbx02": [1, 1]}
    assert servers.may_log_in("MBX01", JOHN)
    assert not servers.may_log_in("MBX01", "pcolon@contoso.com")


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"pop3_access_enabled": ["Jon Smith"]}, "every listed mailbox has to be found first"),
        ({"pop3_access_enabled": ["John Smith"], "pop3_access_max_changes": 3}, "max_changes is 3"),
        ({"pop3_access_enabled": []}, "allow_empty"),
        ({"pop3_access_enabled": ["John Smith"], "pop3_access_disabled": ["Smith, Jane"]}, "has to be empty"),
    ],
)
def test_an_exclusive_list_that_is_held_back_leaves_nothing_behind(
    build: Build, variables: dict[str, Any], says: str
) -> None:
    servers = build()
    fails(servers.have_pop3_access(pop3_access_exclusive=True, **variables), says)
    assert servers.changes() == []
    assert servers.marks() == {"mbx01": [], "mbx02": []}
    assert servers.restarts() == {"mbx01": [0, 0], "mbx02": [0, 0]}
    # Check mode is as red as the run.
    fails(servers.have_pop3_access("--check", pop3_access_exclusive=True, **variables), says)


def test_exclusive_as_text_from_the_command_line(build: Build) -> None:
    servers = build()
    run = servers.have_pop3_access("-e", "pop3_access_exclusive=false", pop3_access_enabled=["John Smith"])
    assert run.returncode == 0, run.output
    organisation = servers.farm.organisation
    assert len([m for m in organisation.mailboxes() if organisation.settings(m).pop_enabled]) == 9


def test_the_playbook_is_not_green_where_nobody_matches(build: Build) -> None:
    servers = build()
    run = servers.controller.run_playbook("mailops.exchange.pop3_access", "-e", "pop3_access_hosts=exchagne")
    fails(run, "pop3_access_hosts is 'exchagne', and no host of the inventory matches that")
