# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``transport: host_shell`` with real Ansible, over its real connections to a simulated Exchange server."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import MAIL_RECIPIENTS, Farm, SessionDrop, Simulator
from simulator.windows import WindowsHost
from simulator.windows.faults import DropConnection
from support.controller import JUMP, LOCAL, Controller, Run
from support.in_process import InProcess
from support.pop3_tasks import ADMIN, PASSWORD
from support.secrets import Secret, Watcher
from support.servers import Servers
from support.transports import HOST_SHELL, tasks_over

GET, SET = "Get-CASMailbox", "Set-CASMailbox"
INFO = "mailops.exchange.exchange_pop3_access_info"
SCRIPT_RUNS = "win_powershell"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(("MBX01",)) as running:
        yield running
        assert running.exchange.open_shells == [], "a session was left open"


@pytest.fixture
def host(farm: Farm) -> WindowsHost:
    return farm.hosts["MBX01"]


@pytest.fixture
def controller(farm: Farm, tmp_path: Path) -> Iterator[Controller]:
    running = Controller(tmp_path)
    use(running, farm)
    yield running
    running.close()


def use(controller: Controller, farm: Farm, *connection: str) -> None:
    """Reach the server by this connection."""
    server = farm.hosts["MBX01"].inventory_vars(*connection)
    controller.inventory = {"all": {"hosts": {"localhost": LOCAL, "jump": JUMP, "mbx01": server}}}


def credentials(farm: Farm) -> dict[str, Any]:
    return {"username": farm.administrator.name, "password": farm.password}


def task(controller: Controller, *arguments: str, hosts: str = "mbx01", **options: Any) -> Run:
    keywords = options.pop("keywords", None)
    return controller.task({"transport": "host_shell", **options}, *arguments, hosts=hosts, keywords=keywords)


def runs(host: WindowsHost) -> int:
    return sum(call.short_name == SCRIPT_RUNS for call in host.module_calls)


@pytest.mark.parametrize(
    "connection",
    [("http", "winrm", "ntlm"), ("https", "winrm", "basic"), ("http", "psrp", "ntlm")],
    ids=" ".join,
)
def test_check_then_change_then_nothing(
    farm: Farm, host: WindowsHost, controller: Controller, connection: tuple[str, ...]
) -> None:
    """On the host's own Exchange, which needs no address; and nothing is installed or left on the host."""
    use(controller, farm, *connection)
    given = {"identity": "John Smith", "state": "enabled", **credentials(farm)}
    dry = task(controller, "--check", "--diff", **given).result
    assert dry["changed"], dry
    assert "pop_enabled: true" in dry["diff"]["after"]
    assert not farm.may_use_pop3("John Smith")
    real = task(controller, **given).result
    assert real["changed"]
    assert real["restart_required"]
    assert farm.may_use_pop3("John Smith")
    assert not task(controller, **given).result["changed"]
    assert {call.short_name for call in host.module_calls} == {SCRIPT_RUNS}
    assert {call.user for call in farm.exchange.calls} == {farm.administrator.name}
    assert farm.exchange.calls_of("Select-Object") == []


def test_the_same_results_as_with_the_other_transport(farm: Farm, controller: Controller) -> None:
    """One playbook, with only ``transport`` changed, in an organisation as it was."""
    names = ["John Smith", "Jon Smith", "Alex Meyer", "Patrick Colon"]
    results = []
    for transport in ("remote_powershell", "host_shell"):
        run = task(
            controller,
            identities=names,
            state="enabled",
            transport=transport,
            connection_uri=farm.exchange.https_uri,
            authentication="basic",
            ca_cert=str(farm.ca_file),
            **credentials(farm),
        )
        result = dict(run.result)
        result.pop("invocation", None)
        results.append((run.returncode, result))
        farm.organisation.change_settings(farm.organisation.mailbox("John Smith"), {"PopEnabled": False})
    (code, one), (other_code, other) = results
    assert code == other_code == 2
    words = {json.dumps(result).replace("DC02", "DC01") for result in (one, other)}
    assert len(words) == 1, results


