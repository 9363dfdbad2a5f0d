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

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.mailops.exchange.plugins.module_utils._errors import ExchangeError
from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import (
    ModuleDefinition,
    Params,
    Result,
)
from ansible_collections.mailops.exchange.plugins.plugin_utils._host_connection import host_connection, runs_elsewhere

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
        variables = task_vars or {}
        try:
            self.definition.check_arguments(self._task.args)
            params = self._params(variables)
            if runs_elsewhere(self):
                return self._run_there(params, variables)
            result = self.definition.run(params, check_mode=self._task.check_mode, warn=Display().warning)
        except ExchangeError as exc:
            return {"failed": True, "changed": False, "msg": str(exc)}
        return {**result, "invocation": {"module_args": self._masked(params)}}

    def _params(self, task_vars: Mapping[str, Any]) -> Params:
        """Task and module_defaults come first; then the host's own connection; then the environment."""
        definition = self.definition
        _validation, params = self.validate_argument_spec(
            argument_spec=dict(definition.argument_spec),
            mutually_exclusive=list(definition.mutually_exclusive),
            required_one_of=list(definition.required_one_of),
        )
        return definition.defaults(dict(params), host_connection(self, task_vars), self._environment())

    def _environment(self) -> dict[str, str]:
        """The controller's environment, and over it the ``environment`` keyword of the task."""
        merged: dict[str, str] = dict(os.environ)
        for variables in self._task.environment or []:
            if isinstance(variables, Mapping):
                merged |= {str(name): str(self._templar.template(value)) for name, value in variables.items()}
        return merged

    def _run_there(self, params: Mapping[str, Any], task_vars: dict[str, Any]) -> Result:
        given = {name: value for name, value in params.items() if value is not None}
        result: Result = self._execute_module(module_args=given, task_vars=task_vars)
        return result

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        """Send the module over the connection's standard input wherever it can: its arguments hold a password, and
        without pipelining Ansible would write them to a file on the jump host."""
        become = self._connection.become
        can = self._connection.has_pipelining and (not become or become.pipelining)
        return bool((can and module_style == "new") or super()._is_pipelining_enabled(module_style, wrap_async))

    def _masked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        secrets = {name for name, spec in self.definition.argument_spec.items() if spec.get("no_log")}
        return {name: _MASKED if value and name in secrets else value for name, value in params.items()}
