# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin with the real ``ansible-inventory`` and ``ansible-playbook``: every server, in the right groups,
and restarted; nothing secret anywhere; an error is a sentence."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator import (
    BACKEND_ONLY,
    FRONTEND_ONLY,
    MAIL_RECIPIENTS,
    VIEW_ONLY_CONFIGURATION,
    Ending,
    Farm,
    ServerSetup,
    Simulator,
    User,
)
from simulator.wire import faults
from support.controller import ROOT, Controller, Run
from support.servers import Servers

PLUGIN = "mailops.exchange.exchange_servers"
VIEWER, SECRET = "viewer@contoso.com", "S3cret-to-be-found-nowhere"
SERVERS, DAGS, MEMBERS = "Get-ExchangeServer", "Get-DatabaseAvailabilityGroup", "Get-MailboxServer"


@dataclass
class Inventory:
    """An inventory file for the plugin, and what Ansible's programs make of it."""

    exchange: Farm
    controller: Controller
    viewer: User
    name: str = "contoso.exchange_servers.yml"

    @property
    def connection(self) -> dict[str, Any]:
        return {
            "plugin": PLUGIN,
            "connection_uri": self.exchange.exchange.https_uri,
            "authentication": "basic",
            "ca_cert": str(self.exchange.ca_file),
            "username": VIEWER,
            "password": SECRET,
        }

    @property
    def path(self) -> Path:
        return self.controller.folder / self.name

    def write(self, text: str = "", **options: Any) -> Path:
        """Write the file; an option that is None is left out, and ``text`` is for what YAML cannot be made of."""
        given = {name: value for name, value in {**self.connection, **options}.items() if value is not None}
        self.path.write_text(yaml.safe_dump(given) + text, "utf-8")
        return self.path

    def run(self, *arguments: str, text: str = "", **options: Any) -> Run:
        self.write(text, **options)
        return self.controller.run("ansible-inventory", "-i", str(self.path), *arguments)

    def listed(self, *arguments: str, text: str = "", **options: Any) -> dict[str, Any]:
        """What --list prints; untrusted texts, which it marks, as the texts that they are."""
        run = self.run("--list", *arguments, text=text, **options)
        assert run.returncode == 0, run.output
        return json.loads(run.stdout, object_hook=lambda item: item.get("__ansible_unsafe", item))  # type: ignore[no-any-return]

    def groups(self, **options: Any) -> dict[str, list[str]]:
        listed = self.listed(**options)
        return {name: group["hosts"] for name, group in listed.items() if "hosts" in group}

    def asked(self) -> list[str]:
        return [call.name for call in self.exchange.exchange.calls]


@pytest.fixture
def inventory(simulator: Simulator, controller: Controller) -> Inventory:
    """Four servers: two of 2019 in a DAG, one of 2013, and one at the edge."""
    organisation = simulator.organisation
    organisation.add_server(
        "CAS13", roles=("ClientAccess",), version="Version 15.0 (Build 1497.2)", site="Zürich / Süd"
    )
    organisation.add_server("EDGE01", roles=("Edge",), site="Berlin")
    return Inventory(simulator, controller, simulator.users.add(VIEWER, SECRET, VIEW_ONLY_CONFIGURATION))


def failed(run: Run, *words: str) -> None:
    """Ansible goes on without a source that failed; what it says is our sentence and no traceback."""
    said = " ".join(run.stderr.split())
    for word in words:
        assert word in said, run.stderr
    assert "Traceback" not in run.output
    assert SECRET not in run.output


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


# --- what is listed ---------------------------------------------------------------------------------------------------


def test_every_server_is_in_its_groups(inventory: Inventory) -> None:
    assert inventory.groups() == {
        "exchange": ["cas13", "mbx01", "mbx02"],
        "exchange_2013": ["cas13"],
        "exchange_2019": ["mbx01", "mbx02"],
        "exchange_client_access": ["cas13", "mbx01", "mbx02"],
        "exchange_dag_dag1": ["mbx01", "mbx02"],
        "exchange_edge": ["edge01"],
        "exchange_mailbox": ["mbx01", "mbx02"],
        "exchange_site_berlin": ["mbx01"],
        "exchange_site_paris": ["mbx02"],
        "exchange_site_zürich___süd": ["cas13"],
    }
    assert inventory.asked() == [SERVERS, DAGS]


