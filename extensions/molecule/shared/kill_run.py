# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and kill it, with all processes below it, the moment that something has happened.

Usage: kill_run.py CONDITION … -- COMMAND …

    cmdlets NAME N            Exchange was asked for this cmdlet N times, and all sessions are closed again
    failed-start HOST NAME    a service of a host was stopped and has then failed to start

SIGKILL leaves the command no chance to tidy up. Exits with 1 when the command ends by itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from simulated import control, read_state_file

INTERVAL = 0.01


def main(arguments: Sequence[str]) -> int:
    """Watch and kill."""
    end = arguments.index("--")
    happened = condition(*arguments[:end])
    client = control(read_state_file())
    process = subprocess.Popen(arguments[end + 1 :])
    while process.poll() is None:
        if happened(client.state()):
            kill(process.pid)
            if process.wait() == -signal.SIGKILL:
                return 0
        time.sleep(INTERVAL)
    print(f"It ended by itself, with exit code {process.returncode}.", file=sys.stderr)
    return 1


def condition(kind: str, first: str, second: str) -> Callable[[dict[str, Any]], bool]:
    """The condition that the words on the command line mean."""
    if kind == "cmdlets":
        return lambda state: (
            state["exchange"]["calls"].get(first, 0) >= int(second) and not state["exchange"]["open_shells"]
        )
    if kind == "failed-start":
        return lambda state: state["hosts"][first]["services"][second]["failed_starts"] > 0
    raise SystemExit(f"{kind} is no condition; see the top of {__file__}")


def kill(pid: int) -> None:
    """Kill a process and those below it: not as a group, for Ansible's workers lead sessions of their own."""
    for member in reversed(list(freeze(pid))):
        os.kill(member, signal.SIGKILL)


def freeze(pid: int) -> Iterator[int]:
    """Stop a process, so that it starts no more of them, and those below it; yields each."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text("ascii").split():
            yield from freeze(int(child))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
