# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network, a server or an administrator can do to a run, and whether the result of it is true.

The tests run each of these, and the table in docs/faults.md is what they saw (``make fault-table``).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator import SessionDrop, Simulator
from simulator.exchange.cmdlets import CmdletCall
from simulator.wire import faults
from support.in_process import InProcess
from support.pop3_tasks import Pop3Tasks

GET, SET = "Get-CASMailbox", "Set-CASMailbox"
NAMES = ["John Smith", "Patrick Colon", "Support 😀", "Smith, Jane"]
"""Two that have to change, and two that are as declared."""

MANY = [*NAMES, *(f"user{number}" for number in range(12))]
"""Enough to be streamed."""


@dataclass(frozen=True)
class Fault:
    """One fault: what it is, how it is arranged (that may give options for the task), and on how many mailboxes."""

    what: str
    arrange: Callable[[Simulator], Mapping[str, Any] | None]
    names: tuple[str, ...] = tuple(NAMES)
    notes_by_chance: bool = False
    """Whether it depends on a race if anything is tried again: then the table does not say."""


@dataclass(frozen=True)
class Seen:
    """What came of it, in the words of the table."""

    what: str
    user_sees: str
    lost: str

    def row(self) -> str:
        """A line of the table."""
        return f"| {self.what} | {self.user_sees} | {self.lost} |"


def run_with(fault: Fault, pop3: Pop3Tasks) -> Seen:
    """Run a task under a fault, hold its result against the organisation, and say what came of it."""
    simulator = pop3.simulator
    before = settings(simulator, fault.names)
    options = dict(fault.arrange(simulator) or {})
    result = pop3(identities=list(fault.names), **options).result
    hold_against_the_truth(result, simulator, fault.names, before)
    unconfirmed = sum(1 for failure in result["failures"] if failure["reason"] == "unconfirmed")
    lost = f"nothing: {unconfirmed} of {len(fault.names)} reported as `unconfirmed`" if unconfirmed else "nothing"
    assert isinstance(pop3.controller, InProcess)
    notes = [] if fault.notes_by_chance else pop3.controller.notes
    return Seen(fault.what, _sees(result, notes), lost)


def settings(simulator: Simulator, names: tuple[str, ...]) -> dict[str, bool]:
    """What each mailbox has in the organisation now."""
    organisation = simulator.organisation
    return {name: organisation.settings(organisation.mailbox(name)).pop_enabled for name in names}


def hold_against_the_truth(
    result: Mapping[str, Any], simulator: Simulator, names: tuple[str, ...], before: Mapping[str, bool]
) -> None:
    """Everything that the result says is so, and nobody is missing in it."""
    after = settings(simulator, names)
    failures = {failure["identity"]: failure["reason"] for failure in result["failures"]}
    assert [line["identity"] for line in result["mailboxes"]] == list(names)
    for line in result["mailboxes"]:
        name = line["identity"]
        if line["after"] is not None:
            assert line["after"]["pop_enabled"] == after[name], line
        if line["changed"]:
            assert before[name] != after[name], line
        elif failures.get(name) != "unconfirmed":
            assert before[name] == after[name], line
        if name not in failures:
            assert after[name], line
    if before != after:
        assert result["restart_required"]
    assert bool(result.get("failed")) == bool(failures or "msg" in result)


def _sees(result: Mapping[str, Any], notes: list[str]) -> str:
    again = f"; `-v` says what was tried again ({len(notes)})" if notes else ""
    if not result.get("failed"):
        return f"the run completes{again}"
    said = re.sub(r"(https?://)?localhost:\d+(/[^ ]*)?", "…", result["msg"])
    said = re.sub(r" \(basic, as [^)]*\)", "", said)
    sentence = re.match(r"No session .*? could be opened\. .*?\.(?= |$)|.*?\.(?= |$)", said)
    return f"it fails{again}: *{sentence.group() if sentence else said}*"


