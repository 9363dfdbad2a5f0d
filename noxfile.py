# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every supported ansible-core, each with each Python it runs on that is on this machine.

    nox                     # everything, for all of them: the whole suite, ansible-test sanity and units
    nox -s chosen           # what differs between them, a minute or so each: what `make matrix` and CI run,
    nox -s chosen_sanity    # ... with the tests of ansible-test sanity that load the plugins
    nox -s "tests(core='2.20', python='3.12')" -- -k inventory

`make .dev/ready` comes first: the environments share its collections. They are made once, in .dev/cores; a Python that
is not here is skipped, and named.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import antsibull_nox
import nox

ROOT = Path(__file__).parent
OWN = ROOT / ".dev" / "venv"

# What is supported. 2.22 is on the package index before its release, so a candidate of it counts.
CORES = {
    "2.19": ("ansible-core~=2.19.0", ("3.11", "3.12", "3.13")),
    "2.20": ("ansible-core~=2.20.0", ("3.12", "3.13")),
    "2.21": ("ansible-core~=2.21.0", ("3.12", "3.13")),
    "2.22": ("ansible-core>=2.22.0rc1,<2.23", ("3.13", "3.14")),
}
# One Python for each, all of them in the end: enough to find what differs.
FEW = [("2.19", "3.11"), ("2.20", "3.12"), ("2.21", "3.13"), ("2.22", "3.13")]
ALL = [(core, python) for core, (_wanted, pythons) in CORES.items() for python in pythons]

# Where an ansible-core can make a difference: both faces, both transports, each kind of plugin, the roles.
CHOSEN = [
    "tests/unit/docs",
    "--ignore=tests/unit/docs/test_site.py",  # it is built with an ansible-core of its own
    "tests/unit/module/test_action_face.py",
    "tests/integration/test_main_job.py::test_check_then_change_then_nothing",
    "tests/integration/test_places.py::test_the_same_playbook_text_works_everywhere",
    "tests/integration/test_host_shell.py::test_check_then_change_then_nothing",
    "tests/integration/test_host_shell.py::test_the_role_from_the_mailbox_to_the_login",
    "tests/integration/test_pop3_access_role.py::test_the_playbook_by_its_full_name",
    "tests/integration/test_pop3_settings.py::test_through_either_face",
    "tests/integration/test_pop3_settings_role.py::test_batches_come_in_the_order_of_the_inventory",
    "tests/integration/test_inventory.py::test_the_guides_example_runs",
    "tests/integration/test_ansible_doc.py",
]
# Those of ansible-test that load the plugins, or know what this ansible-core wants of them.
CHOSEN_SANITY = ["ansible-doc", "action-plugin-docs", "import", "runtime-metadata", "validate-modules"]

REQUIREMENTS = ["requirements.txt", "tests/unit/requirements.txt", "tests/requirements-tests.txt"]

nox.options.sessions = ["tests", "sanity", "units"]
nox.options.envdir = ".dev/nox"

for_few = nox.parametrize(["core", "python"], FEW)
for_all = nox.parametrize(["core", "python"], ALL)


def environment(session: nox.Session, core: str, python: str) -> Path:
    """The environment with this ansible-core: the project's own if it is that one, or one in .dev/cores."""
    if versions(OWN) == (core, python):
        return OWN
    venv = ROOT / ".dev" / "cores" / f"{core}-{python}"
    wanted = CORES[core][0]
    parts = [wanted, *((ROOT / name).read_text("utf-8") for name in REQUIREMENTS)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    stamp = venv / "made-of.txt"
    if not stamp.is_file() or stamp.read_text("utf-8") != digest:
        found = subprocess.run([ROOT / "tools" / "find-python", python], capture_output=True, text=True, check=False)
        if found.returncode:
            session.skip(f"no Python {python} was found on this machine")
        session.run_install(found.stdout.strip(), "-m", "venv", "--clear", str(venv), external=True)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        session.run_install(*pip, "--no-compile", wanted, "-r", "tests/requirements-tests.txt", external=True)
        stamp.write_text(digest, "utf-8")
    return venv


def versions(venv: Path) -> tuple[str, ...]:
    """The ansible-core and the Python that an environment has, as 2.19 and 3.11; nothing if there is none."""
    ask = "import sys, ansible.release as r; print(*r.__version__.split('.')[:2], *sys.version_info[:2])"
    python = venv / "bin" / "python"
    if not python.exists():
        return ()
    said = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False).stdout.split()
    return (".".join(said[:2]), ".".join(said[2:])) if len(said) == 4 else ()


def run(session: nox.Session, venv: Path, *command: str) -> None:
    """Run one program of an environment, with what the Makefile gives its own, too."""
    session.run(
        str(venv / "bin" / "python"),
        *command,
        env={
            "PATH": os.pathsep.join([str(venv / "bin"), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT / "tests"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".dev" / "collections"),
        },
        external=True,
    )


def pytest(session: nox.Session, venv: Path, *arguments: str) -> None:
    """Run tests, on all cores of the machine."""
    run(session, venv, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", *arguments, *session.posargs)


def ansible_test(session: nox.Session, venv: Path, *arguments: str) -> None:
    """Run ansible-test on a copy of the working tree."""
    run(session, venv, "tools/ansible_test.py", *arguments)


def another(session: nox.Session, core: str, python: str) -> Path:
    """The environment with this ansible-core, if it is not the project's own."""
    venv = environment(session, core, python)
    if venv == OWN:
        session.skip("it is the project's own environment, where `make test` and `make sanity` run everything")
    return venv


@nox.session(venv_backend="none", default=False)
@for_few
def chosen(session: nox.Session, core: str, python: str) -> None:
    """Run the tests of what may differ between one ansible-core and the next."""
    pytest(session, another(session, core, python), *CHOSEN)


@nox.session(venv_backend="none", default=False)
@for_few
def chosen_sanity(session: nox.Session, core: str, python: str) -> None:
    """Run those of ansible-test sanity that may differ, with one Python: `make sanity` has tried them all."""
    tests = [word for name in CHOSEN_SANITY for word in ("--test", name)]
    ansible_test(session, another(session, core, python), "sanity", "--python", python, *tests)


@nox.session(venv_backend="none")
@for_all
def tests(session: nox.Session, core: str, python: str) -> None:
    """Run the whole suite."""
    pytest(session, environment(session, core, python), "tests")


@nox.session(venv_backend="none")
@for_few
def sanity(session: nox.Session, core: str, python: str) -> None:
    """Run ansible-test sanity, all of it."""
    ansible_test(session, environment(session, core, python), "sanity", *session.posargs)


@nox.session(venv_backend="none")
@for_few
def units(session: nox.Session, core: str, python: str) -> None:
    """Run ansible-test units."""
    ansible_test(session, environment(session, core, python), "units", *session.posargs)


@nox.session(venv_backend="none", default=False)
@for_few
def authentication(session: nox.Session, core: str, python: str) -> None:
    """Log in with every method; `make auth-matrix` puts what came of it into docs/authentication.md."""
    venv = environment(session, core, python)
    session.run("tools/add-kerberos", str(venv.relative_to(ROOT)), external=True)
    files = ["tests/integration/test_authentication.py", "tests/integration/test_kerberos.py"]
    page = f"{files[0]}::test_the_page_says_what_came_out_here"
    pytest(session, venv, *files, f"--deselect={page}")


# What antsibull-nox can do without a container and without Galaxy: see antsibull-nox.toml. The rest of it, ansible-test
# and the docs, needs one or the other, and is run by the sessions above and by tests.
antsibull_nox.load_antsibull_nox_toml()
