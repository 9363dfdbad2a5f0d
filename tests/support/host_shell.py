# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``transport: host_shell`` without Ansible: a host's module is called in this process, as Ansible would call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.exchange.plugins.module_utils._errors import UnexpectedReply
from ansible_collections.mailops.exchange.plugins.module_utils._session._host import Credential
from simulator.windows import WindowsHost
from simulator.windows.modules import ModuleCall
from support.controller import Run
from support.pop3_tasks import Pop3Tasks


@dataclass
class DirectHostShell:
    """A ``HostShell`` straight to a simulated host."""

    host: WindowsHost
    check_mode: bool = False

    def run(self, script: str, parameters: Mapping[str, object], credential: Credential | None) -> str:
        """Run it. What is sent and what comes back is JSON, as it is over a connection."""
        args: dict[str, Any] = {"script": script, "parameters": json.loads(json.dumps(parameters))}
        if credential is not None:
            user = {"name": "Credential", "username": credential.username, "password": credential.password}
            args["sensitive_parameters"] = [user]
        result, _code = self.host.modules.run(
            ModuleCall("ansible.windows.win_powershell", args, check_mode=self.check_mode)
        )
        if result.get("failed"):
            raise UnexpectedReply(result["msg"])
        (output,) = result["output"]
        return str(output)


class HostShellTasks(Pop3Tasks):
    """The same tasks with another transport."""

    _names_one = False

    @property
    def connection(self) -> dict[str, Any]:
        """The options that every task here has."""
        return {**super().connection, "transport": "host_shell"}

    def __call__(self, *arguments: str, keywords: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """Run a task; see ``Pop3Tasks``."""
        self._names_one = "domain_controller" in options
        return super().__call__(*arguments, keywords=keywords, **options)

    def sent(self, name: str) -> list[dict[str, Any]]:
        """Without the domain controller that the transport names by itself, to keep to one."""
        calls = super().sent(name)
        if self._names_one:
            return calls
        return [{key: value for key, value in call.items() if key != "DomainController"} for call in calls]
