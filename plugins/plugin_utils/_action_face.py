# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller-side face: runs a module's work inside Ansible's own process.

No temporary files, no second Python, and no ``delegate_to`` on a Windows host. A task that is delegated to a jump host
runs there as an ordinary module, with options that are resolved here: the host's connection and the environment that
count are the controller's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mailops.exchange.plugins.module_utils._errors import ExchangeError
from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import (
    ModuleDefinition,
    Params,
    Result,
    Say,
)
from ansible_collections.mailops.exchange.plugins.module_utils._module._secrets import discreet, secrets_in, without
from ansible_collections.mailops.exchange.plugins.module_utils._module._text import for_people
from ansible_collections.mailops.exchange.plugins.plugin_utils._host_connection import host_connection, runs_elsewhere
from ansible_collections.mailops.exchange.plugins.plugin_utils._host_shell import host_shell

_MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"  # Ansible's own word for it


class ExchangeAction(ActionBase):  # type: ignore[misc]
    """Base of the action plugins of this collection; each names its definition and nothing else."""

    definition: ClassVar[ModuleDefinition]

    TRANSFERS_FILES = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        """Validate the options, fill in what the host and the environment say, and do the work here or there."""
        super().run(tmp, task_vars)
        secrets = frozenset[str]()
        try:
            self.definition.check_arguments(self._task.args)
            params = self._params(task_vars or {})
            if runs_elsewhere(self):
                return self._run_there(params, task_vars or {})
            secrets = secrets_in(self.definition, params)
            result = for_people(without(self._run_here(params, secrets, task_vars or {}), secrets))
        except ExchangeError as exc:
            # Without the options: what is wrong with one may be that it holds a password.
            return for_people(without({"failed": True, "changed": False, "msg": str(exc)}, secrets))
        return {**result, **self._invocation(params)}

    def _params(self, task_vars: Mapping[str, Any]) -> Params:
        """Task and module_defaults come first; then the host's own connection; then the environment."""
        definition = self.definition
        _validation, params = self.validate_argument_spec(
            argument_spec=dict(definition.argument_spec),
            mutually_exclusive=list(definition.mutually_exclusive),
            required_one_of=list(definition.required_one_of),
        )
        environment = {**os.environ, **self._task_environment()}
        return definition.defaults(dict(params), lambda: host_connection(self, task_vars), environment)

    def _run_here(self, params: Params, secrets: frozenset[str], task_vars: dict[str, Any]) -> Result:
        """Do the work in this process, with what the keyword ``environment`` sets: KRB5CCNAME, HTTPS_PROXY …"""
        before = dict(os.environ)
        given = self._task_environment()
        # What became an option is not put there again, where a child process would inherit it.
        os.environ.update({name: value for name, value in given.items() if name not in self._read_here})
        try:
            say = discreet(_say(), secrets)
            return self.definition.run(
                params, check_mode=self._task.check_mode, say=say, host=host_shell(self, task_vars)
            )
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _run_there(self, params: Params, task_vars: dict[str, Any]) -> Result:
        """Send the module to the jump host. What is wrong with the options is said here, before they travel."""
        self.definition.check_params(params)
        spec = self.definition.argument_spec
        # A path is one of the jump host: ~ and variables in it are resolved there.
        paths = {name: value for name, value in self._task.args.items() if spec[name]["type"] == "path"}
        given = {name: value for name, value in {**params, **paths}.items() if value is not None}
        result: Result = self._execute_module(module_args=given, task_vars=task_vars)
        return result

    def _task_environment(self) -> dict[str, str]:
        """The keyword ``environment`` of the task, its block, its role and its play."""
        merged: dict[str, str] = {}
        for variables in self._task.environment or []:
            resolved = self._templar.template(variables)
            if isinstance(resolved, Mapping):
                merged |= {str(name): str(value) for name, value in resolved.items()}
        return merged

    def _compute_environment_string(self, raw_environment_out: dict[str, Any] | None = None) -> str:
        """Leave out what became an option: on a jump host this string is part of a command line, for all to read."""
        given = self._task.environment
        self._task.environment = [
            {name: value for name, value in self._templar.template(variables).items() if name not in self._read_here}
            for variables in given or []
        ]
        try:
            return str(super()._compute_environment_string(raw_environment_out))
        finally:
            self._task.environment = given

    @property
    def _read_here(self) -> frozenset[str]:
        return frozenset(self.definition.environment)

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Send the module over the connection's standard input wherever it can: its arguments hold a password, and
        without pipelining Ansible would write them to a file on the jump host."""
        become = self._connection.become
        can = self._connection.has_pipelining and (not become or become.pipelining)
        return bool((can and module_style == "new") or super()._is_pipelining_enabled(module_style, wrap_async))

    def _invocation(self, params: Params) -> dict[str, Any]:
        """What ``-vvv`` shows. Modules add it themselves; from 2.21 on only where INJECT_INVOCATION is set."""
        if not getattr(constants, "INJECT_INVOCATION", True):
            return {}
        secrets = {name for name, spec in self.definition.argument_spec.items() if spec.get("no_log")}
        shown = {name: _MASKED if value and name in secrets else value for name, value in params.items()}
        return {"invocation": {"module_args": shown}}


def _say() -> Say:
    """Warnings go into the result; progress goes to the standard error stream, which no callback writes JSON to."""
    display = Display()
    return Say(
        warn=display.warning,
        progress=lambda text: display.display(text, color=constants.COLOR_VERBOSE, stderr=True),
        note=display.v,
    )
