# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one piece of work in one of the ways that are compared, proves that it was done, and returns its figures."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.exchange import TESTS, Served, SimulatedExchange, between
from bench.results import Row
from bench.watch import Took, watch
from support.controller import COLLECTIONS, MODULE, Controller

_IDENTITIES = "{{ lookup('ansible.builtin.file', 'mailboxes.txt').splitlines() }}"


class WentWrong(Exception):
    """A run did not do what it was to do: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Job:
    """Mailboxes that are all to have POP3 access; `pop_enabled` is the share that has it before."""

    identities: Sequence[str]
    pop_enabled: float = 1.0
    sessions: int = 1


@dataclass(frozen=True, slots=True)
class Figures:
    """One run, or what many of them come to."""

    took: Took
    served: Served | None = None
    """None for what does not ask Exchange."""

    def row(self, what: str, note: str = "") -> Row:
        """As a row of the table."""
        took, served = self.took, self.served
        if served is None:
            return Row(what, took.seconds, client_cpu=took.cpu_seconds, peak_mb=took.peak_mb or None, note=note)
        return Row(
            what,
            took.seconds,
            served.http_requests,
            (served.bytes_in + served.bytes_out) / 1e6,
            took.cpu_seconds,
            took.peak_mb,
            served.cpu_seconds,
            note,
        )


class Runner:
    """Against one simulated Exchange."""

    def __init__(self, exchange: SimulatedExchange, controller: Controller, progress: Callable[[str], None]) -> None:
        """`progress` is told what is run."""
        self.exchange = exchange
        self._controller = controller
        self._progress = progress

    def ours(self, job: Job) -> Figures:
        """One task of the collection for all mailboxes."""
        options: dict[str, Any] = {"identities": _IDENTITIES, "state": "enabled", **self.exchange.connection}
        if len(job.identities) == 1:
            options |= {"identity": job.identities[0]}
            del options["identities"]
        if job.sessions > 1:
            options["parallel_sessions"] = job.sessions
        return self._proven("ours", job, lambda: self._play({"name": "Task", MODULE: options}))

    def task_loop(self, job: Job) -> Figures:
        """One task of the collection for each mailbox."""
        options = {"identity": "{{ item }}", "state": "enabled", **self.exchange.connection}
        task = {"name": "Task", MODULE: options, "loop": _IDENTITIES}
        return self._proven("one task for each mailbox", job, lambda: self._play(task))

    def round_trips(self, job: Job) -> Figures:
        """One session, and one cmdlet at a time for each mailbox."""
        figures = self._proven(
            "one cmdlet at a time", job, lambda: self._client("round_trips", identities=list(job.identities))
        )
        # Without the start of Python, which would be multiplied where the run is a sample.
        return Figures(_replaced(figures.took, **_answer(figures.took)), figures.served)

    def nothing(self, runs: int = 1) -> Took:
        """Ansible by itself: the same play with a task that does nothing."""
        self._progress("Ansible alone")
        return median([self._play({"name": "Task", "ansible.builtin.debug": {"msg": "x"}}) for _turn in range(runs)])

    def bulk_read(self, *, sample: int, select_object: bool, repeat: int, profile: bool) -> tuple[Took, dict[str, Any]]:
        """See `clients.bulk_read`."""
        self._progress(f"bulk read in process, Select-Object {'visible' if select_object else 'not visible'}")
        took = self._client(
            "bulk_read",
            identity=self.exchange.addresses[0],
            mailboxes=self.exchange.mailboxes,
            sample=sample,
            select_object=select_object,
            repeat=repeat,
            profile=profile,
        )
        if took.returncode:
            raise WentWrong(took.output)
        return took, _answer(took)

    def _proven(self, what: str, job: Job, run: Callable[[], Took]) -> Figures:
        number = len(job.identities)
        self._progress(f"{what}, {number:,} mailbox{'es' if number > 1 else ''}")
        self._list(job.identities)
        self.exchange.reset(job.pop_enabled)
        before = self.exchange.counters()
        took = run()
        after = self.exchange.counters()
        # The listed ones are the first of the organisation, and the share is the same among them.
        expected = before.pop_enabled + number - round(number * job.pop_enabled)
        if took.returncode or after.pop_enabled != expected or after.sessions_open:
            raise WentWrong(
                f"{what}: exit code {took.returncode}, {after.pop_enabled} of {expected} have access, "
                f"{after.sessions_open} sessions were left open.\n{took.output[-4000:]}"
            )
        return Figures(took, between(before, after))

    def _list(self, identities: Sequence[str]) -> None:
        (self._controller.folder / "mailboxes.txt").write_text("\n".join(identities) + "\n", "utf-8")

    def _play(self, task: Mapping[str, Any]) -> Took:
        play = {"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
        took = watch(lambda: self._controller.start_play([play]))
        if took.returncode:
            raise WentWrong(took.output[-4000:])
        return took

    def _client(self, name: str, **options: Any) -> Took:
        paths = (str(TESTS), str(COLLECTIONS))
        folder = self._controller.folder
        given = folder / "options.json"
        given.write_text(json.dumps({"connection": self.exchange.connection, **options}), "utf-8")

        def start() -> subprocess.Popen[str]:
            with given.open("rb") as stdin:
                return subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-m", "bench.clients", name],
                    cwd=folder,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )

        return watch(start)


def _answer(took: Took) -> dict[str, Any]:
    """What a client wrote; its standard error stream comes behind that."""
    answer: dict[str, Any] = json.JSONDecoder().raw_decode(took.output)[0]
    return answer


def scaled(figures: Figures, factor: float, alone: Took | None = None) -> Figures:
    """What a sample comes to with `factor` times as many mailboxes; `alone` is what does not grow with them."""
    fixed_seconds, fixed_cpu = (0.0, 0.0) if alone is None else (alone.seconds, alone.cpu_seconds)
    took, served = figures.took, figures.served
    more = _replaced(
        took,
        seconds=fixed_seconds + max(took.seconds - fixed_seconds, 0.0) * factor,
        cpu_seconds=fixed_cpu + max(took.cpu_seconds - fixed_cpu, 0.0) * factor,
    )
    if served is None:
        return Figures(more)
    return Figures(
        more,
        Served(
            round(served.http_requests * factor),
            round(served.bytes_in * factor),
            round(served.bytes_out * factor),
            round(served.cmdlets * factor),
            round(served.sessions * factor),
            served.cpu_seconds * factor,
        ),
    )


def median(runs: Sequence[Took]) -> Took:
    """The middle of several runs, each figure by itself."""
    return Took(
        statistics.median(one.seconds for one in runs),
        statistics.median(one.cpu_seconds for one in runs),
        statistics.median(one.peak_mb for one in runs),
        max(one.returncode for one in runs),
        runs[-1].output,
    )


def _replaced(took: Took, *, seconds: float, cpu_seconds: float) -> Took:
    return Took(seconds, cpu_seconds, took.peak_mb, took.returncode, took.output)
