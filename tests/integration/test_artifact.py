# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built .tar.gz, installed into an empty path: what a user gets works there, and holds nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from support.controller import ROOT
from support.pop3_tasks import Pop3Tasks

GALAXY = Path(sys.executable).parent / "ansible-galaxy"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A collections path that has nothing but the built artifact."""
    output, path = tmp_path / "dist", tmp_path / "collections"
    galaxy(tmp_path, "collection", "build", str(ROOT), "--output-path", str(output))
    (artifact,) = output.glob("mailops-exchange-*.tar.gz")
    galaxy(tmp_path, "collection", "install", str(artifact), "-p", str(path), "--offline")
    return path


def galaxy(home: Path, *arguments: str) -> None:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    subprocess.run([str(GALAXY), *arguments], env=environment, check=True, capture_output=True, timeout=120)


def test_the_installed_collection_does_the_main_job(here: Pop3Tasks, installed: Path) -> None:
    here.controller.collections = installed
    assert here(identity="John Smith").result["changed"]
    here.delegate_to = "jump"
    assert not here(identity="John Smith").result["changed"]


def test_the_artifact_holds_what_a_user_needs_and_nothing_of_ours(tmp_path: Path, installed: Path) -> None:
    (artifact,) = (tmp_path / "dist").glob("*.tar.gz")
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
    top = {name.split("/")[0] for name in names}
    assert {"README.md", "SECURITY.md", "plugins", "meta", "docs", "requirements.txt", "LICENSES", "COPYING"} <= top
    assert not {".dev", ".git", ".ci"} & top
    assert not [name for name in names if "__pycache__" in name]
    assert (installed / "ansible_collections" / "mailops" / "exchange" / "plugins").is_dir()


def test_ansible_doc_shows_the_module(tmp_path: Path, installed: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "ANSIBLE_COLLECTIONS_PATH": str(installed)}
    shown = subprocess.run(
        [str(GALAXY.with_name("ansible-doc")), "mailops.exchange.exchange_pop3_access"],
        env=environment | {"LANG": "C.UTF-8"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    assert "EXCHANGE_CONNECTION_URI" in shown
    assert "restart_required" in shown
