# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as plain data, which is the JSON file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ._build import row_from
from ._model import FORMAT, About, Report, ReportError, Row, Tally, Unresolved, Verdict
from ._plain import mapping, optional_text, sequence, text, truth


def to_data(report: Report) -> dict[str, Any]:
    """Return what the JSON file has."""
    about = report.about
    return {
        "format": FORMAT,
        "title": about.title,
        "made_at": about.made_at,
        "exchange": {
            "connection_uri": about.connection_uri,
            "inventory_hostname": about.inventory_hostname,
            "domain_controller": about.domain_controller,
        },
        "scope": {"filter": about.filter, "organizational_unit": about.organizational_unit},
        "counts": {
            "total": report.total,
            "enabled": report.enabled,
            "disabled": report.total - report.enabled,
        },
        "drift": _drift(report),
        "by_server": [_tally(tally, report) for tally in report.by_server],
        "by_organizational_unit": [_tally(tally, report) for tally in report.by_organizational_unit],
        "mailboxes": [_mailbox(row, report) for row in report.rows],
    }


def from_data(data: object) -> Report:
    """Read what `to_data` returned."""
    whole = mapping(data, "the report")
    if whole.get("format") != FORMAT:
        raise ReportError(
            f"This is not a report of the format {FORMAT}: its 'format' is {whole.get('format')!r}. "
            "Give what the filter mailops.exchange.pop3_report returned."
        )
    try:
        return _report(whole)
    except ReportError:
        raise
    except (KeyError, ValueError) as exc:
        raise ReportError(
            f"This report cannot be read, because of {exc}: it was changed by hand, or another version of this "
            "collection made it. Give what the filter mailops.exchange.pop3_report returned."
        ) from exc


def _report(whole: Mapping[str, Any]) -> Report:
    exchange, scope = mapping(whole["exchange"], "exchange"), mapping(whole["scope"], "scope")
    about = About(
        title=text(whole, "title"),
        made_at=text(whole, "made_at"),
        connection_uri=optional_text(exchange["connection_uri"]),
        inventory_hostname=optional_text(exchange["inventory_hostname"]),
        domain_controller=optional_text(exchange["domain_controller"]),
        filter=optional_text(scope["filter"]),
        organizational_unit=optional_text(scope["organizational_unit"]),
    )
    rows = tuple(_row(mapping(item, "a mailbox")) for item in sequence(whole["mailboxes"], "mailboxes"))
    if whole["drift"] is None:
        return Report(about, rows)
    drift = mapping(whole["drift"], "drift")
    unresolved = (mapping(item, "an unresolved identity") for item in sequence(drift["unresolved"], "unresolved"))
    return Report(
        about,
        rows,
        int(drift["declared"]),
        tuple(Unresolved(text(item, "identity"), text(item, "reason"), text(item, "msg")) for item in unresolved),
    )


def _drift(report: Report) -> dict[str, Any] | None:
    if not report.has_list:
        return None
    return {
        "as_declared": report.is_as_declared,
        "declared": report.declared,
        "counts": {
            Verdict.UNEXPECTED.value: len(report.unexpected),
            Verdict.MISSING.value: len(report.missing),
            "unresolved": len(report.unresolved),
        },
        "unresolved": [asdict(item) for item in report.unresolved],
    }


def _tally(tally: Tally, report: Report) -> dict[str, Any]:
    counts = {"name": tally.name, "total": tally.total, "enabled": tally.enabled}
    return counts | ({Verdict.UNEXPECTED.value: tally.unexpected} if report.has_list else {})


def _mailbox(row: Row, report: Report) -> dict[str, Any]:
    """The same keys as in exchange_pop3_access_info, and what the list says."""
    return {
        "name": row.name,
        "guid": row.guid,
        "primary_smtp_address": row.primary_smtp_address,
        "server": row.server,
        "organizational_unit": row.organizational_unit,
        "pop_enabled": row.pop_enabled,
        **asdict(row.settings),
        "in_scope": row.in_scope,
        "declared": bool(row.declared_as) if report.has_list else None,
        "declared_as": list(row.declared_as),
        "verdict": row.verdict.value if row.verdict else None,
    }


def _row(mailbox: Mapping[str, Any]) -> Row:
    verdict = optional_text(mailbox["verdict"])
    return replace(
        row_from(mailbox),
        in_scope=truth(mailbox, "in_scope"),
        declared_as=tuple("".join(name) for name in sequence(mailbox["declared_as"], "declared_as")),
        verdict=Verdict(verdict) if verdict else None,
    )
