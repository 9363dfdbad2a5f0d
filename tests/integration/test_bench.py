# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench` with tiny numbers: it runs, what it writes can be used, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.watch import descendants

TESTS = Path(__file__).parents[1]
TINY = ("--scale", "0.001", "--sample", "2", "--cost", "per_set=0.001", "--cost", "per_cmdlet=0")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where the benchmark has its files. A short path: Ansible puts sockets there."""
    with tempfile.TemporaryDirectory(prefix="mx-") as folder:
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []


def start(temporary: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *TINY, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run_writes_a_table_and_its_figures(temporary: Path, tmp_path: Path) -> None:
    output = tmp_path / "new" / "bench.json"
    process = start(temporary, "--cases", "change10k,bulk", "--output", str(output))
    table, progress = process.communicate(timeout=120)
    assert process.returncode == 0, progress
    assert "10 listed, 1 to change, 4 sessions" in table
    assert "scaled from 2" in table
    assert "an organisation of 10 mailboxes" in progress
    changed, bulk = json.loads(output.read_text("utf-8"))["cases"]
    ours, loop, round_trips = changed["rows"]
    assert ours["requests"] < loop["requests"]
    assert loop["peak_mb"] > round_trips["peak_mb"] > 10
    assert changed["goals"][0]["verdict"] in ("met", "missed")
    assert [row["client_cpu"] > 0 for row in bulk["rows"]] == [True] * 4


def test_an_interrupted_run_ends_what_it_started(temporary: Path) -> None:
    process = start(
        temporary, "--cases", "list10k", "--cost", "per_identity_lookup=600", "--cost", "per_bulk_object=600"
    )
    assert process.stderr is not None
    while "ours" not in process.stderr.readline():
        assert process.poll() is None
    family = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    _unused, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest.endswith("bench: interrupted\n")
    for pid, started in family.items():
        assert _start_of(pid) != started


def _start_of(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--cases", "all"], "--cases: invalid"),
        (["--scale", "0"], "--scale: invalid"),
        (["--cost", "per_day=1"], "--cost: invalid"),
        (["--repeat", "none"], "--repeat: invalid"),
    ],
)
def test_a_command_line_without_sense_is_explained(temporary: Path, arguments: list[str], why: str) -> None:
    process = start(temporary, *arguments)
    _unused, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert why in said
