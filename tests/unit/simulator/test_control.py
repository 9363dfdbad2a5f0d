# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control of a farm, over real HTTP: what it tells, what it changes, and whom it refuses."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from simulator.control import REGISTRY_KEY, Control, ControlClient, ControlError
from simulator.exchange.behaviour import CostModel
from simulator.farm import BACKEND_ONLY, Farm, ServerSetup
from simulator.windows import ServiceState, Win32Error, WindowsHost
from simulator.windows.modules import ModuleCall
from simulator.windows.registry import RegistryType
from simulator.windows.services import ServiceError
from support.threads import threads_left

_FRONTEND, _BACKEND = "MSExchangePOP3", "MSExchangePOP3BE"


@pytest.fixture
def farm() -> Iterator[Farm]:
    before = set(threading.enumerate())
    with Farm(["MBX01", ServerSetup("MBX02", BACKEND_ONLY)]) as farm:
        yield farm
    assert threads_left(before) == set()


@pytest.fixture
def stopped() -> threading.Event:
    return threading.Event()


@pytest.fixture
def control(farm: Farm, stopped: threading.Event) -> Iterator[Control]:
    with Control(farm, on_stop=stopped.set) as control:
        yield control


@pytest.fixture
def client(control: Control) -> ControlClient:
    return ControlClient(control.uri, control.token)


@pytest.fixture
def host(farm: Farm) -> WindowsHost:
    return farm.hosts["MBX01"]


def services(client: ControlClient, host: str = "mbx01") -> dict[str, Any]:
    found: dict[str, Any] = client.state()["hosts"][host]["services"]
    return found


def test_the_state_tells_what_happened_to_services(client: ControlClient, host: WindowsHost) -> None:
    at_first = {"state": "running", "start_mode": "auto", "starts": 0, "stops": 0, "restarts": 0, "failed_starts": 0}
    assert services(client)[_FRONTEND] == at_first
    assert set(services(client, "mbx02")) == {_BACKEND, "MSExchangeADTopology"}
    host.services.restart(_FRONTEND)
    host.services.stop(_BACKEND)
    assert services(client)[_FRONTEND] == at_first | {"starts": 1, "stops": 1, "restarts": 1}
    assert services(client)[_BACKEND] == at_first | {"state": "stopped", "stops": 1}


def test_the_state_shows_the_registry_and_the_modules(client: ControlClient, host: WindowsHost) -> None:
    state = client.state()["hosts"]["mbx01"]
    assert state["registry"] == {"key_exists": False, "values": {}, "writes": 0}
    assert state["module_calls"] == {"count": 0, "names": []}
    host.registry.set_value(REGISTRY_KEY, "RestartPending", 1, RegistryType.DWORD)
    host.registry.set_value(f"{REGISTRY_KEY}\\Below", "Bytes", b"\x01\xff", RegistryType.BINARY)
    host.modules.run(ModuleCall("ansible.windows.win_service_info", {"name": _FRONTEND}))
    state = client.state()["hosts"]["mbx01"]
    assert state["registry"] == {
        "key_exists": True,
        "values": {"RestartPending": 1, "Below\\Bytes": "01ff"},
        "writes": 4,
    }
    assert state["module_calls"] == {"count": 1, "names": ["win_service_info"]}


def test_the_state_shows_exchange_and_its_mailboxes(client: ControlClient, farm: Farm) -> None:
    state = client.state()
    assert state["exchange"] == {"calls": {}, "open_shells": 0, "endings": {}}
    assert state["mailboxes"]["jsmith@contoso.com"] == {"name": "John Smith", "server": "MBX01", "pop_enabled": False}
    client.post("mailbox", identity="John Smith", pop_enabled=True)
    assert client.state()["mailboxes"]["jsmith@contoso.com"]["pop_enabled"] is True
    assert farm.may_use_pop3("John Smith")
    client.post("mailbox", identity="jsmith", pop_enabled=False)
    assert not farm.may_use_pop3("John Smith")


def test_exchange_sessions_are_counted_and_dropped(client: ControlClient, farm: Farm) -> None:
    wsman = WSMan(
        "localhost",
        port=farm.exchange.http.port,
        ssl=False,
        auth="basic",
        encryption="never",
        path="PowerShell/",
        username=farm.administrator.name,
        password=farm.password,
    )
    with wsman:
        pool = RunspacePool(wsman, configuration_name="Microsoft.Exchange")
        pool.open()
        shell = PowerShell(pool).add_cmdlet("Get-CASMailbox").add_parameter("Identity", "John Smith")
        assert len(shell.invoke()) == 1
        assert client.state()["exchange"] == {"calls": {"Get-CASMailbox": 1}, "open_shells": 1, "endings": {}}
        counters = client.counters()
        assert (counters.cmdlets, counters.sessions_opened, counters.sessions_open) == (1, 1, 1)
        assert (counters.http_requests, counters.http_connections) == (4, 1)
        assert counters.bytes_in > 5000
        assert counters.bytes_out > 5000
        assert counters.cpu_seconds > 0
        client.post("drop-sessions")
        assert client.state()["exchange"] == {
            "calls": {"Get-CASMailbox": 1},
            "open_shells": 0,
            "endings": {"killed": 1},
        }
        client.post("clear")
        assert client.state()["exchange"] == {"calls": {}, "open_shells": 0, "endings": {}}


