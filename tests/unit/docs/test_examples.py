# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in pages and in docs/examples: Ansible reads them, and what they name is there."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from support.prerequisites import of_the_docs

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "roles").rglob("*.md")], key=str)
FOLDER = ROOT / "docs" / "examples"
FILES = sorted(FOLDER.glob("*.yml"))
PLAYBOOKS = [path for path in FILES if isinstance(yaml.safe_load(path.read_text("utf-8")), list)]
BIN = Path(sys.executable).parent
OURS = re.compile(r"mailops\.exchange\.(exchange_\w+)$")
GROUP = "group/mailops.exchange.exchange"
KEYWORDS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


def blocks(page: Path) -> list[str]:
    return [
        "\n".join(line.removeprefix(indent) for line in body.split("\n"))
        for indent, body in re.findall(r"^( *)```yaml\n(.*?)^ *```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    ]


def documents() -> Iterator[tuple[str, Any]]:
    """Yield everything in YAML that is an example, and where it stands."""
    for page in PAGES:
        for number, block in enumerate(blocks(page), 1):
            yield f"{page.relative_to(ROOT)}: {number}", yaml.safe_load(block)
    for path in FILES:
        yield str(path.relative_to(ROOT)), yaml.safe_load(path.read_text("utf-8"))


EXAMPLES = dict(documents())
examples = pytest.mark.parametrize("document", EXAMPLES.values(), ids=EXAMPLES.keys())


def tasks(items: Any, defaults: dict[str, Any] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the options of each of our modules that is used, wherever in plays, blocks and lists."""
    for item in items if isinstance(items, list) else []:
        if not isinstance(item, dict):
            continue
        own = {**(defaults or {}), **item.get("module_defaults", {}).get(GROUP, {})}
        for key, value in item.items():
            found = OURS.match(str(key))
            if found:
                yield found[1], {**own, **(value or {})}
            elif key in KEYWORDS:
                yield from tasks(value, own)


def roles(items: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each of our roles that is used, with its variables."""
    for item in items if isinstance(items, list) else []:
        for role in item.get("roles", []):
            yield role["role"].rpartition(".")[2], {key: value for key, value in role.items() if key != "role"}


def variables(role: str) -> set[str]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text("utf-8"))
    return set(specs["argument_specs"]["main"]["options"])


def is_template(value: Any) -> bool:
    return "{{" in str(value)


@examples
def test_the_options_of_our_modules_are_options_of_theirs(document: Any) -> None:
    for name, options in tasks(document):
        action = importlib.import_module(f"ansible_collections.mailops.exchange.plugins.action.{name}")
        definition = action.ActionModule.definition
        assert set(options) <= set(definition.argument_spec), name
        # What a template becomes is not known here; what is written out has to be right.
        if not any(is_template(value) for value in options.values()):
            assert ArgumentSpecValidator(dict(definition.argument_spec)).validate(options).error_messages == []
            definition.check_arguments(options)


@examples
def test_the_variables_of_our_roles_are_variables_of_theirs(document: Any) -> None:
    known = {role: variables(role) for role in ("pop3_access", "pop3_services", "pop3_report")}
    for role, given in roles(document):
        assert set(given) <= known[role] | known["pop3_services"], role
    if isinstance(document, dict) and any(str(key).startswith("pop3_") for key in document):
        assert set(document) <= set().union(*known.values()) | {"pop3_report_hosts", "pop3_access_hosts"}


def test_examples_are_found_at_all() -> None:
    used = {name for document in EXAMPLES.values() for name, _options in tasks(document)}
    assert {path.stem for path in (ROOT / "plugins" / "modules").glob("exchange_*.py")} - used <= {
        "exchange_pop3_greeting",
        "exchange_pop3_settings",
        "exchange_pop3_settings_info",
    }
    assert {role for document in EXAMPLES.values() for role, _given in roles(document)} == {
        "pop3_access",
        "pop3_report",
        "pop3_services",
    }
    assert len(PLAYBOOKS) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_of_a_file_is_what_is_in_it(page: Path) -> None:
    shown = re.findall(
        r"<!-- docs/examples/(\S+) -->\n\n```\w*\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    for name, text in shown:
        assert (FOLDER / name).read_text("utf-8").endswith(f"\n{text}"), name


def test_a_page_names_every_example() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES) + "".join(path.read_text("utf-8") for path in FILES)
    assert [path.name for path in FOLDER.iterdir() if path.name not in text] == []


def test_ansible_reads_the_playbooks(tmp_path: Path) -> None:
    """All of them at once: it is Ansible's start that takes the time."""
    process = subprocess.run(
        [str(BIN / "ansible-playbook"), "--syntax-check", "-i", "localhost,", *map(str, PLAYBOOKS)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert [path.name for path in PLAYBOOKS if f"playbook: {path}" not in process.stdout] == []


@pytest.mark.parametrize(
    ("schema", "name"), [("vendor.github-workflows", "github-actions.yml"), ("vendor.gitlab-ci", "gitlab-ci.yml")]
)
def test_a_pipeline_is_one(schema: str, name: str) -> None:
    """By the published schema, as the checker carries it with it."""
    checker = of_the_docs("check-jsonschema")
    command = [checker, "--builtin-schema", schema, str(FOLDER / name)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_what_a_pipeline_runs_is_in_the_folder(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    named = set(re.findall(r"\b([\w-]+\.yml)\b", text)) - {"pop3.yml", "gitlab-ci.yml"}
    assert named >= {"apply.yml", "drift.yml", "inventory.yml", "requirements.yml"}
    assert [file for file in named if not (FOLDER / file).is_file()] == []


def test_ansible_reads_the_inventory(tmp_path: Path) -> None:
    command = [str(BIN / "ansible-inventory"), "-i", str(FOLDER / "inventory.yml"), "--host", "mbx02.contoso.com"]
    process = subprocess.run(
        command, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    assert json.loads(process.stdout)["ansible_connection"] == "winrm", process.stderr


def test_modules_of_awx_have_the_options_that_they_are_given(tmp_path: Path) -> None:
    (play,) = yaml.safe_load((FOLDER / "awx.yml").read_text("utf-8"))
    used = [(key, value) for task in play["tasks"] for key, value in task.items() if key.startswith("awx.awx.")]
    process = subprocess.run(
        [str(BIN / "ansible-doc"), "--json", *sorted({name for name, _options in used})],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    documented = json.loads(process.stdout)
    assert len(used) >= 6
    for name, options in used:
        known = documented[name]["doc"]["options"]
        assert set(options) <= set(known), name
        assert [key for key, option in known.items() if option.get("required") and key not in options] == [], name
    templates = [options for name, options in used if name == "awx.awx.job_template"]
    assert all(
        options["allow_simultaneous"] is False and options.get("job_slice_count", 1) == 1 for options in templates
    )


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".dev" / "collections"),
    }
