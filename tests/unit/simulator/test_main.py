# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m simulator` as others run it: in the foreground, in the background, with and without Windows hosts."""

from __future__ import annotations

import json
import os
import poplib
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator.control import ControlClient
from simulator.exchange.organisation import large_organisation_addresses
from simulator.farm import POP3_PASSWORD

_TESTS = Path(__file__).parents[2]
_WELCOME = b"+OK User successfully logged on."


@dataclass
class Machine:
    """Somewhere to run the simulator: its files are in one folder, which nobody else uses."""

    folder: Path

    def __post_init__(self) -> None:
        self.state_file = self.folder / "farm.json"
        self.inventory = self.folder / "inventory.yml"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "PYTHONPATH": str(_TESTS), "TMPDIR": str(self.temporary), "LANG": "C.UTF-8"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._command(*arguments), **self._options(), capture_output=True, check=False)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        command = self._command(*arguments)
        return subprocess.Popen(command, **self._options(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def detach(self, *arguments: str) -> dict[str, Any]:
        """Start in the background; what the state file says."""
        done = self.run(*arguments, "--state-file", str(self.state_file), "--detach")
        assert done.returncode == 0, done.stdout + done.stderr
        state = self.state()
        assert done.stdout == f"{state['pid']}\n"
        return state

    def stop(self) -> None:
        done = self.run("--stop", str(self.state_file))
        assert done.returncode == 0, done.stdout + done.stderr

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.state_file.read_text("utf-8"))
        return state

    def left(self) -> list[str]:
        """The files that are there, with those in the temporary folder."""
        return sorted(str(one.relative_to(self.folder)) for one in self.folder.rglob("*") if one != self.temporary)

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "simulator", *arguments]

    def _options(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "text": True}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def wait_until_gone(pid: int) -> None:
    while is_alive(pid):
        time.sleep(0.01)


def addresses(state: dict[str, Any]) -> list[tuple[str, int]]:
    """Every address that the state file names."""
    values = [(host["address"], value) for host in state["hosts"].values() for value in host.values()]
    found = [(address, value) for address, value in values if isinstance(value, int)]
    uris = (state["control"]["uri"], *state["exchange"].values())
    return found + [("127.0.0.1", int(re.findall(r":(\d+)", uri)[0])) for uri in uris]


def listens(address: tuple[str, int]) -> bool:
    with socket.socket() as client:
        return client.connect_ex(address) == 0


def login(state: dict[str, Any], host: str, user: str) -> bytes:
    tls = ssl.create_default_context(cafile=state["ca_file"])
    where = state["hosts"][host]
    client = poplib.POP3_SSL(where["address"], where["pop3s_port"], context=tls, timeout=30)
    try:
        client.user(user)
        return client.pass_(state["pop3_password"])
    finally:
        client.close()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    pytest.fail("it ended: " + "".join(lines))


def test_a_farm_in_the_background_is_found_used_and_ended(machine: Machine) -> None:
    state = machine.detach("--servers", "2", "--inventory", str(machine.inventory))
    assert stat.S_IMODE(machine.state_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.inventory.stat().st_mode) == 0o600
    assert list(state["hosts"]) == ["mbx01", "mbx02"]
    assert state["pop3_password"] == POP3_PASSWORD
    assert json.loads(machine.inventory.read_text("utf-8")) == state["inventory"]
    for host in state["hosts"]:
        assert login(state, host, "pcolon@contoso.com") == _WELCOME
    assert all(listens(address) for address in addresses(state))
    assert is_alive(state["pid"])
    assert {"farm.json", "farm.json.log", "inventory.yml"} < set(machine.left())

    machine.stop()
    wait_until_gone(state["pid"])
    assert not any(listens(address) for address in addresses(state) if address[0] != "127.0.0.1")
    assert machine.left() == []


def test_stopping_is_idempotent(machine: Machine) -> None:
    machine.stop()
    machine.detach()
    machine.stop()
    machine.stop()
    assert machine.left() == []


def test_a_farm_in_the_background_can_be_steered_and_told_to_stop(machine: Machine) -> None:
    state = machine.detach("--servers", "1")
    client = ControlClient(**state["control"])
    client.post("mailbox", identity="John Smith", pop_enabled=True)
    client.post("host", host="mbx01", pop_proxy_active=False)
    assert client.state()["hosts"]["mbx01"]["services"]["MSExchangePOP3"]["state"] == "stopped"
    assert client.state()["mailboxes"]["jsmith@contoso.com"]["pop_enabled"] is True
    client.post("stop")
    wait_until_gone(state["pid"])
    assert machine.left() == []


