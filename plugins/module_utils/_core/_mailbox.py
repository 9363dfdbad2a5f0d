# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection knows of a mailbox: who it is, and how POP3 is set for it. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID


class Reason(StrEnum):
    """Why a mailbox or a server that was asked for is not as declared; the values of ``failures[].reason``."""

    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    ACCESS_DENIED = "access_denied"
    NOT_KEPT = "not_kept"
    UNCONFIRMED = "unconfirmed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why, for the program (``reason``) and for the person (``msg``, one or two whole sentences)."""

    reason: Reason
    msg: str


class MimeFormat(StrEnum):
    """How messages are handed out over POP3: the names that Exchange has, in the order of its numbers from 0."""

    TEXT_ONLY = "TextOnly"
    HTML_ONLY = "HtmlOnly"
    HTML_AND_TEXT_ALTERNATIVE = "HtmlAndTextAlternative"
    TEXT_ENRICHED_ONLY = "TextEnrichedOnly"
    TEXT_ENRICHED_AND_TEXT_ALTERNATIVE = "TextEnrichedAndTextAlternative"
    BEST_BODY_FORMAT = "BestBodyFormat"
    TNEF = "Tnef"


@dataclass(frozen=True, slots=True)
class Pop3Settings:
    """How POP3 is set for one mailbox; the fields are Exchange's properties of a CAS mailbox in snake case.

    ``None`` is a setting that this Exchange does not have: not every version has all of them.
    """

    pop_enabled: bool
    pop_use_protocol_defaults: bool | None = None
    pop_messages_retrieval_mime_format: MimeFormat | None = None
    pop_enable_exact_rfc822_size: bool | None = None
    pop_suppress_read_receipt: bool | None = None
    pop_force_ical_for_calendar_retrieval_option: bool | None = None


@dataclass(frozen=True, slots=True)
class WantedSettings:
    """What is declared for a mailbox: the same fields, and ``None`` is what is left as it is."""

    pop_enabled: bool
    pop_use_protocol_defaults: bool | None = None
    pop_messages_retrieval_mime_format: MimeFormat | None = None
    pop_enable_exact_rfc822_size: bool | None = None
    pop_suppress_read_receipt: bool | None = None
    pop_force_ical_for_calendar_retrieval_option: bool | None = None

    def missing_in(self, settings: Pop3Settings) -> dict[str, bool | MimeFormat]:
        """Return what a mailbox with these settings still lacks, by field."""
        declared = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in declared if value is not None and value != getattr(settings, name)}

    def applied_to(self, settings: Pop3Settings) -> Pop3Settings:
        """Return what a mailbox with these settings becomes."""
        return replace(settings, **self.missing_in(settings))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox as Exchange described it. The ``guid`` names it for good: names and addresses can be reused."""

    guid: UUID
    name: str
    primary_smtp_address: str
    server: str
    settings: Pop3Settings
    organizational_unit: str = ""


Finding: TypeAlias = "Mailbox | Failure"
"""What looking for one identity gave."""
