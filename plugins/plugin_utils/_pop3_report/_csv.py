# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as CSV: one line for each mailbox, then one for each declared name that is none."""

from __future__ import annotations

import csv
import io

from ._escape import csv_cell
from ._model import Report, Row, Unresolved

_BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets take UTF-8 for something else
COLUMNS = (
    "name",
    "primary_smtp_address",
    "pop_enabled",
    "declared",
    "verdict",
    "declared_as",
    "server",
    "organizational_unit",
    "in_scope",
    "pop_use_protocol_defaults",
    "pop_messages_retrieval_mime_format",
    "pop_enable_exact_rfc822_size",
    "pop_suppress_read_receipt",
    "pop_force_ical_for_calendar_retrieval_option",
    "guid",
)


def to_csv(report: Report) -> str:
    """Return RFC 4180 with a byte order mark. ``verdict`` of a declared name that is no mailbox is its reason."""
    out = io.StringIO()
    out.write(_BYTE_ORDER_MARK)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in report.rows:
        writer.writerow(_cells(_line(row, report)))
    for item in report.unresolved:
        writer.writerow(_cells(_line_without_mailbox(item)))
    return out.getvalue()


def _line(row: Row, report: Report) -> dict[str, str | bool | None]:
    return {
        "name": row.name,
        "primary_smtp_address": row.primary_smtp_address,
        "pop_enabled": row.pop_enabled,
        "declared": bool(row.declared_as) if report.has_list else None,
        "verdict": row.verdict.value if row.verdict else None,
        "declared_as": "; ".join(row.declared_as),
        "server": row.server,
        "organizational_unit": row.organizational_unit,
        "in_scope": row.in_scope,
        "pop_use_protocol_defaults": row.settings.pop_use_protocol_defaults,
        "pop_messages_retrieval_mime_format": row.settings.pop_messages_retrieval_mime_format,
        "pop_enable_exact_rfc822_size": row.settings.pop_enable_exact_rfc822_size,
        "pop_suppress_read_receipt": row.settings.pop_suppress_read_receipt,
        "pop_force_ical_for_calendar_retrieval_option": row.settings.pop_force_ical_for_calendar_retrieval_option,
        "guid": row.guid,
    }


def _line_without_mailbox(item: Unresolved) -> dict[str, str | bool | None]:
    return {"declared": True, "verdict": item.reason, "declared_as": item.identity}


def _cells(line: dict[str, str | bool | None]) -> list[str]:
    return [_cell(line.get(column)) for column in COLUMNS]


def _cell(value: str | bool | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else csv_cell(value)
