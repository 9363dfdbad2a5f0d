# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the inventory plugin exchange_servers: from connection options to the servers of the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core._server import Server, server_of
from .._errors import OptionError
from .._gateway._exchange_server import ExchangeServers
from ._connection import CONNECTION_ARGUMENTS, CONNECTION_ENVIRONMENT, connection_defaults
from ._definition import HostConnection, Params, Say
from ._exchange import Connection, connection_from
from ._warnings import once_each

_OF_TASKS: Params = {"parallel_sessions": None, "transport": "remote_powershell"}
"""What an inventory does not choose: one listing is nothing to share, and there is no host yet to go through."""

CONNECTION_OPTIONS = tuple(name for name in CONNECTION_ARGUMENTS if name not in _OF_TASKS)
"""The connection options of the modules that an inventory has, too."""

FROM_ENVIRONMENT = dict(zip(("connection_uri", "username", "password"), CONNECTION_ENVIRONMENT, strict=True))
"""Options that the environment may give, and by which variable."""


def inventory_connection(options: Params, environment: Mapping[str, str]) -> Connection:
    """Return how to connect. ``options`` are those of the inventory file; the environment fills in what it leaves out.

    An inventory has no host whose own connection could say more. Raises OptionError.
    """
    params = connection_defaults({**options, **_OF_TASKS}, HostConnection, environment)
    if not params["connection_uri"]:
        raise OptionError(
            "connection_uri is needed: neither the inventory file nor the environment variable "
            f"{FROM_ENVIRONMENT['connection_uri']} gives it. Expected something like http://mbx01.contoso.com/PowerShell/"
        )
    return connection_from(params)


def servers_over(connection: Connection, say: Say) -> list[Server]:
    """Ask Exchange for its servers, and return them in the order of their names. Raises ExchangeError."""
    with connection.open(say) as exchange:
        asked = ExchangeServers(
            exchange.sessions.first, connection.domain_controller, once_each(say.warn), say.warn
        ).list()
    return sorted(asked, key=lambda server: (server.name.lower(), server.name))


def remembered(servers: list[Server], connection: Connection) -> dict[str, Any]:
    """Return what a cache may keep: the servers, and where they were asked for. Never who asked, or with what."""
    return {"connection_uri": str(connection.endpoint.uri), "servers": [server.facts() for server in servers]}


def recalled(cached: object, connection: Connection) -> list[Server] | None:
    """Return the servers that a cache kept; None if they are those of another address, or not to be understood."""
    if not isinstance(cached, Mapping) or cached.get("connection_uri") != str(connection.endpoint.uri):
        return None
    kept = cached.get("servers")
    try:
        return [server_of(facts) for facts in kept] if isinstance(kept, list) else None
    except ValueError:
        return None
