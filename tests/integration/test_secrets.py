# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The password is nowhere but on the wire: not in output at -vvvv, results, log, process list, environment or files.

Looked for as it is and in the spellings that it could be made back from. Tickets are looked for in test_kerberos.py.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import SessionDrop
from simulator.wire import faults
from support.controller import Run
from support.pop3_tasks import PASSWORD, Pop3Tasks
from support.secrets import Secret, Watcher
from support.transports import HOST_SHELL, WAYS

pytestmark = pytest.mark.ansible

MASKED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
USER = "spy@contoso.com"
NAMED_BY_THE_TASK: dict[str, Any] = {"username": USER, "password": "{{ vaulted }}"}
IN_THE_KEYWORD: dict[str, Any] = {
    "username": None,
    "password": None,
    "keywords": {"environment": {"EXCHANGE_USERNAME": USER, "EXCHANGE_PASSWORD": "{{ vaulted }}"}},
}


@pytest.fixture
def secret(pop3: Pop3Tasks) -> Secret:
    """A password of this test alone, with characters that every spelling writes in another way."""
    secret = Secret(USER, f"S3cret-{uuid.uuid4().hex[:12]}-Ünï `'\"$é")
    pop3.simulator.users.add(secret.user, secret.text, "Mail Recipients")
    pop3.controller.environment["ANSIBLE_LOG_PATH"] = str(pop3.controller.folder / "ansible.log")
    pop3.controller.environment["ANSIBLE_REMOTE_TEMP"] = str(pop3.controller.folder / "remote")
    pop3.controller.environment["ANSIBLE_KEEP_REMOTE_FILES"] = "1"
    return secret


@pytest.fixture
def vault(secret: Secret, tmp_path: Path) -> Iterator[str]:
    """Where the user keeps it, outside of all that is looked at."""
    path = tmp_path.parent / f"{tmp_path.name}-vault.json"
    path.write_text(json.dumps({"vaulted": secret.text}))
    yield f"@{path}"
    path.unlink()


@pytest.fixture
def watcher(pop3: Pop3Tasks, secret: Secret, tmp_path: Path) -> Watcher:
    return Watcher(secret, (tmp_path, pop3.controller.temp))


def left_nothing(run: Run, secret: Secret, watcher: Watcher) -> None:
    """The property. The run was slow enough to be looked at, and its processes were seen."""
    assert secret.in_bytes(run.output.encode()) == [], run.output
    assert watcher.looks > 3
    assert any("ansible-playbook" in command for command in watcher.commands)
    assert watcher.found == []
    assert secret.in_files(*watcher.folders) == []
    assert (watcher.folders[0] / "ansible.log").stat().st_size


def slow(pop3: Pop3Tasks) -> None:
    """Something to look at while the work is done."""
    pop3.simulator.exchange.faults.add(faults.Delay(0.4), action="Command", times=None)


@pytest.mark.parametrize("given", [NAMED_BY_THE_TASK, IN_THE_KEYWORD], ids=["option", "environment keyword"])
def test_a_run_that_succeeds(
    pop3: Pop3Tasks, secret: Secret, vault: str, watcher: Watcher, given: dict[str, Any]
) -> None:
    slow(pop3)
    with watcher:
        run = pop3("-vvvv", "--diff", "-e", vault, identity="John Smith", **given)
    assert run.result["changed"], run.output
    left_nothing(run, secret, watcher)
    shown = run.result.get("invocation", {}).get("module_args", {})
    assert shown.get("password", MASKED) == MASKED


def test_a_run_in_check_mode(pop3: Pop3Tasks, secret: Secret, vault: str, watcher: Watcher) -> None:
    slow(pop3)
    with watcher:
        run = pop3("-vvvv", "--check", "--diff", "-e", vault, identity="John Smith", **NAMED_BY_THE_TASK)
    assert run.result["changed"], run.output
    left_nothing(run, secret, watcher)


def wrong_password(pop3: Pop3Tasks) -> None:
    pop3.simulator.users.add(USER, "another one", "Mail Recipients")


def broken_session(pop3: Pop3Tasks) -> None:
    pop3.simulator.exchange.behaviour.session_drops.append(SessionDrop("Set-CASMailbox", when="after"))


def garbage(pop3: Pop3Tasks) -> None:
    pop3.simulator.exchange.faults.add(faults.Garbage(), action="Command")


TROUBLE = {
    "wrong password": (wrong_password, True),
    "session that breaks and is opened again": (broken_session, False),
    "garbage": (garbage, True),
}


def of(way: tuple[str, str], everything: Iterable[str], over_host_shell: Iterable[str]) -> Iterable[str]:
    """Ansible and a connection to a host cost seconds: over host_shell, only what goes another way in the code."""
    return over_host_shell if way[0] == HOST_SHELL else everything


@pytest.mark.parametrize(
    ("transport", "face", "arrange", "fails"),
    [
        pytest.param(*way, *TROUBLE[what], id=f"{way[1]}-{what}")
        for way in WAYS
        for what in of(way, TROUBLE, ("wrong password", "session that breaks and is opened again"))
    ],
    indirect=["transport", "face"],
)
def test_a_run_with_trouble(
    pop3: Pop3Tasks, secret: Secret, vault: str, watcher: Watcher, arrange: Any, fails: bool
) -> None:
    arrange(pop3)
    pop3.simulator.exchange.faults.add(faults.Delay(0.4), times=None)
    with watcher:
        run = pop3("-vvvv", "-e", vault, identity="John Smith", **NAMED_BY_THE_TASK)
    assert run.result.get("failed", False) == fails
    left_nothing(run, secret, watcher)


