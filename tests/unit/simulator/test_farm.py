# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A farm: mailboxes of one organisation behind the POP3 services of several servers, with poplib."""

from __future__ import annotations

import json
import os
import poplib
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator import Organisation
from simulator.farm import (
    BACKEND_ONLY,
    FRONTEND_ONLY,
    NO_POP3,
    POP3_OFF,
    POP3_PASSWORD,
    Farm,
    Malformed,
    OrganisationLogons,
    ServerSetup,
    servers_from_json,
)
from simulator.windows import HostPorts, ServiceState, StartMode
from support.threads import threads_left

_FRONTEND, _BACKEND = "MSExchangePOP3", "MSExchangePOP3BE"
_REFUSED = "-ERR Logon failure: unknown user name or bad password."
_UNAVAILABLE = "-ERR Server Unavailable. 21"
_WELCOME = "+OK User successfully logged on."
_ON_FIRST, _ON_SECOND = "pcolon@contoso.com", "printer@contoso.com"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert threads_left(before) == set()


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm() as farm:
        yield farm


def connect(farm: Farm, server: str) -> poplib.POP3_SSL:
    host = farm.hosts[server]
    tls = ssl.create_default_context(cafile=str(farm.ca_file))
    client = poplib.POP3_SSL(host.address, host.pop3s_port, context=tls, timeout=30)
    client.encoding = "utf-8"
    return client


def login(farm: Farm, server: str, user: str, password: str = POP3_PASSWORD) -> str:
    """The answer to a login over TLS."""
    client = connect(farm, server)
    try:
        client.user(user)
        return client.pass_(password).decode()
    except poplib.error_proto as error:
        return bytes(error.args[0]).decode()
    finally:
        client.close()


def open_sockets() -> int:
    """How many sockets this process has."""
    return sum(_is_socket(int(one.name)) for one in list(Path("/dev/fd").iterdir()))


