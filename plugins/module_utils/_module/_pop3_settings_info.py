# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_settings_info: the POP3 settings of servers, of a few or of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core._mailbox import Failure, Reason
from .._core._pop_report import failure_dict
from .._core._pop_settings import PopFinding, PopServer
from .._errors import ExchangeError
from .._session._host import HostShell
from .._session._interrupt import TimedOut
from ._changing import ENDED
from ._definition import Result, Say
from ._exchange import connection_from, exchange_module
from ._servers import SERVER_ARGUMENTS, check_servers, servers_from


def run(params: Mapping[str, Any], *, check_mode: bool, say: Say, host: HostShell | None = None) -> Result:
    """Read the settings. Nothing is changed, so check mode is the same."""
    del check_mode
    names = servers_from(params)
    connection = connection_from(params, host)
    uri = connection.endpoint.uri
    asked = None if uri is None else str(uri)
    findings: dict[str, PopFinding] = {}
    try:
        with connection.open(say) as exchange:
            servers = exchange.servers
            names = servers.names() if names is None else names
            for name in dict.fromkeys(names):
                findings[name] = servers.find(name)
    except (ExchangeError, TimedOut) as exc:
        return _result(asked, names or [], findings) | {"failed": True, "msg": str(exc)}
    return _result(asked, names, findings)


def _result(asked: str | None, names: list[str], findings: Mapping[str, PopFinding]) -> Result:
    """Return the result in Ansible's form. Each server is in it, with its settings or as a failure."""
    unseen = Failure(Reason.ERROR, f"Not looked at: {ENDED}")
    found = [(name, findings.get(name, unseen)) for name in names]
    failures = [(name, finding) for name, finding in found if isinstance(finding, Failure)]
    result: Result = {
        "changed": False,
        "connection_uri": asked,
        "servers": [
            {"server": name, "name": finding.name, **finding.settings.plain()}
            for name, finding in found
            if isinstance(finding, PopServer)
        ],
        "failures": [failure_dict(name, failure) for name, failure in failures],
    }
    if failures:
        number = f"{len(failures)} of {len(found)} servers could not be read."
        result |= {"failed": True, "msg": " ".join([number, *(failure.msg for _name, failure in failures[:3])])}
    return result


def _check_params(params: Mapping[str, Any]) -> None:
    servers_from(params)


POP3_SETTINGS_INFO = exchange_module(
    SERVER_ARGUMENTS,
    run,
    _check_params,
    check_arguments=check_servers,
    mutually_exclusive=[("server", "servers")],
)
