# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Ansible over its real winrm connection against simulated hosts: what the POP3 roles will do."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from simulator.windows import Logon, StartMode, WindowsHost
from simulator.windows.faults import DropConnection, SlowModule
from simulator.wire.certificates import CertificateAuthority
from support.threads import threads_left

winrm = pytest.importorskip("winrm")
pytest.importorskip("pypsrp")

_SERVICES = ("MSExchangePOP3", "MSExchangePOP3BE")
_KEY = "HKLM:\\SOFTWARE\\MailOps"


class _Everybody:
    def pop3_logons(self) -> Mapping[str, Logon]:
        return {"john@contoso.com": Logon("secret")}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hosts(authority: CertificateAuthority) -> Iterator[list[WindowsHost]]:
    before = set(threading.enumerate())
    with WindowsHost("MBX01", _Everybody(), authority) as one, WindowsHost("MBX02", _Everybody(), authority) as two:
        yield [one, two]
    assert threads_left(before) == set()


def _play(
    folder: Path,
    hosts: list[WindowsHost],
    tasks: list[dict[str, Any]],
    *options: str,
    transport: tuple[str, ...] = ("http", "winrm"),
) -> subprocess.CompletedProcess[str]:
    inventory = {"all": {"hosts": {host.name.lower(): host.inventory_vars(*transport) for host in hosts}}}
    (folder / "inventory.json").write_text(json.dumps(inventory))
    (folder / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    return subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "inventory.json", "play.json", *options],
        cwd=folder,
        env={**os.environ, "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _names(host: WindowsHost) -> list[str]:
    return [call.short_name for call in host.module_calls]


TRANSPORTS = [
    ("http", "winrm", "basic"),
    ("http", "winrm", "ntlm"),
    ("https", "winrm", "ntlm"),
    ("http", "psrp", "ntlm"),
    ("https", "psrp", "basic"),
]


@pytest.mark.parametrize("transport", TRANSPORTS, ids=" ".join)
def test_services_are_restarted_once_on_every_host_and_the_registry_follows(
    hosts: list[WindowsHost], tmp_path: Path, transport: tuple[str, str, str]
) -> None:
    run = _play(
        tmp_path,
        hosts,
        [
            {"ansible.builtin.setup": {}},
            {"ansible.windows.win_regedit": {"path": _KEY, "name": "Pending", "data": 1, "type": "dword"}},
            {"ansible.windows.win_service": {"name": "{{ item }}", "state": "restarted"}, "loop": _SERVICES},
            {"ansible.windows.win_wait_for": {"port": 995, "timeout": 5}},
            {"ansible.windows.win_regedit": {"path": _KEY, "name": "Pending", "state": "absent"}},
            {"ansible.builtin.assert": {"that": "ansible_facts.hostname | lower == inventory_hostname"}},
        ],
        transport=transport,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for host in hosts:
        assert [host.services[name].restarts for name in _SERVICES] == [1, 1]
        assert [write.action for write in host.registry.writes] == ["create_key", "set_value", "delete_value"]
        assert _names(host).count("win_service") == 2
        assert host.winrm.open_shells == 0
        seen = {(login.user, login.method, login.scheme) for login in host.negotiate.logins}
        assert seen == ({("Administrator", "ntlm", transport[0])} if "ntlm" in transport else set())


def test_check_mode_touches_nothing(hosts: list[WindowsHost], tmp_path: Path) -> None:
    tasks = [
        {"ansible.windows.win_service": {"name": "MSExchangePOP3", "state": "restarted"}},
        {"ansible.windows.win_regedit": {"path": _KEY, "name": "Pending", "data": "yes"}},
    ]
    run = _play(tmp_path, hosts[:1], tasks, "--check", "--diff")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "changed=2" in run.stdout
    assert hosts[0].services["MSExchangePOP3"].history == []
    assert hosts[0].registry.writes == []
    assert all(call.check_mode and call.diff for call in hosts[0].module_calls)


@pytest.mark.parametrize("connection", ["winrm", "psrp"])
def test_a_service_that_cannot_start_fails_its_host_only(
    hosts: list[WindowsHost], tmp_path: Path, connection: str
) -> None:
    hosts[0].services["MSExchangePOP3BE"].start_mode = StartMode.DISABLED
    tasks = [{"ansible.windows.win_service": {"name": "MSExchangePOP3BE", "state": "restarted"}}]
    run = _play(tmp_path, hosts, tasks, transport=("http", connection))
    assert run.returncode == 2
    assert "Cannot start service MSExchangePOP3BE on computer '.'." in run.stdout
    assert [host.services["MSExchangePOP3BE"].restarts for host in hosts] == [0, 1]


def test_hosts_that_are_down_or_break_in_the_middle_are_unreachable_or_failed(
    hosts: list[WindowsHost], tmp_path: Path
) -> None:
    hosts[0].go_down()
    hosts[1].module_faults.add("win_service", DropConnection(before=True))
    run = _play(tmp_path, hosts, [{"ansible.windows.win_service": {"name": "MSExchangePOP3", "state": "restarted"}}])
    assert run.returncode != 0
    assert "UNREACHABLE" in run.stdout
    assert "mbx02" in run.stdout
    assert [host.services["MSExchangePOP3"].restarts for host in hosts] == [0, 0]


def test_files_go_both_ways_and_what_is_not_simulated_says_so(hosts: list[WindowsHost], tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("Grüße\n" * 100_000)
    fetch = {"src": "C:\\Temp\\file.txt", "dest": "fetched", "flat": True}
    tasks: list[dict[str, Any]] = [
        {"ansible.windows.win_shell": "dir", "register": "shell", "ignore_errors": True},
        {"ansible.builtin.assert": {"that": "'is not simulated' in shell.msg"}},
        {"ansible.builtin.fetch": fetch},
    ]
    hosts[0].files.write("c:\\temp\\FILE.txt", (tmp_path / "file.txt").read_bytes())
    run = _play(tmp_path, hosts[:1], tasks)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / "file.txt").read_bytes()


def test_a_slow_module_times_out_receives_and_goes_on(hosts: list[WindowsHost]) -> None:
    host = hosts[0]
    protocol = _client(host, operation_timeout_sec=1, read_timeout_sec=3)
    host.module_faults.add("win_ping", SlowModule(1.3))
    shell = protocol.open_shell()
    manifest = {
        "actions": [
            {"name": "module_wrapper.ps1", "params": {"Script": "ansible.windows.win_ping.ps1", "ForModule": True}}
        ]
    }
    payload = b"{}\n\0\0\0\0\n" + json.dumps(manifest).encode()
    script = "if ($in -eq '`0`0`0`0') {}"
    command = protocol.run_command(shell, "powershell", ["-EncodedCommand", _encoded(script)])
    protocol.send_command_input(shell, command, payload, end=True)
    stdout, _unused, code = protocol.get_command_output(shell, command)
    assert (json.loads(stdout)["ping"], code) == ("pong", 0)
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)


def test_a_wrong_password_and_a_lost_shell_are_refused(hosts: list[WindowsHost]) -> None:
    host = hosts[0]
    stranger = _client(host, password="wrong")
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        stranger.open_shell()
    stranger.transport.close_session()
    friend = _client(host)
    friend.open_shell()
    with pytest.raises(winrm.exceptions.WSManFaultError, match="was not found on the server"):
        friend.run_command("00000000-0000-0000-0000-000000000000", "cmd")
    friend.transport.close_session()


def _client(host: WindowsHost, **settings: Any) -> Any:
    """A client of pywinrm. Without a CA setting it warns about the environment's."""
    url = f"http://{host.address}:{host.winrm.http.port}/wsman"
    logon = {"username": host.user, "password": host.password, "transport": "basic", "ca_trust_path": None}
    return winrm.Protocol(url, **logon | settings)


def _encoded(script: str) -> str:
    return base64.b64encode(script.encode("utf-16-le")).decode()
