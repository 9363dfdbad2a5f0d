# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command took: its own, and what its children took."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from bench.exchange import Served
from bench.runner import Figures, scaled
from bench.watch import Took, descendants, watch

_LARGE_CHILD = """
import subprocess, sys, time
child = "import time; data = bytearray(100_000_000); time.sleep(0.5); print('child')"
subprocess.run([sys.executable, "-c", child], check=True)
print("parent", file=sys.stderr)
sys.exit(3)
"""
_ENDLESS = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"


def start(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_output_exit_code_and_memory_of_the_largest_process() -> None:
    took = watch(lambda: start(_LARGE_CHILD))
    assert (took.output, took.returncode) == ("child\nparent\n", 3)
    # Linux counts for a child what its parent had at the fork, and this process has run other tests before.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert 95 < took.peak_mb < 400 + own
    assert took.seconds > 0.5
    assert took.cpu_seconds > 0


def test_an_interrupt_ends_the_whole_family(monkeypatch: pytest.MonkeyPatch) -> None:
    family: dict[int, str | None] = {}
    begun: list[subprocess.Popen[str]] = []

    def interrupt(pid: int, _options: int) -> None:
        while not family:
            family.update(descendants(pid))
        raise KeyboardInterrupt

    monkeypatch.setattr("bench.watch.os.wait4", interrupt)
    with pytest.raises(KeyboardInterrupt):
        watch(lambda: begun.append(start(_ENDLESS)) or begun[0])  # type: ignore[func-returns-value]
    assert begun[0].returncode is not None
    assert descendants(begun[0].pid) == {}


def test_a_sample_grows_without_what_is_always_there() -> None:
    sample = Figures(Took(3.0, 2.0, 70.0, 0, ""), Served(10, 100, 1000, 5, 1, 0.5))
    whole = scaled(sample, 10, alone=Took(1.0, 0.5, 60.0, 0, ""))
    assert (whole.took.seconds, whole.took.cpu_seconds, whole.took.peak_mb) == (21.0, 15.5, 70.0)
    assert whole.served == Served(100, 1000, 10_000, 50, 10, 5.0)
