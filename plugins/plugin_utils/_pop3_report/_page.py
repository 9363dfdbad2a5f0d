# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: one HTML file that asks nobody for anything, and in which nothing but its own script may run.

The summary, the drift and the charts are made here, so that they are there without JavaScript too.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from ._charts import charts
from ._escape import breakable, csp_hash, escaped, isolated, raw_text
from ._model import Report, Row, Unresolved
from ._table import table
from ._words import AS_DECLARED, NOBODY_DECLARED, NOT_AS_DECLARED, Kind, count, findings, headline, moment

_LISTED = 25
"""How many mailboxes of one kind of drift are listed above the table; the table has all."""

_SIGNS = {
    "ok": '<path d="M3 8.5l3.5 3.5L13 4.5"/>',
    Kind.UNEXPECTED: '<path d="M4 4l8 8M12 4l-8 8"/>',
    Kind.MISSING: '<circle cx="8" cy="8" r="5.5"/>',
    Kind.UNRESOLVED: '<path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.8-1.1 1.8M8 12.6v.4"/>',
}


def page(report: Report, *, css: str, js: str, csv_name: str, json_name: str) -> str:
    """Return the page. ``css`` and ``js`` are its style and its script; the names are those of the files beside it."""
    style, script = raw_text("style", css), raw_text("script", js)
    return "".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n',
            _head(report, style, script),
            '<body>\n<a class="skip" href="#all">Skip to the table</a>\n',
            _header(report),
            "<main>",
            _drift(report),
            charts(report) if report.rows else "",
            "\n",
            table(report, csv_name),
            "</main>\n",
            _footer(report, csv_name, json_name),
            f"<script>{script}</script>\n</body>\n</html>\n",
        ]
    )


def _head(report: Report, style: str, script: str) -> str:
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {csp_hash(style)}",
            f"script-src {csp_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return (
        '<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(report.about.title)}: {' '.join(headline(report))}</title>\n"
        f"<style>{style}</style>\n</head>\n"
    )


def _header(report: Report) -> str:
    number, says = headline(report)
    return (
        f'<header><div class="answer"><p class="title">{escaped(report.about.title)}</p>'
        f"<h1><strong>{number}</strong> <span>{says}</span></h1>{_verdict(report)}</div>{_facts(report)}</header>\n"
    )


def _verdict(report: Report) -> str:
    if not report.has_list:
        return (
            f'<div class="verdict open"><p class="says">{NOBODY_DECLARED}</p>'
            "<p>Give the list of those who should as <code>pop3_report_declared</code>, and this page says who should "
            "not.</p></div>"
        )
    if report.is_as_declared:
        return (
            f'<div class="verdict good"><p class="says">{_sign("ok")}{AS_DECLARED}</p><p>{_compared(report)}</p></div>'
        )
    items = "".join(
        f'<li class="{finding.kind}">{_sign(finding.kind)}<b>{count(finding.number)}</b> {finding.says}</li>'
        for finding in findings(report)
    )
    return f'<div class="verdict bad"><p class="says">{NOT_AS_DECLARED}</p><ul>{items}</ul></div>'


def _compared(report: Report) -> str:
    if report.declared == 0:
        return "Nobody is declared, and nobody has it."
    return "Everybody who is declared has it, and nobody else."


def _sign(kind: str) -> str:
    attributes = 'class="sign" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true" focusable="false"'
    return f"<svg {attributes}>{_SIGNS[kind]}</svg>"


def _facts(report: Report) -> str:
    about = report.about
    scope = [
        f"in {breakable(about.organizational_unit)} and below" if about.organizational_unit else "",
        f"that match <code>{isolated(about.filter)}</code>" if about.filter else "",
    ]
    outside = len(report.rows) - report.total
    read = f"{count(report.total)}{f', and {count(outside)} declared outside the scope' if outside else ''}"
    facts = [
        ("Made", f'<time datetime="{escaped(about.made_at)}">{moment(about.made_at)}</time>'),
        ("Exchange", _exchange(report)),
        (
            "Scope",
            f"Mailboxes {' '.join(part for part in scope if part)}" if about.is_limited else "The whole organisation",
        ),
        ("Mailboxes", read),
        (
            "Declared",
            f"{count(report.declared)} {'name' if report.declared == 1 else 'names'}"
            if report.declared is not None
            else "No list was given",
        ),
    ]
    return f'<dl class="facts">{"".join(f"<div><dt>{term}</dt><dd>{what}</dd></div>" for term, what in facts)}</dl>'


