# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of all mailboxes: its controls, its empty body, and its rows as JSON, which the script shows in pages."""

from __future__ import annotations

from typing import Any

from ._escape import escaped, json_block
from ._model import Report, Row, Verdict
from ._words import VERDICTS, settings

_COLUMNS = (
    ("name", "Mailbox"),
    ("mail", "E-mail"),
    ("pop3", "POP3"),
    ("verdict", "Verdict"),
    ("server", "Server"),
    ("unit", "Organizational unit"),
    ("settings", "POP3 settings"),
)
_PAGE_SIZES = (25, 50, 100, 250)


def table(report: Report, csv_name: str) -> str:
    """Return the section with the table. It is hidden until the script has filled it."""
    columns = [(key, label) for key, label in _COLUMNS if key != "verdict" or report.has_list]
    head = "".join(
        f'<th scope="col" role="columnheader" data-key="{key}" aria-sort="none">'
        f'<button type="button" data-sort="{key}">{label}<span class="arrow" aria-hidden="true"></span></button>'
        f'<span class="on-paper">{label}</span></th>'
        for key, label in columns
    )
    return (
        '<section class="all" aria-labelledby="all"><h2 id="all" tabindex="-1">All mailboxes</h2>'
        f"<noscript><p>The table needs JavaScript. {escaped(csv_name)} has every mailbox.</p></noscript>"
        f'<div id="explorer" hidden>{_controls(report)}'
        '<div class="bar-of-table"><p id="matching" role="status" aria-live="polite"></p>'
        f"{_pager('top')}</div>"
        '<table id="mailboxes" role="table" aria-labelledby="all" aria-describedby="matching"><thead role="rowgroup">'
        f'<tr role="row">{head}</tr></thead>'
        '<tbody role="rowgroup"></tbody></table>'
        f'<div class="bar-of-table below">{_sizes()}{_pager("bottom")}</div></div></section>'
        f'<script type="application/json" id="data">{json_block(data_for_script(report))}</script>'
    )


def data_for_script(report: Report) -> dict[str, Any]:
    """Return the rows in little space: each server, unit, setting and verdict once, and its number in the rows."""
    servers, units, ways = _Numbers(), _Numbers(), _Numbers()
    verdicts = list(Verdict)
    rows = [
        [
            row.name,
            row.primary_smtp_address,
            int(row.pop_enabled),
            verdicts.index(row.verdict) if row.verdict else -1,
            servers.of(row.server),
            units.of(row.organizational_unit),
            ways.of(settings(row.settings)),
            _note(row),
        ]
        for row in report.rows
    ]
    return {
        "declared": report.has_list,
        "verdicts": [[verdict.value, VERDICTS[verdict]] for verdict in verdicts],
        "servers": servers.values,
        "units": units.values,
        "settings": ways.values,
        "rows": rows,
    }


class _Numbers:
    """Numbers texts in the order in which they first come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, value: str) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    @property
    def values(self) -> list[str]:
        return list(self._numbers)


def _note(row: Row) -> str:
    """What else a reader has to know of a mailbox; empty for nearly all."""
    notes = [] if row.in_scope else ["declared, outside the scope"]
    if len(row.declared_as) > 1:
        notes.append(f"declared as {' and as '.join(row.declared_as)}")
    return "; ".join(notes)


def _controls(report: Report) -> str:
    verdicts = [("drift", "Not as declared"), *((verdict.value, says) for verdict, says in VERDICTS.items())]
    selects = [
        _select("pop3", "POP3", [("1", "On"), ("0", "Off")]),
        _select("verdict", "Verdict", verdicts) if report.has_list else "",
        _select("server", "Server", []),
        _select("unit", "Organizational unit", []),
    ]
    return (
        '<div class="controls" role="search" aria-label="Filter the table">'
        '<p class="field wide"><label for="find">Find</label>'
        '<input id="find" type="search" autocomplete="off" spellcheck="false" '
        'placeholder="Name, address, server or unit"></p>'
        f'{"".join(selects)}<p class="field"><button type="button" id="reset">Show all</button></p></div>'
    )


def _select(name: str, label: str, options: list[tuple[str, str]]) -> str:
    listed = "".join(f'<option value="{escaped(value)}">{escaped(says)}</option>' for value, says in options)
    return (
        f'<p class="field"><label for="by-{name}">{label}</label>'
        f'<select id="by-{name}"><option value="">All</option>{listed}</select></p>'
    )


def _pager(where: str) -> str:
    buttons = [
        ("first", "First", "«"),
        ("previous", "Previous", "\u2039"),
        ("next", "Next", "\u203a"),
        ("last", "Last", "»"),
    ]
    made = [
        f'<button type="button" data-page="{name}" aria-label="{label} page">{sign}</button>'
        for name, label, sign in buttons
    ]
    made.insert(2, '<span class="position"></span>')
    return f'<nav class="pager" data-where="{where}" aria-label="Pages, {where} of the table">{"".join(made)}</nav>'


def _sizes() -> str:
    options = "".join(f"<option{' selected' if size == 50 else ''}>{size}</option>" for size in _PAGE_SIZES)
    return f'<p class="field inline"><label for="size">Rows on a page</label><select id="size">{options}</select></p>'
