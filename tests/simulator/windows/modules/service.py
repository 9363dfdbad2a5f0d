# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_service and win_service_info, with the checks, results and error messages of ansible.windows 3.3.

What is left out is refused by name. One oddity of the original is kept: ``state`` in the result of win_service is the
state that was asked for, not the one the service is in when the module ends.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from typing import Any

from simulator.windows.modules.arguments import NOT_SIMULATED, Option, OptionType, arguments
from simulator.windows.modules.call import Machine, ModuleCall, ModuleFailure
from simulator.windows.services import Service, ServiceError, ServiceState, StartMode

_SPEC = {
    "dependencies": Option(OptionType.LIST),
    "dependency_action": Option(default="set", choices=("add", "remove", "set")),
    "description": Option(),
    "desktop_interact": Option(OptionType.BOOL, default=False),
    "display_name": Option(),
    "error_control": NOT_SIMULATED,
    "failure_actions": NOT_SIMULATED,
    "failure_actions_on_non_crash_failure": NOT_SIMULATED,
    "failure_command": NOT_SIMULATED,
    "failure_reboot_msg": NOT_SIMULATED,
    "failure_reset_period_sec": Option(aliases=("failure_reset_period",), simulated=False),
    "force_dependent_services": Option(OptionType.BOOL, default=False),
    "load_order_group": NOT_SIMULATED,
    "name": Option(required=True),
    "password": NOT_SIMULATED,
    "path": NOT_SIMULATED,
    "pre_shutdown_timeout_ms": Option(aliases=("pre_shutdown_timeout",), simulated=False),
    "required_privileges": NOT_SIMULATED,
    "service_type": NOT_SIMULATED,
    "sid_info": NOT_SIMULATED,
    "start_mode": Option(choices=("auto", "manual", "disabled", "delayed")),
    "state": Option(choices=("started", "stopped", "restarted", "absent", "paused")),
    "update_password": NOT_SIMULATED,
    "username": NOT_SIMULATED,
}

# What the modules call a state: "started", where Windows says Running.
_STATES = {state: state.value for state in ServiceState} | {ServiceState.RUNNING: "started"}