def test_one_that_was_terminated_tidies_up_and_one_that_was_killed_is_tidied_up(machine: Machine) -> None:
    pid = machine.detach("--inventory", str(machine.inventory))["pid"]
    os.kill(pid, signal.SIGTERM)
    wait_until_gone(pid)
    assert machine.left() == []

    pid = machine.detach("--inventory", str(machine.inventory))["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    machine.stop()
    assert machine.left() == []


def test_a_process_whose_control_does_not_answer_is_ended_all_the_same(machine: Machine) -> None:
    state = machine.detach()
    broken = json.dumps(state | {"control": {"uri": "http://127.0.0.1:1", "token": "x"}})
    with machine.state_file.open("r+", encoding="utf-8") as file:  # the same file: the lock stays
        file.truncate(file.write(broken))
    machine.stop()
    wait_until_gone(state["pid"])
    assert machine.left() == []


def test_a_process_id_that_is_somebody_elses_by_now_is_left_alone(machine: Machine) -> None:
    state = machine.detach()
    machine.stop()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        machine.state_file.write_text(json.dumps(state | {"pid": bystander.pid}), "utf-8")
        machine.stop()
        assert bystander.poll() is None
        assert machine.left() == []
    finally:
        bystander.communicate()


def test_a_state_file_belongs_to_one_run(machine: Machine) -> None:
    first = machine.detach()
    for more in (["--detach"], []):
        second = machine.run("--state-file", str(machine.state_file), *more)
        assert second.returncode == 1
        assert f"process {first['pid']} runs already" in second.stderr
    assert machine.state() == first
    assert all(listens(address) for address in addresses(first))


def test_what_is_left_of_a_dead_run_does_not_hinder_the_next(machine: Machine) -> None:
    machine.state_file.write_text('{"pid": 1}', "utf-8")
    assert machine.detach()["pid"] != 1


def test_two_farms_run_side_by_side(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Machine(tmp_path_factory.mktemp("other"))
    try:
        one, two = machine.detach("--servers", "2"), other.detach("--servers", "2")
        assert not set(addresses(one)) & set(addresses(two))
        machine.stop()
        assert login(two, "mbx01", "pcolon@contoso.com") == _WELCOME
    finally:
        other.stop()
    assert other.left() == []


def test_a_farm_is_read_from_a_file(machine: Machine) -> None:
    farm = machine.folder / "servers.json"
    servers = [{"name": "CAS01", "backend": False}, {"name": "MBX01", "state": "stopped", "start_mode": "manual"}]
    farm.write_text(json.dumps({"servers": servers}), "utf-8")
    state = machine.detach("--farm", str(farm))
    hosts = ControlClient(**state["control"]).state()["hosts"]
    assert list(hosts["cas01"]["services"]) == ["MSExchangeADTopology", "MSExchangePOP3"]
    assert hosts["mbx01"]["services"]["MSExchangePOP3BE"]["state"] == "stopped"
    assert hosts["mbx01"]["services"]["MSExchangePOP3BE"]["start_mode"] == "manual"


def test_a_start_that_fails_says_why_and_leaves_nothing(machine: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = machine.run("--servers", "1", "--port", port, "--state-file", str(machine.state_file), "--detach")
    assert done.returncode == 1
    assert "did not start" in done.stderr
    assert "Address already in use" in done.stderr
    assert machine.left() == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--detach"], "--detach needs --state-file"),
        (["--inventory", "hosts.ini"], "ends in .json, .yml or .yaml"),
        (["--servers", "100"], "0 to 99"),
        (["--farm", "missing.json"], "No such file"),
        (["--servers", "1", "--farm", "x.json"], "not allowed with"),
        (["--det"], "unrecognized arguments"),
        (["--mailboxes", "0"], "--mailboxes: invalid"),
        (["--mailboxes", "9", "--pop-enabled", "2"], "--pop-enabled: invalid"),
        (["--cost", "per_day=1"], "--cost: invalid"),
    ],
)
def test_a_command_line_without_sense_is_explained(machine: Machine, arguments: list[str], why: str) -> None:
    done = machine.run(*arguments)
    assert done.returncode == 2
    assert why in done.stderr


def test_a_broken_state_file_is_not_removed(machine: Machine) -> None:
    machine.state_file.write_text("mine", "utf-8")
    done = machine.run("--stop", str(machine.state_file))
    assert done.returncode == 1
    assert "is no state file" in done.stderr
    assert machine.state_file.read_text("utf-8") == "mine"
    machine.state_file.unlink()


def test_in_the_foreground_it_introduces_the_hosts(machine: Machine) -> None:
    process = machine.begin("--servers", "2", "--inventory", str(machine.inventory))
    text = read_until(process, "Cmdlets that arrive")
    assert re.search(r"^  MBX02  127\.0\.\d+\.\d+  WinRM \d+ \(HTTP\), \d+ \(HTTPS\)$", text, re.MULTILINE)
    assert len(re.findall(r"POP3 \d+ \(STLS\), \d+ \(TLS\), backend \d+", text)) == 2
    assert f"ansible-playbook -i {machine.inventory}" in text
    found = re.search(r"--cacert (\S+) --user '([^:]+):([^']+)' pop3s://([\d.]+):(\d+)/1", text)
    assert found is not None
    ca_file, user, password, address, port = found.groups()
    client = poplib.POP3_SSL(address, int(port), context=ssl.create_default_context(cafile=ca_file), timeout=30)
    client.user(user)
    with pytest.raises(poplib.error_proto, match="Logon failure"):
        client.pass_(password)
    client.close()
    process.send_signal(signal.SIGINT)
    rest, _unused = process.communicate()
    assert "0 sessions, 0 of them left open." in rest
    assert process.returncode == 0
    assert machine.left() == []


def test_without_hosts_the_text_is_about_exchange_only(machine: Machine) -> None:
    process = machine.begin()
    text = read_until(process, "Cmdlets that arrive")
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert [line.split()[0] for line in text.splitlines()[:5]] == ["HTTP", "HTTPS", "CA", "user", "password"]
    assert "Windows" not in text
    assert "pop3s" not in text
    assert process.returncode == 0
    assert machine.left() == []


def test_an_organisation_of_any_size_takes_simulated_time(machine: Machine) -> None:
    state = machine.detach(
        *("--mailboxes", "500", "--pop-enabled", "0.9", "--benchmark-costs", "--cost", "per_set=0.5"),
        *("--select-object", "--max-sessions", "4", "--quiet"),
    )
    client = ControlClient(state["control"]["uri"], state["control"]["token"])
    assert client.counters().pop_enabled == 450
    assert client.counters().http_requests == 0
    assert list(client.state()["mailboxes"]) == large_organisation_addresses(500)
    assert "@contoso.com>" not in machine.state_file.with_name("farm.json.log").read_text("utf-8")
    machine.stop()
    assert machine.left() == []
