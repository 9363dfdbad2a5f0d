# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the network and the server: a run completes, or its result is true. The page docs/faults.md has what is
seen here. The work runs in this process; the wire is real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import MAIL_RECIPIENTS, Simulator
from simulator.wire import faults
from support.faults import FAULTS, MANY, NAMES, Fault, hold_against_the_truth, run_with, settings
from support.in_process import InProcess
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@pytest.fixture
def pop3(simulator: Simulator, tmp_path: Path) -> Iterator[Pop3Tasks]:
    """A dozen more mailboxes without POP3, and tasks in this process."""
    for name in MANY[len(NAMES) :]:
        simulator.organisation.add_mailbox(name, pop_enabled=False)
    controller = InProcess(tmp_path)
    yield Pop3Tasks(simulator, controller, None)
    controller.close()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_is_survived_or_told(pop3: Pop3Tasks, fault: Fault) -> None:
    seen = run_with(fault, pop3)
    assert seen.row() in PAGE.read_text("utf-8").splitlines(), "run: make fault-table"


def test_the_page_has_no_other_faults() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[1:]] == [fault.what for fault in FAULTS]


@pytest.mark.parametrize(
    "effect", [faults.ResetBeforeProcessing(), faults.ResetAfterProcessing()], ids=["before", "after"]
)
@pytest.mark.parametrize("names", [NAMES, MANY], ids=["one by one", "streamed"])
def test_a_reset_at_every_request_of_a_run(effect: faults.Effect, names: list[str], tmp_path: Path) -> None:
    """For every N: the connection is reset at the Nth request, and the run completes as if nothing had been."""
    requests = nth_request(effect, names, 10**6, tmp_path)
    assert requests > 10
    for number in range(1, requests + 1):
        nth_request(effect, names, number, tmp_path / str(number))


def nth_request(effect: faults.Effect, names: list[str], number: int, folder: Path) -> int:
    """Run a task with the fault at one request; return how many requests there were."""
    with Simulator() as simulator:
        simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        for name in names[len(NAMES) :]:
            simulator.organisation.add_mailbox(name, pop_enabled=False)
        before = settings(simulator, tuple(names))
        fault = simulator.exchange.faults.add(effect, nth=number)
        controller = InProcess(folder)
        result = Pop3Tasks(simulator, controller, None)(identities=names).result
        controller.close()
        hold_against_the_truth(result, simulator, tuple(names), before)
        assert "failed" not in result, (number, result)
        assert simulator.exchange.open_shells == []
        return fault.seen
