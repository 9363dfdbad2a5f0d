# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_wait_for: wait for a port or a file, with real connections to real sockets.

Seen from the host, 127.0.0.1 is the host itself, and the POP3 services listen where Exchange documents it; see
``Machine.endpoint``.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from typing import Any

from simulator.windows.modules.arguments import Option, OptionType, arguments
from simulator.windows.modules.call import Machine, ModuleCall, ModuleFailure

_SPEC = {
    "connect_timeout": Option(OptionType.INT, default=5),
    "delay": Option(OptionType.INT),
    "exclude_hosts": Option(OptionType.LIST),
    "host": Option(default="127.0.0.1"),
    "path": Option(),
    "port": Option(OptionType.INT),
    "regex": Option(aliases=("search_regex", "regexp")),
    "sleep": Option(OptionType.INT, default=1),
    "state": Option(default="started", choices=("absent", "drained", "present", "started", "stopped")),
    "timeout": Option(OptionType.INT, default=300),
}


def win_wait_for(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Wait for a condition; the module never changes anything."""
    given = arguments(_SPEC, call)
    _refuse_contradictions(given)
    started = time.monotonic()
    if given["delay"]:
        machine.stopping.wait(given["delay"])
    if given["port"] is None and given["path"] is None:
        machine.stopping.wait(given["timeout"])
        return {"elapsed": time.monotonic() - started, "wait_attempts": 0}
    reached, what = _condition(given, machine)
    attempts, done = _poll(reached, given, machine)
    result = {"elapsed": time.monotonic() - started, "wait_attempts": attempts}
    if not done:
        raise ModuleFailure(f"timeout while waiting for {what}", **result)
    return result


def _refuse_contradictions(given: dict[str, Any]) -> None:
    if given["port"] is not None and given["path"] is not None:
        raise ModuleFailure("port and path parameter can not both be passed to win_wait_for")
    if given["exclude_hosts"] is not None and given["state"] != "drained":
        raise ModuleFailure("exclude_hosts should only be with state=drained")
    if given["path"] is not None and given["state"] in ("stopped", "drained"):
        raise ModuleFailure(
            f"state={given['state']} should only be used for checking a port in the win_wait_for module"
        )
    if given["port"] is not None and given["regex"] is not None:
        raise ModuleFailure("regex should by used when checking a string in a file in the win_wait_for module")
    if given["state"] == "drained":
        raise ModuleFailure("The simulated Windows host does not support state=drained of win_wait_for")


def _poll(reached: Callable[[], bool], given: dict[str, Any], machine: Machine) -> tuple[int, bool]:
    attempts, started = 0, time.monotonic()
    while time.monotonic() - started < given["timeout"]:
        attempts += 1
        if reached():
            return attempts, True
        if machine.stopping.wait(given["sleep"]):
            break
    return attempts, False


def _condition(given: dict[str, Any], machine: Machine) -> tuple[Callable[[], bool], str]:
    wanted = given["state"] in ("started", "present")
    if given["path"] is None:
        host, port = given["host"], given["port"]
        endpoint = machine.endpoint(host, port)
        verb = "start" if wanted else "stop"
        return (
            lambda: _listens(endpoint, given["connect_timeout"]) is wanted,
            f"{host}:{port} to {verb} listening",
        )
    path, regex = given["path"], given["regex"]
    if regex is None:
        return lambda: machine.files.exists(path) is wanted, f"file {path} to be {'present' if wanted else 'absent'}"
    return (
        lambda: _matches(machine, path, regex) is wanted,
        f"string regex {regex} in file {path} to {'match' if wanted else 'not match'}",
    )


def _listens(endpoint: tuple[str, int], timeout: float) -> bool:
    try:
        with socket.create_connection(endpoint, timeout):
            return True
    except OSError:
        return False


def _matches(machine: Machine, path: str, regex: str) -> bool:
    content = machine.files.read(path)
    return content is not None and re.search(regex, content.decode("utf-8", "replace"), re.IGNORECASE) is not None
