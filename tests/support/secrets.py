# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for a secret, in every spelling, in all that a run leaves and in all that runs while it runs."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import yaml


@dataclass(frozen=True)
class Secret:
    """A password and its user."""

    user: str
    text: str

    @property
    def spellings(self) -> dict[str, bytes]:
        """What to look for, by the name of the spelling."""
        utf8, utf16 = self.text.encode(), self.text.encode("utf-16-le")
        login = f"{self.user}:{self.text}".encode()
        return {
            "plain": utf8,
            "latin-1": self.text.encode("latin-1"),
            "UTF-16": utf16,
            "JSON": json.dumps(self.text)[1:-1].encode(),
            "repr": repr(self.text)[1:-1].encode(),
            "YAML": yaml.safe_dump(self.text, allow_unicode=True, width=999).strip().strip("'\"").encode(),
            "shell": self.text.replace("'", "'\"'\"'").encode(),
            "URL": quote(self.text, safe="").encode(),
            "form": quote_plus(self.text).encode(),
            "hexadecimal": utf8.hex().encode(),
            "Basic": _inner(base64.b64encode(login)),
            "base64": _inner(base64.b64encode(utf8)),
            "base64, one byte on": _inner(base64.b64encode(b"x" + utf8)),
            "base64, two bytes on": _inner(base64.b64encode(b"xx" + utf8)),
            "base64 of UTF-16": _inner(base64.b64encode(utf16)),
        }

    def in_bytes(self, data: bytes) -> list[str]:
        """Return the spellings that are in it."""
        return [name for name, spelling in self.spellings.items() if spelling in data]

    def in_files(self, *folders: Path) -> list[str]:
        """Return the files below the folders that hold it, with the spellings."""
        # Not rglob, which raises where a folder goes away while it is looked at.
        paths = [Path(top, name) for folder in folders for top, _folders, names in os.walk(folder) for name in names]
        found = [(path, self._in_file(path)) for path in paths]
        return [f"{path}: {names}" for path, names in found if names]

    def _in_file(self, path: Path) -> list[str]:
        try:
            return self.in_bytes(path.read_bytes()) if path.is_file() else []
        except OSError:
            return []  # gone meanwhile, or not ours to read


def _inner(encoded: bytes) -> bytes:
    """Base64 without its first and last characters, which depend on what stands before and behind."""
    return encoded.rstrip(b"=")[4:-4]


@dataclass
class Watcher:
    """Looks at the processes of this machine and the files below some folders, again and again, while a run goes on.

    ``allowed`` is the command that may have the secret in its environment, because the user put it there.
    """

    secret: Secret
    folders: tuple[Path, ...]
    allowed: str = ""
    looks: int = 0
    commands: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)

    def __enter__(self) -> Watcher:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.looks += 1
            self.found += self._in_processes()
            self.found += self.secret.in_files(*self.folders)

    def _in_processes(self) -> Iterator[str]:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                environment = (process / "environ").read_bytes()
            except OSError:
                continue  # gone meanwhile, or not ours to read
            words = command.replace(b"\0", b" ").decode(errors="replace")
            self.commands.add(words)
            if self.secret.in_bytes(command):
                yield f"command line: {words}"
            if self.secret.in_bytes(environment) and not (self.allowed and self.allowed in words):
                yield f"environment: {words}"
