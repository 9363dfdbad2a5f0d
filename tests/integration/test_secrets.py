# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password is nowhere but on the wire: not in output at -vvvv, results, log, process list or temporary files."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from simulator.wire import faults
from support.pop3_tasks import PASSWORD, Pop3Tasks

SECRET = "S3cret-to-be-found-nowhere"
MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


@pytest.mark.parametrize(
    "given",
    [
        {"username": "spy@contoso.com", "password": "{{ vaulted }}"},
        {
            "username": None,
            "password": None,
            "keywords": {"environment": {"EXCHANGE_USERNAME": "spy@contoso.com", "EXCHANGE_PASSWORD": "{{ vaulted }}"}},
        },
    ],
    ids=["option", "environment keyword"],
)
def test_the_password_appears_nowhere(pop3: Pop3Tasks, tmp_path: Path, given: dict[str, Any]) -> None:
    pop3.simulator.users.add("spy@contoso.com", SECRET, "Mail Recipients")
    # A slow session, so that the watcher below has something to look at while the work is done.
    pop3.simulator.exchange.faults.add(faults.Delay(0.5), action="Command", times=None)
    pop3.controller.environment["ANSIBLE_LOG_PATH"] = str(tmp_path / "ansible.log")
    pop3.controller.environment["ANSIBLE_REMOTE_TEMP"] = str(tmp_path / "remote")

    vaulted = tmp_path.parent / f"{tmp_path.name}-vault.json"  # where the user keeps it, outside of all that is scanned
    vaulted.write_text(json.dumps({"vaulted": SECRET}))
    with Watcher(tmp_path, pop3.controller.temp) as watcher:
        run = pop3("-vvvv", "-e", f"@{vaulted}", identity="John Smith", **given)
    vaulted.unlink()

    assert run.result["changed"]
    assert SECRET not in run.output
    assert watcher.looks > 3
    assert watcher.found == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and SECRET in path.read_text(errors="replace")] == []
    shown = run.result.get("invocation", {}).get("module_args", {})
    assert shown.get("password", MASKED) == MASKED


def test_the_password_is_in_no_error(pop3: Pop3Tasks) -> None:
    run = pop3("-vvvv", identity="John Smith", password=SECRET)
    assert run.returncode == 2
    # The playbook itself, which the test writes, holds it; what Ansible prints must not.
    assert SECRET not in run.output
    assert PASSWORD not in run.output


class Watcher:
    """Looks at all processes of this machine and all files under some folders, again and again, while a run goes on."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.looks = 0
        self.found: list[str] = []

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.looks += 1
            for path in [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")]:
                self._look_at(path)
            for folder in self._folders:
                for path in folder.rglob("*"):
                    self._look_at(path)

    def _look_at(self, path: Path) -> None:
        try:
            if path.is_file() and SECRET.encode() in path.read_bytes():
                self.found.append(str(path))
        except OSError:
            return  # gone meanwhile, or not ours to read
