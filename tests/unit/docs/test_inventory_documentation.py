# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DOCUMENTATION and EXAMPLES of the inventory plugin say what the code does, and ansible-doc can show them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mailops.exchange.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.mailops.exchange.plugins.inventory import exchange_servers as plugin
from ansible_collections.mailops.exchange.plugins.module_utils._core._server import Server
from ansible_collections.mailops.exchange.plugins.module_utils._module._connection import CONNECTION_ARGUMENTS
from ansible_collections.mailops.exchange.plugins.module_utils._module._exchange_servers import (
    CONNECTION_OPTIONS,
    FROM_ENVIRONMENT,
)

ROOT = Path(__file__).parents[3]
DOCUMENTATION = yaml.safe_load(plugin.DOCUMENTATION)
COMMON = yaml.safe_load(ModuleDocFragment.COMMON)["options"]
CONNECTION = yaml.safe_load(ModuleDocFragment.INVENTORY)["options"] | COMMON


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What ansible-doc has of the plugin, all fragments in it."""
    home = tmp_path_factory.mktemp("home")
    process = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-doc"), "-t", "inventory", plugin.InventoryModule.NAME, "--json"],
        env={
            "PATH": os.defpath,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".dev" / "collections"),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)[plugin.InventoryModule.NAME]


def test_the_connection_options_are_those_of_the_modules() -> None:
    assert set(CONNECTION) == set(CONNECTION_OPTIONS)
    assert set(CONNECTION_ARGUMENTS) - set(CONNECTION) == {"parallel_sessions", "transport"}
    for name, option in CONNECTION.items():
        argument = CONNECTION_ARGUMENTS[name]
        assert option["type"] == argument["type"], name
        assert option.get("default") == argument.get("default"), name
        assert sorted(option.get("choices", [])) == sorted(argument.get("choices", [])), name


def test_the_environment_variables_are_those_that_the_code_reads() -> None:
    documented = {
        name: [entry["name"] for entry in option["env"]] for name, option in CONNECTION.items() if "env" in option
    }
    assert documented == {name: [variable] for name, variable in FROM_ENVIRONMENT.items()}
    assert FROM_ENVIRONMENT == {
        "connection_uri": "EXCHANGE_CONNECTION_URI",
        "username": "EXCHANGE_USERNAME",
        "password": "EXCHANGE_PASSWORD",
    }


def test_modules_and_inventory_say_the_same_of_what_they_have_in_common() -> None:
    of_modules = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"] | COMMON
    common = set(CONNECTION) - set(FROM_ENVIRONMENT)
    for name in common:
        of_tasks = {key: value for key, value in of_modules[name].items() if key not in ("description", "choices")}
        assert {
            key: value for key, value in CONNECTION[name].items() if key not in ("description", "choices")
        } == of_tasks
        # Word for word, but for what is said of the transport, which an inventory cannot choose.
        said = [text for text in of_modules[name].get("description", []) if "transport=" not in text]
        assert CONNECTION[name].get("description", []) == said
        assert set(CONNECTION[name].get("choices", ())) == set(of_modules[name].get("choices", ()))
        assert "transport" not in str(CONNECTION[name])


def test_every_host_variable_is_described() -> None:
    described = " ".join(DOCUMENTATION["description"])
    assert [field.name for field in fields(Server) if f"C({field.name})" not in described] == []


def test_ansible_doc_shows_all_of_it(shown: Any) -> None:
    options = shown["doc"]["options"]
    assert {"plugin", "hostname", *CONNECTION_OPTIONS} <= set(options)
    assert {"compose", "groups", "keyed_groups", "strict", "leading_separator", "cache", "cache_plugin"} <= set(options)
    assert shown["doc"]["short_description"]
    assert options["plugin"]["choices"] == [plugin.InventoryModule.NAME]
    assert shown["examples"].strip() == plugin.EXAMPLES.strip()


def test_examples_use_options_that_there_are(shown: Any) -> None:
    examples = list(yaml.safe_load_all(plugin.EXAMPLES))
    assert len(examples) >= 4
    for example in examples:
        assert example["plugin"] == plugin.InventoryModule.NAME
        assert set(example) <= set(shown["doc"]["options"])
