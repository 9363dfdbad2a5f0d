# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of the documentation: it is built without a warning, and every link in it leads somewhere."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from support.prerequisites import of_the_docs

ROOT = Path(__file__).parents[3]


def load_pages() -> ModuleType:
    """docs/docsite/pages.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "docsite" / "pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = load_pages()
KNOWN = PAGES.pages()


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; `-W` is in there, so a warning is a failure."""
    of_the_docs("antsibull-docs")
    folder = tmp_path_factory.mktemp("site")
    process = subprocess.run(
        [str(ROOT / "tools" / "make-docs"), str(folder)],
        env={"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return folder / "html"


class Html(HTMLParser):
    """What a page leads to, and what leads into it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.names: set[str] = set()
        self.text = text
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for key, value in attrs:
            if key in ("href", "src") and value:
                self.targets.add(value)
            if key == "id" and value:
                self.names.add(value)


def test_the_site_is_whole(site: Path) -> None:
    """One test, so that the site is built once where tests run side by side."""
    every_link_leads_somewhere(site)
    every_page_plugin_and_role_is_there(site)
    no_page_shows_an_error_of_its_making(site)
    nothing_is_loaded_from_elsewhere(site)


def every_link_leads_somewhere(site: Path) -> None:
    pages = {path: Html(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 30
    lost = []
    for path, page in pages.items():
        for target in page.targets:
            url = urllib.parse.urlsplit(target)
            if url.scheme or url.netloc:
                continue
            other = (path.parent / urllib.parse.unquote(url.path)).resolve() if url.path else path
            anchor = urllib.parse.unquote(url.fragment)
            if not other.is_file() or (anchor and other in pages and anchor not in pages[other].names):
                lost.append((str(path.relative_to(site)), target))
    assert lost == []


def every_page_plugin_and_role_is_there(site: Path) -> None:
    wanted = {place.removesuffix(".md") for place in KNOWN.values()}
    for folder, kind in (("modules", "module"), ("filter", "filter"), ("inventory", "inventory")):
        wanted |= {f"reference/{path.stem}_{kind}" for path in (ROOT / "plugins" / folder).glob("*.py")}
    wanted |= {f"reference/{path.name}_role" for path in (ROOT / "roles").iterdir()}
    assert sorted(page for page in wanted if not (site / f"{page}.html").is_file()) == []
    # The same in the table of contents of the first page.
    index = Html((site / "index.html").read_text("utf-8"))
    assert sorted(page for page in wanted - {"index"} if f"{page}.html" not in index.targets) == []


def no_page_shows_an_error_of_its_making(site: Path) -> None:
    """What a theme or a parser does not like, it may write into the page instead of a warning."""
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        for words in ("ERROR: Adding", "system-message", 'class="problematic"'):
            assert words not in text, path


def nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """It works from a disk, in a network without a way out."""
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        for tag in ("<script src=", "<img src=", '<link rel="stylesheet" type="text/css" href=', "<iframe src="):
            for part in text.split(tag)[1:]:
                assert not part.lstrip('"').startswith(("http:", "https:", "//")), f"{path.name}: {tag}{part[:80]}"


@pytest.mark.parametrize(
    ("source", "target", "on_the_site"),
    [
        ("README.md", f"{PAGES.BLOB}docs/connection.md#which-method", "connection.md#which-method"),
        ("README.md", f"{PAGES.BLOB}SECURITY.md", "security.md"),
        ("README.md", f"{PAGES.RAW}docs/images/pop3_report.png", "images/pop3_report.png"),
        ("README.md", "https://example.com/docs/x.md", "https://example.com/docs/x.md"),
        ("docs/index.md", "../README.md#install", "readme.md#install"),
        ("docs/index.md", "../plugins/modules/exchange_pop3_access.py", "reference/exchange_pop3_access_module.rst"),
        ("docs/index.md", "../roles/pop3_access/README.md", "reference/pop3_access_role.rst"),
        ("docs/index.md", "#five-minutes", "#five-minutes"),
        ("docs/drift.md", "examples/awx.yml", "examples/awx.yml"),
        ("docs/fr/depuis-la-procedure-de-microsoft.md", "../roles.md", "../roles.md"),
        ("docs/connection.md", "../plugins/module_utils/_transport/host_shell.ps1", None),
    ],
)
def test_a_link_becomes_one_of_the_site(source: str, target: str, on_the_site: str | None) -> None:
    wanted = on_the_site or PAGES.BLOB + target.removeprefix("../")
    assert PAGES.link(target, source, KNOWN) == wanted


def test_links_in_code_stay() -> None:
    text = "[a](roles.md)\n\n```text\n[a](../README.md)\n```\n[b](../README.md)\n"
    assert PAGES.rewritten(text, "docs/index.md", KNOWN) == text.replace("[b](../README.md)", "[b](readme.md)")


def test_the_table_of_contents_has_every_page_once() -> None:
    sections = dict(PAGES.contents((ROOT / "docs" / "index.md").read_text("utf-8")))
    assert list(sections) == ["Get started", "Guides", "Reference", "Understand", "Maintain"]
    targets = [PAGES.link(target, "docs/index.md", KNOWN) for entries in sections.values() for _name, target in entries]
    assert len(targets) == len(set(targets))
    assert set(KNOWN.values()) - set(targets) == {"index.md"}
