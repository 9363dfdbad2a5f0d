# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of docs/examples, and the module that CONTRIBUTING.md adds, do what the pages say of them."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml

from simulator import VIEW_ONLY_RECIPIENTS, Farm
from support.controller import ROOT, Controller
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks
from support.servers import Servers

EXAMPLES = ROOT / "docs" / "examples"


def example(name: str, here: Pop3Tasks) -> str:
    """A playbook of docs/examples, with the address and the login that the simulator has."""
    text = (EXAMPLES / name).read_text("utf-8")
    text = text.replace("http://mbx01.contoso.com/PowerShell/", here.simulator.exchange.https_uri)
    text = text.replace("popadmin@CONTOSO.COM", ADMIN)
    return re.sub(r"^( +)(password: .*)$", r"\1\2\n\1authentication: basic", text, flags=re.MULTILINE)


@pytest.fixture
def drift(here: Pop3Tasks) -> str:
    """The playbook against drift; its login comes from the environment, as in a pipeline."""
    log_in_by_environment(here)
    playbook = (EXAMPLES / "drift.yml").read_text("utf-8")
    return playbook.replace("state: enabled\n", "state: enabled\n        authentication: basic\n")


def log_in_by_environment(here: Pop3Tasks) -> None:
    here.controller.environment |= {
        "EXCHANGE_CONNECTION_URI": here.simulator.exchange.https_uri,
        "EXCHANGE_USERNAME": ADMIN,
        "EXCHANGE_PASSWORD": PASSWORD,
        "REQUESTS_CA_BUNDLE": str(here.simulator.ca_file),
    }


@pytest.mark.parametrize(
    ("listed", "code", "says"),
    [
        (["# the scanners", "Patrick Colon", ""], 0, "failed=0"),
        (["Patrick Colon", "John Smith"], 2, "Not as declared: John Smith."),
        (["John Smith", "Jhon Smith"], 2, "Not as declared: John Smith. 1 of 2 mailboxes failed: 1 not found."),
    ],
)
def test_the_playbook_against_drift(here: Pop3Tasks, drift: str, listed: list[str], code: int, says: str) -> None:
    (here.controller.folder / "pop3-users.txt").write_text("\n".join(listed) + "\n")
    run = here.controller.play(drift, json_output=False)
    assert run.returncode == code, run.output
    assert says in run.output
    assert ("+John Smith <jsmith@contoso.com>: pop_enabled: true" in run.stdout) == ("John Smith" in listed)
    assert here.sent("Set-CASMailbox") == []


def test_drift_fails_where_nothing_could_be_looked_at(here: Pop3Tasks, drift: str) -> None:
    (here.controller.folder / "pop3-users.txt").write_text("John Smith\n")
    here.controller.environment["EXCHANGE_PASSWORD"] = "wrong"
    run = here.controller.play(drift, json_output=False)
    assert run.returncode == 2
    assert "The login was not accepted" in run.output


def test_drift_needs_no_right_to_change_anything(here: Pop3Tasks, drift: str) -> None:
    here.simulator.users.add("auditor@contoso.com", PASSWORD, VIEW_ONLY_RECIPIENTS)
    here.controller.environment["EXCHANGE_USERNAME"] = "auditor@contoso.com"
    (here.controller.folder / "pop3-users.txt").write_text("Patrick Colon\nJohn Smith\n")
    run = here.controller.play(drift, json_output=False)
    assert run.returncode == 2
    assert "Not as declared: John Smith." in run.output


def test_the_five_minutes_of_the_first_page(here: Pop3Tasks) -> None:
    here.controller.environment["REQUESTS_CA_BUNDLE"] = str(here.simulator.ca_file)
    secrets = here.controller.folder / "secrets.yml"
    secrets.write_text(yaml.safe_dump({"exchange_password": PASSWORD}))
    playbook = example("pop3.yml", here).replace("john.smith@contoso.com", "John Smith")
    look = here.controller.play(playbook, "-e", f"@{secrets}", "--check", "--diff", json_output=False)
    assert look.returncode == 0, look.output
    assert "+John Smith <jsmith@contoso.com>: pop_enabled: true" in look.stdout
    assert here.sent("Set-CASMailbox") == []
    for changed, due in ((1, "true"), (0, "false")):
        run = here.controller.play(playbook, "-e", f"@{secrets}", json_output=False)
        assert f"changed={changed} " in run.stdout
        assert f'"pop3.restart_required": {due}' in run.stdout
    assert here.pop_enabled("John Smith")


