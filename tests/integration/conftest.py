# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Exchange and a controller for each test; a task on it through either face and over either transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import MAIL_RECIPIENTS, Simulator
from support.controller import JUMP, LOCAL, Controller
from support.kdc import Kdc, needs_kerberos
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks
from support.transports import (
    COLLECTED,
    HOST_SHELL,
    JUMP_HOST,
    REMOTE_POWERSHELL,
    TRANSPORTS,
    WAYS,
    Modules,
    modules_over,
    tasks_on_a_host,
    tasks_over,
    why_one_transport,
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what was collected, before -k and the like take some of it away: see test_transports.py."""
    config.stash[COLLECTED] = list(items)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that can over both transports, and through each face that there is over each."""
    marks = metafunc.definition.iter_markers("parametrize")
    if "transport" not in metafunc.fixturenames or any("transport" in mark.args[0] for mark in marks):
        return
    only_one = why_one_transport(metafunc.definition.path.stem, metafunc.function.__name__)
    if "face" in metafunc.fixturenames:
        ways = [way for way in WAYS if not only_one or way[0] == REMOTE_POWERSHELL]
        metafunc.parametrize(("transport", "face"), ways, ids=[face for _transport, face in ways], indirect=True)
    elif not only_one:
        metafunc.parametrize("transport", TRANSPORTS, indirect=True)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """The small organisation contoso.com, with an administrator who may change mailboxes."""
    with Simulator() as running:
        running.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        yield running
        assert running.exchange.open_shells == [], "a session was left open"


@pytest.fixture(scope="session")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    """The realm CONTOSO.COM, with the administrator of the organisation in it."""
    needs_kerberos()
    with Kdc(tmp_path_factory.mktemp("kdc")) as running:
        running.principal(ADMIN.partition("@")[0], PASSWORD)
        yield running


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Controller]:
    """A controller with localhost and a jump host in its inventory."""
    running = Controller(tmp_path, {"all": {"hosts": {"localhost": LOCAL, "jump": JUMP}}})
    yield running
    running.close()


@pytest.fixture(scope="module")
def transport(request: pytest.FixtureRequest) -> str:
    """How cmdlets travel; see ``pytest_generate_tests``."""
    return str(getattr(request, "param", REMOTE_POWERSHELL))


@pytest.fixture
def face(request: pytest.FixtureRequest) -> str:
    """Which face of a module; see ``pytest_generate_tests``."""
    return str(request.param)


@pytest.fixture
def in_process(transport: str, simulator: Simulator, tmp_path: Path) -> Iterator[Pop3Tasks]:
    """Tasks in this process, over either transport."""
    with tasks_over(transport, simulator, tmp_path) as tasks:
        yield tasks


@pytest.fixture
def modules(transport: str, simulator: Simulator) -> Iterator[Modules]:
    """Modules in this process, over either transport."""
    with modules_over(transport, simulator) as running:
        yield running


@pytest.fixture
def on_a_host(simulator: Simulator, controller: Controller) -> Iterator[Pop3Tasks]:
    """Tasks of Ansible itself over host_shell."""
    with tasks_on_a_host(simulator, controller) as tasks:
        yield tasks


def _over_host_shell(request: pytest.FixtureRequest) -> Pop3Tasks:
    needs_ansible = request.node.get_closest_marker("ansible")
    tasks: Pop3Tasks = request.getfixturevalue("on_a_host" if needs_ansible else "in_process")
    return tasks


@pytest.fixture
def pop3(request: pytest.FixtureRequest, transport: str, face: str, simulator: Simulator) -> Pop3Tasks:
    """Tasks through either face of the module, and over either transport."""
    if transport == HOST_SHELL:
        return _over_host_shell(request)
    controller = request.getfixturevalue("controller")
    return Pop3Tasks(simulator, controller, "jump" if face == JUMP_HOST else None)


@pytest.fixture
def here(request: pytest.FixtureRequest, transport: str, simulator: Simulator) -> Pop3Tasks:
    """Tasks through the face on the controller only: for what does not depend on the face. Over either transport."""
    if transport == HOST_SHELL:
        return _over_host_shell(request)
    return Pop3Tasks(simulator, request.getfixturevalue("controller"), None)
