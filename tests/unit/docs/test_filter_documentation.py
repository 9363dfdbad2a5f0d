# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation of a filter says are its options, its function takes; its examples name what there is."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FILTERS = sorted((ROOT / "plugins" / "filter").glob("*.py"))

filters = pytest.mark.parametrize("path", FILTERS, ids=lambda path: path.stem)


def documentation(path: Path, name: str) -> Any:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return yaml.safe_load(ast.literal_eval(node.value))
    raise AssertionError(f"{path.name} has no {name}")


@filters
def test_options_are_those_of_the_function(path: Path) -> None:
    module = importlib.import_module(f"ansible_collections.mailops.exchange.plugins.filter.{path.stem}")
    (function,) = module.FilterModule().filters().values()
    documented = documentation(path, "DOCUMENTATION")
    assert documented["name"] == path.stem
    assert list(module.FilterModule().filters()) == [path.stem]
    _value, *parameters = inspect.signature(function).parameters.values()
    options = {name: option for name, option in documented["options"].items() if name != "_input"}
    assert list(options) == [parameter.name for parameter in parameters]
    for parameter in parameters:
        option = options[parameter.name]
        required = parameter.default is inspect.Parameter.empty
        assert option.get("required", False) == required, parameter.name
        default = None if required else parameter.default
        assert option.get("default") == (list(default) if isinstance(default, tuple) else default), parameter.name


@filters
def test_examples_and_returned_values(path: Path) -> None:
    examples = documentation(path, "EXAMPLES")
    assert all(task["name"] for task in examples)
    used = set(re.findall(r"mailops\.exchange\.(pop3_\w+)", str(examples)))
    assert path.stem in used
    assert used <= {filter_.stem for filter_ in FILTERS}
    assert "_value" in documentation(path, "RETURN")
