# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server as Exchange describes it: which product its version is, which groups it is in, what a cache gives back."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from ansible.inventory.group import to_safe_group_name

from ansible_collections.mailops.exchange.plugins.module_utils._core._server import (
    NoHostName,
    Server,
    host_names,
    last_part,
    roles_of,
    server_of,
    version_of,
)

MBX01 = Server(
    name="MBX01",
    fqdn="MBX01.contoso.com",
    roles=("mailbox", "client_access"),
    version="15.2.1748.10",
    build="1748.10",
    product="2019",
    site="Default-First-Site-Name",
    dag="DAG 1",
    edition="Enterprise",
)


@pytest.mark.parametrize(
    ("text", "version", "product"),
    [
        ("Version 15.0 (Build 516.32)", "15.0.516.32", "2013"),
        ("Version 15.0 (Build 1497.2)", "15.0.1497.2", "2013"),
        ("Version 15.1 (Build 225.42)", "15.1.225.42", "2016"),
        ("Version 15.1 (Build 2507.6)", "15.1.2507.6", "2016"),
        ("Version 15.1 (Build 32507.6)", "15.1.2507.6", "2016"),
        ("Version 15.2 (Build 221.12)", "15.2.221.12", "2019"),
        ("Version 15.2 (Build 1118.7)", "15.2.1118.7", "2019"),
        ("Version 15.2 (Build 1748.10)", "15.2.1748.10", "2019"),
        ("Version 15.2 (Build 2562.17)", "15.2.2562.17", "SE"),
        ("Version 15.2 (Build 32562.17)", "15.2.2562.17", "SE"),
        ("Version 15.2 (Build 3000.1)", "15.2.3000.1", "SE"),
        ("Version 14.3 (Build 123.4)", "14.3.123.4", "2010"),
        ("Version 8.3 (Build 30083.6: Service Pack 3)", "8.3.83.6", "2007"),
        ("Version 15.3 (Build 1.0)", "15.3.1.0", None),
        ("Version 16.0 (Build 1.0)", "16.0.1.0", None),
    ],
)
def test_version_and_product(text: str, version: str, product: str | None) -> None:
    found = version_of(text)
    assert found is not None
    assert (str(found), found.product) == (version, product)
    assert found.build == ".".join(version.split(".")[2:])


@pytest.mark.parametrize("text", ["", "15.2", "Version 15.2", "Version x.y (Build z)", "Version 15.2 (Build 1748)"])
def test_a_version_that_is_none_is_not_guessed_at(text: str) -> None:
    assert version_of(text) is None


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("Mailbox", ("mailbox",)),
        ("Mailbox, ClientAccess", ("mailbox", "client_access")),
        ("ClientAccess, UnifiedMessaging, HubTransport", ("client_access", "unified_messaging", "hub_transport")),
        ("Edge", ("edge",)),
        ("None", ()),
        ("", ()),
    ],
)
def test_roles(text: str, roles: tuple[str, ...]) -> None:
    assert roles_of(text) == roles


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("contoso.com/Configuration/Sites/Berlin", "Berlin"),
        ("contoso.com/Configuration/Sites/Berlin\\/Mitte", "Berlin/Mitte"),
        ("Berlin", "Berlin"),
        ("", ""),
    ],
)
def test_the_last_part_of_a_name(text: str, name: str) -> None:
    assert last_part(text) == name


def test_groups_of_a_mailbox_server() -> None:
    assert MBX01.groups == (
        "exchange",
        "exchange_mailbox",
        "exchange_client_access",
        "exchange_2019",
        "exchange_site_default_first_site_name",
        "exchange_dag_dag_1",
    )


@pytest.mark.parametrize("site", ["Default-First-Site-Name", "Zürich / Süd", "1", "a b", "'; rm", "{{ 1 }}", "東京"])
def test_every_group_has_a_name_that_ansible_accepts(site: str) -> None:
    server = Server("MBX01", None, ("mailbox",), site=site)
    for group in server.groups:
        assert to_safe_group_name(group, force=True, silent=True) == group
        assert re.fullmatch(r"exchange\w*", group)


def test_what_is_not_known_makes_no_group() -> None:
    assert Server("MBX01", None, ("mailbox",)).groups == ("exchange", "exchange_mailbox")


def test_an_edge_server_is_in_its_own_group_only() -> None:
    """No play on a site, a version or all of Exchange reaches it by mistake."""
    edge = Server("EDGE01", "edge01.contoso.com", ("edge",), product="2019", site="Berlin", version="15.2.1748.10")
    assert edge.groups == ("exchange_edge",)
    assert not edge.serves_pop3


@pytest.mark.parametrize("roles", [("hub_transport",), ("unified_messaging",), ()])
def test_a_server_without_pop3_is_not_among_those_that_are_restarted(roles: tuple[str, ...]) -> None:
    assert "exchange" not in Server("OLD01", None, roles, product="2010").groups


def test_each_of_the_split_roles_of_2013_serves_pop3() -> None:
    assert Server("CAS01", None, ("client_access",)).serves_pop3
    assert Server("MBX01", None, ("mailbox",)).serves_pop3


def test_what_a_server_is_called() -> None:
    nameless = Server("MBX02", None, ())
    assert host_names([MBX01, nameless], "name") == {"mbx01": MBX01, "mbx02": nameless}
    assert host_names([MBX01, nameless], "fqdn") == {"mbx01.contoso.com": MBX01, "mbx02": nameless}


@pytest.mark.parametrize("name", ["EXCHANGE", "All", "ungrouped", "exchange_mailbox"])
def test_a_server_with_the_name_of_a_group_goes_by_its_full_name(name: str) -> None:
    server = replace(MBX01, name=name, fqdn=f"{name}.contoso.com")
    assert host_names([server], "name") == {f"{name.lower()}.contoso.com": server}
    with pytest.raises(NoHostName, match=f"The server {name} has the name of a group"):
        host_names([replace(server, fqdn=None)], "name")


def test_two_servers_are_never_one_host() -> None:
    other = replace(MBX01, fqdn="MBX01.emea.contoso.com")
    with pytest.raises(NoHostName, match=r"would be the host mbx01: MBX01\.contoso\.com and MBX01\.emea\.contoso\.com"):
        host_names([MBX01, other], "name")
    assert len(host_names([MBX01, other], "fqdn")) == 2


def test_facts_come_back_from_json() -> None:
    assert server_of(json.loads(json.dumps(MBX01.facts()))) == MBX01
    assert server_of(json.loads(json.dumps(Server("MBX02", None, ()).facts()))) == Server("MBX02", None, ())


@pytest.mark.parametrize(
    "facts",
    [
        None,
        [],
        {},
        {"name": "MBX01"},
        {**MBX01.facts(), "more": "of it"},
        {**MBX01.facts(), "name": None},
        {**MBX01.facts(), "site": 7},
        {**MBX01.facts(), "roles": "mailbox"},
        {**MBX01.facts(), "roles": [7]},
    ],
)
def test_other_things_are_no_facts(facts: object) -> None:
    with pytest.raises(ValueError, match="facts of a server"):
        server_of(facts)
