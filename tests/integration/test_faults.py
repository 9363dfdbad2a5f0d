# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the network and the server: a run completes, or its result is true. The page docs/faults.md has what is
seen here. The work runs in this process; the wire is real."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import MAIL_RECIPIENTS, Simulator
from simulator.wire import faults
from support.faults import FAULTS, MANY, NAMES, Fault, hold_against_the_truth, run_with, settings
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks
from support.transports import HOST_SHELL, REMOTE_POWERSHELL, tasks_over

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@pytest.fixture
def pop3(in_process: Pop3Tasks) -> Pop3Tasks:
    """A dozen more mailboxes without POP3, and tasks in this process."""
    for name in MANY[len(NAMES) :]:
        in_process.simulator.organisation.add_mailbox(name, pop_enabled=False)
    return in_process


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_is_survived_or_told(pop3: Pop3Tasks, transport: str, fault: Fault) -> None:
    seen = run_with(fault, pop3)
    rows = PAGE.read_text("utf-8").splitlines()
    if transport == HOST_SHELL:
        # The words are those of Windows there, and what is unconfirmed is all that one run of the script was to change.
        # Whether it completes or fails, and how often it was tried, is the same.
        assert any(row.startswith(f"| {fault.what} | {seen.user_sees.partition(': *')[0]}") for row in rows), seen
        pop3.simulator.exchange.kill_shells()  # half an answer to an opening: to close that is up to the host's WinRM
    else:
        assert seen.row() in rows, "run: make fault-table"


def test_the_page_has_no_other_faults() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows[1:]] == [fault.what for fault in FAULTS]


@pytest.mark.parametrize(
    "effect", [faults.ResetBeforeProcessing(), faults.ResetAfterProcessing()], ids=["before", "after"]
)
@pytest.mark.parametrize(
    ("transport", "names", "step"),
    [
        pytest.param(REMOTE_POWERSHELL, NAMES, 1, id="one by one"),
        pytest.param(REMOTE_POWERSHELL, MANY, 1, id="streamed"),
        # Each run of the script has the same requests, from opening to closing; more of it would show nothing new.
        pytest.param(HOST_SHELL, NAMES, 5, id="host_shell"),
    ],
    indirect=["transport"],
)
def test_a_reset_at_every_request_of_a_run(
    transport: str, effect: faults.Effect, names: list[str], step: int, tmp_path: Path
) -> None:
    """For every N: the connection is reset at the Nth request, and the run completes as if nothing had been."""
    requests = nth_request(transport, effect, names, 10**6, tmp_path)
    assert requests > 10
    for number in range(1, requests + 1, step):
        nth_request(transport, effect, names, number, tmp_path / str(number))


def nth_request(transport: str, effect: faults.Effect, names: list[str], number: int, folder: Path) -> int:
    """Run a task with the fault at one request; return how many requests there were."""
    with Simulator() as simulator:
        simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        for name in names[len(NAMES) :]:
            simulator.organisation.add_mailbox(name, pop_enabled=False)
        before = settings(simulator, tuple(names))
        fault = simulator.exchange.faults.add(effect, nth=number)
        with tasks_over(transport, simulator, folder) as tasks:
            result = tasks(identities=names).result
        hold_against_the_truth(result, simulator, tuple(names), before)
        assert "failed" not in result, (number, result)
        # Over host_shell, an opening whose answer was lost is up to Windows' own client, which nobody simulates.
        assert simulator.exchange.open_shells == [] or transport == HOST_SHELL
        return fault.seen


@pytest.mark.parametrize("transport", [HOST_SHELL], indirect=True)
def test_what_was_certainly_not_sent_is_not_called_unconfirmed(here: Pop3Tasks) -> None:
    """Over host_shell each run of the script opens a session of its own: the one for the change is refused."""
    behaviour = here.simulator.exchange.behaviour
    here.simulator.exchange.on_call = lambda _call: setattr(behaviour, "refuse_opening", "Access is denied.")
    result = here(identity="John Smith").result
    assert [f["reason"] for f in result["failures"]] == ["error"]
    assert "Not changed: the run ended before its turn." in result["failures"][0]["msg"]
    assert "Set-CASMailbox was not run." in result["msg"]
    assert (result["changed"], result["restart_required"]) == (False, False)


@pytest.mark.parametrize("transport", [HOST_SHELL], indirect=True)
def test_a_change_that_was_not_sent_for_too_many_sessions_is_sent_later(here: Pop3Tasks) -> None:
    behaviour = here.simulator.exchange.behaviour
    here.simulator.exchange.on_call = lambda call: (
        setattr(behaviour, "throttled_openings", 2)
        if call.name == "Get-CASMailbox" and not here.sent("Set-CASMailbox")
        else None
    )
    result = here(identity="John Smith").result
    assert "msg" not in result
    assert result["changed"]
    assert len(here.sent("Set-CASMailbox")) == 1