@pytest.mark.parametrize(
    ("transport", "face", "spelling"),
    [(*way, spelling) for way in WAYS for spelling in of(way, ("plain", "Basic", "URL", "JSON"), ["Basic"])],
    indirect=["transport", "face"],
)
def test_a_server_that_repeats_the_password_is_not_quoted(
    pop3: Pop3Tasks, secret: Secret, vault: str, watcher: Watcher, spelling: str
) -> None:
    """In its words for an error; a proxy that shows the headers of a request does that, in both faces alike."""
    header = base64.b64encode(f"{USER}:{secret.text}".encode())
    said = (header if spelling == "Basic" else secret.spellings[spelling]).decode()
    pop3.simulator.exchange.behaviour.refuse_opening = f"Access is denied: {said}."
    pop3.simulator.exchange.faults.add(faults.Delay(0.4), times=None)
    with watcher:
        run = pop3("-vvvv", "-e", vault, identity="John Smith", **NAMED_BY_THE_TASK)
    assert "Access is denied: ********" in run.result["msg"]
    left_nothing(run, secret, watcher)


def test_a_warning_that_repeats_the_password(here: Pop3Tasks) -> None:
    here.simulator.exchange.behaviour.extra_warnings["Set-CASMailbox"] = [f"You came with {PASSWORD}."]
    run = here("-vvvv", identity="John Smith")
    assert run.result["changed"]
    assert "You came with ********." in run.output
    # The playbook itself, which the test writes, holds it; what Ansible prints must not.
    assert PASSWORD not in run.output


CALLBACKS: dict[str, dict[str, str]] = {
    "default": {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"},
    "yaml": {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
    "json": {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
    "minimal": {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal"},
}


@pytest.mark.parametrize("callback", sorted(CALLBACKS))
def test_what_a_playbook_does_with_the_result(
    here: Pop3Tasks, secret_here: Secret, vault_here: str, callback: str
) -> None:
    """Loops, registers, prints, copies to a file, keeps as facts and fails, in each of Ansible's ways to say so."""
    controller = here.controller
    controller.environment |= CALLBACKS[callback] | {
        "ANSIBLE_LOG_PATH": str(controller.folder / "ansible.log"),
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(controller.folder / "facts"),
    }
    options = {**here.connection, **NAMED_BY_THE_TASK}
    del options["state"]
    module = "mailops.exchange.exchange_pop3_access"
    tasks = [
        {
            "name": "Loop",
            module: {**options, "identity": "{{ item }}", "state": "enabled"},
            "loop": ["John Smith", "Nobody At All"],
            "ignore_errors": True,
            "register": "looped",
        },
        {"name": "Look", "mailops.exchange.exchange_endpoint_info": options, "register": "endpoint"},
        {"name": "Print", "ansible.builtin.debug": {"var": "looped"}},
        {"name": "Print", "ansible.builtin.debug": {"msg": "{{ endpoint | to_nice_json }}"}},
        {"name": "Keep", "ansible.builtin.set_fact": {"kept": "{{ looped }}", "cacheable": True}},
        {"name": "Write", "ansible.builtin.copy": {"content": "{{ looped }}", "dest": "{{ playbook_dir }}/r.json"}},
        {"name": "Fail", module: {**options, "identity": "Nobody At All", "state": "enabled"}},
    ]
    play = {"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": tasks}
    run = controller.play([play], "-vvvv", "--diff", "-e", vault_here, json_output=callback == "json")
    assert run.returncode == 2, run.output
    assert "No mailbox is named 'Nobody At All'" in run.output
    assert secret_here.in_bytes(run.output.encode()) == [], run.output
    assert secret_here.in_files(controller.folder, controller.temp) == []
    assert (controller.folder / "r.json").stat().st_size
    assert here.pop_enabled("John Smith")


@pytest.fixture
def secret_here(here: Pop3Tasks) -> Secret:
    secret = Secret(USER, f"S3cret-{uuid.uuid4().hex[:12]}-Ünï `'\"$é")
    here.simulator.users.add(secret.user, secret.text, "Mail Recipients")
    return secret


@pytest.fixture
def vault_here(secret_here: Secret, tmp_path: Path) -> Iterator[str]:
    path = tmp_path.parent / f"{tmp_path.name}-vault.json"
    path.write_text(json.dumps({"vaulted": secret_here.text}))
    yield f"@{path}"
    path.unlink()


def test_from_the_environment_it_goes_nowhere_else(here: Pop3Tasks, secret_here: Secret, tmp_path: Path) -> None:
    """The user has put it into the environment of ansible-playbook, so that, and nothing but that, has it there."""
    here.controller.environment |= {"EXCHANGE_USERNAME": USER, "EXCHANGE_PASSWORD": secret_here.text}
    slow(here)
    with Watcher(secret_here, (tmp_path, here.controller.temp), allowed="ansible-playbook") as watcher:
        run = here("-vvvv", identity="John Smith", username=None, password=None)
    assert run.result["changed"], run.output
    assert watcher.looks > 3
    assert watcher.found == []
    assert secret_here.in_bytes(run.output.encode()) == []


def test_the_password_is_in_no_error(pop3: Pop3Tasks) -> None:
    run = pop3("-vvvv", identity="John Smith", password="S3cret-to-be-found-nowhere")
    assert run.returncode == 2
    assert "S3cret" not in run.output
    assert PASSWORD not in run.output


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """A test that finds nothing has to be one that could find something."""
    secret = Secret(USER, "S3cret-Ünï `'\"$é")
    for number, spelling in enumerate(secret.spellings.values()):
        assert len(spelling) >= 8
        (tmp_path / str(number)).write_bytes(b"before " + spelling + b" behind")
    assert len(secret.in_files(tmp_path)) == len(secret.spellings)
