# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The architecture as a test: imports point downwards only, and the core is pure (rules 1 and 2 of the design)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
PACKAGE = "ansible_collections.mailops.exchange.plugins"

# Each folder and what it may import of the others. Nothing else, and nobody upwards.
ALLOWED = {
    "_errors": set(),
    "_core": set(),
    "_session": {"_errors"},
    "_gateway": {"_errors", "_core", "_session"},
    "_transport": {"_errors", "_session"},
    "_module": {"_errors", "_core", "_session", "_gateway", "_transport"},
}

# Which of the libraries a folder may use; the standard library is free for all.
LIBRARIES = {
    "_errors": set(),
    "_core": set(),
    "_session": set(),
    "_gateway": set(),
    "_transport": {"pypsrp", "requests", "spnego", "urllib3", "cryptography"},  # the last comes with spnego
    "_module": {"ansible"},
}
KNOWN_LIBRARIES = {"ansible", "pypsrp", "requests", "spnego", "urllib3", "psrpcore", "winrm", "yaml", "cryptography"}


def layer(path: Path) -> str:
    return path.relative_to(UTILS).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute name of every module that ``path`` imports, wherever in it."""
    package = [PACKAGE, *path.relative_to(PLUGINS).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [] if node.level == 0 else package[: len(package) - node.level + 1]
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


FILES = sorted(path for path in UTILS.rglob("*.py") if path.name != "__init__.py")
REPORT = sorted(path for path in (PLUGINS / "plugin_utils" / "_pop3_report").glob("*.py") if path.name != "__init__.py")
FILTERS = sorted((PLUGINS / "filter").glob("*.py"))
INVENTORIES = sorted((PLUGINS / "inventory").glob("*.py"))


def test_every_folder_has_its_rule() -> None:
    assert {layer(path) for path in FILES} == set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(UTILS)))
def test_imports_point_downwards(path: Path) -> None:
    prefix = f"{PACKAGE}.module_utils."
    used = {name.removeprefix(prefix).split(".")[0] for name in imports(path) if name.startswith(prefix)}
    assert used <= ALLOWED[layer(path)] | {layer(path)}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(UTILS)))
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    used = {name.split(".")[0] for name in imports(path)} & KNOWN_LIBRARIES
    assert used <= LIBRARIES[layer(path)]


@pytest.mark.parametrize("path", REPORT, ids=lambda p: p.stem)
def test_the_report_is_pure(path: Path) -> None:
    """It is data and text: it imports nothing but Python and itself."""
    own = f"{PACKAGE}.plugin_utils._pop3_report"
    used = set(imports(path))
    assert {name for name in used if name.startswith(PACKAGE)} == {name for name in used if name.startswith(own)}
    assert not {name.split(".")[0] for name in used} & KNOWN_LIBRARIES


@pytest.mark.parametrize("path", FILTERS, ids=lambda p: p.stem)
def test_a_filter_is_thin(path: Path) -> None:
    """It says to Ansible what the report's own room does, and does nothing itself."""
    own = f"{PACKAGE}.plugin_utils._pop3_report"
    used = set(imports(path))
    assert all(name.startswith((own, "ansible.errors", "__future__", "collections.abc", "typing")) for name in used)


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda p: p.stem)
def test_an_inventory_is_thin(path: Path) -> None:
    """It is between Ansible and the work behind all faces: it knows no gateway, no session and no transport."""
    used = set(imports(path))
    allowed = tuple(f"{PACKAGE}.module_utils.{room}" for room in ("_module", "_core", "_errors"))
    assert all(name.startswith(allowed) for name in used if name.startswith(PACKAGE))
    assert {name.split(".")[0] for name in used} & KNOWN_LIBRARIES == {"ansible"}


def test_a_transport_is_known_to_its_own_room_and_to_the_options_alone() -> None:
    """Rule 1: whoever reads, changes or reports does not know how a cmdlet travels."""
    knowing = {"_transport/_open.py", "_transport/_host_shell.py", "_module/_connection.py", "_module/_exchange.py"}
    telling = {
        str(path.relative_to(UTILS))
        for path in FILES
        if any(name.split(".")[-1] in ("_host_shell", "_remote_powershell", "open_session") for name in imports(path))
    }
    assert telling <= knowing
    assert not [path for path in FILES if layer(path) in ("_core", "_gateway") and "host_shell" in path.read_text()]


def test_the_product_does_not_know_the_simulator() -> None:
    """Rule 4: no seam, flag or branch for the simulator in what users get."""
    shipped = [path for folder in ("plugins", "roles", "playbooks") for path in (ROOT / folder).rglob("*.*")]
    telling = [path for path in shipped if path.suffix != ".pyc" and "simulat" in path.read_text("utf-8").lower()]
    assert shipped
    assert telling == []


def marked_files(folder: Path) -> Iterator[Path]:
    """Yield the text files that people wrote: no caches, no empty markers."""
    suffixes = {".py", ".css", ".js", ".yml", ".yaml", ".md", ".sh", ".ps1", ".toml", ".txt", ""}
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
        if path.is_file() and path.suffix in suffixes and not hidden and path.stat().st_size:
            yield path


@pytest.mark.parametrize(
    "folder", ["plugins", "tests", "tools", "docs", "roles", "playbooks", "meta", "extensions", "changelogs"]
)
def test_every_file_says_what_it_is_licensed_under(folder: str) -> None:
    licence = "SPDX-License-Identifier: GPL-3.0-or-later"
    assert [path for path in marked_files(ROOT / folder) if licence not in path.read_text("utf-8")[:600]] == []


@pytest.mark.parametrize("path", FILES + REPORT + FILTERS + INVENTORIES, ids=lambda p: str(p.relative_to(PLUGINS)))
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
