# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command to its end and say what it took: time, processor time, the memory of its largest process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_LOOK_EVERY = 0.25
"""Seconds between two looks at the processes. The kernel keeps each one's maximum: only the last look counts."""
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Took:
    """What a command took, and what it said."""

    seconds: float
    cpu_seconds: float
    """Of the command and of all that it waited for."""
    peak_mb: float
    """Of its largest process."""
    returncode: int
    output: str


def watch(start: Callable[[], subprocess.Popen[str]]) -> Took:
    """Start a command whose standard output and error are pipes, and wait for it. Ends it when interrupted."""
    began = time.monotonic()
    process = start()
    assert process.stdout is not None
    assert process.stderr is not None
    with contextlib.ExitStack() as stack:
        try:
            # All of this in the block: a pipe cannot be closed while somebody reads it, as long as the command lives.
            readers = [_Reader(stack.enter_context(pipe)) for pipe in (process.stdout, process.stderr)]
            peak = _Peak(process.pid)
            stack.callback(peak.stop)
            # Not Popen.wait: it does not say what the process used.
            _unused, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process)
            raise
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        peak.stop()
        output = "".join(reader.text() for reader in readers)
    return Took(
        seconds,
        usage.ru_utime + usage.ru_stime,
        max(peak.kilobytes, usage.ru_maxrss) / 1024,
        process.returncode,
        output,
    )


def _end(process: subprocess.Popen[str]) -> None:
    """End a command and all that it started: ansible-playbook's workers are in process groups of their own.

    Stopped first, so that it starts nothing more while it is looked at: what is left over would keep the pipes open.
    """
    process.send_signal(signal.SIGSTOP)
    family = descendants(process.pid)
    process.kill()
    process.wait()
    for pid, started in family.items():
        # The number may be somebody else's by now: the moment of the start tells.
        if started is not None and _start_of(pid) == started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class _Reader:
    """Reads a pipe so that the command never waits for it."""

    def __init__(self, pipe: IO[str]) -> None:
        self._parts: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[str]) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed under it, when the command was interrupted
            self._parts.extend(pipe)

    def text(self) -> str:
        self._thread.join(_PATIENCE)
        return "".join(self._parts)


class _Peak:
    """The largest resident size that any process of a family had. `wait4` knows only those that were waited for."""

    def __init__(self, pid: int) -> None:
        self.kilobytes = 0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(_LOOK_EVERY):
            for pid in (self._pid, *descendants(self._pid)):
                self.kilobytes = max(self.kilobytes, _peak_of(pid))


def descendants(pid: int) -> dict[int, str | None]:
    """The processes below one, with the moments of their starts."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, IndexError):
                parents[int(entry.name)] = int(_fields(int(entry.name))[1])
    found: dict[int, str | None] = {}
    above = {pid}
    while above:
        above = {child for child, parent in parents.items() if parent in above and child not in found}
        found |= {child: _start_of(child) for child in above}
    return found


def _fields(pid: int) -> list[str]:
    """Fields 3 and following of proc(5)'s stat: the second may hold anything, in brackets."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()


def _start_of(pid: int) -> str | None:
    try:
        return _fields(pid)[19]
    except (OSError, IndexError):
        return None


def _peak_of(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    except OSError:
        pass  # it has ended
    return 0
