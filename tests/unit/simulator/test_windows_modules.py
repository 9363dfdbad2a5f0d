# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of the simulated modules, where the details matter to a role: options, check mode, diff, result."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.windows.faults import FailModule, ModuleFaults
from simulator.windows.files import Files
from simulator.windows.modules import Machine, ModuleCall, Modules
from simulator.windows.registry import Registry, RegistryType
from simulator.windows.services import Service, ServiceControlManager, ServiceState

_KEY = "HKLM:\\SOFTWARE\\MailOps"


@pytest.fixture
def machine() -> Machine:
    services = ServiceControlManager()
    services.install(Service("MSExchangePOP3", "Microsoft Exchange POP3", state=ServiceState.RUNNING))
    return Machine("MBX01", "contoso.com", "127.0.0.1", services, Registry(), Files(), dict)


@pytest.fixture
def modules(machine: Machine) -> Modules:
    return Modules(machine, ModuleFaults(), lambda: None)


def _run(modules: Modules, module: str, /, *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
    private = {"_ansible_check_mode": check, "_ansible_diff": diff}
    return modules.run(ModuleCall.from_complex_args(f"ansible.windows.{module}", args | private))[0]


@pytest.mark.parametrize(
    ("module", "args", "message"),
    [
        ("win_service", {}, "missing required arguments: name"),
        ("win_service", {"name": "x", "stat": "started"}, "Unsupported parameters for (ansible.windows.win_service)"),
        ("win_service", {"name": "x", "state": "up"}, "value of state must be one of: started, stopped, restarted"),
        ("win_service", {"name": "x", "state": "started"}, "Service 'x' is not installed, need to set 'path'"),
        ("win_service", {"name": "x", "failure_command": "y"}, "does not support option 'failure_command'"),
        ("win_service", {"name": "MSExchangePOP3", "state": "paused"}, "The service does not support pausing"),
        ("win_regedit", {"path": "SOFTWARE\\x"}, "is not a valid powershell path"),
        ("win_regedit", {"path": _KEY, "name": "x", "type": "dword", "data": 2**32}, "larger than 0xffffffff"),
        ("win_reg_stat", {"path": "C:\\x"}, "is not a valid registry path"),
        ("win_wait_for", {"port": 1, "regex": "x"}, "regex should by used when checking a string in a file"),
        ("win_shell", {"_raw_params": "dir"}, "is not simulated"),
    ],
)
def test_what_does_not_fit_is_refused(modules: Modules, module: str, args: dict[str, Any], message: str) -> None:
    result = _run(modules, module, **args)
    assert result["failed"] is True
    assert message in result["msg"]


def test_a_service_is_found_by_its_display_name_and_described(modules: Modules) -> None:
    result = _run(modules, "win_service", name="microsoft exchange pop3")
    assert result["changed"] is False
    assert (result["name"], result["state"], result["username"]) == ("MSExchangePOP3", "running", "LocalSystem")


def test_check_mode_says_what_a_restart_would_change_and_leaves_the_service_alone(modules: Modules) -> None:
    result = _run(modules, "win_service", name="MSExchangePOP3", state="restarted", check=True, diff=True)
    assert result["changed"] is True
    assert result["diff"]["before"]["state"] == "started"
    assert modules.machine.services["MSExchangePOP3"].history == []
    assert modules.calls[0].check_mode


def test_service_settings_are_changed_once(modules: Modules) -> None:
    wanted: dict[str, Any] = {
        "name": "MSExchangePOP3",
        "start_mode": "auto",
        "dependencies": ["A", "B"],
        "state": "stopped",
    }
    assert _run(modules, "win_service", **wanted)["changed"] is True
    assert _run(modules, "win_service", **wanted)["changed"] is False
    info = _run(modules, "win_service_info", name="MSExchangePOP3")["services"][0]
    assert (info["state"], info["start_mode"], info["dependencies"], info["process_id"]) == (
        "stopped",
        "auto",
        ["A", "B"],
        0,
    )


def test_no_service_is_a_result_and_not_a_failure(modules: Modules) -> None:
    result = _run(modules, "win_service_info", name="MSExchangePOP4")
    assert (result["exists"], result["services"]) == (False, [])


@pytest.mark.parametrize(
    ("kind", "data", "stored", "shown"),
    [
        ("string", "text", "text", {"type": "REG_SZ", "value": "text", "raw_value": "text"}),
        ("dword", "0x10", 16, {"type": "REG_DWORD", "value": 16, "raw_value": 16}),
        ("qword", 2**40, 2**40, {"type": "REG_QWORD", "value": 2**40, "raw_value": 2**40}),
        ("multistring", ["a", "b"], ["a", "b"], {"type": "REG_MULTI_SZ", "value": ["a", "b"], "raw_value": ["a", "b"]}),
        (
            "binary",
            "hex:be,ef",
            b"\xbe\xef",
            {"type": "REG_BINARY", "value": [0xBE, 0xEF], "raw_value": ["0xbe", "0xef"]},
        ),
    ],
)
def test_registry_values_are_written_once_and_read_back(
    modules: Modules, kind: str, data: Any, stored: Any, shown: dict[str, Any]
) -> None:
    wanted = {"path": _KEY, "name": "Value", "type": kind, "data": data}
    assert _run(modules, "win_regedit", **wanted)["changed"] is True
    value = modules.machine.registry.value(_KEY.lower(), "VALUE")
    assert value is not None
    assert value.data == stored
    assert shown.items() <= _run(modules, "win_reg_stat", path=_KEY, name="value").items()
    modules.machine.registry.clear_writes()
    assert _run(modules, "win_regedit", **wanted)["changed"] is False
    assert modules.machine.registry.writes == []


def test_registry_check_mode_shows_the_difference_and_writes_nothing(modules: Modules) -> None:
    registry = modules.machine.registry
    registry.set_value(_KEY, "Pending", 0, RegistryType.DWORD)
    registry.clear_writes()
    change: dict[str, Any] = {"path": _KEY, "name": "Pending", "check": True, "diff": True}
    set_ = _run(modules, "win_regedit", **change, data=1, type="dword")
    assert set_["data_changed"] is True
    assert set_["diff"]["after"] == {_KEY: {"Pending": {"type": "DWord", "value": "0x00000001"}}}
    removed = _run(modules, "win_regedit", **change, state="absent")
    assert removed["changed"] is True
    assert registry.writes == []


def test_a_key_is_removed_with_all_that_is_in_it(modules: Modules) -> None:
    modules.machine.registry.set_value(f"{_KEY}\\Below", "x", "y")
    assert _run(modules, "win_regedit", path=_KEY, state="absent")["changed"] is True
    assert _run(modules, "win_regedit", path=_KEY, state="absent")["changed"] is False
    assert _run(modules, "win_reg_stat", path=_KEY)["exists"] is False


def test_a_fault_strikes_the_nth_call_of_a_module(machine: Machine) -> None:
    faults = ModuleFaults()
    modules = Modules(machine, faults, lambda: None)
    faults.add("ansible.windows.win_ping", FailModule("broken"), nth=2)
    assert [_run(modules, "win_ping").get("msg") for _turn in range(3)] == [None, "broken", None]
