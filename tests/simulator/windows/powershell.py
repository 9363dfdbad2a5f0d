# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible runs on a Windows host, read from its command line and standard input.

Since ansible-core 2.19 everything goes through one bootstrap script, given on the command line as ``-EncodedCommand``.
On standard input follow, each separated by a line of four NUL characters: JSON that names the exec wrapper, JSON with
the manifest (the actions to run, with their parameters), and whatever the last action itself reads. For a module the
action is ``module_wrapper.ps1``, which names the module and carries its arguments. Since 2.22 the manifest may be
compressed, and the arguments are JSON inside of it. (Read in ansible-core 2.19 to 2.22, ansible/executor/powershell.)
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ENCODED = re.compile(r"-EncodedCommand\s+\"?([A-Za-z0-9+/=]+)\"?")
_TYPED_FILE = re.compile(r"^type\s+(\"[^\"]*\"|\S+)\s*\|", re.IGNORECASE)
_SEPARATOR = re.compile(rb"\n\x00{4}\r?\n")
_BOOTSTRAP_MARK = "`0`0`0`0"


@dataclass(frozen=True)
class CommandLine:
    """A command as WinRM starts it."""

    text: str
    script: str | None
    """The decoded script of ``-EncodedCommand``, if there is one."""
    input_file: str | None
    """The file that is piped into the script with ``type``: a module without pipelining, up to ansible-core 2.20."""

    @classmethod
    def of(cls, text: str) -> CommandLine:
        """Read a command line."""
        file = _TYPED_FILE.match(text)
        return cls(text, _decoded_script(text), file.group(1).strip('"') if file else None)

    @property
    def is_bootstrap(self) -> bool:
        """Whether this is Ansible's bootstrap, which reads the rest from standard input."""
        return self.script is not None and _BOOTSTRAP_MARK in self.script


class UnreadablePayload(Exception):
    """Standard input is not what the bootstrap script of ansible-core 2.19 or later expects."""


@dataclass(frozen=True)
class Action:
    """One script of Ansible's that is to run, by its name, and its parameters."""

    name: str
    parameters: Mapping[str, Any]
    input: bytes = field(default=b"", repr=False)
    become_user: str | None = None
    become_password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, payload: bytes) -> Action:
        """Read the first action from what the bootstrap script is given."""
        parts = _SEPARATOR.split(payload, maxsplit=2)
        if len(parts) < 2:
            raise UnreadablePayload("no manifest after the bootstrap part")
        try:
            manifest = parts[1]
            if json.loads(parts[0]).get("params", {}).get("DecompressInput"):
                manifest = gzip.decompress(base64.b64decode(manifest))
            first, *others = json.loads(manifest)["actions"]
            user, password = None, None
            if first["name"] == "become_wrapper.ps1":
                user = first["params"]["BecomeUser"]
                password = (first.get("secure_params") or {}).get("BecomePassword")
                first = others[0]
            return cls(first["name"], first.get("params") or {}, b"".join(parts[2:]), user, password)
        except (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError) as error:
            raise UnreadablePayload(f"no action in the manifest: {error!r}") from None

    @property
    def is_module(self) -> bool:
        """Whether this runs a module, and neither a script nor another wrapper."""
        return self.name == "module_wrapper.ps1" and bool(self.parameters.get("ForModule"))

    @property
    def module_name(self) -> str:
        """The module's full name, as in a playbook; the manifest has the name of its Python package."""
        name = str(self.parameters["Script"]).removesuffix(".ps1")
        return name.removeprefix("ansible_collections.").replace(".plugins.modules.", ".")

    @property
    def module_args(self) -> Mapping[str, Any]:
        """The module's arguments, among them Ansible's own ``_ansible_*``."""
        if text := self.parameters.get("ArgumentJSON"):
            found: Mapping[str, Any] = json.loads(text)
            return found
        for variable in self.parameters.get("Variables") or ():
            if variable["Name"] == "complex_args":
                args: Mapping[str, Any] = variable["Value"]
                return args
        return {}


def _decoded_script(text: str) -> str | None:
    encoded = _ENCODED.search(text)
    if encoded is None:
        return None
    try:
        return base64.b64decode(encoded.group(1), validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        return None
