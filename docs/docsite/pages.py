# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the pages for the site, and turn their links into links of the site.

What is written is right on GitHub: links between files of the repository, and absolute ones in the pages at its top.
On the site, a link to a page leads to that page, one to a module or role to its page in the reference, and one to any
other file to GitHub. The table of contents are the lists of docs/index.md.

Usage: pages.py FOLDER
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOB = "https://github.com/mailops/exchange/blob/main/"
RAW = "https://raw.githubusercontent.com/mailops/exchange/main/"

TOP = {
    "README.md": "readme.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages at the top of the repository, and their names on the site."""

_LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")
_FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^- \[([^\]]+)\]\(([^)#\s]+)\)", re.MULTILINE)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def pages(root: Path = ROOT) -> dict[str, str]:
    """Return the pages: the path in the repository, and the one on the site."""
    found = {name: place for name, place in TOP.items() if (root / name).is_file()}
    for path in sorted((root / "docs").rglob("*.md")):
        found[path.relative_to(root).as_posix()] = path.relative_to(root / "docs").as_posix()
    return found


def reference(path: str) -> str | None:
    """Return the page of the reference that is made of a file of the repository, if there is one."""
    plugin = re.fullmatch(r"plugins/(modules|filter|inventory)/(\w+)\.py", path)
    if plugin:
        kind = {"modules": "module"}.get(plugin[1], plugin[1])
        return f"reference/{plugin[2]}_{kind}.rst"
    role = re.fullmatch(r"roles/(\w+)(/README\.md|/)?", path)
    return f"reference/{role[1]}_role.rst" if role else None


def link(target: str, source: str, known: dict[str, str]) -> str:
    """Return the link on the site for one that stands in ``source``, a page of the repository."""
    url, hash_, anchor = target.partition("#")
    for prefix in (BLOB, RAW):
        if url.startswith(prefix):
            path = url.removeprefix(prefix)
            break
    else:
        if not url or "://" in url or url.startswith("mailto:"):
            return target
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), url))
    place = known.get(path) or reference(path)
    if place is None and path.startswith("docs/"):
        place = path.removeprefix("docs/")  # a picture or an example, copied with the pages
    if place is None:
        return f"{BLOB}{path}{hash_}{anchor}"
    return posixpath.relpath(place, posixpath.dirname(known[source]) or ".") + hash_ + anchor


def rewritten(text: str, source: str, known: dict[str, str]) -> str:
    """Return a page with the links of the site; what stands in code stays."""

    def outside(part: str) -> str:
        return _LINK.sub(lambda found: link(found[0], source, known), part)

    done, end = "", 0
    for fence in _FENCE.finditer(text):
        done, end = done + outside(text[end : fence.start()]) + fence[0], fence.end()
    return done + outside(text[end:])


def contents(index: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each section of the index with its entries: title and link."""
    _before, *parts = _SECTION.split(index)
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        entries = _ENTRY.findall(body)
        if entries:
            yield title, entries


def toctrees(index: str) -> str:
    """Return the index's sections as Sphinx wants them; readers have the lists themselves."""
    trees = ""
    for title, entries in contents(index):
        lines = "\n".join(f"{name} <{target.rsplit('.', 1)[0]}>" for name, target in entries)
        trees += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{lines}\n```\n"
    return trees


def write(folder: Path, root: Path = ROOT) -> None:
    """Write the pages, the pictures and the examples into ``folder``."""
    known = pages(root)
    for source, place in known.items():
        text = rewritten((root / source).read_text("utf-8"), source, known)
        if place == "index.md":
            text += toctrees(text)
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, "utf-8")
    for name in ("images", "examples"):
        shutil.copytree(root / "docs" / name, folder / name, dirs_exist_ok=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
