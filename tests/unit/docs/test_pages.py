# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages for people: links lead somewhere, playbooks in them are playbooks, the README's links are absolute."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TOP = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md"]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "roles").rglob("*.md"))]
REPOSITORY = "https://github.com/mailops/exchange/blob/main/"
TREE = "https://github.com/mailops/exchange/tree/main/"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    """A page without what stands in its blocks of code."""
    return re.sub(r"^( *)(```+).*?^\1\2 *$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "").strip().lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.append(name if name not in found else f"{name}-{found.count(name)}")
    return set(found)


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _sep, anchor = link.partition("#")
        if path.startswith((REPOSITORY, TREE)):
            target = ROOT / path.removeprefix(REPOSITORY).removeprefix(TREE)
        elif "://" in path:
            continue
        else:
            target = page.parent / path if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", TOP, ids=lambda page: page.name)
def test_pages_at_the_top_have_absolute_links_only(page: Path) -> None:
    """They are shown without the repository around them, by Galaxy for one."""
    assert [link for link in links(page) if not link.startswith("https://")] == []


@pages
def test_yaml_in_pages_is_plays_or_tasks(page: Path) -> None:
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        items = yaml.safe_load(block)
        assert items
        if isinstance(items, list):
            assert all("name" in item for item in items), block


@pages
def test_pages_name_no_target_of_make_that_is_not_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z][a-z-]+)\b`", page.read_text("utf-8")))
    assert named <= targets


def test_the_two_languages_have_the_same_steps() -> None:
    """The page about Microsoft's procedure: the same sections, steps, code and links, in English and in French."""
    english = ROOT / "docs" / "from-microsofts-procedure.md"
    french = ROOT / "docs" / "fr" / "depuis-la-procedure-de-microsoft.md"

    def steps(page: Path) -> list[tuple[list[str], list[str]]]:
        rows = [line for line in prose(page).splitlines() if line.startswith("| **")]
        return [
            (re.findall(r"`([^`]+)`", row), [link.removeprefix("../") for link in re.findall(r"\]\((\S+?)\)", row)])
            for row in rows
        ]

    assert len(steps(english)) >= 8
    assert steps(english) == steps(french)
    blocks = [re.findall(r"```yaml\n.*?```", page.read_text("utf-8"), re.DOTALL) for page in (english, french)]
    assert blocks[0] == blocks[1]
    assert len(anchors(english)) == len(anchors(french))


@pytest.mark.parametrize("role", ["pop3_access", "pop3_report", "pop3_services"])
def test_a_roles_readme_names_its_variables_and_their_defaults(role: str) -> None:
    folder = ROOT / "roles" / role
    defaults = yaml.safe_load((folder / "defaults" / "main.yml").read_text("utf-8"))
    specified = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text("utf-8"))["argument_specs"]["main"]
    readme = (folder / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` (?:…)?\s*\| (.*?) \|", readme, re.MULTILINE))
    assert set(defaults) <= set(rows)
    assert set(defaults) <= set(specified["options"])
    for name, value in defaults.items():
        documented = specified["options"][name].get("default", value)
        assert documented == value, name
        if rows[name].startswith("`") and not str(value).startswith("{{"):
            assert rows[name].strip("`") == (str(value).lower() if isinstance(value, bool) else str(value)), name


@pytest.mark.parametrize("role", ["pop3_access", "pop3_report", "pop3_services"])
def test_the_role_knows_its_own_variables(role: str) -> None:
    """A misspelt one is refused, so the list of the right ones has to be whole."""
    folder = ROOT / "roles" / role
    known = yaml.safe_load((folder / "vars" / "main.yml").read_text("utf-8"))[f"__{role}_names"]
    specified = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text("utf-8"))["argument_specs"]["main"]
    of_its_playbook = [f"{role}_hosts"] if (ROOT / "playbooks" / f"{role}.yml").exists() else []
    assert known == [*specified["options"], *of_its_playbook]
