# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same playbook text from localhost, on a Windows host of the inventory, and delegated; and ad hoc."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import MAIL_RECIPIENTS, Simulator
from support.controller import JUMP, LOCAL, Controller
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks
from support.transports import BOTH, HOST_SHELL, REMOTE_POWERSHELL, host_of

PLAYBOOK = """
- name: POP3 access
  hosts: "{{ where }}"
  gather_facts: false
  module_defaults:
    group/mailops.exchange.exchange:
      transport: "{{ by }}"
      connection_uri: "{{ exchange_uri }}"
      authentication: basic
      ca_cert: "{{ exchange_ca }}"
  tasks:
    - name: John Smith may read his mail over POP3
      mailops.exchange.exchange_pop3_access:
        identity: John Smith
        state: enabled
      delegate_to: "{{ through | default(omit) }}"
"""

WINDOWS = {
    "ansible_host": "localhost",
    "ansible_connection": "winrm",
    "ansible_user": ADMIN,
    "ansible_password": PASSWORD,
}


def inventory(simulator: Simulator, **hosts: dict[str, Any]) -> dict[str, Any]:
    exchange = {"exchange_uri": simulator.exchange.https_uri, "exchange_ca": str(simulator.ca_file)}
    return {"all": {"hosts": {"localhost": LOCAL, "jump": JUMP, "mbx01": WINDOWS, **hosts}, "vars": exchange}}


@pytest.mark.parametrize(
    ("transport", "where", "through", "credentials_from"),
    [
        (REMOTE_POWERSHELL, "localhost", None, "environment"),
        (REMOTE_POWERSHELL, "localhost", "jump", "environment"),
        (REMOTE_POWERSHELL, "localhost", "mbx01", "host"),
        (REMOTE_POWERSHELL, "mbx01", None, "host"),
        (REMOTE_POWERSHELL, "mbx01", "localhost", "host"),
        (REMOTE_POWERSHELL, "mbx01", "jump", "host"),
        # There has to be a Windows host to run it, which is that of the task or the one that it is delegated to.
        (HOST_SHELL, "localhost", "mbx01", "host"),
        (HOST_SHELL, "mbx01", None, "host"),
    ],
    indirect=["transport"],
)
def test_the_same_playbook_text_works_everywhere(
    transport: str,
    windows: dict[str, Any],
    simulator: Simulator,
    controller: Controller,
    where: str,
    through: str | None,
    credentials_from: str,
) -> None:
    controller.inventory = inventory(simulator, mbx01=windows)
    if credentials_from == "environment":
        controller.environment |= {"EXCHANGE_USERNAME": ADMIN, "EXCHANGE_PASSWORD": PASSWORD}
    variables = {"by": transport, "where": where, **({"through": through} if through else {})}

    dry = controller.play(PLAYBOOK, "--check", "-e", json.dumps(variables))
    real = controller.play(PLAYBOOK, "-e", json.dumps(variables))
    again = controller.play(PLAYBOOK, "-e", json.dumps(variables))

    assert [run.returncode for run in (dry, real, again)] == [0, 0, 0], dry.output + real.output + again.output
    assert [run.result["changed"] for run in (dry, real, again)] == [True, True, False]
    user = windows["ansible_user"] if credentials_from == "host" else ADMIN
    assert {call.user for call in simulator.exchange.calls} == {user}


@pytest.fixture
def windows(transport: str, simulator: Simulator) -> Iterator[dict[str, Any]]:
    """A Windows host's variables. Only over host_shell it is there, and its user is one of Exchange, too."""
    if transport == REMOTE_POWERSHELL:
        yield WINDOWS
        return
    with host_of(simulator) as host:
        host.start()
        simulator.users.add(host.user, host.password, MAIL_RECIPIENTS)
        yield host.inventory_vars()


@pytest.mark.parametrize("connection", ["winrm", "psrp", "ssh"])
@pytest.mark.parametrize("through", [None, "localhost", "jump"])
def test_the_address_comes_from_the_hosts_own_connection(here: Pop3Tasks, connection: str, through: str | None) -> None:
    """Nothing listens there; the message shows which address was taken, with Exchange's own port and path."""
    host = {
        **WINDOWS,
        "ansible_connection": connection,
        "ansible_host": "127.0.0.9",
        "ansible_shell_type": "powershell",
    }
    here.controller.inventory = {"all": {"hosts": {"mbx01": host, "localhost": LOCAL, "jump": JUMP}}}
    run = here.controller.task(
        {"identity": "John Smith", "state": "enabled", "authentication": "basic", "allow_unencrypted": True},
        hosts="mbx01",
        keywords={"delegate_to": through} if through else {},
    )
    assert f"http://127.0.0.9/PowerShell/ (basic, as {ADMIN})" in run.result["msg"]


def test_a_linux_host_gives_no_address(here: Pop3Tasks) -> None:
    here.controller.inventory = {"all": {"hosts": {"web01": {"ansible_host": "127.0.0.9", "ansible_user": "deploy"}}}}
    run = here.controller.task({"identity": "John Smith", "state": "enabled"}, hosts="web01")
    assert "connection_uri is needed" in run.result["msg"]


