# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller: runs the real ``ansible-playbook`` and ``ansible`` in a home of its own, and reads what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COLLECTIONS = ROOT / ".dev" / "collections"
MODULE = "mailops.exchange.exchange_pop3_access"


@dataclass(frozen=True)
class Run:
    """What one command left: exit code, output, and the result of each task on each host in order."""

    returncode: int
    stdout: str
    stderr: str
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def result(self) -> dict[str, Any]:
        """The result of the only task."""
        assert len(self.results) == 1, self.stdout + self.stderr
        return self.results[0]

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


@dataclass
class Controller:
    """Its folder, its inventory, its environment."""

    folder: Path
    inventory: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    collections: Path = COLLECTIONS
    timeout: float = 120
    programs: Path = field(default_factory=lambda: Path(sys.executable).parent)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        # A short path: ansible-core 2.21 puts a socket there, and a socket's path has at most 107 characters.
        self._temp = tempfile.TemporaryDirectory(prefix="mx-")
        self.temp = Path(self._temp.name)

    def close(self) -> None:
        """Remove what is outside of the folder."""
        self._temp.cleanup()

    def play(self, plays: Sequence[Mapping[str, Any]] | str, *arguments: str, json_output: bool = True) -> Run:
        """Run a playbook, given as data or as text."""
        process = self.start_play(plays, *arguments, json_output=json_output)
        stdout, stderr = process.communicate(timeout=self.timeout)
        return Run(process.returncode, stdout, stderr, _results(stdout) if json_output else [])

    def run_playbook(self, playbook: str, *arguments: str) -> Run:
        """Run a playbook that has a name or a path, and show what a user would see."""
        process = self._start("ansible-playbook", playbook, *arguments, json_output=False)
        stdout, stderr = process.communicate(timeout=self.timeout)
        return Run(process.returncode, stdout, stderr)

    def start_play(
        self, plays: Sequence[Mapping[str, Any]] | str, *arguments: str, json_output: bool = False
    ) -> subprocess.Popen[str]:
        """Start a playbook and do not wait for it."""
        playbook = self.folder / "playbook.yml"
        playbook.write_text(plays if isinstance(plays, str) else yaml.safe_dump(plays), "utf-8")
        return self._start("ansible-playbook", str(playbook), *arguments, json_output=json_output)

    def task(
        self,
        options: Mapping[str, Any],
        *arguments: str,
        hosts: str = "localhost",
        keywords: Mapping[str, Any] | None = None,
    ) -> Run:
        """Run a playbook of one task of the module under test."""
        task = {"name": "Task", MODULE: dict(options), **(keywords or {})}
        return self.play([{"name": "Play", "hosts": hosts, "gather_facts": False, "tasks": [task]}], *arguments)

    def adhoc(self, *arguments: str) -> Run:
        """Run ``ansible`` ad hoc."""
        process = self._start("ansible", *arguments, json_output=False)
        stdout, stderr = process.communicate(timeout=self.timeout)
        return Run(process.returncode, stdout, stderr)

    def run(self, program: str, *arguments: str) -> Run:
        """Run one of Ansible's programs with no other arguments than these, so with no inventory but what they name."""
        process = self.start(program, *arguments)
        stdout, stderr = process.communicate(timeout=self.timeout)
        return Run(process.returncode, stdout, stderr)

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start one, and do not wait for it."""
        return self._spawn(program, *arguments, json_output=False)

    def _start(self, program: str, *arguments: str, json_output: bool) -> subprocess.Popen[str]:
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps(self.inventory or {"all": {"hosts": {"localhost": LOCAL}}}), "utf-8")
        return self._spawn(program, "-i", str(inventory), *arguments, json_output=json_output)

    def _spawn(self, program: str, *arguments: str, json_output: bool) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.programs / program), *arguments],
            cwd=self.folder,
            env=self._environment(json_output),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _environment(self, json_output: bool) -> dict[str, str]:
        return {
            "PATH": f"{self.programs}{os.pathsep}{os.defpath}",
            "HOME": str(self.home),
            "TMPDIR": str(self.temp),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_CONNECTION_PLUGINS": str(Path(__file__).parent / "connection_plugins"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json" if json_output else "ansible.builtin.default",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
            **self.environment,
        }


LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
JUMP = {"ansible_connection": "jump", "ansible_python_interpreter": sys.executable}


def _results(stdout: str) -> list[dict[str, Any]]:
    start = stdout.find("{")
    if start < 0:
        return []
    document, _end = json.JSONDecoder().raw_decode(stdout[start:])
    return [
        {"host": host, **result}
        for play in document["plays"]
        for task in play["tasks"]
        for host, result in task["hosts"].items()
    ]
