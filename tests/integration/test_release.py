# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/release.py in a clone: what it makes, what it refuses, and that a refusal leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.controller import ROOT
from support.prerequisites import lacking, publishing_tool

VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))["version"]


class Clone:
    """A clone of what is committed here, with the scripts as they are here now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False).returncode:
            lacking("this is no git work tree")
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        self.git("config", "user.name", "A maintainer")
        self.git("config", "user.email", "maintainer@example.com")
        for name in ("release.py", "galaxy_import.py"):
            (folder / "tools" / name).write_text((ROOT / "tools" / name).read_text("utf-8"))
        self.commit()

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A change")

    def release(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "tools/release.py", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def state(self) -> tuple[str, str, str]:
        return self.git("rev-parse", "HEAD"), self.git("tag"), self.git("status", "--porcelain")

    def refuses(self, *words: str, version: str = VERSION, checked: bool = False) -> None:
        before = self.state()
        process = self.release(version, *([] if checked else ["--unchecked"]))
        assert process.returncode == 1
        for word in words:
            assert word in process.stderr
        assert self.state() == before


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


def test_a_release_is_a_commit_a_tag_a_changelog_and_an_artifact(clone: Clone) -> None:
    said = [path.read_text("utf-8") for path in (clone.folder / "changelogs" / "fragments").glob("*.yml")]
    process = clone.release(VERSION, "--unchecked")
    assert process.returncode == 0, process.stderr
    assert clone.git("tag", "--points-at", "HEAD") == VERSION
    assert clone.git("log", "-1", "--format=%s") == f"Release {VERSION}"
    assert clone.git("status", "--porcelain") == ""
    changelog = (clone.folder / "CHANGELOG.md").read_text("utf-8")
    assert f"v{VERSION}" in changelog.replace("\\", "")
    assert len(said) > 5
    assert "exclusive" in changelog
    assert list((clone.folder / "changelogs" / "fragments").glob("*.yml")) == []
    assert VERSION in yaml.safe_load((clone.folder / "changelogs" / "changelog.yaml").read_text("utf-8"))["releases"]
    assert (clone.folder / ".dev" / "dist" / f"mailops-exchange-{VERSION}.tar.gz").is_file()
    assert VERSION not in subprocess.run(["git", "tag"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    # After it: what breaks something is no small step.
    clone.refuses("nothing to release")
    (clone.folder / "changelogs" / "fragments" / "next.yml").write_text("breaking_changes:\n  - It works otherwise.\n")
    small = VERSION.rpartition(".")[0] + ".99"
    galaxy = clone.folder / "galaxy.yml"
    galaxy.write_text(galaxy.read_text("utf-8").replace(f"version: {VERSION}", f"version: {small}"))
    clone.commit()
    clone.refuses("breaking_changes", "too small a step", version=small)


def test_a_dry_run_leaves_everything_as_it_was(clone: Clone) -> None:
    before = clone.state()
    process = clone.release(VERSION, "--dry-run", "--unchecked")
    assert process.returncode == 0, process.stderr
    assert "A dry run" in process.stdout
    assert clone.state() == before
    assert (clone.folder / "changelogs" / "fragments" / "mailboxes.yml").is_file()


def test_what_lint_finds_is_no_release(clone: Clone) -> None:
    (clone.folder / "Makefile").write_text("lint types:\n\t@echo this is not well; exit 1\n")
    clone.commit()
    clone.refuses("this is not well", checked=True)


def test_what_galaxys_importer_finds_is_no_release(clone: Clone) -> None:
    """What it says of this collection as it is: test_galaxy_takes_it."""
    publishing_tool("python")
    (clone.folder / "Makefile").write_text("lint types:\n\t@echo all is well\n")
    galaxy = yaml.safe_load((clone.folder / "galaxy.yml").read_text("utf-8"))
    (clone.folder / "galaxy.yml").write_text(yaml.safe_dump(galaxy | {"tags": ["mail"]}), "utf-8")
    clone.commit()
    clone.refuses("galaxy_import.py", "infrastructure, linux, monitoring", checked=True)


def test_changes_that_nobody_committed_are_refused(clone: Clone) -> None:
    (clone.folder / "README.md").write_text("Not committed")
    clone.refuses("not committed")


def test_a_version_must_be_one_and_the_one_of_the_collection(clone: Clone) -> None:
    clone.refuses("is no version", version="1.0")
    clone.refuses("is no version", version=f"v{VERSION}")
    clone.refuses("galaxy.yml says version", version="99.0.0")


def test_a_version_is_released_once(clone: Clone) -> None:
    clone.git("tag", VERSION)
    clone.refuses("there is a tag")
