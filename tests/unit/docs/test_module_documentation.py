# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DOCUMENTATION, EXAMPLES and RETURN say what the code does: options, defaults, choices, returned values."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mailops.exchange.plugins.module_utils._core import _pop_report, _pop_settings
from ansible_collections.mailops.exchange.plugins.module_utils._core._mailbox import (
    Failure,
    Mailbox,
    Pop3Settings,
    Reason,
)
from ansible_collections.mailops.exchange.plugins.module_utils._core._plan import plan
from ansible_collections.mailops.exchange.plugins.module_utils._core._pop_settings import SETTINGS
from ansible_collections.mailops.exchange.plugins.module_utils._core._pop_values import Member, Number
from ansible_collections.mailops.exchange.plugins.module_utils._core._report import report_held_back
from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import ModuleDefinition
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access_info import line_of

ROOT = Path(__file__).parents[3]
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
PLUGINS = "ansible_collections.mailops.exchange.plugins"


def constant(path: Path, name: str) -> str:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == [name]:
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{path.name} has no {name}")


def documented_options(path: Path) -> dict[str, Any]:
    documentation = yaml.safe_load(constant(path, "DOCUMENTATION"))
    options = dict(documentation["options"])
    for fragment in documentation["extends_documentation_fragment"]:
        name, _sep, part = fragment.removeprefix("mailops.exchange.").partition(".")
        module = importlib.import_module(f"{PLUGINS}.doc_fragments.{name}")
        text = getattr(module.ModuleDocFragment, part.upper() or "DOCUMENTATION")
        options |= yaml.safe_load(text).get("options") or {}
    return options


def definition(path: Path) -> ModuleDefinition:
    action = importlib.import_module(f"{PLUGINS}.action.{path.stem}")
    found = action.ActionModule.definition
    assert isinstance(found, ModuleDefinition)
    return found


def tasks(path: Path) -> Iterator[dict[str, Any]]:
    """Yield every task in the examples, also those inside plays."""
    for item in yaml.safe_load(constant(path, "EXAMPLES")):
        defaults = item.get("module_defaults", {}).get("group/mailops.exchange.exchange", {})
        for task in item.get("tasks", [item]):
            name = f"mailops.exchange.{path.stem}"
            if name in task:
                yield {**defaults, **(task[name] or {})}


modules = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)


@modules
def test_options_are_those_of_the_argument_spec(path: Path) -> None:
    options, spec = documented_options(path), definition(path).argument_spec
    assert set(options) == set(spec)
    for name, option in options.items():
        assert option["type"] == spec[name]["type"], name
        assert option.get("elements") == spec[name].get("elements"), name
        assert option.get("default") == spec[name].get("default"), name
        assert option.get("required", False) == spec[name].get("required", False), name
        assert sorted(option.get("choices", [])) == sorted(spec[name].get("choices", [])), name


@modules
def test_everything_that_is_secret_is_no_log(path: Path) -> None:
    secret = {name for name, spec in definition(path).argument_spec.items() if spec.get("no_log")}
    assert secret == {name for name in documented_options(path) if "password" in name}


@modules
def test_every_example_is_accepted_by_the_argument_spec(path: Path) -> None:
    found = list(tasks(path))
    assert len(found) >= 4
    for options in found:
        known = definition(path)
        validator = ArgumentSpecValidator(
            dict(known.argument_spec),
            mutually_exclusive=list(known.mutually_exclusive),
            required_one_of=list(known.required_one_of),
        )
        assert validator.validate(options).error_messages == []
        known.check_arguments(options)


@modules
def test_an_action_plugin_and_the_action_group_have_it(path: Path) -> None:
    """The group is for the connection options: a module without them would refuse them."""
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text("utf-8"))
    in_group = path.stem in runtime["action_groups"]["exchange"]
    assert in_group == ("connection_uri" in definition(path).argument_spec)
    assert (ROOT / "plugins" / "action" / path.name).is_file()


def test_returned_values_are_documented() -> None:
    returned = yaml.safe_load(constant(ROOT / "plugins" / "modules" / "exchange_pop3_access.py", "RETURN"))
    result = report_held_back(plan([]), "It stopped.")
    assert set(result) - {"diff", "failed"} == set(returned)
    assert set(result["counts"]) == set(returned["counts"]["contains"])
    reasons = " ".join(returned["failures"]["contains"]["reason"]["description"])
    assert all(f"V({reason.value})" in reasons for reason in Reason)
    settings = set(Pop3Settings.__dataclass_fields__)
    assert set(returned["mailboxes"]["contains"]["before"]["contains"]) == settings
    assert set(returned["mailboxes"]["contains"]["after"]["contains"]) == settings


def test_returned_mailboxes_of_a_look_are_documented() -> None:
    returned = yaml.safe_load(constant(ROOT / "plugins" / "modules" / "exchange_pop3_access_info.py", "RETURN"))
    ann = Mailbox(UUID(int=1), "Ann", "ann@contoso.com", "MBX01", Pop3Settings(pop_enabled=True))
    assert set(line_of("ann", ann)) == set(returned["mailboxes"]["contains"])


def test_returned_values_of_the_settings_are_documented() -> None:
    returned = yaml.safe_load(constant(ROOT / "plugins" / "modules" / "exchange_pop3_settings.py", "RETURN"))
    missing = Failure(Reason.NOT_FOUND, "Nobody has it.")
    result = _pop_report.report(_pop_settings.plan([("mbx01", missing)], {}), {})
    assert set(result) - {"diff", "failed"} == set(returned)
    for name in ("servers", "failures"):
        assert set(result[name][0]) == set(returned[name]["contains"])
    assert set(result["counts"]) == set(returned["counts"]["contains"])
    reasons = " ".join(returned["failures"]["contains"]["reason"]["description"])
    assert all(f"V({reason.value})" in reasons for reason in Reason)
    info = yaml.safe_load(constant(ROOT / "plugins" / "modules" / "exchange_pop3_settings_info.py", "RETURN"))
    shown = info["servers"]["contains"]
    assert set(shown) == {"server", "name", *SETTINGS}
    assert {name: shown[name]["type"] for name in SETTINGS} == {
        name: setting.kind.argument["type"] for name, setting in SETTINGS.items()
    }


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_documented_with_all_that_it_can_be(name: str) -> None:
    option = documented_options(ROOT / "plugins" / "modules" / "exchange_pop3_settings.py")[name]
    text, kind = " ".join(option["description"]), SETTINGS[name].kind
    if isinstance(kind, Member):
        assert all(f"V({member})" in text for _number, member in kind.names)
    if isinstance(kind, Number) and kind.most != 65535:
        assert f"from {kind.least} through {kind.most}" in text
