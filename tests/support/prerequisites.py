# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test needs and a machine may lack: without it the test is skipped, and says so; in CI it fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def program(*names: str, package: str) -> str:
    """Return the path of the first of these programs that is here."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    lacking(f"{names[0]} is not on this machine. On Debian: apt-get install {package}")
    raise AssertionError("not reached")


def publishing_tool(name: str) -> Path:
    """Return one of the programs that tools/add-publishing installs."""
    path = Path(__file__).parents[2] / ".dev" / "publishing" / "bin" / name
    if not path.exists():
        lacking(f"{name} is not installed; it comes with: make .dev/publishing/ready")
    return path


def lacking(what: str) -> None:
    """Skip the test, or fail it where CI is set: there, everything has to be tested."""
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(f"{what} (CI is set, so this is not skipped.)", pytrace=False)
    pytest.skip(what)


def of_the_docs(name: str) -> str:
    """Return the path of a program of the environment that the documentation is built in."""
    path = ROOT / ".dev" / "docs-venv" / "bin" / name
    if not path.is_file():
        lacking(f"{path.relative_to(ROOT)} is not there. `make docs` makes it.")
    return str(path)
