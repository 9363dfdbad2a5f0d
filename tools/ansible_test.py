# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test on the working tree, with the ansible-core of the Python that runs this.

    .dev/venv/bin/python tools/ansible_test.py sanity [ARGUMENT ...]
    .dev/venv/bin/python tools/ansible_test.py units [ARGUMENT ...]

ansible-test wants the collection in a real folder ansible_collections/mailops/exchange that is a git work tree, and to
have that folder for itself. So the files that git knows, or would know, are copied there, in .dev. It runs with --venv:
no container, and the environments that it makes are kept in .dev, too.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE = ".".join(metadata.version("ansible-core").split(".")[:2])
# A home for each ansible-core, so that several can run side by side. A short path: the environments of ansible-test are
# deep inside, and a #! line has 127 characters.
HOME = ROOT / ".dev" / CORE
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# ansible-test fetches a script that installs pip into its new environments from a server of Ansible's, and says where
# one may put it instead. This one needs nothing but the package index, and the pip of the environment that runs this.
GET_PIP = f"""\
import subprocess
import sys

wanted = [word for word in sys.argv[1:] if not word.startswith("--no-")]
pip = [{sys.executable!r}, "-m", "pip", "--python", sys.executable]
sys.exit(subprocess.run([*pip, "install", "--quiet", *wanted]).returncode)
"""
PIP_VERSIONS = ("24.2", "25.2")


def copy_of_the_collection() -> Path:
    """Bring a copy of the working tree up to date, and return where it is."""
    copy = ROOT / ".dev" / "ansible-test" / CORE / "ansible_collections" / "mailops" / "exchange"
    if not copy.is_dir():
        copy.mkdir(parents=True)
        subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    listed = git("ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=ROOT)
    ours = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    there = git("ls-files", "--others", "--exclude-standard", "-z", folder=copy).split("\0")
    for name in {name for name in there if name} - ours:
        (copy / name).unlink()
    for name in ours:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return copy


def git(*arguments: str, folder: Path) -> str:
    """Ask git, and return what it prints."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def make_home() -> None:
    """Make a home for ansible-test, with what it would fetch, and with what pip is told in the environment.

    It takes HOME and PATH into its children and nothing else.
    """
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in PIP_VERSIONS:
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, "utf-8")
    settings = configparser.RawConfigParser()
    settings["global"] = {}
    pip = [sys.executable, "-m", "pip"]
    listed = subprocess.run([*pip, "config", "list"], check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        key, _sep, value = line.partition("=")
        section, _sep, name = key.rpartition(".")
        if section in ("global", "install", "user", ":env:"):
            settings["global"][name] = value.strip("'\"").replace("\\n", "\n")
    where = subprocess.run([*pip, "cache", "dir"], check=True, capture_output=True, text=True).stdout
    settings["global"]["cache-dir"] = where.strip()
    (HOME / ".config" / "pip").mkdir(parents=True, exist_ok=True)
    with (HOME / ".config" / "pip" / "pip.conf").open("w", encoding="utf-8") as file:
        settings.write(file)


def search_path() -> str:
    """The PATH: this Python's programs, each Python that there is, and the system. Pythons that only seem to be there,
    such as those that pyenv has a shim for, make ansible-test fail."""
    folders = [str(Path(sys.executable).parent)]
    for version in PYTHONS:
        found = subprocess.run([ROOT / "tools" / "find-python", version], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            folders.append(str(Path(found.stdout.strip()).parent))
    return os.pathsep.join(dict.fromkeys([*folders, "/usr/local/bin", "/usr/bin", "/bin"]))


def main(arguments: list[str]) -> int:
    """Run it, and return how it ended."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    command, *rest = arguments
    make_home()
    if command == "units" and "--python" not in rest:
        rest = ["--python", ".".join(map(str, sys.version_info[:2])), *rest]
    program = str(Path(sys.executable).with_name("ansible-test"))
    return subprocess.run(
        [program, command, "--venv", "--color", "no", *rest],
        cwd=copy_of_the_collection(),
        env={"HOME": str(HOME), "PATH": search_path(), "LANG": "C.UTF-8"},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