def win_service(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Look at a service, and change its settings and state where asked to."""
    given = arguments(_SPEC, call)
    service = machine.services.find(given["name"])
    if given["desktop_interact"]:
        raise ModuleFailure("The simulated Windows host does not support option 'desktop_interact' of win_service")
    if given["state"] == "absent":
        return _remove(service, call, machine)
    if service is None:
        return _not_installed(given)
    before = _settings(service)
    after, changed = _configure(service, given, apply=not call.check_mode)
    after["state"] = given["state"] or _STATES[service.state]
    changed = _set_state(service, given, call, machine) or changed
    return {
        "changed": changed,
        "exists": True,
        **{name: after[name] for name in ("dependencies", "description", "desktop_interact", "display_name")},
        **{name: after[name] for name in ("name", "path", "start_mode")},
        "username": "LocalSystem" if service.username == "NT AUTHORITY\\SYSTEM" else service.username,
        "state": _result_state(after["state"]),
        "can_pause_and_continue": False,
        "depended_by": [one.name for one in machine.services.dependents(service.name)],
        "diff": {"before": before, "after": after},
    }


def win_service_info(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Describe the services of a name, or all of them."""
    name = arguments({"name": Option()}, call)["name"]
    # Get-Service looks services up by name, with wildcards, and not by display name.
    services: Iterable[Service] = (s for s in machine.services if name is None or _matches(s.name, name))
    described = [_info(service, machine) for service in services]
    return {"exists": bool(described), "services": described}


def _matches(name: str, pattern: str) -> bool:
    return name.casefold() == pattern.casefold() or fnmatch.fnmatchcase(name.casefold(), pattern.casefold())


def _remove(service: Service | None, call: ModuleCall, machine: Machine) -> dict[str, Any]:
    if service is None:
        return {"exists": False}
    diff = {"before": _settings(service), "after": ""}
    if not call.check_mode:
        machine.services.remove(service.name)
    return {"changed": True, "exists": False, "diff": diff}


def _not_installed(given: dict[str, Any]) -> dict[str, Any]:
    asked = ("description", "display_name", "dependencies", "start_mode", "state")
    if any(given[name] is not None for name in asked) or given["dependency_action"] != "set":
        raise ModuleFailure(
            f"Service '{given['name']}' is not installed, need to set 'path' to create a new service", exists=False
        )
    return {"exists": False}


def _configure(service: Service, given: dict[str, Any], *, apply: bool) -> tuple[dict[str, Any], bool]:
    """Set what is not as asked; the settings as they are afterwards, and whether any had to change."""
    current, wanted = _settings(service), _settings(service)
    wanted["dependencies"] = _dependencies(list(service.dependencies), given)
    for name in ("description", "display_name", "start_mode"):
        if given[name] is not None:
            wanted[name] = given[name]
    if apply:
        service.dependencies = tuple(wanted["dependencies"])
        service.description = wanted["description"]
        service.display_name = wanted["display_name"]
        service.start_mode = StartMode(wanted["start_mode"])
    return wanted, wanted != current


def _dependencies(current: list[str], given: dict[str, Any]) -> list[str]:
    asked = given["dependencies"]
    if asked is None:
        return current
    if given["dependency_action"] == "remove":
        return [one for one in current if one not in asked]
    kept = current if given["dependency_action"] == "add" else [one for one in current if one in asked]
    return kept + [one for one in asked if one not in kept]


def _set_state(service: Service, given: dict[str, Any], call: ModuleCall, machine: Machine) -> bool:
    state = given["state"]
    if state == "paused":
        raise ModuleFailure(f"failed to pause service {service.name}: The service does not support pausing")
    if state is None or (state, service.state) in (
        ("started", ServiceState.RUNNING),
        ("stopped", ServiceState.STOPPED),
    ):
        return False
    if call.check_mode:
        return True
    try:
        if state == "started":
            machine.services.start(service.name)
        elif state == "stopped":
            machine.services.stop(service.name, force=given["force_dependent_services"])
        else:
            machine.services.restart(service.name, force=given["force_dependent_services"])
    except ServiceError as error:
        # The module lets the cmdlet's error through; Ansible's wrapper reports it, without any other result.
        raise ModuleFailure(
            f"Unhandled exception while executing module: {error}",
            exception=f"{error}\r\n+ CategoryInfo          : OpenError: (System.ServiceProcess.ServiceController"
            ":ServiceController) [], ServiceCommandException",
        ) from None
    return True


def _result_state(state: str) -> str:
    return "running" if state in ("restarted", "started") else state.replace("_", "")


def _settings(service: Service) -> dict[str, Any]:
    return {
        "dependencies": list(service.dependencies),
        "description": service.description,
        "desktop_interact": False,
        "display_name": service.display_name,
        "error_control": "normal",
        "failure_actions": [],
        "failure_actions_on_non_crash_failure": False,
        "failure_command": None,
        "failure_reboot_msg": None,
        "failure_reset_period_sec": 0,
        "load_order_group": "",
        "name": service.name,
        "password": "REDACTED",
        "path": service.path,
        "pre_shutdown_timeout_ms": 180000,
        "required_privileges": [],
        "service_type": "win32_own_process",
        "sid_info": "none",
        "start_mode": service.start_mode.value,
        "state": _STATES[service.state],
        "username": service.username,
    }


def _info(service: Service, machine: Machine) -> dict[str, Any]:
    settings = _settings(service)
    del settings["password"]
    running = service.state is ServiceState.RUNNING
    return settings | {
        "checkpoint": 0,
        "controls_accepted": ["stop", "shutdown"] if running else [],
        "dependency_of": [one.name for one in machine.services.dependents(service.name)],
        "launch_protection": "none",
        "preferred_node": None,
        "process_id": service.process_id,
        "service_exit_code": 0,
        "service_flags": [],
        "triggers": [],
        "wait_hint_ms": 0,
        "win32_exit_code": int(service.win32_exit_code),
    }
