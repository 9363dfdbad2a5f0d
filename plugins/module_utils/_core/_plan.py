# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was declared and what was observed to the changes that are needed. Pure: no I/O, no Ansible, no PSRP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from ._mailbox import Finding, Mailbox, MimeFormat, Pop3Settings, WantedSettings


@dataclass(frozen=True, slots=True)
class Observation:
    """One mailbox that is asked for: as the user named it, what was found, and what is declared for it."""

    identity: str
    finding: Finding
    wanted: WantedSettings


@dataclass(frozen=True, slots=True)
class Change:
    """A mailbox that is not yet as declared, and what it has to become."""

    mailbox: Mailbox
    wanted: WantedSettings

    @property
    def guid(self) -> UUID:
        """The mailbox's."""
        return self.mailbox.guid

    @property
    def noun(self) -> str:
        """What is changed, for messages."""
        return "mailbox"

    @property
    def before(self) -> Pop3Settings:
        """What the mailbox was found with."""
        return self.mailbox.settings

    def is_met_by(self, settings: Pop3Settings) -> bool:
        """Whether a mailbox with these settings is as declared."""
        return not self.wanted.missing_in(settings)

    @property
    def missing(self) -> dict[str, bool | MimeFormat]:
        """The settings that have to be sent, by field."""
        return self.wanted.missing_in(self.mailbox.settings)

    @property
    def after(self) -> Pop3Settings:
        """What the mailbox has when the change is made."""
        return self.wanted.applied_to(self.mailbox.settings)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every identity asked for, in the order asked, and the changes: one per mailbox, in the order first met."""

    observations: tuple[Observation, ...]
    changes: tuple[Change, ...]


def plan(observations: Iterable[Observation]) -> Plan:
    """Two identities that name the same mailbox give one change; one that names none gives none.

    Looked at twice, a mailbox can look different (two domain controllers, or another administrator): if it was not as
    wanted at any look, it is changed.
    """
    asked = tuple(observations)
    changes: dict[UUID, Change] = {}
    for observation in asked:
        found = observation.finding
        if isinstance(found, Mailbox) and observation.wanted.missing_in(found.settings):
            changes.setdefault(found.guid, Change(found, observation.wanted))
    return Plan(asked, tuple(changes.values()))
