# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Exchange and a controller for each test; a task on it through either face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import MAIL_RECIPIENTS, Simulator
from support.controller import JUMP, LOCAL, Controller
from support.kdc import Kdc, needs_kerberos
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks


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


@pytest.fixture(params=["controller", "jump host"])
def pop3(request: pytest.FixtureRequest, simulator: Simulator, controller: Controller) -> Pop3Tasks:
    """Tasks through either face of the module."""
    return Pop3Tasks(simulator, controller, "jump" if request.param == "jump host" else None)


@pytest.fixture
def here(simulator: Simulator, controller: Controller) -> Pop3Tasks:
    """Tasks through the face on the controller only: for what does not depend on the face."""
    return Pop3Tasks(simulator, controller, None)
