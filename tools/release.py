# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a release: check, write the changelog, build, ask Galaxy's importer, commit and tag. It pushes nothing.

    make release VERSION=0.1.0            # or: make release VERSION=0.1.0 ARGS=--dry-run

The release is made in a clone, in .dev/release. Only when all went well does this work tree get its commit and its tag,
so a release that fails leaves nothing behind. docs/releasing.md says what comes before and after.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")

# What a kind of change asks of the version, by https://semver.org: 0 is the first number, 1 the second. Before 1.0.0,
# what breaks something asks for the second number.
ASKS_FOR = {
    "breaking_changes": 0,
    "removed_features": 0,
    "major_changes": 1,
    "minor_changes": 1,
    "deprecated_features": 1,
}


class Refused(Exception):
    """Why there is no release."""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a program that has to succeed, and return what it printed."""
    process = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    if process.returncode:
        raise Refused(f"{' '.join(map(str, command))}\n{process.stdout}{process.stderr}".rstrip())
    return process.stdout


def read(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping; a file that is not there holds nothing."""
    return (yaml.safe_load(path.read_text("utf-8")) or {}) if path.exists() else {}


def numbers(version: str) -> tuple[int, ...]:
    """The three numbers of a version."""
    return tuple(int(part) for part in version.split("."))


def check_version(version: str) -> None:
    """Refuse a version that is none, that is not the one of galaxy.yml, or that says less than the changes do."""
    if not VERSION.fullmatch(version):
        raise Refused(f"'{version}' is no version such as 1.2.3")
    said = read(ROOT / "galaxy.yml").get("version")
    if said != version:
        raise Refused(f"galaxy.yml says version {said}, and this is to be {version}: change it there, and commit that")
    fragments = [read(path) for path in sorted((ROOT / "changelogs" / "fragments").glob("*.y*ml"))]
    sections = {section for fragment in fragments for section in fragment}
    if not sections:
        raise Refused("changelogs/fragments has nothing to release")
    released = sorted(numbers(one) for one in read(ROOT / "changelogs" / "changelog.yaml").get("releases", {}))
    if not released:
        return
    last, new = released[-1], numbers(version)
    if new <= last:
        raise Refused(f"{version} does not come after {'.'.join(map(str, last))}, which is released")
    changed = next(place for place in range(3) if new[place] != last[place])
    for section in sorted(sections & set(ASKS_FOR)):
        if changed > max(ASKS_FOR[section], 0 if last[0] else 1):
            raise Refused(f"the fragments have {section}, and {version} is too small a step after the last release")


def check_tree(version: str) -> None:
    """Refuse a tree with changes that nobody has committed, and a version that has a tag."""
    if run("git", "status", "--porcelain"):
        raise Refused("there are changes that are not committed: see git status")
    if run("git", "tag", "--list", version):
        raise Refused(f"there is a tag {version} already")


def make(version: str, *, importer: bool) -> tuple[Path, Path]:
    """Make the release in a clone. Return the clone and the artifact."""
    folder = ROOT / ".dev" / "release"
    shutil.rmtree(folder, ignore_errors=True)
    clone = folder / "clone"
    run("git", "clone", "--quiet", ROOT, clone)
    for setting in ("user.name", "user.email"):
        run("git", "config", setting, run("git", "config", setting).strip(), cwd=clone)
    run(PROGRAMS / "antsibull-changelog", "release", "--version", version, cwd=clone)
    run("git", "add", "--all", cwd=clone)
    run("git", "commit", "--quiet", "--message", f"Release {version}", cwd=clone)
    run("git", "tag", "--annotate", version, "--message", f"mailops.exchange {version}", cwd=clone)
    run(PROGRAMS / "ansible-galaxy", "collection", "build", clone, "--output-path", folder, cwd=folder)
    (artifact,) = folder.glob("*.tar.gz")
    if artifact.name != f"mailops-exchange-{version}.tar.gz":
        raise Refused(f"{artifact.name} was built")
    if importer:
        run(sys.executable, ROOT / "tools" / "galaxy_import.py", artifact)
    return clone, artifact


def main(arguments: list[str]) -> int:
    """Make a release, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version")
    parser.add_argument("--dry-run", action="store_true", help="do it in the clone only, and leave this tree as it is")
    parser.add_argument("--unchecked", action="store_true", help="without lint and importer, which have just been run")
    given = parser.parse_args(arguments)
    try:
        check_version(given.version)
        check_tree(given.version)
        if not given.unchecked:
            run("make", "lint", "types")
        clone, artifact = make(given.version, importer=not given.unchecked)
        print(run("git", "show", "--stat", "--format=%s", "HEAD", cwd=clone))
        if given.dry_run:
            print(f"A dry run: {clone.relative_to(ROOT)} has the commit and the tag, and this tree is as it was.")
            return 0
        run("git", "pull", "--quiet", "--ff-only", clone, "HEAD")
        run("git", "fetch", "--quiet", clone, "tag", given.version)
        (ROOT / ".dev" / "dist").mkdir(exist_ok=True)
        built = shutil.copy(artifact, ROOT / ".dev" / "dist")
    except Refused as why:
        print(f"No release: {why}", file=sys.stderr)
        return 1
    print(f"{given.version} is committed and tagged here, and not pushed.")
    print(f"What Galaxy gets: {Path(built).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