def test_the_changes_of_one_run_have_one_domain_controller(farm: Farm, controller: Controller) -> None:
    """Each run of the script may have another one; here none of them knows soon what another one was told."""
    farm.organisation.replication_delay = 30
    result = task(controller, identities=["John Smith", "Jane"], state="enabled", **credentials(farm)).result
    assert not result.get("failed"), result
    assert len({call.parameters["DomainController"] for call in farm.exchange.calls_of(SET)}) == 1
    assert len({shell.domain_controller for shell in farm.exchange.shells}) > 1


def test_a_role_without_domain_controller_is_enough(farm: Farm, controller: Controller) -> None:
    """Then a change is read back from whichever answers; here from one that has it."""
    user = farm.users.add("limited@contoso.com", "not-shown", "Mail Recipients")
    hide(user, "DomainController")
    given = {"identity": "John Smith", "state": "enabled", "username": user.name, "password": "not-shown"}
    result = task(controller, **given).result
    assert result["changed"]
    assert not result.get("failed"), result
    farm.organisation.replication_delay = 30
    farm.exchange.behaviour.ignored_writes.add("John Smith")
    result = task(controller, **{**given, "state": "disabled"}).result
    assert [failure["reason"] for failure in result["failures"]] == ["unconfirmed"]
    assert "another domain controller" in result["msg"]


def hide(user: Any, parameter: str) -> None:
    shown = {
        GET: {"Identity", "Filter", "OrganizationalUnit", "ResultSize", "DomainController"},
        SET: {"Identity", "PopEnabled", "DomainController"},
    }
    user.entries = {name: frozenset(names - {parameter}) for name, names in shown.items()}


def test_500_identities_take_a_dozen_runs_of_the_script(farm: Farm, host: WindowsHost, controller: Controller) -> None:
    names = [f"user{n:03}" for n in range(500)]
    for name in names:
        farm.organisation.add_mailbox(name, pop_enabled=name.endswith(("0", "1", "2", "3", "4", "5", "6", "7", "8")))
    result = task(controller, identities=names, state="enabled", **credentials(farm)).result
    assert result["counts"] == {"total": 500, "changed": 50, "unchanged": 450, "failed": 0}
    assert runs(host) <= 12


def test_become_makes_the_login(farm: Farm, host: WindowsHost, controller: Controller) -> None:
    """Whoever the host becomes is who asks Exchange: no credentials travel, and the double hop has no second hop."""
    as_administrator = {
        "become": True,
        "become_method": "ansible.builtin.runas",
        "become_user": farm.administrator.name,
        "vars": {"ansible_become_password": farm.password},
    }
    run = task(controller, identity="John Smith", state="enabled", keywords=as_administrator)
    assert run.result["changed"], run.output
    assert all("sensitive_parameters" not in call.args for call in host.module_calls)
    assert {call.become_user for call in host.module_calls} == {farm.administrator.name}


def test_a_wrong_password_is_tried_once(farm: Farm, host: WindowsHost, controller: Controller) -> None:
    given = {**credentials(farm), "password": "wrong-one"}
    result = task(controller, identity="John Smith", state="enabled", **given).result
    assert "The user name or password is incorrect" in result["msg"]
    assert "Check username and password" in result["msg"]
    assert runs(host) == 1