@pytest.mark.ansible
@BOTH
def test_the_hosts_password_is_not_sent_for_another_user(here: Pop3Tasks, transport: str) -> None:
    here.controller.inventory = inventory(here.simulator)
    run = here.controller.task(
        {**here.connection, "identity": "John Smith", "username": "other@contoso.com", "password": ""}, hosts="mbx01"
    )
    says = "a username without a password" if transport == HOST_SHELL else "needs a username and a password"
    assert says in run.result["msg"]
    assert here.simulator.exchange.http_requests == 0


@pytest.mark.parametrize("through", [None, "localhost"])
def test_the_environments_password_is_not_sent_for_another_user(here: Pop3Tasks, through: str | None) -> None:
    """A password belongs to the user that it comes with; enough wrong ones lock an account."""
    administrator = {**WINDOWS, "ansible_user": "Administrator"}
    del administrator["ansible_password"]
    here.controller.inventory = inventory(here.simulator, mbx01=administrator)
    here.controller.environment |= {"EXCHANGE_USERNAME": ADMIN, "EXCHANGE_PASSWORD": PASSWORD}
    given = {k: v for k, v in here.connection.items() if k not in ("username", "password")}
    keywords = {"delegate_to": through} if through else {}
    run = here.controller.task({**given, "identity": "John Smith"}, hosts="mbx01", keywords=keywords)
    assert "needs a username and a password" in run.result["msg"]
    assert here.simulator.exchange.http_requests == 0


def test_variables_that_cannot_be_resolved_do_not_matter_where_nothing_is_missing(here: Pop3Tasks) -> None:
    odd = {**WINDOWS, "ansible_password": "{{ nowhere }}", "ansible_shell_type": "{{ 'power' ~ 'shell' }}"}
    here.controller.inventory = inventory(here.simulator, mbx01=odd)
    run = here.controller.task(
        {**here.connection, "identity": "John Smith"}, hosts="mbx01", keywords={"delegate_to": "localhost"}
    )
    assert run.result["changed"]


def test_the_environment_keyword_reaches_the_libraries(here: Pop3Tasks) -> None:
    """KRB5CCNAME, HTTPS_PROXY and their like: set by the task, they count on the controller too."""
    run = here(identity="John Smith", keywords={"environment": {"HTTPS_PROXY": "http://127.0.0.1:9"}})
    assert "The proxy of this environment could not reach localhost:" in run.result["msg"]


def test_a_path_is_one_of_the_host_that_connects(here: Pop3Tasks) -> None:
    """~ is the home on the jump host, which is another one than the controller's."""
    home = here.controller.folder / "jumps-home"
    home.mkdir()
    (home / "ca.pem").write_bytes(here.simulator.ca_file.read_bytes())
    here.delegate_to = "jump"
    run = here(identity="John Smith", ca_cert="~/ca.pem", keywords={"environment": {"HOME": str(home)}})
    assert run.result["changed"]


def test_a_task_comes_before_module_defaults_and_the_host(here: Pop3Tasks) -> None:
    here.controller.inventory = inventory(here.simulator)
    here.controller.environment |= {"EXCHANGE_CONNECTION_URI": "https://localhost:1/PowerShell/"}
    task = {"name": "Task", "mailops.exchange.exchange_pop3_access": {**here.connection, "identity": "John Smith"}}
    defaults = {"group/mailops.exchange.exchange": {"connection_uri": "https://localhost:2/PowerShell/"}}
    play = {"name": "Play", "hosts": "mbx01", "gather_facts": False, "module_defaults": defaults, "tasks": [task]}
    assert here.controller.play([play]).result["changed"]


def test_the_environment_keyword_of_a_task_counts(here: Pop3Tasks) -> None:
    given = {k: v for k, v in here.connection.items() if k not in ("username", "password")}
    keywords = {"environment": {"EXCHANGE_USERNAME": ADMIN, "EXCHANGE_PASSWORD": PASSWORD}}
    run = here.controller.task({**given, "identity": "John Smith"}, keywords=keywords)
    assert run.result["changed"]


def test_ad_hoc(here: Pop3Tasks) -> None:
    here.controller.environment |= {
        "EXCHANGE_CONNECTION_URI": here.simulator.exchange.https_uri,
        "EXCHANGE_USERNAME": ADMIN,
        "EXCHANGE_PASSWORD": PASSWORD,
    }
    options = f"identity='John Smith' state=enabled authentication=basic ca_cert={here.simulator.ca_file}"
    run = here.controller.adhoc("localhost", "-m", "mailops.exchange.exchange_pop3_access", "-a", options)
    assert run.returncode == 0, run.output
    assert run.stdout.startswith("localhost | CHANGED => ")
    assert here.pop_enabled("John Smith")


def test_a_loop_over_mailboxes_works_too(here: Pop3Tasks) -> None:
    run = here(identity="{{ item }}", keywords={"loop": ["John Smith", "Patrick Colon"]})
    assert [item["changed"] for item in run.result["results"]] == [True, False]


def test_several_hosts_at_once(here: Pop3Tasks) -> None:
    """Three hosts of one play, each with a session of its own, and one change in all."""
    hosts = {f"mbx0{n}": WINDOWS for n in (1, 2, 3)}
    here.controller.inventory = {"all": {"hosts": hosts}}
    run = here.controller.task({**here.connection, "identity": "Patrick Colon", "state": "disabled"}, hosts="all")
    assert len(run.results) == 3
    assert any(result["changed"] for result in run.results)
    assert not here.pop_enabled("Patrick Colon")
