# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: WHAT goes wrong on the wire, and WHEN.

    faults = FaultList()
    faults.add(Status(503))                                  # the next HTTP request
    faults.add(ResetAfterProcessing(), action="Command")     # the next WSMan Command: done, but no answer comes
    faults.add(Delay(2.0), action="Receive", nth=3, times=2) # the third and fourth Receive from now
    faults.add(ResetOnConnect(), times=None)                 # every new connection until `faults.clear()`

This file only holds and counts them; `http` carries them out. One list may serve several servers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from simulator.wire.wsman import action_kind


@dataclass(frozen=True, slots=True)
class ResetOnConnect:
    """Accept the connection and reset it at once. (For a true refusal see `HttpServer.refuse_connections`.)"""


@dataclass(frozen=True, slots=True)
class ResetBeforeProcessing:
    """Read the request, do nothing with it, reset the connection."""


@dataclass(frozen=True, slots=True)
class ResetAfterProcessing:
    """Process the request, then reset the connection instead of answering."""


@dataclass(frozen=True, slots=True)
class HalfResponse:
    """Process the request, send the head and half of the body, then close the connection."""


@dataclass(frozen=True, slots=True)
class Status:
    """Do not process; answer with this HTTP status and an IIS-like page."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """Do not process; answer with a redirect."""

    location: str
    code: int = 302


@dataclass(frozen=True, slots=True)
class Garbage:
    """Do not process; answer 200 with a body that is not what the client expects."""

    body: bytes = b"\x00\xff<not-xml"
    content_type: str = "application/soap+xml;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Delay:
    """Wait before processing, then go on normally."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DelayReply:
    """Process, then wait before the answer."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Mangle:
    """Process, and answer with what this makes of the body, and more headers."""

    change: Callable[[bytes], bytes]
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trickle:
    """Process, and answer a byte at a time, with this many seconds between."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """Process and answer as if nothing were wrong, then close the connection without a word: no keep-alive."""


Effect: TypeAlias = (
    ResetOnConnect
    | ResetBeforeProcessing
    | ResetAfterProcessing
    | HalfResponse
    | HangUp
    | Mangle
    | Trickle
    | Status
    | Redirect
    | Garbage
    | Delay
    | DelayReply
)


@dataclass(slots=True)
class Fault:
    """One effect and when it strikes: from the `nth` matching request on, `times` times (None: for ever).

    Without an `action` every HTTP request matches, authenticated or not; with one (Create, Command, Send, Receive,
    Signal, Delete, in any case) only WSMan requests of that kind do.
    """

    effect: Effect
    action: str | None = None
    nth: int = 1
    times: int | None = 1
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)

    def strikes(self, kind: str | None) -> bool:
        """Count a request of this kind; True when the fault strikes it."""
        if self.action is not None and (kind is None or kind.lower() != self.action.lower()):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True


class FaultList:
    """The faults that are waiting, safe to change while servers run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, effect: Effect, *, action: str | None = None, nth: int = 1, times: int | None = 1) -> Fault:
        """Ask for a fault; the returned object tells how often it was `seen` and `struck`."""
        fault = Fault(effect, action, nth, times)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def on_connect(self) -> bool:
        """True when a new connection is to be reset at once."""
        if not self._faults:
            return False
        with self._lock:
            struck = [f for f in self._faults if isinstance(f.effect, ResetOnConnect) and f.strikes(None)]
            return bool(struck)

    def on_request(self, body: bytes) -> tuple[Effect, ...]:
        """The effects for a request with this (decrypted) body. The action is looked for only if a fault asks."""
        if not self._faults:
            return ()
        with self._lock:
            waiting = [fault for fault in self._faults if not isinstance(fault.effect, ResetOnConnect)]
            kind = action_kind(body) if any(fault.action is not None for fault in waiting) else None
            return tuple(fault.effect for fault in waiting if fault.strikes(kind))
