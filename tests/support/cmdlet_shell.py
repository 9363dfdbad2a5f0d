# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cmdlet of the simulator, run without the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from simulator import MAIL_RECIPIENTS, ExchangeBehaviour, Organisation, User, sample_organisation
from simulator.exchange.cmdlets import Cmdlet, Command, CommandTable, Session, Statement
from simulator.exchange.errors import ErrorRecord
from simulator.exchange.values import Record


@dataclass
class CmdletShell:
    """Runs one cmdlet for a user with these roles, and keeps what it writes."""

    cmdlets: ClassVar[Sequence[Cmdlet]]

    organisation: Organisation = field(default_factory=sample_organisation)
    behaviour: ExchangeBehaviour = field(default_factory=ExchangeBehaviour)
    roles: frozenset[str] = frozenset({MAIL_RECIPIENTS})
    records: list[Record] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def output(self, record: Record) -> None:
        self.records.append(record)

    def error(self, record: ErrorRecord) -> None:
        self.errors.append(record)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def run(self, cmdlet: str, **parameters: object) -> Self:
        """Run it, and return a shell with what it wrote."""
        shell = replace(self, records=[], errors=[], warnings=[])
        controller = self.organisation.domain_controllers[0]
        user = User("admin", "", self.roles)
        session = Session(self.organisation, self.behaviour, user, "shell", controller, "MBX01")
        command = Command(cmdlet, tuple(parameters.items()))
        Statement([command], CommandTable(self.cmdlets), session, shell, lambda _: None, has_input=False).process()
        return shell
