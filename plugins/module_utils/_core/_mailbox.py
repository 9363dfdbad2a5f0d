# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection knows of a mailbox: who it is, and how POP3 is set for it. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Reason(StrEnum):
    """Why a mailbox that was asked for is not as declared; the values of ``failures[].reason``."""

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


@dataclass(frozen=True, slots=True)
class Pop3Settings:
    """How POP3 is set for one mailbox; the fields are Exchange's properties of a CAS mailbox in snake case."""

    pop_enabled: bool


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox as Exchange described it. The ``guid`` names it for good: names and addresses can be reused."""

    guid: UUID
    name: str
    primary_smtp_address: str
    server: str
    settings: Pop3Settings


Finding = Mailbox | Failure
"""What looking for one identity gave."""
