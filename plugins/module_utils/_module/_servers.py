# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say which servers: one, a list, or all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import OptionError
from ._identities import described, named

SERVER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "server": {"type": "str"},
    "servers": {"type": "list", "elements": "str"},
}


def servers_from(params: Mapping[str, Any]) -> list[str] | None:
    """Return the servers asked for, in order, as plain text; ``None`` where none is named. Raises OptionError.

    Works on arguments as the user wrote them: Ansible's own conversion would split a distinguished name at its commas.
    A blank name is refused, because Set-PopSettings without a server changes the one that answers.
    """
    if params.get("server") is not None:
        return [named("server", params["server"], "server", "servers")]
    listed = params.get("servers")
    if listed is None:
        return None
    if isinstance(listed, str) or not isinstance(listed, (list, tuple)):
        raise OptionError(f"servers is a list of servers, and this is {described(listed)}. For one server use server.")
    if not listed:
        raise OptionError("servers is an empty list: there is no server to look at.")
    return [named(f"servers[{index}]", item, "server", "servers") for index, item in enumerate(listed)]


def check_servers(arguments: Mapping[str, Any]) -> None:
    """Check what is listed, as the user wrote it."""
    servers_from(arguments)
