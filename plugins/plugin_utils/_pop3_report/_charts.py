# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two charts: how many mailboxes can be read over POP3 on each server and in each organizational unit.

Each is a table with its numbers as text; the bars are SVG, which needs no style attribute, and say nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

from ._escape import breakable
from ._model import Report, Tally
from ._words import count

_SHOWN = 10
"""How many bars a chart has; what is left is one more, summed up."""

_SLIVER = 1.0
"""The per cent that even one mailbox of many is wide, so that it can be seen."""


def charts(report: Report) -> str:
    """Return both charts and what their bars mean."""
    return "".join(
        [
            _HATCH,
            '<section class="charts" aria-labelledby="where"><h2 id="where">Where</h2>',
            _legend(report),
            '<div class="pair">',
            _chart("By server", "Server", "servers", report.by_server, report),
            _chart("By organizational unit", "Organizational unit", "units", report.by_organizational_unit, report),
            "</div></section>",
        ]
    )


# The stripes tell "should not" from "can" without colour.
_HATCH = (
    '<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="5" height="5"/><rect class="hatch-line" width="2" height="5"/>'
    "</pattern></defs></svg>"
)


def _legend(report: Report) -> str:
    entries = [("hot", "should not"), ("on", "as declared")] if report.has_list else []
    items = "".join(
        f'<li><svg class="key" width="22" height="12" aria-hidden="true" focusable="false">'
        f'<rect class="{name}" width="22" height="12"/></svg>can be read, {says}</li>'
        for name, says in entries
    )
    return f'<ul class="legend">{items}</ul>' if items else ""


def _chart(title: str, column: str, noun: str, tallies: Sequence[Tally], report: Report) -> str:
    shown = list(tallies[: _SHOWN if len(tallies) > _SHOWN + 1 else len(tallies)])
    others = tallies[len(shown) :]
    longest = max((tally.enabled for tally in shown), default=0)
    rows = [_row(breakable(tally.name or "(not known)"), tally, longest, report) for tally in shown]
    if others:
        rest = Tally("", *map(sum, zip(*((t.total, t.enabled, t.unexpected) for t in others), strict=True)))
        # Without a bar: a sum beside single ones would look like the largest of them.
        rows.append(_row(f"{count(len(others))} other {noun}, together", rest, 0, report))
    should_not = '<th scope="col" class="number">Should not</th>' if report.has_list else ""
    return (
        f'<table class="chart"><caption>{title}</caption><thead><tr><th scope="col">{column}</th>'
        f'<th scope="col" class="number">Can be read</th>{should_not}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(label: str, tally: Tally, longest: int, report: Report) -> str:
    should_not = f'<td class="number{" grave" if tally.unexpected else ""}">{count(tally.unexpected)}</td>'
    return (
        f'<tr><th scope="row"><span class="label">{label}</span>{_bar(tally, longest) if longest else ""}</th>'
        f'<td class="number"><b>{count(tally.enabled)}</b> of {count(tally.total)}</td>'
        f"{should_not if report.has_list else ''}</tr>"
    )


def _bar(tally: Tally, longest: int) -> str:
    """A bar as long as many can be read: first those that should not, then the others.

    Not as long as the mailboxes are many: where a few of thousands can be read, that would show nothing.
    """
    hot = _width(tally.unexpected, longest)
    on = _width(tally.enabled - tally.unexpected, longest)
    rects = [("hot", 0.0, hot), ("on", hot, on)]
    drawn = "".join(
        f'<rect class="{name}" x="{left:.2f}%" width="{width:.2f}%" height="100%"/>'
        for name, left, width in rects
        if width
    )
    return f'<svg class="bar" width="100%" height="10" aria-hidden="true" focusable="false">{drawn}</svg>'


def _width(number: int, longest: int) -> float:
    return max(100 * number / longest, _SLIVER) if number else 0.0