def test_a_pipeline_makes_it_so(controller: Controller) -> None:
    """apply.yml with its list, and a login from the environment as in inventory.yml; a second run changes nothing."""
    with Farm(("MBX01", "MBX02")) as farm:
        controller.inventory = farm.inventory()
        group = controller.inventory["all"]["children"]["exchange"]
        for host in group["hosts"].values():
            controller.environment |= {
                "SERVERS_USER": host["ansible_user"],
                "SERVERS_PASSWORD": host["ansible_password"],
            }
            host["ansible_user"] = "{{ lookup('ansible.builtin.env', 'SERVERS_USER') }}"
            host["ansible_password"] = "{{ lookup('ansible.builtin.env', 'SERVERS_PASSWORD') }}"
        group["vars"]["pop3_services_verify_stable_for"] = 0
        (controller.folder / "pop3-users.txt").write_text("# the office\njsmith@contoso.com\n")
        for restarts in ([1, 1], [1, 1]):
            run = controller.play((EXAMPLES / "apply.yml").read_text("utf-8"), json_output=False)
            assert run.returncode == 0, run.output
            assert Servers(farm, controller).restarts() == {"mbx01": restarts, "mbx02": restarts}
        assert farm.may_use_pop3("jsmith@contoso.com")


@pytest.mark.parametrize(("path", "says"), [("/PowerShell/", "rights: ok."), ("/nowhere/", "path: failed.")])
def test_where_does_it_break(here: Pop3Tasks, path: str, says: str) -> None:
    here.controller.environment["REQUESTS_CA_BUNDLE"] = str(here.simulator.ca_file)
    playbook = example("where_does_it_break.yml", here).replace("/PowerShell/", path)
    run = here.controller.play(playbook, "-e", json.dumps({"exchange_password": PASSWORD}), json_output=False)
    assert run.returncode == 0, run.output
    assert says in run.output


def test_the_module_that_contributing_adds(here: Pop3Tasks) -> None:
    """Its three files, in a copy of the collection, and nothing else: it counts, and ansible-doc has it."""
    collections = here.controller.folder / "collections"
    copy = collections / "ansible_collections" / "mailops" / "exchange"
    for name in ("plugins", "meta"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", copy)
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    # The last file named before a block of Python is the one that it is.
    parts = re.split(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    files = [
        (re.findall(r"\*\*, `(plugins/\S+\.py)`", before)[-1], text)
        for before, text in zip(parts[::2], parts[1::2], strict=False)
    ]
    assert [name for name, _text in files] == [
        "plugins/module_utils/_module/_pop3_count.py",
        "plugins/action/exchange_pop3_count.py",
        "plugins/modules/exchange_pop3_count.py",
    ]
    for name, text in files:
        assert not (copy / name).exists()
        (copy / name).write_text(text)

    here.controller.collections = collections
    options = {name: value for name, value in here.connection.items() if name != "state"}
    tasks = [
        {"name": "Count", "mailops.exchange.exchange_pop3_count": options},
        {"name": "Count from the jump host", "mailops.exchange.exchange_pop3_count": options, "delegate_to": "jump"},
    ]
    run = here.controller.play([{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    organisation = here.simulator.organisation
    number = sum(organisation.settings(mailbox).pop_enabled for mailbox in organisation.mailboxes())
    assert number
    assert [result.get("count") for result in run.results] == [number, number], run.output
    shown = here.controller.run("ansible-doc", "mailops.exchange.exchange_pop3_count")
    assert "Counts, and changes nothing." in shown.stdout, shown.output
    assert "EXCHANGE_CONNECTION_URI" in shown.stdout
