# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is ended from outside closes its session wherever it gets the chance."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator import CostModel, Ending
from support.pop3_tasks import Pop3Tasks
from support.transports import BOTH, HOST_SHELL


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def start(pop3: Pop3Tasks, delay: float = 60) -> subprocess.Popen[str]:
    """Start a run that will be busy in the middle of a cmdlet, and wait until it is."""
    pop3.simulator.exchange.behaviour.cmdlet_delays["Get-CASMailbox"] = delay
    task = {"name": "Task", "mailops.exchange.exchange_pop3_access": {**pop3.connection, "identity": "John Smith"}}
    delegation = {"delegate_to": pop3.delegate_to} if pop3.delegate_to else {}
    play = {"name": "Play", "hosts": pop3.hosts, "gather_facts": False, "tasks": [{**task, **delegation}]}
    process = pop3.controller.start_play([play])
    wait_for(lambda: pop3.simulator.exchange.calls)
    return process


def descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from descendants(int(child))
            yield int(child)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_session(pop3: Pop3Tasks, signum: signal.Signals) -> None:
    process = start(pop3)
    process.send_signal(signum)
    process.communicate(timeout=30)
    wait_for(lambda: not pop3.simulator.exchange.open_shells)
    assert [shell.ending for shell in pop3.simulator.exchange.shells] == [Ending.CLOSED]


@pytest.mark.ansible
@pytest.mark.parametrize("transport", [HOST_SHELL], indirect=True)
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_the_script_ends_by_itself(here: Pop3Tasks, signum: signal.Signals) -> None:
    """Nobody can reach a script that runs on a host: it goes on to its end, closes its session, and is the last."""
    process = start(here, delay=4)
    process.send_signal(signum)
    process.communicate(timeout=30)
    exchange = here.simulator.exchange
    wait_for(lambda: not exchange.open_shells)
    before = len(exchange.calls), len(exchange.shells)
    time.sleep(1)
    assert (len(exchange.calls), len(exchange.shells)) == before
    assert here.sent("Set-CASMailbox") == []
    assert {shell.ending for shell in exchange.shells} == {Ending.CLOSED}


def start_many(pop3: Pop3Tasks, **keywords: object) -> subprocess.Popen[str]:
    """Start forty changes in four sessions, a second each, and wait until all four are busy with them."""
    for number in range(40):
        pop3.simulator.organisation.add_mailbox(f"user{number:02}", pop_enabled=False)
    pop3.simulator.exchange.behaviour.cmdlet_delays["Set-CASMailbox"] = 1
    options = {"identities": [f"user{number:02}" for number in range(40)], "parallel_sessions": 4}
    task = {"name": "Task", "mailops.exchange.exchange_pop3_access": {**pop3.connection, **options}, **keywords}
    process = pop3.controller.start_play([{"name": "P", "hosts": "localhost", "gather_facts": False, "tasks": [task]}])
    wait_for(lambda: len(pop3.simulator.exchange.calls_of("Set-CASMailbox")) >= 4)
    return process


def ends_and_sends_nothing_more(pop3: Pop3Tasks, process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    wait_for(lambda: not pop3.simulator.exchange.open_shells)
    before = len(pop3.simulator.exchange.calls), len(pop3.simulator.exchange.shells)
    time.sleep(2)
    assert (len(pop3.simulator.exchange.calls), len(pop3.simulator.exchange.shells)) == before
    assert len(pop3.simulator.exchange.shells) == 4, "a session was opened again"
    assert {shell.ending for shell in pop3.simulator.exchange.shells} == {Ending.CLOSED}
    organisation = pop3.simulator.organisation
    assert not all(organisation.settings(m).pop_enabled for m in organisation.mailboxes())


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_sessions_and_none_is_opened_again(here: Pop3Tasks, signum: signal.Signals) -> None:
    process = start_many(here)
    process.send_signal(signum)
    ends_and_sends_nothing_more(here, process)


def test_the_time_out_of_a_task_ends_all_sessions(here: Pop3Tasks) -> None:
    ends_and_sends_nothing_more(here, start_many(here, timeout=6))


def test_the_time_out_of_a_task_closes_the_session(here: Pop3Tasks) -> None:
    here.simulator.exchange.behaviour.cmdlet_delays["Get-CASMailbox"] = 60
    run = here(identity="John Smith", keywords={"timeout": 2})
    assert run.returncode == 2
    assert [shell.ending for shell in here.simulator.exchange.shells] == [Ending.CLOSED]


@BOTH
def test_a_cmdlet_that_stays_silent_is_given_up_and_the_session_closed(here: Pop3Tasks) -> None:
    here.simulator.exchange.behaviour.cmdlet_delays["Get-CASMailbox"] = 60
    run = here(identity="John Smith", operation_timeout=1)
    message = run.result["msg"]
    for words in ("Get-CASMailbox", "at https://localhost", "was silent", "for operation_timeout: 1 seconds"):
        assert words in message
    assert {shell.ending for shell in here.simulator.exchange.shells} == {Ending.CLOSED}


@BOTH
def test_a_long_list_is_not_silent_while_it_comes(here: Pop3Tasks) -> None:
    """operation_timeout is about silence, and not about how much there is to say."""
    for number in range(100):
        here.simulator.organisation.add_mailbox(f"user{number:03}")
    here.simulator.exchange.behaviour.costs = CostModel(per_bulk_object=0.03)
    run = here(filter="PopEnabled -eq $true", operation_timeout=2)
    assert run.returncode == 0, run.result.get("msg")
    assert run.result["counts"]["total"] > 100


def test_after_kill_9_only_the_idle_time_out_remains(here: Pop3Tasks) -> None:
    process = start(here)
    for pid in [*descendants(process.pid), process.pid]:
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=30)
    exchange = here.simulator.exchange
    assert [shell.user for shell in exchange.open_shells] == ["popadmin@contoso.com"]
    exchange.behaviour.cmdlet_delays.clear()
    exchange.behaviour.idle_timeout = 0.2
    wait_for(lambda: not exchange.open_shells, seconds=90)
    assert [shell.ending for shell in exchange.shells] == [Ending.IDLE]
