# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report knows: each mailbox with its verdict, how many, where, and what is not as declared. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

FORMAT = 1
"""The version of the JSON file. A key that is added does not raise it; one that changes or goes does."""


class ReportError(ValueError):
    """No report can be made of what was given; the text says why and what to do."""


class Verdict(StrEnum):
    """What the declared list says of a mailbox."""

    UNEXPECTED = "should_not_have_it"
    MISSING = "should_have_it"
    AS_DECLARED = "as_declared"


@dataclass(frozen=True, slots=True)
class Settings:
    """How POP3 is set for one mailbox; ``None`` is what this Exchange does not have."""

    pop_use_protocol_defaults: bool | None = None
    pop_messages_retrieval_mime_format: str | None = None
    pop_enable_exact_rfc822_size: bool | None = None
    pop_suppress_read_receipt: bool | None = None
    pop_force_ical_for_calendar_retrieval_option: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One mailbox. ``verdict`` is ``None`` where nobody declared anything."""

    guid: str
    name: str
    primary_smtp_address: str
    server: str
    organizational_unit: str
    pop_enabled: bool
    settings: Settings
    in_scope: bool = True
    declared_as: tuple[str, ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A declared identity that names no mailbox, or more than one."""

    identity: str
    reason: str
    msg: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mailboxes of the scope are on one server or in one organizational unit, and how many have POP3."""

    name: str
    total: int
    enabled: int
    unexpected: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """Where the report comes from."""

    title: str
    made_at: str
    connection_uri: str | None = None
    inventory_hostname: str | None = None
    domain_controller: str | None = None
    filter: str | None = None
    organizational_unit: str | None = None

    @property
    def is_limited(self) -> bool:
        """Only a part of the organisation was asked for."""
        return bool(self.filter or self.organizational_unit)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page, the CSV and the JSON show. ``declared`` is the number of declared identities."""

    about: About
    rows: tuple[Row, ...]
    declared: int | None = None
    unresolved: tuple[Unresolved, ...] = ()

    @property
    def has_list(self) -> bool:
        return self.declared is not None

    @property
    def in_scope(self) -> Iterator[Row]:
        return (row for row in self.rows if row.in_scope)

    @property
    def total(self) -> int:
        return sum(1 for _row in self.in_scope)

    @property
    def enabled(self) -> int:
        return sum(1 for row in self.in_scope if row.pop_enabled)

    @property
    def unexpected(self) -> list[Row]:
        """Who can read mail over POP3 and should not."""
        return [row for row in self.rows if row.verdict is Verdict.UNEXPECTED]

    @property
    def missing(self) -> list[Row]:
        """Who should be able to and is not."""
        return [row for row in self.rows if row.verdict is Verdict.MISSING]

    @property
    def is_as_declared(self) -> bool | None:
        """``None``: nobody declared anything."""
        if not self.has_list:
            return None
        return not (self.unexpected or self.missing or self.unresolved)

    @property
    def by_server(self) -> list[Tally]:
        return _tallies(self.in_scope, lambda row: row.server)

    @property
    def by_organizational_unit(self) -> list[Tally]:
        return _tallies(self.in_scope, lambda row: row.organizational_unit)


def _tallies(rows: Iterable[Row], key: Callable[[Row], str]) -> list[Tally]:
    """Count by ``key``. Where most can be read over POP3 comes first."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    tallies = [
        Tally(
            name,
            total=len(members),
            enabled=sum(1 for row in members if row.pop_enabled),
            unexpected=sum(1 for row in members if row.verdict is Verdict.UNEXPECTED),
        )
        for name, members in groups.items()
    ]
    return sorted(tallies, key=lambda tally: (-tally.enabled, -tally.total, tally.name.casefold(), tally.name))