def _is_socket(descriptor: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:  # the one that listed the folder
        return False


def allow(farm: Farm, identity: str, *, allowed: bool = True) -> None:
    farm.organisation.change_settings(farm.organisation.mailbox(identity), {"PopEnabled": allowed})


@pytest.mark.parametrize("server", ["MBX01", "MBX02"])
@pytest.mark.parametrize("user", [_ON_FIRST, _ON_SECOND])
def test_every_server_serves_the_mailboxes_of_both(farm: Farm, server: str, user: str) -> None:
    client = connect(farm, server)
    client.user(user)
    assert client.pass_(POP3_PASSWORD).decode() == _WELCOME
    assert client.stat()[0] == 2
    message = client.retr(1)[1]
    assert f"To: {user}".encode() in message
    assert client.retr(2)[1][-2] == b". a line that begins with a full stop"
    client.quit()


@pytest.mark.parametrize("user", ["pcolon@contoso.com", "PColon@Contoso.COM", "CONTOSO\\pcolon", "pcolon"])
def test_a_user_has_several_names(farm: Farm, user: str) -> None:
    assert login(farm, "MBX01", user) == _WELCOME


@pytest.mark.parametrize("user", ["Patrick Colon", "contoso.com/Users/Patrick Colon", "nobody@contoso.com"])
def test_an_identity_that_is_no_user_name_does_not_log_on(farm: Farm, user: str) -> None:
    assert login(farm, "MBX01", user) == _REFUSED


def test_a_mailbox_may_have_a_password_of_its_own() -> None:
    organisation = Organisation()
    organisation.add_mailbox("Ann", password="Zürich 12")
    with Farm(["MBX01"], organisation) as farm:
        assert login(farm, "MBX01", "ann", "Zürich 12") == _WELCOME
        assert login(farm, "MBX01", "ann") == _REFUSED


def test_a_change_is_felt_only_after_both_services_were_restarted(farm: Farm) -> None:
    user, services = "jsmith@contoso.com", farm.hosts["MBX01"].services
    assert login(farm, "MBX01", user) == _REFUSED
    services.restart(_FRONTEND)
    services.restart(_BACKEND)
    assert login(farm, "MBX01", user) == _REFUSED, "a restart alone gives no access"
    allow(farm, "John Smith")
    assert login(farm, "MBX01", user) == _REFUSED
    services.restart(_FRONTEND)
    assert login(farm, "MBX01", user) == _REFUSED
    services.restart(_BACKEND)
    assert login(farm, "MBX01", user) == _WELCOME


def test_every_frontend_learns_for_itself(farm: Farm) -> None:
    allow(farm, "John Smith")
    for service in (_FRONTEND, _BACKEND):
        farm.hosts["MBX01"].services.restart(service)
    assert login(farm, "MBX02", "jsmith@contoso.com") == _REFUSED
    farm.hosts["MBX02"].services.restart(_FRONTEND)
    assert login(farm, "MBX02", "jsmith@contoso.com") == _WELCOME, "its backend is that of MBX01, which knows"


def test_the_backend_of_the_server_that_holds_the_mailbox_is_asked(farm: Farm) -> None:
    farm.hosts["MBX02"].services.stop(_BACKEND)
    assert login(farm, "MBX01", _ON_SECOND) == _UNAVAILABLE
    assert login(farm, "MBX01", _ON_FIRST) == _WELCOME
    assert login(farm, "MBX02", _ON_FIRST) == _WELCOME


def test_a_server_whose_mailboxes_have_no_backend_in_the_farm_uses_its_own() -> None:
    with Farm(["MBX01"]) as farm:
        assert login(farm, "MBX01", _ON_SECOND) == _WELCOME


def test_the_roles_of_exchange_2013_can_be_split() -> None:
    servers = [ServerSetup("CAS01", FRONTEND_ONLY), ServerSetup("MBX01", BACKEND_ONLY), ServerSetup("MBX02", NO_POP3)]
    with Farm(servers) as farm:
        assert login(farm, "CAS01", _ON_FIRST) == _WELCOME
        assert login(farm, "CAS01", _ON_SECOND) == _UNAVAILABLE, "MBX02 has no backend, nor has CAS01"
        installed = {
            name: [one.name for one in host.services if "POP3" in one.name] for name, host in farm.hosts.items()
        }
        assert installed == {"CAS01": [_FRONTEND], "MBX01": [_BACKEND], "MBX02": []}
        for name in ("MBX01", "MBX02"):
            with pytest.raises(ConnectionRefusedError):
                connect(farm, name)


def test_a_server_can_have_pop3_off() -> None:
    with Farm(["MBX01", ServerSetup("MBX02", POP3_OFF)]) as farm:
        for name in (_FRONTEND, _BACKEND):
            service = farm.hosts["MBX02"].services[name]
            assert (service.state, service.start_mode) == (ServiceState.STOPPED, StartMode.MANUAL)
        with pytest.raises(ConnectionRefusedError):
            connect(farm, "MBX02")


def test_new_servers_and_mailboxes_join_the_organisation() -> None:
    with Farm(["MBX01", "MBX03"]) as farm:
        assert list(farm.organisation.servers) == ["MBX01", "MBX02", "MBX03"]
        farm.organisation.add_mailbox("New One", server="MBX03")
        assert login(farm, "MBX01", "newone@contoso.com") == _WELCOME, "a mailbox nobody has met is looked up"


def test_two_farms_live_on_one_machine() -> None:
    with Farm() as one, Farm() as other:
        addresses = [host.address for farm in (one, other) for host in farm.hosts.values()]
        assert len(set(addresses)) == 4
        allow(one, "John Smith")
        for farm in (one, other):
            for service in (_FRONTEND, _BACKEND):
                farm.hosts["MBX01"].services.restart(service)
        assert login(one, "MBX01", "jsmith@contoso.com") == _WELCOME
        assert login(other, "MBX01", "jsmith@contoso.com") == _REFUSED


def test_nothing_is_left_after_the_end() -> None:
    before = open_sockets()
    with Farm() as farm:
        folder = farm.ca_file.parent
        assert login(farm, "MBX01", _ON_FIRST) == _WELCOME
        assert open_sockets() > before
    assert open_sockets() == before
    assert not folder.exists()
    farm.stop()


def test_a_farm_that_never_started_can_be_stopped() -> None:
    before = open_sockets()
    farm = Farm()
    farm.stop()
    assert open_sockets() == before
    assert not farm.ca_file.exists()


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing(farm: Farm) -> None:
    taken = farm.hosts["MBX01"]
    setup = ServerSetup("MBX09", ports=HostPorts(pop3s=taken.pop3s_port), address=taken.address)
    before = open_sockets()
    with pytest.raises(OSError, match="in use"):
        Farm(["MBX01", setup])
    with pytest.raises(OSError, match="in use"), Farm(port=farm.exchange.http.port):
        pass
    assert open_sockets() == before


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match="same name"):
        Farm(["MBX01", "mbx01"])


