# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command of Ansible's on the simulated host: modules, file transfers, and the few bare scripts around them.

There is no PowerShell here. What is not one of these is refused on standard error with exit code 1, never ignored.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ntpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.windows.modules import ModuleCall, Modules
from simulator.windows.powershell import Action, CommandLine, UnreadablePayload

_REMOVE = re.compile(r"^\s*Remove-Item '((?:[^']|'')*)'", re.MULTILINE)
_TEST_PATH = re.compile(r"^\s*If \(Test-Path '((?:[^']|'')*)'\)", re.MULTILINE | re.IGNORECASE)
_PROFILE = "C:\\Users\\Administrator"
_TEMP = f"{_PROFILE}\\AppData\\Local\\Temp"


@dataclass(frozen=True)
class Outcome:
    """What a process leaves behind."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0

    @classmethod
    def line(cls, text: str, exit_code: int = 0) -> Outcome:
        """One line on standard output."""
        return cls(text.encode() + b"\r\n", b"", exit_code)

    @classmethod
    def refused(cls, text: str) -> Outcome:
        """A message on standard error."""
        return cls(b"", f"{text}\r\n".encode(), 1)


class Interpreter:
    """Stands where powershell.exe would be."""

    def __init__(self, modules: Modules) -> None:
        """Run modules with these."""
        self.modules = modules
        self._files = modules.machine.files
        self._actions: dict[str, Callable[[Mapping[str, Any], bytes], Outcome]] = {
            "powershell_mkdtemp.ps1": self._make_temporary_folder,
            "powershell_expand_user.ps1": self._expand_user,
            "winrm_put_file.ps1": self._put_file,
            "winrm_fetch_file.ps1": self._fetch_file,
        }

    def run(self, command: CommandLine, stdin: bytes) -> Outcome:
        """Run a command to its end."""
        if command.is_bootstrap:
            return self._bootstrap(command, stdin)
        if command.script is not None:
            outcome = self._bare_script(command.script)
            if outcome is not None:
                return outcome
        shown = command.script or command.text
        return Outcome.refused(f"The simulated Windows host cannot run this, it has no PowerShell: {shown[:200]}")

    def _bootstrap(self, command: CommandLine, stdin: bytes) -> Outcome:
        payload = stdin
        if command.input_file is not None:
            payload = self._files.read(command.input_file) or b""
        try:
            action = Action.of(payload)
        except UnreadablePayload as error:
            return _failure(f"The simulated Windows host reads what ansible-core 2.19 and later send: {error}")
        if action.is_module:
            if action.become_user is not None and not self._may_become(action):
                return _failure("Exception calling CreateProcessAsUser: The user name or password is incorrect")
            call = ModuleCall.from_complex_args(action.module_name, action.module_args, action.become_user)
            result, code = self.modules.run(call)
            return Outcome.line(json.dumps(result), code)
        run = self._actions.get(action.name)
        if run is None:
            return _failure(f"The simulated Windows host does not support '{action.name}' (async or a script)")
        return run(action.parameters, action.input)

    def _may_become(self, action: Action) -> bool:
        known = self.modules.machine.domain_logons.get((action.become_user or "").casefold())
        return known is not None and known[1] == action.become_password

    def _bare_script(self, script: str) -> Outcome | None:
        removed = _REMOVE.search(script)
        if removed is not None:
            self._files.remove(_unescaped(removed.group(1)))
            return Outcome()
        tested = _TEST_PATH.search(script)
        if tested is not None:
            missing = 0 if self._files.exists(_unescaped(tested.group(1))) else 1
            return Outcome.line(str(missing), missing)
        return None

    def _make_temporary_folder(self, parameters: Mapping[str, Any], _unused: bytes) -> Outcome:
        path = ntpath.join(_expanded(parameters["Directory"]), parameters["Name"])
        self._files.make_folder(path)
        return Outcome.line(path)

    def _expand_user(self, parameters: Mapping[str, Any], _unused: bytes) -> Outcome:
        path = str(parameters["Path"])
        return Outcome.line(_PROFILE + path[1:] if path == "~" or path.startswith("~\\") else path)

    def _put_file(self, parameters: Mapping[str, Any], stdin: bytes) -> Outcome:
        content = b"".join(base64.b64decode(line) for line in stdin.split())
        self._files.write(_expanded(parameters["Path"]), content)
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        return Outcome.line(json.dumps({"sha1": digest}))

    def _fetch_file(self, parameters: Mapping[str, Any], _unused: bytes) -> Outcome:
        path = _expanded(parameters["Path"])
        content = self._files.read(path)
        if content is None:
            folder = self._files.is_folder(path)
            return Outcome.line("[DIR]") if folder else Outcome.refused(f"{path} does not exist")
        offset = int(parameters["Offset"])
        piece = content[offset : offset + int(parameters["BufferSize"])]
        return Outcome.line(base64.b64encode(piece).decode()) if piece else Outcome()


def _failure(message: str) -> Outcome:
    return Outcome.line(json.dumps({"failed": True, "msg": message}), 1)


def _unescaped(text: str) -> str:
    return text.replace("''", "'")


def _expanded(path: str) -> str:
    return re.sub("%TEMP%", lambda _: _TEMP, str(path), flags=re.IGNORECASE)
