# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios in extensions/molecule, as whoever clones the project runs them; and that nothing of them is left."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.controller import ROOT

SCENARIOS = sorted(file.parent.name for file in (ROOT / "extensions" / "molecule").glob("*/molecule.yml"))
TIMEOUT = 300


@dataclass
class Molecule:
    """Molecule with a home, an ephemeral directory and a temporary one of its own."""

    folder: Path
    temp: Path

    @property
    def ephemeral(self) -> Path:
        return self.folder / "ephemeral"

    def run(self, scenario: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the whole sequence, with more arguments for ansible-playbook."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("molecule")), "test", "--scenario-name", scenario, "--", *arguments],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        home = self.folder / "home"
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "HOME": str(home),
            "ANSIBLE_HOME": str(home / ".ansible"),
            "TMPDIR": str(self.temp),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "ANSIBLE_NOCOLOR": "1",
            "MOLECULE_EPHEMERAL_DIRECTORY": str(self.ephemeral),
        }

    def simulators(self) -> list[str]:
        """The command lines of the simulators that this Molecule has started and that still run."""
        return [line for line in command_lines() if "simulator" in line and str(self.ephemeral) in line]


def command_lines() -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:  # it has ended meanwhile
            continue


@pytest.fixture
def molecule(tmp_path: Path) -> Iterator[Molecule]:
    # A short path: sockets are put there, and a socket's path has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="mx-") as temp:
        running = Molecule(tmp_path, Path(temp))
        (tmp_path / "home").mkdir()
        yield running
        assert running.simulators() == []
        # ansible-core 2.21 itself leaves pymp-…, a folder of Python's multiprocessing, when it is killed.
        left = [path for path in Path(temp).iterdir() if not path.name.startswith("pymp-")]
        assert left == [], "the simulator, or a run that was killed, left files"


def test_there_are_the_scenarios_that_are_promised() -> None:
    assert {"default", "interrupted", "rolling", "serial"} <= set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(molecule: Molecule, scenario: str) -> None:
    if scenario == "default":
        fail(molecule, scenario)
    done = molecule.run(scenario)
    assert done.returncode == 0, done.stdout
    # Molecule passes over a step without a playbook as if all were well.
    assert "Missing playbook" not in done.stdout, done.stdout


def fail(molecule: Molecule, scenario: str) -> None:
    """A run that fails leaves no process, and nothing that is in the way of the next run."""
    done = molecule.run(scenario, "--extra-vars", '{"pop3_access_enabled": ["Nobody"]}')
    assert done.returncode != 0, done.stdout
    assert "couldn't be found" in done.stdout
    assert f"{scenario} > destroy" in done.stdout
    assert molecule.simulators() == []