def test_host_variables(inventory: Inventory) -> None:
    hosts = inventory.listed()["_meta"]["hostvars"]
    assert hosts["mbx01"] == {
        "ansible_host": "mbx01.contoso.com",
        "exchange_server": {
            "name": "MBX01",
            "fqdn": "mbx01.contoso.com",
            "roles": ["mailbox", "client_access"],
            "version": "15.2.1748.10",
            "build": "1748.10",
            "product": "2019",
            "site": "Berlin",
            "dag": "DAG1",
            "edition": "Enterprise",
        },
    }
    assert hosts["cas13"]["exchange_server"]["dag"] is None
    assert hosts["edge01"]["exchange_server"]["roles"] == ["edge"]


def test_servers_by_their_full_names(inventory: Inventory) -> None:
    listed = inventory.listed(hostname="fqdn")
    assert listed["exchange"]["hosts"] == ["cas13.contoso.com", "mbx01.contoso.com", "mbx02.contoso.com"]
    assert listed["_meta"]["hostvars"]["mbx01.contoso.com"]["ansible_host"] == "mbx01.contoso.com"


@pytest.mark.parametrize("name", ["EXCHANGE", "ALL"])
def test_a_server_with_the_name_of_a_group(inventory: Inventory, name: str) -> None:
    inventory.exchange.organisation.add_server(name)
    groups = inventory.groups()
    assert f"{name.lower()}.contoso.com" in groups["exchange"]
    assert "mbx01" in groups["exchange"]


def test_the_order_does_not_depend_on_exchange(inventory: Inventory) -> None:
    first = inventory.run("--graph").stdout
    servers = inventory.exchange.organisation.servers
    for name in sorted(servers, reverse=True):
        servers[name] = servers.pop(name)
    assert inventory.run("--graph").stdout == first
    assert "--mbx01" in first


def test_the_name_of_the_file_says_whose_it_is(inventory: Inventory) -> None:
    inventory.name = "contoso.yml"
    failed(inventory.run("--list"), "could not be verified by inventory plugin 'mailops.exchange.exchange_servers'")
    inventory.name = "exchange_servers.yaml"
    assert "mbx01" in inventory.groups()["exchange"]


def test_what_exchange_says_is_never_a_template(inventory: Inventory) -> None:
    """The name of a site is anybody's who may name one."""
    inventory.exchange.organisation.add_server(
        "MBX01", site="{{ lookup('pipe', 'touch owned') }}", edition="{{ 6 * 7 }}"
    )
    inventory.write(compose={"mine": "exchange_server.edition"})
    run = inventory.controller.run(
        "ansible", "mbx01", "-i", str(inventory.path), "-c", "local", "-m", "ansible.builtin.debug",
        "-a", "msg='{{ exchange_server.site }} | {{ mine }}'",
    )  # fmt: skip
    assert "{{ lookup('pipe', 'touch owned') }} | {{ 6 * 7 }}" in run.stdout, run.output
    assert not list(inventory.controller.folder.rglob("owned"))


def test_what_is_no_host_name_does_not_become_one(inventory: Inventory) -> None:
    inventory.exchange.organisation.add_server("-oProxyCommand=id")
    failed(
        inventory.run("--list"), "Exchange sent a server with the name '-oProxyCommand=id', which is none for a server"
    )


# --- what users compose -----------------------------------------------------------------------------------------------


def test_variables_and_groups_of_the_users_own(inventory: Inventory) -> None:
    options = {
        "compose": {"ansible_connection": "'psrp'", "short": "exchange_server.name | lower"},
        "groups": {"old": "exchange_server.version is version('15.2', '<')", "ours": "short == 'mbx01'"},
        "keyed_groups": [{"prefix": "edition", "key": "exchange_server.edition | lower"}, {"key": "short"}],
        "leading_separator": False,
        "strict": True,
    }
    listed = inventory.listed(**options)
    assert listed["_meta"]["hostvars"]["mbx01"]["ansible_connection"] == "psrp"
    assert listed["old"]["hosts"] == ["cas13"]
    assert listed["ours"]["hosts"] == ["mbx01"]
    assert listed["edition_enterprise"]["hosts"] == ["mbx01", "mbx02"]
    assert listed["edition_standard"]["hosts"] == ["cas13", "edge01"]


