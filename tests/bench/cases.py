# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases that are measured, and what each is to reach. Sizes are for `--scale 1`."""

from __future__ import annotations

import contextlib
import importlib
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.exchange import SimulatedExchange
from bench.limit import Work, limit
from bench.results import CaseResult, Goal
from bench.runner import Figures, Job, Runner, median, scaled
from bench.watch import Took
from simulator.exchange.behaviour import CostModel
from support.controller import COLLECTIONS, Controller

_DEFINITION = "ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access"
_NO_COSTS = CostModel()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says."""

    scale: float = 1.0
    repeat: int = 1
    sample: int = 50
    """Mailboxes in the runs that would take hours as a whole."""
    whole: bool = False
    select_object: bool = True
    profile: bool = False
    costs: CostModel = field(default_factory=CostModel.of_benchmarks)

    def scaled(self, number: int) -> int:
        """A number of mailboxes."""
        return max(round(number * self.scale), 10)


class Bench:
    """Runs cases. One simulated Exchange at a time; its size changes with the case."""

    def __init__(self, settings: Settings, folder: Path, progress: Callable[[str], None]) -> None:
        """Everything that is written is in the folder, until `close`."""
        self.settings = settings
        self._folder = folder
        self._progress = progress
        self._controller = Controller(folder / "controller")
        self._exchange = contextlib.ExitStack()
        self._size = 0
        self._runner: Runner | None = None
        self._alone: Took | None = None
        self._seconds_a_mailbox: float | None = None
        self.parallel = takes_parallel_sessions()

    def close(self) -> None:
        """Stop what runs and remove what is outside of the folder."""
        self._exchange.close()
        self._controller.close()

    def run(self, name: str) -> CaseResult:
        """Run one case."""
        return CASES[name](self)

    # --- cases ---

    def one(self) -> CaseResult:
        """One mailbox, as it should be: what a task costs that does nothing."""
        runner = self._against(10_000)
        job = Job(runner.exchange.addresses[:1])
        ours: list[Figures] = []
        alone: list[Took] = []
        for _turn in range(max(self.settings.repeat, 5)):  # in turn: a noisy machine is noisy for both
            alone.append(runner.nothing())
            ours.append(runner.ours(job))
        figures = Figures(median([one.took for one in ours]), ours[-1].served)
        base = median(alone)
        least = limit(Work(self._size, 1), self.settings.costs)
        requests = max(one.served.http_requests for one in ours if one.served is not None)
        beyond = statistics.median(one.took.cpu_seconds for one in ours) - base.cpu_seconds
        result = CaseResult("one", "one mailbox, nothing to change", least.seconds)
        result.rows = [figures.row("ours", f"median of {len(ours)}"), Figures(base).row("Ansible alone")]
        result.goals = [
            Goal("HTTP requests", requests, 8),
            Goal("client CPU beyond Ansible's own task", beyond * 1000, 150, " ms"),
        ]
        return result

    def list10k(self) -> CaseResult:
        """Ten thousand mailboxes, all as they should be."""
        result, ours = self._listed("list10k", 10_000, 10_000, 1.0)
        self._seconds_a_mailbox = ours.took.seconds / self.settings.scaled(10_000)
        result.goals = [_times_limit(result, ours, 1.3)]
        return result

    def change10k(self) -> CaseResult:
        """Ten thousand mailboxes, a tenth of them to be changed, four sessions."""
        result, ours = self._listed("change10k", 10_000, 10_000, 0.9, sessions=4)
        result.goals = [_times_limit(result, ours, 1.3)]
        return result

    def loop1k(self) -> CaseResult:
        """A thousand mailboxes, a tenth of them to be changed: against a loop of tasks."""
        result, ours = self._listed("loop1k", 10_000, 1_000, 0.9)
        loop = next(row for row in result.rows if row.what == _LOOP)
        assert result.limit is not None
        result.notes.append(f"at the limit it would be {loop.seconds / result.limit:.0f} times faster than the loop")
        result.goals = [
            Goal("faster than one task for each mailbox", loop.seconds / ours.took.seconds, 50, " times", at_least=True)
        ]
        return result

    def bulk(self) -> CaseResult:
        """The whole organisation in one read, in process, without simulated time: processor time alone."""
        runner = self._against(10_000)
        result = CaseResult("bulk", f"bulk read of {self._size:,}, in process, no simulated time")
        result.notes.append("client CPU is that of all mailboxes; pypsrp's own is scaled from a sample")
        for visible in (True, False):
            runner.exchange.behave(_NO_COSTS, select_object=visible)
            shown = "with Select-Object" if visible else "full records"
            sample = min(self._size, 2000)
            took, found = runner.bulk_read(
                sample=sample,
                select_object=visible,
                repeat=self.settings.repeat,
                profile=self.settings.profile,
            )
            if self.settings.profile:
                sys.stderr.write(took.output)
            for what, each in (("ours", found["ours"]), ("pypsrp's own deserializer", found["general"])):
                cpu = each * self._size
                result.rows.append(Figures(Took(cpu, cpu, 0.0, 0, "")).row(f"{what}, {shown}"))
            result.goals.append(Goal(f"client CPU a mailbox, {shown}", found["ours"] * 1000, 0.25, " ms"))
        runner.exchange.behave(self.settings.costs, select_object=self.settings.select_object)
        return result

    def list100k(self) -> CaseResult:
        """A hundred thousand mailboxes: ten times as many must take ten times as long."""
        result, ours = self._listed("list100k", 100_000, 100_000, 1.0)
        each = self._seconds_a_mailbox
        ratio = None if each is None else ours.took.seconds / self._size / each
        result.goals = [
            Goal("time a mailbox, compared with list10k", ratio, 1.1, " times"),
            Goal("peak memory of the controller", ours.took.peak_mb, 500, " MB"),
        ]
        return result

    # --- what they share ---

    def _listed(
        self, name: str, organisation: int, listed: int, pop_enabled: float, sessions: int = 1
    ) -> tuple[CaseResult, Figures]:
        settings = self.settings
        runner = self._against(organisation)
        number = min(settings.scaled(listed), self._size)
        changes = number - round(number * pop_enabled)
        job = Job(runner.exchange.addresses[:number], pop_enabled, sessions if self.parallel else 1)
        runs = [runner.ours(job) for _turn in range(settings.repeat)]
        ours = Figures(median([one.took for one in runs]), runs[-1].served)
        # The module may use more sessions than it was told to: then that is what it is measured against.
        used = max(sessions, ours.served.sessions if ours.served is not None else 1)
        least = limit(Work(self._size, number, changes, used), settings.costs)
        parallel = f", {used} sessions" if used > 1 else ""
        result = CaseResult(name, f"{number:,} listed, {changes:,} to change{parallel}", least.seconds)
        if sessions > 1 and not self.parallel:
            result.notes.append("this version has no parallel_sessions: ours used one")
        result.rows.append(ours.row("ours", f"of it Ansible alone: {self._ansible(runner).seconds:.2f} s"))
        sample = number if settings.whole else min(settings.sample, number)
        few = Job(job.identities[:sample], pop_enabled)
        note = "" if sample == number else f"scaled from {sample}"
        factor = number / sample
        loop = scaled(runner.task_loop(few), factor, self._ansible(runner))
        result.rows.append(loop.row(_LOOP, note))
        result.rows.append(scaled(runner.round_trips(few), factor).row("one cmdlet at a time, one session", note))
        return result, ours

    def _ansible(self, runner: Runner) -> Took:
        if self._alone is None:
            self._alone = runner.nothing(3)
        return self._alone

    def _against(self, mailboxes: int) -> Runner:
        size = self.settings.scaled(mailboxes)
        if self._runner is None or size != self._size:
            self._exchange.close()
            self._runner, self._size = None, size
            self._progress(f"an organisation of {size:,} mailboxes")
            exchange = self._exchange.enter_context(SimulatedExchange(size, self._folder))
            exchange.behave(self.settings.costs, select_object=self.settings.select_object)
            self._runner = Runner(exchange, self._controller, self._progress)
        return self._runner


_LOOP = "one task for each mailbox"

CASES: dict[str, Callable[[Bench], CaseResult]] = {
    "one": Bench.one,
    "list10k": Bench.list10k,
    "change10k": Bench.change10k,
    "loop1k": Bench.loop1k,
    "bulk": Bench.bulk,
    "list100k": Bench.list100k,
}


def takes_parallel_sessions() -> bool:
    """Whether the module has the option by now."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    return "parallel_sessions" in importlib.import_module(_DEFINITION).POP3_ACCESS.argument_spec


def _times_limit(result: CaseResult, ours: Figures, bound: float) -> Goal:
    assert result.limit is not None
    return Goal("compared with the limit", ours.took.seconds / result.limit, bound, " times")
