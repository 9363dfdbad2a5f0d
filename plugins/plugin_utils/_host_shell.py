# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell on the task's own Windows host: ansible.windows.win_powershell over the host's own connection.

With the task's become, if it has one. Script, parameters and password travel over the connection's standard input; the
password as a sensitive parameter, which the module makes a PSCredential of and never shows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.mailops.exchange.plugins.module_utils._errors import SessionLost, UnexpectedReply
from ansible_collections.mailops.exchange.plugins.module_utils._session._host import Credential, HostShell
from ansible_collections.mailops.exchange.plugins.plugin_utils._host_connection import is_windows

_MODULE = "ansible.windows.win_powershell"


def host_shell(action: ActionBase, task_vars: Mapping[str, Any]) -> HostShell | None:
    """Return what runs PowerShell on the host that the task runs on; None for a host that is no Windows host."""
    return _WinPowerShell(action, task_vars) if is_windows(action._connection) else None


class _WinPowerShell:
    """See ``HostShell``."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any]) -> None:
        self._action = action
        self._task_vars = task_vars

    def run(self, script: str, parameters: Mapping[str, object], credential: Credential | None) -> str:
        """Run a script; see ``HostShell``."""
        arguments: dict[str, Any] = {"script": script, "parameters": dict(parameters)}
        if credential is not None:
            user = {"name": "Credential", "username": credential.username, "password": credential.password}
            arguments["sensitive_parameters"] = [user]
        try:
            result = self._action._execute_module(
                module_name=_MODULE, module_args=arguments, task_vars=dict(self._task_vars)
            )
        except AnsibleError as exc:
            if isinstance(exc, AnsibleConnectionFailure):
                raise self._broken(exc) from exc
            raise UnexpectedReply(f"{_MODULE} could not be run on the host {self._name}: {exc}") from exc
        except Exception as exc:  # the connection plugins let through what their libraries raise
            raise self._broken(exc) from exc
        return self._text(result)

    def _broken(self, exc: Exception) -> SessionLost:
        """Whatever runs next begins with a new connection: the shell of this one may be gone."""
        with contextlib.suppress(Exception):
            self._action._connection.reset()
        return SessionLost(f"The connection to the host {self._name} failed or broke: {exc}")

    @property
    def _name(self) -> str:
        return str(self._action._task.delegate_to or self._task_vars.get("inventory_hostname", ""))

    def _text(self, result: Mapping[str, Any]) -> str:
        output = result.get("output")
        failed = result.get("failed") or result.get("unreachable")
        if not failed and isinstance(output, list) and len(output) == 1 and isinstance(output[0], str):
            return output[0]
        raise UnexpectedReply(
            f"{_MODULE} on the host {self._name} did not run the script as it should: {_words(result)}"
        )


def _words(result: Mapping[str, Any]) -> str:
    """What the module says of it: its own message, an error of the script, or what came on its standard error."""
    for error in result.get("error") or ():
        if isinstance(error, Mapping):
            exception = error.get("exception")
            said = exception.get("message") if isinstance(exception, Mapping) else error.get("output")
            return str(said or error)
    for name in ("msg", "module_stderr", "host_err", "module_stdout"):
        if result.get(name):
            return str(result[name])
    return f"it wrote {len(result.get('output') or ())} objects instead of one text."
