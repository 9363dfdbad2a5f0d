# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of module calls: which call of which module goes wrong, and how.

Faults of the wire are in ``simulator.wire.faults``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FailModule:
    """The module does nothing and fails with this message."""

    message: str = "The simulated Windows host was told to fail this module"


@dataclass(frozen=True)
class SlowModule:
    """The module takes longer."""

    seconds: float


@dataclass(frozen=True)
class DropConnection:
    """All connections of the host break during the module, and its shells are lost with them."""

    before: bool = False
    """True: the module has not done its work; False: it has, and nobody hears of it."""


ModuleEffect = FailModule | SlowModule | DropConnection


@dataclass
class ModuleFault:
    """One effect and when it strikes: from the ``nth`` call of the module on, ``times`` times (None: for ever)."""

    module: str
    effect: ModuleEffect
    nth: int = 1
    times: int | None = 1
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)

    def strikes(self, module: str) -> bool:
        """Count a call; True when the fault strikes it."""
        if module != self.module:
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True


class ModuleFaults:
    """The faults that are waiting on one host, safe to change while it runs."""

    def __init__(self) -> None:
        """Begin without any."""
        self._faults: list[ModuleFault] = []
        self._lock = threading.Lock()

    def add(self, module: str, effect: ModuleEffect, *, nth: int = 1, times: int | None = 1) -> ModuleFault:
        """Ask for a fault, by the module's name with or without its collection."""
        fault = ModuleFault(module.rpartition(".")[2], effect, nth, times)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def on_call(self, module: str) -> list[ModuleEffect]:
        """The effects for this call of a module (short name)."""
        with self._lock:
            return [fault.effect for fault in self._faults if fault.strikes(module)]
