# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table: what is in it, in both forms, and the page that it is written into."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.results import CaseResult, Goal, Row
from bench.table import BEGIN, END, as_markdown, as_text, write_docs

ROOT = Path(__file__).parents[3]
_SECONDS = ("12.50", "12,345.68", "10.00")

RESULT = CaseResult(
    "list",
    "10,000 listed",
    limit=10.0,
    rows=[
        Row("ours", 12.5, 40, 24.25, 3.5, 150.4, 2.0, "median of 3"),
        Row("one task for each mailbox", 12345.678, note="scaled from 50"),
    ],
    goals=[
        Goal("compared with the limit", 1.25, 1.3, " times"),
        Goal("faster than a loop", 12.34, 50, " times", at_least=True),
        Goal("compared with another case", None, 1.1),
    ],
    notes=["a note"],
)


def test_text_has_columns_that_stand_below_each_other() -> None:
    lines = as_text([RESULT]).splitlines()
    assert lines[1].split() == ["10,000", "listed", "a", "note"]
    assert lines[2].split() == ["ours", "12.50", "1.25", "40", "24.25", "3.50", "150", "2.00", "median", "of", "3"]
    assert "12,345.68" in lines[3]
    assert "1,234.57" in lines[3]
    assert lines[4].split() == ["the", "limit", "10.00", "1.00"]
    ends = {line.index(text) + len(text) for line, text in zip(lines[2:5], _SECONDS, strict=True)}
    assert len(ends) == 1


def test_goals_are_met_missed_or_not_measured() -> None:
    assert as_text([RESULT]).splitlines()[-3:] == [
        "10,000 listed: compared with the limit: at most 1.3 times, found 1.25 times: met",
        "10,000 listed: faster than a loop: at least 50 times, found 12.3 times: MISSED",
        "10,000 listed: compared with another case: at most 1.1: not measured",
    ]


def test_a_case_that_broke_shows() -> None:
    assert as_text([CaseResult("list", "list", broke="no answer"), RESULT]).splitlines()[1].split() == ["list", "BROKE"]


def test_markdown_is_one_table_and_a_list() -> None:
    lines = as_markdown([RESULT]).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert table[2].startswith("| **10,000 listed** |")
    assert sum(line.startswith("- ") for line in lines) == 3


def test_a_page_is_rewritten_between_its_markers_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", "utf-8")
    write_docs(page, [RESULT], "Measured today.")
    text = page.read_text("utf-8")
    assert text.startswith(f"before\n\n{BEGIN}\n\nMeasured today.\n\n| ")
    assert text.endswith(
        f"MISSED\n- 10,000 listed: compared with another case: at most 1.1: not measured\n\n{END}\n\nafter\n"
    )
    write_docs(page, [RESULT], "Measured today.")
    assert page.read_text("utf-8") == text
    page.write_text("nothing", "utf-8")
    with pytest.raises(ValueError, match="does not have the lines"):
        write_docs(page, [RESULT], "")


def test_the_projects_page_has_the_markers() -> None:
    text = (ROOT / "docs" / "speed.md").read_text("utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