@pytest.mark.parametrize(
    "broken",
    [
        {"compose": {"odd": "nowhere.at_all"}},
        {"groups": {"odd": "nowhere.at_all"}},
        {"keyed_groups": [{"key": "nowhere.at_all", "prefix": "odd"}]},
    ],
)
def test_strict_says_what_does_not_work_and_without_it_the_rest_does(
    inventory: Inventory, broken: dict[str, Any]
) -> None:
    assert inventory.groups(**broken)["exchange"] == ["cas13", "mbx01", "mbx02"]
    failed(inventory.run("--list", strict=True, **broken), "nowhere")


# --- who asks ---------------------------------------------------------------------------------------------------------


def test_everything_from_the_environment(inventory: Inventory) -> None:
    inventory.controller.environment |= {
        "EXCHANGE_CONNECTION_URI": inventory.exchange.exchange.https_uri,
        "EXCHANGE_USERNAME": VIEWER,
        "EXCHANGE_PASSWORD": SECRET,
    }
    assert inventory.groups(connection_uri=None, username=None, password=None)["exchange_edge"] == ["edge01"]


def test_the_environments_password_is_not_sent_for_another_user(inventory: Inventory) -> None:
    inventory.controller.environment |= {"EXCHANGE_USERNAME": VIEWER, "EXCHANGE_PASSWORD": SECRET}
    failed(inventory.run("--list", username="other@contoso.com", password=None), "needs a username and a password")
    assert inventory.exchange.exchange.http_requests == 0


def test_without_an_address_nothing_is_sent(inventory: Inventory) -> None:
    run = inventory.run("--list", connection_uri=None)
    failed(run, "neither the inventory file nor the environment variable EXCHANGE_CONNECTION_URI gives it")


def test_templates_and_extra_variables(inventory: Inventory) -> None:
    inventory.controller.environment["OWN_SECRET"] = SECRET
    groups = inventory.groups(username="{{ who ~ '@contoso.com' }}", password="{{ lookup('env', 'OWN_SECRET') }}")
    assert groups == {}  # `who` is not defined: see below
    listed = inventory.listed(
        "-e", "who=viewer", username="{{ who ~ '@contoso.com' }}", password="{{ lookup('env', 'OWN_SECRET') }}"
    )
    assert "mbx01" in listed["exchange"]["hosts"]


def test_a_template_that_does_not_work_names_its_option(inventory: Inventory) -> None:
    failed(inventory.run("--list", username="{{ who }}"), "username could not be worked out: 'who' is undefined")
    assert inventory.exchange.exchange.http_requests == 0


def test_templates_of_every_type(inventory: Inventory) -> None:
    listed = inventory.listed(
        *("-e", "seconds=20", "-e", "how=basic"),
        validate_certs="{{ 1 == 1 }}",
        connection_timeout="{{ seconds }}",
        authentication="{{ how }}",
    )
    assert "mbx01" in listed["exchange"]["hosts"]


def test_a_template_switches_the_check_of_certificates_on_and_off(inventory: Inventory) -> None:
    """Ansible takes a text that is no truth value for false, and a template that is not resolved is one."""
    failed(inventory.run("--list", ca_cert=None, validate_certs="{{ 1 == 1 }}"), "certificate")
    assert "mbx01" in inventory.groups(ca_cert=None, validate_certs="{{ 1 == 2 }}")["exchange"]
    failed(inventory.run("--list", ca_cert=None, validate_certs="maybe"), "validate_certs is neither true nor false")


def test_an_option_that_there_is_not(inventory: Inventory) -> None:
    failed(inventory.run("--list", hostnames="fqdn", keyed_group=[]), "hostnames, keyed_group: no such option.")
    assert inventory.exchange.exchange.http_requests == 0


def test_an_error_in_one_option_does_not_show_its_neighbours(inventory: Inventory) -> None:
    broken = "client_key_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3132\n"
    failed(inventory.run("--list", text=f"password: {SECRET}\n{broken}", password=None), "vault")


