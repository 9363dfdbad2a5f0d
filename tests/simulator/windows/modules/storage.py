# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that look at files: slurp and win_stat. Writing happens through the connection, not here."""

from __future__ import annotations

import base64
import hashlib
import ntpath
from typing import Any

from simulator.windows.modules.arguments import NOT_SIMULATED, Option, OptionType, arguments
from simulator.windows.modules.call import Machine, ModuleCall, ModuleFailure

_STAT = {
    "path": Option(required=True, aliases=("dest", "name")),
    "checksum_algorithm": Option(default="sha1", choices=("md5", "sha1", "sha256", "sha384", "sha512")),
    "get_checksum": Option(OptionType.BOOL, default=True),
    "follow": Option(OptionType.BOOL, default=False),
    "get_size": Option(OptionType.BOOL, default=True),
    "get_md5": NOT_SIMULATED,
}


def slurp(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Read a file."""
    path = arguments({"src": Option(required=True, aliases=("path",))}, call)["src"]
    content = machine.files.read(path)
    if content is not None:
        return {"content": base64.b64encode(content).decode(), "encoding": "base64"}
    if machine.files.is_folder(path):
        raise ModuleFailure(f"Path {path} is a directory")
    raise ModuleFailure(f"Path {path} is not found")


def win_stat(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Tell whether a file is there, and its size and checksum."""
    given = arguments(_STAT, call)
    path = given["path"]
    content = machine.files.read(path)
    if content is None and not machine.files.is_folder(path):
        return {"stat": {"exists": False}}
    stat: dict[str, Any] = {
        "exists": True,
        "filename": ntpath.basename(path),
        "isdir": content is None,
        "isreg": content is not None,
        "islnk": False,
        "path": path,
    }
    if content is not None:
        stat["extension"] = ntpath.splitext(path)[1]
        stat["size"] = len(content)
        if given["get_checksum"]:
            stat["checksum"] = hashlib.new(given["checksum_algorithm"], content).hexdigest()
    return {"stat": stat}
