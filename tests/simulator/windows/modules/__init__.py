# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the simulated hosts for the modules of ansible.windows: ``run`` takes a call to the module it names."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from simulator.windows.faults import DropConnection, FailModule, ModuleFaults, SlowModule
from simulator.windows.modules.call import Machine, Module, ModuleCall, ModuleFailure
from simulator.windows.modules.facts import setup, win_ping
from simulator.windows.modules.host_shell import win_powershell
from simulator.windows.modules.registry import win_reg_stat, win_regedit
from simulator.windows.modules.service import win_service, win_service_info
from simulator.windows.modules.storage import slurp, win_stat
from simulator.windows.modules.wait_for import win_wait_for

__all__ = ["Machine", "Module", "ModuleCall", "ModuleFailure", "Modules"]

_MASK = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
_SECRET_OPTIONS = frozenset({"password"})


class Modules:
    """The modules that a host can run, and the list of the calls it received."""

    def __init__(self, machine: Machine, faults: ModuleFaults, drop_connections: Callable[[], None]) -> None:
        """Know the modules of ansible.windows that are simulated."""
        self.machine = machine
        self.calls: list[ModuleCall] = []
        self._faults = faults
        self._drop_connections = drop_connections
        self._modules: dict[str, Module] = {
            "setup": setup,
            "slurp": slurp,
            "win_ping": win_ping,
            "win_powershell": win_powershell,
            "win_reg_stat": win_reg_stat,
            "win_regedit": win_regedit,
            "win_service": win_service,
            "win_service_info": win_service_info,
            "win_stat": win_stat,
            "win_wait_for": win_wait_for,
        }

    def register(self, short_name: str, module: Module) -> None:
        """Answer for one more module: for a test that needs one which is not simulated."""
        self._modules[short_name] = module

    def run(self, call: ModuleCall) -> tuple[dict[str, Any], int]:
        """Run a module: its result and exit code. The call is in ``calls`` from its beginning."""
        self.calls.append(call)
        started = time.monotonic()
        try:
            result, code = {"changed": False, **self._with_faults(call)}, 0
        except ModuleFailure as failure:
            result, code = {"changed": False, **failure.result, "failed": True, "msg": str(failure)}, 1
        if not call.diff:
            result.pop("diff", None)
        call.args = _masked(call.args)
        result["invocation"] = {"module_args": call.args}
        call.result = result
        call.seconds = time.monotonic() - started
        return result, code

    def _with_faults(self, call: ModuleCall) -> dict[str, Any]:
        effects = self._faults.on_call(call.short_name)
        for effect in effects:
            if isinstance(effect, SlowModule):
                self.machine.stopping.wait(effect.seconds)
            elif isinstance(effect, FailModule):
                raise ModuleFailure(effect.message)
            elif effect.before:
                self._drop_connections()
                raise ModuleFailure("The connection broke before the module began")
        try:
            return self._module(call)(call, self.machine)
        finally:
            if any(isinstance(effect, DropConnection) for effect in effects):
                self._drop_connections()

    def _module(self, call: ModuleCall) -> Module:
        module = self._modules.get(call.short_name)
        if module is None:
            raise ModuleFailure(
                f"Module {call.name} is not simulated: the simulated Windows host has no PowerShell, it answers only "
                f"for {', '.join(sorted(self._modules))}"
            )
        return module


def _masked(args: dict[str, Any]) -> dict[str, Any]:
    return {name: _MASK if name in _SECRET_OPTIONS and value else _masked_within(value) for name, value in args.items()}


def _masked_within(value: Any) -> Any:
    """The same for options of options, such as those of sensitive_parameters."""
    if isinstance(value, list):
        return [_masked(one) if isinstance(one, dict) else one for one in value]
    return value
