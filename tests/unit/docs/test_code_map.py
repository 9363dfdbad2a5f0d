# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The map of the code names every part, and no part that is not there; so do the steps in CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAP = ROOT / "docs" / "code-map.md"
PLACES = ("plugins", "roles", "tests", "playbooks", "meta", "extensions", "docs", "tools", "changelogs", ".ci")
NEW = {
    "plugins/module_utils/_module/_pop3_count.py",
    "plugins/action/exchange_pop3_count.py",
    "plugins/modules/exchange_pop3_count.py",
}
"""What a reader of CONTRIBUTING.md is to make."""


def named(page: Path) -> set[str]:
    """The paths that a page names in code: what begins with a folder of the repository."""
    code = re.findall(r"`([^`\s]+)`", page.read_text("utf-8"))
    return {path.rstrip("/") for path in code if path.split("/")[0] in PLACES and "<" not in path}


def parts() -> list[str]:
    """Every folder that holds code: the rooms of plugins/, the roles, the packages and folders of tests/."""
    found = {"plugins", "roles", "tests", "tests/unit"}
    for top in ("plugins", "tests"):
        found |= {str(path.parent.relative_to(ROOT)) for path in (ROOT / top).rglob("*.py")}
    found |= {str(path.relative_to(ROOT)) for path in (ROOT / "roles").iterdir() if path.is_dir()}
    found |= {name for name in PLACES if name not in ("plugins", "roles", "tests", "extensions")}
    return sorted(found - {"plugins", "roles", "tests", "tests/unit", "tests/__pycache__"} | {"extensions/molecule"})


@pytest.mark.parametrize("part", parts())
def test_the_map_names_every_part(part: str) -> None:
    assert part in named(MAP)


@pytest.mark.parametrize(
    "page", [MAP, ROOT / "CONTRIBUTING.md", ROOT / "docs" / "simulator.md"], ids=lambda page: page.name
)
def test_what_is_named_is_there(page: Path) -> None:
    assert sorted(path for path in named(page) - NEW if not (ROOT / path).exists()) == []


def test_the_rows_of_the_map_say_something() -> None:
    rows = [line.split(" | ") for line in MAP.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) > 25
    assert [row[0] for row in rows if not row[1].strip()] == []
    assert [row[0] for row in rows if row[0].startswith(("| `plugins", "| `roles")) and not row[2].strip(" |")] == []