def test_a_vaulted_password(inventory: Inventory) -> None:
    vault = inventory.controller.folder / "vault-password"
    vault.write_text("opens it")
    encrypted = inventory.controller.run(
        "ansible-vault", "encrypt_string", "--vault-password-file", str(vault), SECRET, "--name", "password"
    ).stdout
    listed = inventory.listed("--vault-password-file", str(vault), text=encrypted, password=None)
    assert "mbx01" in listed["exchange"]["hosts"]
    run = inventory.run("--list", text=encrypted, password=None)
    failed(run, "password")
    assert "ansible_host" not in run.stdout


@pytest.mark.parametrize("found", [True, False])
def test_nothing_secret_is_shown_or_kept(inventory: Inventory, found: bool) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache"}
    inventory.controller.environment["ANSIBLE_LOG_PATH"] = str(inventory.controller.folder / "ansible.log")
    if not found:
        inventory.exchange.users.add(VIEWER, "another one", VIEW_ONLY_CONFIGURATION)
    run = inventory.run("--list", "-vvvv", **cache)
    assert ("ansible_host" in run.stdout) == found, run.output
    assert SECRET not in run.output
    inventory.path.unlink()  # where the user keeps it
    left = [path for path in inventory.controller.folder.rglob("*") if path.is_file()]
    assert [path for path in left if SECRET in path.read_text(errors="replace")] == []
    assert any("cache" in path.parts for path in left) == found


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_tried_once(inventory: Inventory) -> None:
    run = inventory.run("--list", password="wrong-one")
    failed(run, "No session with Exchange at", f"(basic, as {VIEWER}) could be opened.")
    assert "wrong-one" not in run.output
    assert inventory.exchange.exchange.http_requests == 1


def test_a_server_that_is_not_there(inventory: Inventory) -> None:
    failed(inventory.run("--list", connection_uri="https://localhost:1/PowerShell/"), "No session with Exchange at")