@pytest.mark.parametrize("names", [["John Smith"], [f"user{number}" for number in range(9)]], ids=["one", "streamed"])
def test_a_password_that_stops_being_right_is_tried_once(names: list[str], tmp_path: Path) -> None:
    """Each run of the script logs in anew: the one that was refused was the last, not even looking is tried again."""
    with Simulator() as simulator, tasks_over(HOST_SHELL, simulator, tmp_path) as tasks:
        for name in set(names) - {"John Smith"}:
            simulator.organisation.add_mailbox(name, pop_enabled=False)
        simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        logins = simulator.accept_logins(ntlm=True)
        simulator.exchange.on_call = lambda call: (
            simulator.users.add(ADMIN, "another one", MAIL_RECIPIENTS) and None if call.name == GET else None
        )
        assert isinstance(tasks.controller, InProcess)
        shell = tasks.controller.host
        assert shell
        result = tasks(identities=names, authentication="ntlm").result
        assert "The user name or password is incorrect" in result["msg"]
        assert "was refused before, and is not tried again" in result["msg"]
        assert [failure["identity"] for failure in result["failures"]] == names
        assert not result["changed"]
        assert runs(shell.host) == 3  # to open a session, to look, and the one that was refused
        assert len(logins.logins) == 2


def test_a_cmdlet_that_is_hidden(farm: Farm, controller: Controller) -> None:
    farm.users.add("nobody@contoso.com", "not-shown")
    result = task(
        controller,
        identities=["John Smith", "Patrick Colon"],
        state="enabled",
        username="nobody@contoso.com",
        password="not-shown",
    ).result
    assert [failure["reason"] for failure in result["failures"]] == ["access_denied"] * 2
    assert "has no cmdlet Get-CASMailbox" in result["msg"]


def test_a_session_that_breaks_is_looked_at_again(farm: Farm, controller: Controller) -> None:
    """The session of the script breaks after the change was made: what came of it is looked at."""
    farm.exchange.behaviour.session_drops.append(SessionDrop(SET, when="after"))
    result = task(controller, "-v", identity="John Smith", state="enabled", **credentials(farm)).result
    assert result["changed"]
    assert not result.get("failed")
    assert len(farm.exchange.calls_of(SET)) == 1


def test_a_host_whose_connection_breaks(farm: Farm, host: WindowsHost, controller: Controller) -> None:
    """The first time that the script runs, it comes to its end, and nobody hears of it."""
    host.module_faults.add(SCRIPT_RUNS, DropConnection())
    result = task(controller, identity="John Smith", state="enabled", **credentials(farm)).result
    assert "transport: host_shell" in result["msg"]
    assert "connection to the host mbx01" in result["msg"]
    assert not result["changed"]


def test_a_change_after_which_the_connection_breaks(farm: Farm, host: WindowsHost, controller: Controller) -> None:
    """Nobody hears what came of it; over a new connection it is looked at, and found."""
    host.module_faults.add(SCRIPT_RUNS, DropConnection(), nth=3)  # after the proof and the look
    result = task(controller, identity="John Smith", state="enabled", **credentials(farm)).result
    assert result["changed"]
    assert not result.get("failed"), result
    assert len(farm.exchange.calls_of(SET)) == 1


def test_a_host_that_cannot_be_reached(farm: Farm, host: WindowsHost, controller: Controller) -> None:
    host.go_down()
    run = task(controller, identity="John Smith", state="enabled", **credentials(farm))
    assert run.returncode == 2
    assert "transport: host_shell" in run.result["msg"]
    assert "connection to the host mbx01 failed" in run.result["msg"]


@pytest.mark.parametrize("hosts", ["localhost", "jump"])
def test_a_host_that_is_no_windows_host(farm: Farm, controller: Controller, hosts: str) -> None:
    result = task(controller, hosts=hosts, identity="John Smith", state="enabled", **credentials(farm)).result
    assert "this task has none" in result["msg"]
    delegated = {"delegate_to": "jump"}
    result = task(controller, identity="John Smith", state="enabled", keywords=delegated, **credentials(farm)).result
    assert "this task has none" in result["msg"]
    assert farm.exchange.http_requests == 0


@pytest.mark.parametrize("more", [{"authentication": "certificate"}, {"spn_hostname": "mbx01"}], ids=str)
def test_what_does_not_go_through_a_host(farm: Farm, controller: Controller, more: dict[str, str]) -> None:
    result = task(controller, identity="John Smith", state="enabled", **credentials(farm), **more).result
    assert "host_shell" in result["msg"]
    assert farm.exchange.http_requests == 0