def test_the_organisation_is_put_back(client: ControlClient, farm: Farm) -> None:
    client.post("mailbox", identity="John Smith", pop_enabled=True)
    client.post("organisation", pop_enabled=0.2)
    assert client.counters().pop_enabled == 2
    client.post("organisation", pop_enabled=1)
    assert client.counters().pop_enabled == len(farm.organisation)


def test_exchange_is_steered(client: ControlClient, farm: Farm) -> None:
    client.post("exchange", round_trip=0.5, per_set=2, select_object_visible=True)
    client.post("exchange", max_sessions=3, round_trip=0)
    behaviour = farm.exchange.behaviour
    assert behaviour.costs == CostModel(round_trip=0, per_set=2)
    assert (behaviour.select_object_visible, behaviour.max_shells_per_user) == (True, 3)


def test_services_fail_as_long_as_they_are_told_to(client: ControlClient, host: WindowsHost) -> None:
    client.post("service", host="mbx01", service=_BACKEND, always_fails=True, error="PROCESS_ABORTED")
    for _turn in range(2):
        with pytest.raises(ServiceError) as caught:
            host.services.restart(_BACKEND)
        assert caught.value.error is Win32Error.PROCESS_ABORTED
    assert services(client)[_BACKEND]["failed_starts"] == 2
    client.post("service", host="mbx01", service=_BACKEND, always_fails=False)
    host.services.start(_BACKEND)
    assert services(client)[_BACKEND]["state"] == "running"


def test_services_fail_once_or_a_few_times(client: ControlClient, host: WindowsHost) -> None:
    client.post("service", host="MBX01", service=_FRONTEND, fail_next_start=2)
    for _turn in range(2):
        with pytest.raises(ServiceError) as caught:
            host.services.restart(_FRONTEND)
        assert caught.value.error is Win32Error.SERVICE_REQUEST_TIMEOUT
    host.services.start(_FRONTEND)


@pytest.mark.parametrize("service", [{}, {"service": _FRONTEND}])
def test_services_are_healed(client: ControlClient, host: WindowsHost, service: dict[str, str]) -> None:
    client.post("service", host="mbx01", service=_FRONTEND, always_fails=True, fail_next_start=3, start_delay=600)
    assert host.services[_FRONTEND].start_delay == 600
    client.post("heal", host="mbx01", **service)
    host.services.restart(_FRONTEND)
    assert services(client)[_FRONTEND]["restarts"] == 1


def test_a_host_goes_down_and_comes_up(client: ControlClient, host: WindowsHost) -> None:
    wsman = f"http://{host.address}:{host.winrm.http.port}/wsman"
    client.post("host", host="mbx01", up=False)
    client.post("host", host="mbx01", up=False)
    with pytest.raises(requests.ConnectionError):
        requests.get(wsman, timeout=30)
    client.post("host", host="mbx01", up=True)
    assert requests.get(wsman, timeout=30).status_code == 401


def test_while_pop_proxy_is_inactive_the_services_stop(client: ControlClient, host: WindowsHost) -> None:
    client.post("host", host="mbx01", pop_proxy_active=False)
    assert client.state()["hosts"]["mbx01"]["pop_proxy_active"] is False
    assert services(client)[_FRONTEND]["state"] == "stopped"
    client.post("host", host="mbx01", pop_proxy_active=True)
    host.services.start(_FRONTEND)
    assert host.services[_FRONTEND].state is ServiceState.RUNNING


def test_records_are_cleared_and_nothing_else(client: ControlClient, host: WindowsHost) -> None:
    host.services.restart(_FRONTEND)
    host.registry.set_value(REGISTRY_KEY, "RestartPending", "yes")
    host.modules.run(ModuleCall("win_ping", {}))
    client.post("service", host="mbx01", service=_BACKEND, always_fails=True)
    client.post("clear")
    state = client.state()["hosts"]["mbx01"]
    assert state["services"][_FRONTEND]["starts"] == 0
    assert state["registry"] == {"key_exists": True, "values": {"RestartPending": "yes"}, "writes": 0}
    assert state["module_calls"]["count"] == 0
    assert host.services[_BACKEND].always_fails is not None