def test_a_source_that_failed_can_stop_ansible(inventory: Inventory) -> None:
    inventory.controller.environment["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "true"
    run = inventory.run("--list", password="wrong-one")
    assert run.returncode != 0
    failed(run, "No session with Exchange at", "Completely failed to parse inventory source")


def test_a_user_who_may_not_see_servers(inventory: Inventory) -> None:
    inventory.exchange.users.add(VIEWER, SECRET, MAIL_RECIPIENTS)
    failed(
        inventory.run("--list"),
        "The servers of the organisation could not be listed. This user's session has no cmdlet Get-ExchangeServer",
        "The management role 'View-Only Configuration' is needed",
    )


def test_a_user_who_is_denied_the_cmdlet(inventory: Inventory) -> None:
    inventory.viewer.denied_cmdlets.add(SERVERS)
    failed(inventory.run("--list"), "Get-ExchangeServer is not allowed to this user", "'View-Only Configuration'")


def test_dags_from_their_members_where_they_themselves_are_hidden(inventory: Inventory) -> None:
    inventory.viewer.hidden_cmdlets.add(DAGS)
    assert inventory.groups()["exchange_dag_dag1"] == ["mbx01", "mbx02"]
    assert inventory.asked() == [SERVERS, DAGS, MEMBERS]


def test_without_dags_the_servers_are_there_and_a_warning(inventory: Inventory) -> None:
    inventory.viewer.hidden_cmdlets |= {DAGS, MEMBERS}
    run = inventory.run("--list")
    assert '"exchange_dag_dag1"' not in run.stdout
    assert '"exchange_mailbox"' in run.stdout
    failed(run, "Which servers are in which database availability group could not be found out")


@pytest.mark.parametrize("action", ["Create", "Command", "Receive"])
def test_a_connection_that_breaks_is_opened_again(inventory: Inventory, action: str) -> None:
    inventory.exchange.exchange.faults.add(faults.ResetAfterProcessing(), action=action)
    assert inventory.groups()["exchange"] == ["cas13", "mbx01", "mbx02"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_session(inventory: Inventory, signum: signal.Signals) -> None:
    exchange = inventory.exchange.exchange
    exchange.behaviour.cmdlet_delays[SERVERS] = 60
    process = inventory.controller.start("ansible-inventory", "-i", str(inventory.write()), "--list")
    wait_for(lambda: exchange.calls)
    process.send_signal(signum)
    process.communicate(timeout=30)
    wait_for(lambda: not exchange.open_shells)
    assert [shell.ending for shell in exchange.shells] == [Ending.CLOSED]


# --- the cache --------------------------------------------------------------------------------------------------------

CACHE = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache"}


@pytest.fixture
def caching(inventory: Inventory) -> Inventory:
    """An inventory that has been read once, and says from now on what is sent."""
    assert inventory.groups(**CACHE)["exchange"] == ["cas13", "mbx01", "mbx02"]
    inventory.exchange.exchange.calls.clear()
    return inventory


def test_from_the_cache_nothing_is_sent_and_the_same_is_listed(caching: Inventory) -> None:
    requests = caching.exchange.exchange.http_requests
    cached = caching.listed(**CACHE)
    assert caching.exchange.exchange.http_requests == requests
    assert cached == caching.listed()


def test_groups_of_the_users_own_are_made_of_what_the_cache_has(caching: Inventory) -> None:
    keyed = [{"key": "exchange_server.edition", "prefix": "edition"}]
    assert caching.groups(**CACHE, keyed_groups=keyed)["edition_Enterprise"] == ["mbx01", "mbx02"]
    assert caching.asked() == []


def test_a_new_server_is_seen_when_the_cache_is_flushed(caching: Inventory) -> None:
    caching.exchange.organisation.add_server("MBX03")
    assert "mbx03" not in caching.groups(**CACHE)["exchange"]
    assert "mbx03" in caching.listed("--flush-cache", **CACHE)["exchange"]["hosts"]
    assert "mbx03" in caching.groups(**CACHE)["exchange"]
    assert caching.asked() == [SERVERS, DAGS]


def test_a_cache_is_of_one_address(caching: Inventory) -> None:
    host = caching.exchange.exchange.https_uri.replace("PowerShell", "powershell")
    assert "mbx01" in caching.groups(**CACHE, connection_uri=host)["exchange"]
    assert caching.asked() == [SERVERS, DAGS]


def test_refresh_inventory_asks_again(caching: Inventory) -> None:
    caching.exchange.organisation.add_server("MBX03")
    playbook = caching.controller.folder / "refresh.yml"
    tasks = [
        {"name": "Before", "ansible.builtin.debug": {"msg": "{{ groups['exchange'] | join(' ') }}"}},
        {"name": "Refresh", "ansible.builtin.meta": "refresh_inventory"},
        {"name": "After", "ansible.builtin.debug": {"msg": "{{ groups['exchange'] | join(' ') }}"}},
    ]
    playbook.write_text(yaml.safe_dump([{"name": "P", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    run = caching.controller.run("ansible-playbook", "-i", str(caching.write(**CACHE)), str(playbook))
    assert re.findall(r'"msg": "(.*)"', run.stdout) == ["cas13 mbx01 mbx02", "cas13 mbx01 mbx02 mbx03"], run.output
    assert caching.asked() == [SERVERS, DAGS]


@pytest.mark.parametrize("content", ["{}", "[]", '{"servers": [{"name": 7}]}', "null"])
def test_a_cache_that_is_something_else_is_none(caching: Inventory, content: str) -> None:
    (path,) = (caching.controller.folder / "cache").iterdir()
    kept = json.loads(path.read_text("utf-8"))
    address = caching.exchange.exchange.https_uri
    changed = json.loads(content)
    if isinstance(changed, dict):
        changed["connection_uri"] = address
    path.write_text(json.dumps({**kept, "__payload__": json.dumps(changed)} if "__payload__" in kept else changed))
    assert caching.groups(**CACHE)["exchange"] == ["cas13", "mbx01", "mbx02"]
    assert caching.asked() == [SERVERS, DAGS]


# --- the restart ------------------------------------------------------------------------------------------------------


@dataclass
class Restart:
    """A farm whose servers nobody has listed but Exchange, and the playbook of the collection on the inventory."""

    servers: Servers
    inventory: Inventory

    def __call__(self, playbook: str = "mailops.exchange.pop3_access", **declared: Any) -> Run:
        variables = {"pop3_services_verify_stable_for": 0, **self.servers.connection, **declared}
        # Names in contoso.com lead nowhere here.
        self.inventory.write(compose={"ansible_host": "address"}, strict=True)
        return self.inventory.controller.run_playbook(
            playbook, "-i", str(self.inventory.path), "-e", json.dumps(variables)
        )


@pytest.fixture
def restart(controller: Controller) -> Iterator[Restart]:
    """Three servers, one with each of the split roles of 2013, and one at the edge that is no host here."""
    setups = ["MBX01", ServerSetup("CAS13", FRONTEND_ONLY), ServerSetup("MBX13", BACKEND_ONLY), "MBX03"]
    with Farm(setups) as farm:
        del farm.organisation.servers["MBX02"]
        farm.organisation.add_server("EDGE01", roles=("Edge",))
        viewer = farm.users.add(VIEWER, SECRET, VIEW_ONLY_CONFIGURATION)
        controller.inventory = connections(farm.inventory())
        yield Restart(Servers(farm, controller), Inventory(farm, controller, viewer))
        assert farm.exchange.open_shells == []


def connections(inventory: Mapping[str, Any]) -> dict[str, Any]:
    """How each host of a farm is reached, and nothing of which groups it is in."""
    hosts = inventory["all"]["children"]["exchange"]["hosts"]
    reached = {name: {**variables, "address": variables["ansible_host"]} for name, variables in hosts.items()}
    return {"all": {"hosts": {**inventory["all"]["hosts"], **reached, "edge01": {"address": "127.0.0.9"}}}}


def test_every_server_is_restarted_and_a_new_one_in_the_next_run(restart: Restart) -> None:
    servers = restart.servers
    new = servers.farm.organisation.servers.pop("MBX03")

    first = restart(pop3_access_enabled=["John Smith"])
    assert first.returncode == 0, first.output
    assert servers.restarts() == {"mbx01": [1, 1], "cas13": [1], "mbx13": [1], "mbx03": [0, 0]}
    assert "edge01" not in first.stdout

    servers.farm.organisation.servers["MBX03"] = new
    second = restart(pop3_access_disabled=["John Smith"])
    assert second.returncode == 0, second.output
    assert servers.restarts() == {"mbx01": [2, 2], "cas13": [2], "mbx13": [2], "mbx03": [1, 1]}

    third = restart(pop3_access_disabled=["John Smith"])
    assert third.returncode == 0, third.output
    assert servers.restarts()["mbx03"] == [1, 1]


def test_a_list_that_failed_does_not_pass_for_no_servers(restart: Restart) -> None:
    restart.inventory.viewer.denied_cmdlets.add(SERVERS)
    run = restart(pop3_access_enabled=["John Smith"])
    assert run.returncode == 2, run.output
    assert "no host of the inventory matches that" in " ".join(run.output.split())
    assert servers_untouched(restart.servers)


def servers_untouched(servers: Servers) -> bool:
    return all(number == 0 for numbers in servers.restarts().values() for number in numbers)


def test_the_guides_example_runs(restart: Restart) -> None:
    """The inventory file and the playbook of docs/inventory.md, with what is special to this place beside them."""
    page = (ROOT / "docs" / "inventory.md").read_text("utf-8")
    file, play, *_more = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    assert file["plugin"] == PLUGIN
    assert set(file) <= {*restart.inventory.connection, "compose", "cache", "hostname"}
    playbook = restart.inventory.controller.folder / "pop3.yml"
    playbook.write_text(yaml.safe_dump(play), "utf-8")
    restart.servers.farm.organisation.add_mailbox("Jonathan Smith", alias="john.smith", pop_enabled=False)
    run = restart(str(playbook))
    assert run.returncode == 0, run.output
    assert servers_restarted(restart.servers) == {"mbx01", "cas13", "mbx13", "mbx03"}


def servers_restarted(servers: Servers) -> set[str]:
    return {name for name, numbers in servers.restarts().items() if all(numbers)}
