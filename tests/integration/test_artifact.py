# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built .tar.gz: what a user gets works where nothing else is, holds nothing else, and Galaxy takes it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from simulator import Farm
from support.controller import COLLECTIONS, ROOT
from support.pop3_tasks import Pop3Tasks
from support.prerequisites import lacking, publishing_tool

GALAXY = Path(sys.executable).parent / "ansible-galaxy"
NAME = "mailops.exchange.pop3_access"

# All that may be in it, by folder: what is not named here does not belong there, or belongs into this list.
TOP = {
    "COPYING",
    "FILES.json",
    "LICENSES",
    "MANIFEST.json",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "bindep.txt",
    "changelogs",
    "docs",
    "execution-environment.yml",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
    "tests",
}
NEEDED = {
    "README.md",
    "SECURITY.md",
    "plugins",
    "meta",
    "docs",
    "requirements.txt",
    "bindep.txt",
    "LICENSES",
    "COPYING",
}
LARGEST = 1_500_000
"""Bytes. Galaxy takes 20 MB; this collection is text and three pictures."""


def run(
    program: Path | str, *arguments: str, home: Path, more: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """Run a program in a home of its own, and return what it printed. It has to succeed."""
    environment = {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", **(more or {})}
    process = subprocess.run(
        [str(program), *arguments], env=environment, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout + process.stderr


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """The collection as it is built for Galaxy."""
    run(GALAXY, "collection", "build", str(ROOT), "--output-path", str(tmp_path / "dist"), home=tmp_path)
    (built,) = (tmp_path / "dist").glob("mailops-exchange-*.tar.gz")
    return built


@pytest.fixture
def installed(tmp_path: Path, artifact: Path) -> Path:
    """A collections path with the artifact, the collections that it depends on, and nothing else."""
    path = tmp_path / "collections"
    # From where Galaxy would be asked for them: what the project's own environment has.
    for name in yaml.safe_load((ROOT / "galaxy.yml").read_text("utf-8"))["dependencies"]:
        part = Path("ansible_collections", *name.split("."))
        shutil.copytree(COLLECTIONS / part, path / part, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    run(GALAXY, "collection", "install", str(artifact), "-p", str(path), "--offline", home=tmp_path)
    return path


def test_the_installed_collection_does_the_main_job(here: Pop3Tasks, installed: Path) -> None:
    here.controller.collections = Path(f"{installed}{os.pathsep}{COLLECTIONS}")  # the latter for the JSON that we read
    assert here(identity="John Smith").result["changed"]
    here.delegate_to = "jump"
    assert not here(identity="John Smith").result["changed"]


def test_the_artifact_holds_what_a_user_needs_and_nothing_of_ours(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
    top = {name.split("/")[0] for name in names}
    assert top - TOP == set()
    assert top >= NEEDED
    assert [name for name in names if name.startswith("tests/")] == ["tests/config.yml"]
    hidden = [name for name in names if any(part.startswith((".", "__pycache__")) for part in name.split("/"))]
    assert hidden == []
    assert [name for name in names if name.endswith((".pyc", ".whl", ".gz", ".retry", ".orig"))] == []
    assert artifact.stat().st_size < LARGEST


def test_the_artifact_has_exactly_what_git_knows(artifact: Path) -> None:
    """What only lies about in a maintainer's folder is not published."""
    known = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if known.returncode:
        lacking("this is no git work tree")
    with tarfile.open(artifact) as archive:
        names = {member.name for member in archive.getmembers() if member.isfile()}
    assert names - set(known.stdout.splitlines()) == {"FILES.json", "MANIFEST.json"}


def test_an_empty_machine_does_the_main_job(tmp_path: Path, installed: Path) -> None:
    """A Python with ansible-core and what requirements.txt names, a project folder, and commands as users type them."""
    venv = tmp_path / "venv"
    requirements = installed / "ansible_collections" / "mailops" / "exchange" / "requirements.txt"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    core = f"ansible-core=={metadata.version('ansible-core')}"
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-compile"]
    got = subprocess.run([*pip, core, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if got.returncode:
        lacking(f"the package index could not be used: {got.stderr.strip().splitlines()[-1:]}")
    assert not (venv / "lib" / "ansible_collections").exists()

    project = tmp_path / "project"
    project.mkdir()
    (project / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {installed}\ninventory = inventory.json\n")
    with Farm(("MBX01", "MBX02")) as farm:
        inventory = farm.inventory(connection="winrm", method="basic")
        inventory["all"]["hosts"]["localhost"].pop("ansible_python_interpreter", None)
        (project / "inventory.json").write_text(json.dumps(inventory))
        variables = {
            "pop3_access_enabled": ["John Smith"],
            "pop3_access_connection_uri": farm.exchange.https_uri,
            "pop3_access_authentication": "basic",
            "pop3_access_username": farm.administrator.name,
            "pop3_access_password": farm.password,
            "pop3_access_ca_cert": str(farm.ca_file),
            "pop3_services_verify_stable_for": 0,
        }
        (project / "pop3.yml").write_text(yaml.safe_dump(variables))
        search = {"PATH": f"{venv / 'bin'}{os.pathsep}{os.defpath}", "ANSIBLE_NOCOLOR": "1"}
        first = run(venv / "bin" / "ansible-playbook", NAME, "-e@pop3.yml", home=tmp_path, more=search, cwd=project)
        assert re.search(r"mbx01 .*changed=[1-9].*failed=0", first), first
        assert "[WARNING]" not in first
        organisation = farm.organisation
        assert organisation.settings(organisation.mailbox("John Smith")).pop_enabled
        # The same through ansible-navigator, as it runs without a container.
        navigator = [publishing_tool("ansible-navigator"), "run", NAME, "-e@pop3.yml"]
        options = ["--execution-environment", "false", "--mode", "stdout", "--playbook-artifact-enable", "false"]
        search["TERM"] = "dumb"
        again = run(*navigator, *options, "--log-file", str(tmp_path / "log"), home=tmp_path, more=search, cwd=project)
        assert re.search(r"mbx01 .*changed=0.*failed=0", again), again


def test_galaxy_takes_it(artifact: Path) -> None:
    """Galaxy's own importer has nothing to say: its ansible-lint, its ansible-doc, its rules for changelog and tags."""
    publishing_tool("python")
    script = [sys.executable, str(ROOT / "tools" / "galaxy_import.py"), str(artifact)]
    process = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout) == (0, "Galaxy takes it.\n")


def test_an_execution_environment_gets_what_kerberos_needs(tmp_path: Path, installed: Path) -> None:
    """What ansible-builder reads out of the collection, and what it makes of the definition that is shipped."""
    builder = publishing_tool("ansible-builder")
    search = {"PATH": f"{builder.parent}{os.pathsep}{os.defpath}"}
    said = yaml.safe_load(run(builder, "introspect", str(installed), home=tmp_path, more=search))
    ours = {kind: [line.split("  #")[0] for line in said[kind] if "mailops.exchange" in line] for kind in said}
    assert sorted(re.split("[<>=]", line)[0] for line in ours["python"]) == ["pypsrp[kerberos]", "pywinrm[kerberos]"]
    system = {line.split()[0]: line.partition("[")[2].rstrip("]").split() for line in ours["system"]}
    # Kerberos at run time, and a compiler with two sets of headers in the builder: on each of the platforms.
    assert {name for name, profile in system.items() if "compile" not in profile} == {
        "krb5-libs",
        "krb5-workstation",
        "krb5-user",
    }
    compiling = {name for name, profile in system.items() if "compile" in profile}
    assert compiling == {"gcc", "krb5-devel", "python3-devel", "libkrb5-dev", "python3-dev"}

    definition = installed / "ansible_collections" / "mailops" / "exchange" / "execution-environment.yml"
    context = tmp_path / "context"
    run(builder, "create", "-f", str(definition), "-c", str(context), home=tmp_path, more=search, cwd=tmp_path)
    (recipe,) = [path for path in context.iterdir() if path.name in ("Containerfile", "Dockerfile")]
    text = recipe.read_text("utf-8")
    assert "ansible-core>=2.19.0" in text
    assert "import gssapi, krb5, pypsrp.powershell, winrm" in text
    wanted = yaml.safe_load((context / "_build" / "requirements.yml").read_text("utf-8"))
    assert wanted == {"collections": [{"name": "mailops.exchange"}]}


@pytest.mark.parametrize("name", ["requirements.txt", "meta/ee-requirements.txt", "tests/unit/requirements.txt"])
def test_pypsrp_is_wanted_alike_everywhere(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    (wanted,) = [line for line in lines if line.startswith("pypsrp")]
    assert wanted.replace("[kerberos]", "") == "pypsrp>=0.9.0,<1.0.0"