def test_stop_tells_whoever_runs_the_farm(client: ControlClient, stopped: threading.Event) -> None:
    client.post("stop")
    assert stopped.is_set()
    assert client.state()["hosts"]


def ask(control: Control, method: str, path: str, body: bytes = b"", token: str | None = None) -> tuple[int, Any]:
    address = control.uri.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=30)
    headers = {"Authorization": f"Bearer {control.token}"} if token is None else {"Authorization": token}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if response.status != 401 else None


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/clear", b"{", "Expecting property name"),
        ("/clear", b"\xff", "can't decode"),
        ("/clear", b"[" * 100_000, "recursion"),
        ("/clear", b"[]", "a JSON object is expected"),
        ("/clear", b'{"all": true}', "unknown 'all'"),
        ("/stop", b'{"now": true}', "unknown 'now'"),
        ("/heal", b"{}", "'host' is missing"),
        ("/heal", b'{"host": "mbx07"}', "there is no host 'mbx07'; there are mbx01, mbx02"),
        ("/heal", b'{"host": "mbx02", "service": "MSExchangePOP3"}', "MBX02 has no service 'MSExchangePOP3'"),
        ("/host", b'{"host": "mbx01"}', "one of 'up' and 'pop_proxy_active' is missing"),
        ("/host", b'{"host": "mbx01", "up": "no"}', "'up' is to be true or false, not 'no'"),
        ("/host", b'{"host": "mbx01", "up": false, "why": 1}', "unknown 'why'"),
        ("/mailbox", b'{"identity": "Nobody", "pop_enabled": true}', "not the identity of one mailbox"),
        ("/mailbox", b'{"identity": "Alex Meyer", "pop_enabled": 1}', "to be true or false"),
        ("/service", b'{"host": "mbx01", "service": "MSExchangePOP3"}', "one of 'always_fails'"),
        ("/organisation", b'{"pop_enabled": 1.5}', "'pop_enabled' is a share: 0 to 1"),
        ("/organisation", b'{"pop_enabled": true}', "'pop_enabled' is to be a number"),
        ("/exchange", b'{"per_set": -1}', "a cost is a number of seconds"),
        ("/exchange", b'{"max_sessions": 0}', "1 to 1000"),
        ("/exchange", b'{"cost": 1}', "unknown 'cost'"),
    ],
)
def test_nonsense_is_refused_with_a_reason(
    control: Control, stopped: threading.Event, path: str, body: bytes, why: str
) -> None:
    status, answer = ask(control, "POST", path, body)
    assert status == 400
    assert why in answer["error"]
    assert not stopped.is_set()
    assert requests.get(control.uri, timeout=30).status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fail_next_start", 0),
        ("fail_next_start", 1_000_000_000),
        ("fail_next_start", True),
        ("start_delay", -1),
        ("start_delay", 10**400),
        ("start_delay", float("nan")),
        ("start_delay", "soon"),
        ("always_fails", "yes"),
        ("error", "NO_ERROR"),
        ("error", "OH_DEAR"),
    ],
)
def test_a_service_with_nonsense_stays_as_it_is(
    client: ControlClient, host: WindowsHost, field: str, value: object
) -> None:
    fields = {"always_fails": True, field: value}
    with pytest.raises(ControlError) as caught:
        client.post("service", host="mbx01", service=_FRONTEND, **fields)
    assert caught.value.status == 400
    assert host.services[_FRONTEND].always_fails is None


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic eDp5", "Bearer \xe9"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/state"), ("POST", "/stop"), ("POST", "/nothing")])
def test_without_the_token_nothing_is_answered(
    control: Control, stopped: threading.Event, method: str, path: str, token: str
) -> None:
    assert ask(control, method, path, token=token) == (401, None)
    assert not stopped.is_set()


def test_a_client_with_a_wrong_token_is_told(control: Control) -> None:
    with pytest.raises(ControlError, match="token"):
        ControlClient(control.uri, "wrong").state()


def test_unknown_paths_and_methods_are_explained(control: Control) -> None:
    status, answer = ask(control, "POST", "/reboot")
    assert status == 404
    assert "POST /service" in answer["error"]
    assert ask(control, "GET", "/stop")[0] == 405
    assert ask(control, "POST", "/state")[0] == 405


def test_a_control_that_is_gone_is_an_os_error(farm: Farm) -> None:
    with Control(farm) as control:
        client = ControlClient(control.uri, control.token)
        client.state()
    with pytest.raises(OSError, match="refused"):
        client.state()