def test_the_way_is_looked_at_from_the_host(farm: Farm, controller: Controller) -> None:
    options = {"transport": "host_shell", **credentials(farm)}
    play = {"name": "Play", "hosts": "mbx01", "gather_facts": False}
    look = {"name": "Look", "mailops.exchange.exchange_endpoint_info": {**options, "needed_rights": "read"}}
    result = controller.play([{**play, "tasks": [look]}]).result
    assert not result.get("failed"), result
    states = {step["step"]: step["state"] for step in result["steps"]}
    assert states["session"] == states["rights"] == "ok"
    assert states["port"] == "not_needed"


def test_the_time_out_of_a_task_loses_nothing(farm: Farm, controller: Controller) -> None:
    """The script goes on to its end; what it was doing is reported as what it is: not known."""
    names = ["John Smith", "Support \U0001f600"]
    keywords = {"timeout": 6}
    farm.exchange.behaviour.cmdlet_delays[SET] = 8
    result = task(controller, identities=names, state="enabled", keywords=keywords, **credentials(farm)).result
    assert result["msg"].startswith("Timed out after 6 second")
    assert [line["identity"] for line in result["mailboxes"]] == names
    assert [failure["reason"] for failure in result["failures"]] == ["unconfirmed", "unconfirmed"]
    assert result["restart_required"]
    deadline = time.monotonic() + 30
    while farm.exchange.open_shells and time.monotonic() < deadline:
        time.sleep(0.2)


def test_the_role_from_the_mailbox_to_the_login(farm: Farm, controller: Controller) -> None:
    """Nothing but the hosts' own connections is needed for the whole procedure."""
    controller.inventory = farm.inventory()
    del controller.inventory["all"]["children"]["exchange"]["vars"]  # how the controller would reach Exchange
    play = {
        "name": "POP3 access",
        "hosts": "exchange",
        "gather_facts": False,
        "roles": ["mailops.exchange.pop3_access"],
        "vars": {
            "pop3_services_verify_stable_for": 0,
            "pop3_access_transport": "host_shell",
            "pop3_access_username": farm.administrator.name,
            "pop3_access_password": farm.password,
            "pop3_access_enabled": ["John Smith"],
            "pop3_access_disabled": ["Patrick Colon"],
            "pop3_access_servers": ["mbx01"],
        },
    }
    run = controller.play([play])
    assert run.returncode == 0, run.output
    servers = Servers(farm, controller)
    assert servers.restarts() == {"mbx01": [1, 1]}
    assert servers.may_log_in("MBX01", "jsmith@contoso.com")
    run = controller.play([play])
    assert run.returncode == 0, run.output
    assert servers.restarts() == {"mbx01": [1, 1]}


def test_the_password_is_nowhere(farm: Farm, controller: Controller, tmp_path: Path) -> None:
    """Not in the output at -vvvv, not in a file here or there, not on a command line, not in what the host shows."""
    secret = Secret("spy@contoso.com", f"S3cret-{uuid.uuid4().hex[:12]}-Ünï `'\"$é")
    farm.users.add(secret.user, secret.text, "Mail Recipients")
    vault = tmp_path.parent / f"{tmp_path.name}-vault.json"
    vault.write_text(json.dumps({"vaulted": secret.text}))
    controller.environment["ANSIBLE_KEEP_REMOTE_FILES"] = "1"
    with Watcher(secret, (tmp_path, controller.temp)) as watcher:
        run = task(
            controller,
            "-vvvv",
            "-e",
            f"@{vault}",
            identity="John Smith",
            state="enabled",
            username=secret.user,
            password="{{ vaulted }}",
        )
    vault.unlink()
    assert run.result["changed"], run.output
    assert secret.in_bytes(run.output.encode()) == []
    assert watcher.looks > 3
    assert watcher.found == []
    host = farm.hosts["MBX01"]
    assert all(not secret.in_bytes(content) for content in host.files.contents())
    assert secret.in_bytes(json.dumps([call.args for call in host.module_calls]).encode()) == []