@pytest.mark.own_environment
def test_the_inventory_is_understood_by_ansible(farm: Farm, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps(farm.inventory()), "utf-8")
    hosts = farm.inventory()["all"]["children"]["exchange"]["hosts"]
    assert {name: one["pop3_services_verify_port"] for name, one in hosts.items()} == {
        host.name.lower(): host.pop3s_port for host in farm.hosts.values()
    }
    assert all(one["pop3_services_verify_tls"] is True for one in hosts.values())
    read = subprocess.run(
        [sys.executable, "-m", "ansible", "inventory", "-i", str(inventory), "--list"],
        capture_output=True,
        text=True,
        check=True,
    )
    groups: dict[str, Any] = json.loads(read.stdout)
    assert groups["exchange"]["hosts"] == ["mbx01", "mbx02"]
    assert groups["_meta"]["hostvars"]["localhost"]["ansible_connection"] == "local"
    assert groups["_meta"]["hostvars"]["localhost"]["simulator_exchange"]["connection_uri"] == farm.exchange.https_uri
    ping = subprocess.run(
        [sys.executable, "-m", "ansible", "adhoc", "-i", str(inventory), "-m", "ansible.windows.win_ping", "exchange"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ping.returncode == 0, ping.stdout + ping.stderr
    assert [len(host.module_calls) for host in farm.hosts.values()] == [1, 1]


def test_a_large_organisation_is_looked_up_and_listed_the_same() -> None:
    organisation = Organisation()
    for number in range(200):
        organisation.add_mailbox(f"User {number}", alias=f"user{number}", pop_enabled=number % 2 == 0)
    logons = OrganisationLogons(organisation, "secret")
    everybody = dict(logons.items())
    assert len(everybody) == len(logons) == len(set(logons))
    assert all(logons[user] == logon for user, logon in everybody.items())
    assert sum(not logon.allowed for logon in everybody.values()) == len(everybody) // 2


def test_servers_can_be_written_as_json() -> None:
    document = {
        "servers": [
            {"name": "MBX01"},
            {"name": "MBX02", "state": "stopped", "start_mode": "manual"},
            {"name": "CAS01", "backend": False},
        ]
    }
    setups = [ServerSetup("MBX01"), ServerSetup("MBX02", POP3_OFF), ServerSetup("CAS01", FRONTEND_ONLY)]
    assert list(servers_from_json(document)) == setups


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "a JSON object is expected"),
        ({}, "'servers' is missing"),
        ({"servers": [], "more": 1}, "unknown 'more'"),
        ({"servers": [{}]}, "server 1: 'name' is missing"),
        ({"servers": [{"name": 1}]}, "'name' is to be a text"),
        ({"servers": [{"name": "a b"}]}, "is no name of a server"),
        ({"servers": [{"name": "A", "frontend": 1}]}, "'frontend' is to be true or false"),
        ({"servers": [{"name": "A", "state": "paused"}]}, "'paused' is none of running, stopped"),
        ({"servers": [{"name": "A", "pop3": True}]}, "server 1: unknown 'pop3'"),
        ({"servers": [{"name": "A"}, {"name": "a"}]}, "the same name"),
    ],
)
def test_what_makes_no_sense_as_servers_is_refused(document: object, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        servers_from_json(document)