# --- the faults -------------------------------------------------------------------------------------------------------


def _struck(effect: faults.Effect, **when: Any) -> Callable[[Simulator], None]:
    def arrange(simulator: Simulator) -> None:
        simulator.exchange.faults.add(effect, **when)

    return arrange


def _refused_at_first(simulator: Simulator) -> None:
    """Nobody listens for a second."""
    assert simulator.exchange.https
    simulator.exchange.https.refuse_connections()
    threading.Timer(1.0, simulator.exchange.https.accept_connections).start()


def _down(simulator: Simulator) -> None:
    assert simulator.exchange.https
    simulator.exchange.https.refuse_connections()


def _throttled(times: int) -> Callable[[Simulator], None]:
    def arrange(simulator: Simulator) -> None:
        simulator.exchange.behaviour.throttled_openings = times

    return arrange


def _expired(simulator: Simulator) -> None:
    """The session is gone when the third cmdlet comes, as after the idle time-out."""
    simulator.exchange.behaviour.session_drops.append(SessionDrop(GET, nth=3))


def _killed(cmdlet: str, when: Any, *, for_good: bool = False) -> Callable[[Simulator], None]:
    def arrange(simulator: Simulator) -> None:
        behaviour = simulator.exchange.behaviour
        behaviour.session_drops.append(SessionDrop(cmdlet, when=when))

        def on_call(call: CmdletCall) -> None:
            if call.name == cmdlet and for_good:
                behaviour.refuse_opening = "The server is in maintenance."

        simulator.exchange.on_call = on_call

    return arrange


def _always_lost(simulator: Simulator) -> None:
    simulator.exchange.behaviour.session_drops += [SessionDrop(GET, nth=number) for number in range(2, 30)]


def _slow(simulator: Simulator) -> dict[str, Any]:
    simulator.exchange.behaviour.cmdlet_delays[GET] = 0.6
    return {"operation_timeout": 2}


def _too_slow(cmdlet: str) -> Callable[[Simulator], dict[str, Any]]:
    def arrange(simulator: Simulator) -> dict[str, Any]:
        simulator.exchange.behaviour.cmdlet_delays[cmdlet] = 3.0
        return {"operation_timeout": 1, "connection_timeout": 1}

    return arrange


FAULTS = [
    Fault("Connection refused at first, for a second", _refused_at_first, notes_by_chance=True),
    Fault("Connection refused throughout", _down),
    Fault("HTTP 503 at the first request", _struck(faults.Status(503))),
    Fault("HTTP 503 in the middle", _struck(faults.Status(503), action="Receive", nth=4)),
    Fault("HTTP 503 throughout", _struck(faults.Status(503), times=None)),
    Fault("Too many sessions at first (`MaxConcurrency`)", _throttled(1)),
    Fault("Too many sessions throughout", _throttled(99)),
    Fault("Half a response while the session is opened", _struck(faults.HalfResponse(), action="Create")),
    Fault("Half a response while mailboxes are read", _struck(faults.HalfResponse(), action="Receive", nth=3)),
    Fault("The session has expired (shell not found)", _expired),
    Fault("The session is lost again and again", _always_lost),
    # Mostly the client sees it before its next request; where it does not, that is one session lost, of four allowed.
    Fault("The server closes kept-alive connections", _struck(faults.HangUp(), nth=3, times=4), notes_by_chance=True),
    Fault("The session is killed before a change", _killed(SET, "before")),
    Fault("The session is killed between change and answer", _killed(SET, "after")),
    Fault("The same, among many changes", _killed(SET, "after"), tuple(MANY)),
    Fault("The same, and no session can be opened any more", _killed(SET, "after", for_good=True)),
    Fault("A server that is slow, within `operation_timeout`", _slow),
    Fault("A cmdlet that reads is silent for `operation_timeout`", _too_slow(GET)),
    Fault("A change is silent for `operation_timeout`", _too_slow(SET)),
]
