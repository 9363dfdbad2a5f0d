# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller without Ansible: runs a play of one task in this process, so that a test can look into the work behind
the faces. The wire to the simulated Exchange is real all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mailops.exchange.plugins.module_utils._errors import ExchangeError
from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import (
    HostConnection,
    ModuleDefinition,
    Say,
)
from ansible_collections.mailops.exchange.plugins.module_utils._module._endpoint_info import ENDPOINT_INFO
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access import POP3_ACCESS
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access_info import POP3_ACCESS_INFO
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_settings import POP3_SETTINGS
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_settings_info import POP3_SETTINGS_INFO
from ansible_collections.mailops.exchange.plugins.module_utils._session._host import HostShell
from support.controller import Controller, Run
from support.host_shell import DirectHostShell

DEFINITIONS: dict[str, ModuleDefinition] = {
    "exchange_endpoint_info": ENDPOINT_INFO,
    "exchange_pop3_access": POP3_ACCESS,
    "exchange_pop3_access_info": POP3_ACCESS_INFO,
    "exchange_pop3_settings": POP3_SETTINGS,
    "exchange_pop3_settings_info": POP3_SETTINGS_INFO,
}


@dataclass
class InProcess(Controller):
    """Only for plays of one task of this collection, given as data. ``notes`` has what ``-v`` would show."""

    notes: list[str] = field(default_factory=list)
    host: DirectHostShell | None = None

    def play(self, plays: Sequence[Mapping[str, Any]] | str, *arguments: str, json_output: bool = True) -> Run:
        """Run the only task of the only play."""
        if isinstance(plays, str) or not json_output:
            pytest.fail("this needs Ansible itself: mark it with ansible, or list it in support/transports.py")
        ((task,),) = [play["tasks"] for play in plays]
        ((name, options),) = [(key, value) for key, value in task.items() if key.startswith("mailops.exchange.")]
        if set(task) - {"name", name}:
            pytest.fail("this needs keywords of Ansible: mark it with ansible, or list it in support/transports.py")
        self.notes.clear()
        check_mode = "--check" in arguments
        host = replace(self.host, check_mode=check_mode) if self.host else None
        result = run_module(name.rpartition(".")[2], options, check_mode=check_mode, note=self.notes.append, host=host)
        return Run(2 if result.get("failed") else 0, json.dumps(result), "", [{"host": "localhost", **result}])


def run_module(
    name: str,
    options: Mapping[str, Any],
    *,
    check_mode: bool = False,
    note: Callable[[str], None] = print,
    host: HostShell | None = None,
) -> dict[str, Any]:
    """Return the result of a module as Ansible would have it."""
    definition = DEFINITIONS[name]
    warnings: list[str] = []
    try:
        definition.check_arguments(options)
        validated = ArgumentSpecValidator(
            dict(definition.argument_spec),
            mutually_exclusive=list(definition.mutually_exclusive),
            required_one_of=list(definition.required_one_of),
        ).validate(dict(options))
        if validated.error_messages:
            return {"failed": True, "changed": False, "msg": ", ".join(validated.error_messages)}
        params = definition.defaults(dict(validated.validated_parameters), HostConnection, {})
        result = definition.run(params, check_mode=check_mode, say=Say(warnings.append, note=note), host=host)
    except ExchangeError as exc:
        return {"failed": True, "changed": False, "msg": str(exc)}
    return {**result, **({"warnings": warnings} if warnings else {})}
