# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated time: what is charged, how often, and that the sum is right. On a clock that stands still by itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import MAIL_RECIPIENTS, CostModel, ExchangeBehaviour, Users, sample_organisation
from simulator.exchange.cas_mailbox import CAS_MAILBOX_CMDLETS
from simulator.exchange.cmdlets import Command, CommandTable, Session, Statement
from simulator.exchange.errors import ErrorRecord
from simulator.exchange.pace import QUANTUM, Pace
from simulator.exchange.values import Record

COSTS = CostModel(per_cmdlet=1000, per_identity_lookup=100, per_bulk_object=10, per_set=1)
GET, SET = "Get-CASMailbox", "Set-CASMailbox"


class Clock:
    """Goes on only when somebody waits; every wait takes `late` too long."""

    def __init__(self, late: float = 0.0) -> None:
        self.now = 0.0
        self.waits = 0
        self._late = late

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.now += seconds + self._late


@given(st.lists(st.sampled_from([0.0, 0.0005, 0.001, 0.004, 0.04]), max_size=300), st.sampled_from([0.0, 0.0001, 0.03]))
def test_the_sum_is_right_however_late_each_wait_is(costs: list[float], late: float) -> None:
    clock = Clock(late)
    pace = Pace(clock.wait, clock)
    for seconds in costs:
        pace.spend(seconds)
    pace.settle()
    assert sum(costs) - 1e-9 <= clock.now <= sum(costs) + late + 1e-9


def test_small_costs_are_waited_for_together() -> None:
    clock = Clock()
    pace = Pace(clock.wait, clock)
    for _turn in range(1000):
        pace.spend(0.001)
    pace.settle()
    assert clock.now == pytest.approx(1.0)
    assert clock.waits <= 1.0 / QUANTUM + 1


def test_the_simulators_own_work_counts_and_waiting_for_input_does_not() -> None:
    clock = Clock()
    pace = Pace(clock.wait, clock)
    pace.spend(0.1)
    clock.now += 0.06  # work of its own
    pace.spend(0.1)
    pace.settle()
    assert clock.now == pytest.approx(0.2)
    clock.now += 5  # nothing to do
    pace.resume()
    pace.spend(0.1)
    pace.settle()
    assert clock.now == pytest.approx(5.3)


class Ledger:
    """The streams of a statement, and what it spent."""

    def __init__(self) -> None:
        self.spent = 0.0
        self.records = 0
        self.failures: list[str] = []

    def spend(self, seconds: float) -> None:
        self.spent += seconds

    def output(self, record: Record) -> None:
        self.records += bool(record.properties)

    def error(self, record: ErrorRecord) -> None:
        self.failures.append(record.error_id)

    def warning(self, text: str) -> None:
        assert text


def run(commands: Sequence[Command], *inputs: str) -> Ledger:
    organisation = sample_organisation()
    user = Users().add("admin", "", MAIL_RECIPIENTS)
    behaviour = ExchangeBehaviour(COSTS, select_object_visible=True)
    session = Session(organisation, behaviour, user, "shell", organisation.domain_controllers[0], "MBX01")
    ledger = Ledger()
    table = CommandTable(CAS_MAILBOX_CMDLETS)
    statement = Statement(commands, table, session, ledger, ledger.spend, has_input=bool(inputs))
    statement.begin()
    for one in inputs:
        statement.process(one)
    if not inputs:
        statement.process()
    statement.end()
    return ledger


def get(**parameters: object) -> Command:
    return Command(GET, tuple(parameters.items()))


SELECT = Command("Select-Object", (("Property", ["Guid", "PopEnabled"]),))
TURN_ON = Command(SET, (("PopEnabled", True),))


@pytest.mark.parametrize(
    ("commands", "inputs", "spent", "records"),
    [
        ([get(Identity="jsmith")], (), 1100, 1),
        ([get()], ("jsmith", "pcolon", "jane"), 1300, 3),
        ([get(), SELECT], ("jsmith", "pcolon", "jane"), 1300, 3),  # Select-Object asks nobody
        ([get()], ("jsmith", "nobody"), 1200, 1),  # looked up in vain
        ([get()], (), 1100, 10),  # ten of a listing
        ([get(ResultSize=3)], (), 1030, 3),
        ([TURN_ON], ("jsmith", "support", "pcolon"), 1302, 0),  # the third had it already
        ([get(OrganizationalUnit="Berlin"), TURN_ON], (), 2110, 0),
    ],
)
def test_what_is_charged(commands: list[Command], inputs: tuple[str, ...], spent: float, records: int) -> None:
    ledger = run(commands, *inputs)
    assert (ledger.spent, ledger.records) == (spent, records)


def test_the_costs_of_benchmarks() -> None:
    costs = CostModel.of_benchmarks()
    assert (costs.round_trip, costs.per_cmdlet, costs.per_identity_lookup) == (0.020, 0.030, 0.004)
    assert (costs.per_bulk_object, costs.per_set) == (0.001, 0.040)
