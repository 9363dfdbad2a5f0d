# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-doc shows everything that a user can name: whole, without a warning, as text and as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.controller import ROOT, Controller

FOLDERS = {"module": "modules", "filter": "filter", "inventory": "inventory"}
GROUP = "mailops.exchange.exchange"
# ansible.builtin.inventory_cache says no type for it.
OF_ANSIBLE = {"cache_prefix"}
ATTRIBUTES = {"check_mode", "diff_mode", "idempotent", "platform", "async", "action"}

NO_COLLECTIONS = ("ansible/_protomatter", "mailops/__pycache__")


def names(kind: str) -> list[str]:
    """What there is of one kind, by full name."""
    if kind == "role":
        files = sorted((ROOT / "roles").glob("*/meta/argument_specs.yml"))
        return [f"mailops.exchange.{path.parents[1].name}" for path in files]
    files = sorted((ROOT / "plugins" / FOLDERS[kind]).glob("*.py"))
    return [f"mailops.exchange.{path.stem}" for path in files if path.stem != "__init__"]


def shown(controller: Controller, kind: str, *arguments: str) -> str:
    """What ansible-doc prints; it says nothing else, no warning and no error."""
    run = controller.run("ansible-doc", "-t", kind, *arguments)
    # From 2.20 on, ansible-core takes each folder where roles are looked for for a collection: one inside itself, and
    # the bytecode of the checkout's own namespace.
    said = [line for line in run.stderr.splitlines() if not any(f"/{name}'" in line for name in NO_COLLECTIONS)]
    assert (run.returncode, said) == (0, [])
    return run.stdout


def every_option(options: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield options, and options of options."""
    for name, option in options.items():
        yield name, option
        yield from every_option(option.get("options") or option.get("suboptions") or {})


@pytest.mark.parametrize("kind", [*FOLDERS, "role"])
def test_everything_is_shown_whole(controller: Controller, kind: str) -> None:
    wanted = names(kind)
    assert wanted
    text = shown(controller, kind, *wanted)
    data: dict[str, Any] = json.loads(shown(controller, kind, "--json", *wanted))
    assert sorted(data) == wanted
    for name in wanted:
        assert name in text
        documents = data[name]["entry_points"].values() if kind == "role" else [data[name]["doc"]]
        for document in documents:
            assert document["short_description"]
            assert document["description"]
            assert kind == "role" or document["version_added"]
            for option, said in every_option(document.get("options", {})):
                assert said.get("description"), f"{name}: {option}"
                assert said.get("type") or option in OF_ANSIBLE, f"{name}: {option}"
        if kind != "role":
            assert data[name]["examples"].strip(), name
    if kind == "module":
        for name in wanted:
            assert set(data[name]["doc"]["attributes"]) >= ATTRIBUTES, name
            assert data[name]["return"], name


def test_the_action_group_has_every_module_that_connects_to_exchange_and_says_so(controller: Controller) -> None:
    group = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text("utf-8"))["action_groups"]["exchange"]
    data: dict[str, Any] = json.loads(shown(controller, "module", "--json", *names("module")))
    connecting = {name for name, one in data.items() if "connection_uri" in one["doc"]["options"]}
    saying = {
        name
        for name, one in data.items()
        if GROUP in one["doc"]["attributes"].get("action_group", {}).get("membership", [])
    }
    assert {f"mailops.exchange.{name}" for name in group} == connecting == saying
    assert len(connecting) >= 5
    assert group == sorted(group)


def test_the_list_of_the_collection_has_a_line_for_each(controller: Controller) -> None:
    for kind in FOLDERS:
        listed = shown(controller, kind, "--list", "mailops.exchange")
        lines = {line.split()[0]: line.split(maxsplit=1)[1:] for line in listed.splitlines() if line.strip()}
        assert sorted(lines) == names(kind)
        assert all(lines.values())


def test_a_module_that_is_not_documented_is_noticed(controller: Controller, tmp_path: Path) -> None:
    """The check can fail: ansible-doc warns of what it cannot read, and that is taken for an error here."""
    plugins = tmp_path / "col" / "ansible_collections" / "mailops" / "exchange" / "plugins" / "modules"
    plugins.mkdir(parents=True)
    (plugins / "broken.py").write_text("DOCUMENTATION = '''\nmodule: broken\noptions: [\n'''\n")
    controller.collections = tmp_path / "col"
    with pytest.raises(AssertionError):
        shown(controller, "module", "mailops.exchange.broken")
