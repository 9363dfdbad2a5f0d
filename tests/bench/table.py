# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as one table for a terminal, and as one for docs/speed.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.results import CaseResult, Goal, Row

BEGIN = "<!-- make bench writes from here -->"
END = "<!-- make bench writes to here -->"

_HEADINGS = ("", "s", "times limit", "requests", "MB", "client CPU s", "peak MB", "server CPU s", "")


def as_text(results: Sequence[CaseResult]) -> str:
    """For a terminal."""
    lines = [_HEADINGS, *(line for result in results for line in _lines(result))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    shown = ["  ".join(_padded(cell, widths, column) for column, cell in enumerate(line)).rstrip() for line in lines]
    return "\n".join([*shown, "", *_goals(results)]) + "\n"


def as_markdown(results: Sequence[CaseResult]) -> str:
    """For the documentation."""
    lines = ["| " + " | ".join(_HEADINGS) + " |", "|---" + "|---:" * (len(_HEADINGS) - 2) + "|---|"]
    for result in results:
        for number, cells in enumerate(_lines(result)):
            first = f"**{cells[0]}**" if number == 0 else cells[0].strip()
            lines.append("| " + " | ".join((first, *cells[1:])) + " |")
    goals = [f"- {line.strip()}" for line in _goals(results)]
    return "\n".join([*lines, "", *goals])


def write_docs(page: Path, results: Sequence[CaseResult], preface: str) -> None:
    """Replace what is between the two markers of a page. ValueError when they are not there."""
    text = page.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _sep, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} does not have the lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{preface}\n\n{as_markdown(results)}\n\n{END}{after}", "utf-8")


def _lines(result: CaseResult) -> list[tuple[str, ...]]:
    notes = [*result.notes, *(["BROKE"] if result.broke else [])]
    lines = [(result.title, *[""] * (len(_HEADINGS) - 2), "; ".join(notes))]
    lines += [_line(row, result.limit) for row in result.rows]
    if result.limit is not None:
        lines.append(("  the limit", _number(result.limit), "1.00", *[""] * (len(_HEADINGS) - 3)))
    return lines


def _line(row: Row, limit: float | None) -> tuple[str, ...]:
    return (
        f"  {row.what}",
        _number(row.seconds),
        "" if limit is None else f"{row.seconds / limit:,.2f}",
        "" if row.requests is None else f"{row.requests:,.0f}",
        _number(row.megabytes),
        _number(row.client_cpu),
        "" if row.peak_mb is None else f"{row.peak_mb:,.0f}",
        _number(row.server_cpu),
        row.note,
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"


def _padded(cell: str, widths: Sequence[int], column: int) -> str:
    text = column in (0, len(widths) - 1)
    return cell.ljust(widths[column]) if text else cell.rjust(widths[column])


def _goals(results: Sequence[CaseResult]) -> list[str]:
    return [f"{result.title}: {_goal(goal)}" for result in results for goal in result.goals]


def _goal(goal: Goal) -> str:
    wanted = f"{'at least' if goal.at_least else 'at most'} {goal.bound:g}{goal.unit}"
    found = "" if goal.figure is None else f", found {goal.figure:.3g}{goal.unit}"
    return f"{goal.text}: {wanted}{found}: {goal.verdict.upper() if goal.verdict == 'missed' else goal.verdict}"