def _exchange(report: Report) -> str:
    about = report.about
    place = about.connection_uri or about.inventory_hostname
    domains = sorted({row.organizational_unit.split("/")[0] for row in report.in_scope} - {""})
    parts = [
        isolated(", ".join([*domains[:3], *(["…"] if len(domains) > 3 else [])])) if domains else "",
        f"through {breakable(place)}" if place else "",
        f"domain controller {isolated(about.domain_controller)}" if about.domain_controller else "",
    ]
    return "<br>".join(part for part in parts if part) or "Not known"


def _drift(report: Report) -> str:
    if report.is_as_declared in (None, True):
        return ""
    cards = [
        _mailboxes(
            Kind.UNEXPECTED, "Should not have it", "POP3 is on, and the list does not have them.", report.unexpected
        ),
        _mailboxes(Kind.MISSING, "Should have it", "The list has them, and POP3 is off.", report.missing),
        _names(report.unresolved),
    ]
    return (
        '<section class="drift" aria-labelledby="drift"><h2 id="drift">What differs from the list</h2>'
        f'<div class="cards">{"".join(cards)}</div></section>'
    )


def _mailboxes(kind: Kind, title: str, means: str, rows: Sequence[Row]) -> str:
    items = [
        f'<li><span class="who">{isolated(row.name)}</span> '
        f'<span class="mail">{isolated(row.primary_smtp_address)}</span> '
        f'<span class="place">{breakable(row.organizational_unit)} · {isolated(row.server)}'
        f"{'' if row.in_scope else ' · outside the scope'}</span></li>"
        for row in rows[:_LISTED]
    ]
    return _card(kind, title, means, items, len(rows))


def _names(unresolved: Sequence[Unresolved]) -> str:
    reasons = {"not_found": "no mailbox has this name", "ambiguous": "more than one mailbox has this name"}
    items = [
        f'<li><span class="who">{isolated(item.identity)}</span> '
        f'<span class="place">{reasons.get(item.reason) or isolated(item.reason)}</span></li>'
        for item in unresolved[:_LISTED]
    ]
    means = "These names are in the list, and Exchange cannot say whom they mean."
    return _card(Kind.UNRESOLVED, "Names to correct", means, items, len(unresolved))


def _card(kind: Kind, title: str, means: str, items: Sequence[str], number: int) -> str:
    if not number:
        return ""
    left = number - len(items)
    where = "the table below" if kind is not Kind.UNRESOLVED else "the CSV and JSON files"
    more = f'<p class="more">and {count(left)} more in {where}</p>' if left else ""
    return (
        f'<section class="card {kind}"><h3>{_sign(kind)}{title} <span class="count">{count(number)}</span></h3>'
        f"<p>{means}</p><ul>{''.join(items)}</ul>{more}</section>"
    )


def _footer(report: Report, csv_name: str, json_name: str) -> str:
    words = (
        "<p><b>Verdict</b> compares with the list: <b>should not have it</b> is on and not in the list, <b>should have "
        "it</b> is in the list and off. Which mailbox a name in the list means was said by Exchange.</p>"
        if report.has_list
        else ""
    )
    return (
        f"<footer>{words}<p>POP3 on means that the mailbox has <code>PopEnabled</code>. A change takes effect when "
        "the POP3 services have been restarted, and where they do not run, nobody reads mail over POP3.</p>"
        f"<p>All mailboxes are also in {_link(csv_name)} and, for programs, in {_link(json_name)}. "
        "Made by the Ansible collection mailops.exchange.</p></footer>\n"
    )


def _link(name: str) -> str:
    return f'<a href="{escaped(quote(name))}">{escaped(name)}</a>'
