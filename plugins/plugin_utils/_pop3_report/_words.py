# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in words: the one sentence that answers the question, the verdict, the settings in short, the date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ._model import Report, ReportError, Row, Settings, Verdict

NOBODY_DECLARED = "Nobody has declared who should."
AS_DECLARED = "Exactly as declared"
NOT_AS_DECLARED = "Not as declared"

_NAMED = 5
"""How many names of each kind a message has; the page has all."""


class Kind(StrEnum):
    """The kinds of drift."""

    UNEXPECTED = "unexpected"
    MISSING = "missing"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of drift that there is: who, and what of them, as in "3" and "should not have it"."""

    kind: Kind
    names: tuple[str, ...]
    says: str

    @property
    def number(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        return f"{count(self.number)} {self.says}"


def count(number: int) -> str:
    """`20,000`."""
    return f"{number:,}"


def headline(report: Report) -> tuple[str, str]:
    """Return the number that matters and what it is about: "23" and "of 5,000 mailboxes can be read over POP3"."""
    total, enabled = report.total, report.enabled
    where = " in this scope" if report.about.is_limited else ""
    if total == 0:
        return "No", f"mailbox is in {'this scope' if where else 'this organisation'}"
    noun = "mailbox" if total == 1 else "mailboxes"
    if enabled == 0:
        return "None", f"of {count(total)} {noun}{where} can be read over POP3"
    return count(enabled), f"of {count(total)} {noun}{where} can be read over POP3"


def findings(report: Report) -> list[Finding]:
    """Return what is not as declared, the gravest first."""
    missing = tuple(_who(row) for row in report.missing)
    has = "has" if len(missing) == 1 else "have"
    found = [
        Finding(Kind.UNEXPECTED, tuple(_who(row) for row in report.unexpected), "should not have it"),
        Finding(Kind.MISSING, missing, f"should have it and {has} not"),
        _unresolved(report, "not_found", "no mailbox"),
        _unresolved(report, "ambiguous", "several mailboxes"),
    ]
    return [finding for finding in found if finding.names]


def _unresolved(report: Report, reason: str, matches: str) -> Finding:
    names = tuple(f"'{item.identity}'" for item in report.unresolved if item.reason == reason)
    return Finding(Kind.UNRESOLVED, names, f"declared {'name matches' if len(names) == 1 else 'names match'} {matches}")


def verdict(report: Report) -> str:
    """Return the verdict as one sentence for the terminal, with names."""
    if not report.has_list:
        return f"{NOBODY_DECLARED} Give pop3_report_declared to have that compared."
    if report.is_as_declared:
        return f"{AS_DECLARED}."
    return f"{NOT_AS_DECLARED}: {'; '.join(f'{finding} ({_some(finding.names)})' for finding in findings(report))}."


def _who(row: Row) -> str:
    return row.primary_smtp_address or row.name


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {count(len(names) - _NAMED)} more" if len(names) > _NAMED else shown


VERDICTS = {
    Verdict.UNEXPECTED: "Should not have it",
    Verdict.MISSING: "Should have it",
    Verdict.AS_DECLARED: "As declared",
}


def settings(values: Settings) -> str:
    """Return how POP3 is set, in short."""
    if values.pop_use_protocol_defaults is None:
        return ""
    if values.pop_use_protocol_defaults:
        return "Server defaults"
    own = [
        values.pop_messages_retrieval_mime_format or "",
        "exact size" if values.pop_enable_exact_rfc822_size else "",
        "no read receipts" if values.pop_suppress_read_receipt else "",
        "iCalendar" if values.pop_force_ical_for_calendar_retrieval_option else "",
    ]
    return ", ".join(part for part in own if part)


def moment(made_at: str) -> str:
    """`2026-11-24T21:30:00Z` as `24 November 2026, 21:30 UTC`."""
    try:
        at = datetime.fromisoformat(made_at)
    except ValueError:
        raise ReportError(f"made_at is '{made_at}', and not a time such as 2026-11-24T21:30:00Z.") from None
    if at.tzinfo is None:
        raise ReportError(f"made_at is '{made_at}' and does not say in which time zone; end it with Z for UTC.")
    at = at.astimezone(UTC)
    # Not strftime's %B: that is in the language of the controller, and the page is in English.
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
