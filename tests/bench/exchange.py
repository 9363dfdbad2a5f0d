# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Exchange of a benchmark: a process of its own, so that client and server share no interpreter."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from simulator.control import ControlClient, ControlError, Counters
from simulator.exchange.behaviour import CostModel
from simulator.exchange.organisation import large_organisation_addresses

TESTS = Path(__file__).parents[1]
_PATIENCE = 20.0


class CannotStart(Exception):
    """The simulator did not come up; the text has its own words."""


@dataclass(frozen=True, slots=True)
class Served:
    """What a server had to do for a run."""

    http_requests: int
    bytes_in: int
    bytes_out: int
    cmdlets: int
    sessions: int
    cpu_seconds: float


class SimulatedExchange:
    """An organisation of that many mailboxes, from entering to leaving the context."""

    def __init__(self, mailboxes: int, folder: Path) -> None:
        """Everything that it writes is in the folder."""
        self.mailboxes = mailboxes
        self.addresses = large_organisation_addresses(mailboxes)
        self._folder = folder
        self._state_file = folder / f"exchange-{mailboxes}.json"
        self._log = folder / f"exchange-{mailboxes}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._control: ControlClient | None = None
        self.connection: dict[str, Any] = {}
        """The options of a task."""

    def __enter__(self) -> SimulatedExchange:
        """Start, and wait until it listens."""
        self._state_file.unlink(missing_ok=True)
        options = ("--state-file", str(self._state_file), "--mailboxes", str(self.mailboxes), "--quiet")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "simulator", *options],
                env={**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the benchmark, which then ends it
            )
        try:
            self._read_state()
        except BaseException:
            self._stop()
            raise
        return self

    def _read_state(self) -> None:
        assert self._process is not None
        while not self._state_file.exists():
            if self._process.poll() is not None:
                raise CannotStart(self._log.read_text("utf-8", "replace"))
            time.sleep(0.05)
        state = json.loads(self._state_file.read_text("utf-8"))
        # A large organisation's counters take their time on a busy machine.
        self._control = ControlClient(state["control"]["uri"], state["control"]["token"], timeout=120.0)
        self.connection = {
            "connection_uri": state["exchange"]["https_uri"],
            "authentication": "basic",
            "username": state["administrator"],
            "password": state["password"],
            "ca_cert": state["ca_file"],
        }

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and wait until it has."""
        self._stop()

    def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError, ControlError):
            if self._control is not None:
                self._control.post("stop")
        asks: tuple[Callable[[], None], ...] = (lambda: None, process.terminate, process.kill)
        for ask in asks:
            ask()
            try:
                process.wait(_PATIENCE)
                break
            except subprocess.TimeoutExpired:
                continue
        self._process = None

    def behave(self, costs: CostModel, *, select_object: bool) -> None:
        """Take this simulated time from now on."""
        self._ask().post("exchange", **asdict(costs), select_object_visible=select_object)

    def reset(self, pop_enabled: float) -> None:
        """Put the organisation back: POP3 is on for this share of the mailboxes, spread evenly; no records."""
        self._ask().post("organisation", pop_enabled=pop_enabled)
        self._ask().post("clear")

    def counters(self) -> Counters:
        """What it did so far."""
        return self._ask().counters()

    def _ask(self) -> ControlClient:
        assert self._control is not None, "it does not run"
        return self._control


def between(before: Counters, after: Counters) -> Served:
    """What was done from one moment to the other."""
    return Served(
        after.http_requests - before.http_requests,
        after.bytes_in - before.bytes_in,
        after.bytes_out - before.bytes_out,
        after.cmdlets - before.cmdlets,
        after.sessions_opened - before.sessions_opened,
        after.cpu_seconds - before.cpu_seconds,
    )
