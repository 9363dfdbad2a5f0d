# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role hands every connection option of the modules on, under its own prefix, and documents it alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mailops.exchange.plugins.module_utils._module._connection import CONNECTION_ARGUMENTS

ROLES = Path(__file__).parents[3] / "roles"

LEFT_OUT: dict[tuple[str, str], str] = {
    ("pop3_services", "parallel_sessions"): "It has one server at a time set, which is one session.",
}
"""What a role does not hand on, and why."""

USES = {
    "pop3_access": ("exchange_pop3_access", 2),
    "pop3_report": ("exchange_pop3_access_info", 2),
    "pop3_services": ("exchange_pop3_settings", 2),
}
"""The module with a connection that each role uses, and in how many tasks."""


def options_of(role: str) -> dict[str, dict[str, Any]]:
    """The connection options that a role is to have: those of the modules, without what is left out."""
    return {name: spec for name, spec in CONNECTION_ARGUMENTS.items() if (role, name) not in LEFT_OUT}


def tasks_of(role: str) -> Iterator[dict[str, Any]]:
    """All tasks of a role, also those in blocks."""
    for path in sorted((ROLES / role / "tasks").glob("*.yml")):
        yield from _flat(yaml.safe_load(path.read_text("utf-8")))


def _flat(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _flat(task.get(part, []))


def load(role: str, file: str) -> Any:
    return yaml.safe_load((ROLES / role / file).read_text("utf-8"))


def hand_overs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every task of every role that uses a module with a connection: the role, the module, its options."""
    modules = {path.stem for path in (ROLES.parent / "plugins" / "action").glob("exchange_*.py")}
    for role in sorted(path.name for path in ROLES.iterdir()):
        for task in tasks_of(role):
            for name in modules - {"exchange_pop3_greeting"}:  # it speaks POP3, and to nobody's Exchange
                if f"mailops.exchange.{name}" in task:
                    yield role, name, task[f"mailops.exchange.{name}"]


def test_the_roles_and_their_tasks_are_these() -> None:
    found = [(role, module) for role, module, _options in hand_overs()]
    assert {role: (module, found.count((role, module))) for role, module in found} == USES


@pytest.mark.parametrize("role", USES)
def test_every_task_hands_every_option_on(role: str) -> None:
    expected = {name: f"{{{{ {role}_{name} | default(omit) }}}}" for name in options_of(role)}
    for found, _module, given in hand_overs():
        if found == role:
            assert {name: value for name, value in given.items() if name in CONNECTION_ARGUMENTS} == expected


@pytest.mark.parametrize("role", USES)
def test_the_role_s_own_documentation_has_every_option_alike(role: str) -> None:
    """Of the same type and with the same choices; without a default, so that module_defaults of the play count."""
    documented = load(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    names = {name.removeprefix(f"{role}_") for name in documented} & CONNECTION_ARGUMENTS.keys()
    assert names == options_of(role).keys()
    for name, spec in options_of(role).items():
        option = documented[f"{role}_{name}"]
        assert "default" not in option, name
        for what in ("type", "choices", "no_log"):
            assert (option.get(what) or None) == (spec.get(what) or None), (name, what)


@pytest.mark.parametrize("role", USES)
def test_the_defaults_say_nothing_of_the_connection(role: str) -> None:
    """What is not given is left out of the task: the modules' own defaults, module_defaults and the host's count."""
    assert {f"{role}_{name}" for name in CONNECTION_ARGUMENTS}.isdisjoint(load(role, "defaults/main.yml"))


@pytest.mark.parametrize("role", [role for role in USES if f"__{role}_names" in load(role, "vars/main.yml")])
def test_no_option_is_taken_for_a_misspelt_variable(role: str) -> None:
    known = set(load(role, "vars/main.yml")[f"__{role}_names"])
    assert {f"{role}_{name}" for name in options_of(role)} <= known


def test_what_is_left_out_is_there_to_be_left_out() -> None:
    assert all(role in USES and name in CONNECTION_ARGUMENTS for role, name in LEFT_OUT)
