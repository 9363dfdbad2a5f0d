# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control of a farm that runs in another process: what has happened there, and faults on demand, as JSON over HTTP.

    with Farm() as farm, Control(farm) as control:
        client = ControlClient(control.uri, control.token)
        client.state()["hosts"]["mbx01"]["services"]["MSExchangePOP3"]["restarts"]
        client.post("service", host="mbx02", service="MSExchangePOP3BE", always_fails=True)

It listens on loopback only, and answers only who knows its token (`Authorization: Bearer …`), for a loopback port is
open to every user of the machine. What a command takes is written at its function below; what is not understood is
answered with 400 and `{"error": …}`, and nothing is done.
"""

from __future__ import annotations

import hmac
import http.client
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from simulator.exchange.behaviour import CostModel
from simulator.farm import Farm, Fields, Malformed, chosen
from simulator.windows.host import POP_PROXY, WindowsHost
from simulator.windows.registry import RegistryData, RegistryKey
from simulator.windows.services import Service, StartFailure, Win32Error
from simulator.wire.http import Authenticated, Connection, HttpServer, Request, Response

REGISTRY_KEY = "HKLM:\\SOFTWARE\\mailops.exchange"


class Control:
    """The endpoint in the farm's process. `POST /stop` calls `on_stop` and does nothing else."""

    def __init__(self, farm: Farm, *, on_stop: Callable[[], None] | None = None) -> None:
        """`start` listens."""
        self.token = secrets.token_urlsafe(24)
        self._farm = farm
        self._on_stop = on_stop
        self._lock = threading.Lock()
        self._server = HttpServer(self._answer, authenticator=_Bearer(self.token), server_header="simulator")

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"http://{self._server.address}:{self._server.port}"

    def __enter__(self) -> Control:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Listen on loopback."""
        self._server.start()

    def stop(self) -> None:
        """Close the port and all connections. Safe to call twice."""
        self._server.stop()

    def _answer(self, request: Request) -> Response:
        name = request.path.strip("/")
        report = _REPORTS.get(name)
        if report is not None:
            return self._report(report) if request.method == "GET" else _wrong_method("GET")
        command = _COMMANDS.get(name)
        if command is None and name != "stop":
            known = ", ".join([*(f"GET /{one}" for one in _REPORTS), *(f"POST /{one}" for one in (*_COMMANDS, "stop"))])
            return _json(HTTPStatus.NOT_FOUND, {"error": f"there is no /{name}; there are {known}"})
        if request.method != "POST":
            return _wrong_method("POST")
        try:
            self._carry_out(command, Fields(json.loads(request.body or b"{}"), f"/{name}"))
        except (Malformed, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            return _json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        return _json(HTTPStatus.OK, {"done": name})

    def _carry_out(self, command: Command | None, fields: Fields) -> None:
        if command is not None:
            with self._lock:
                command(self._farm, fields)
            return
        fields.end()
        if self._on_stop is not None:
            self._on_stop()

    def _report(self, report: Report) -> Response:
        with self._lock:
            return _json(HTTPStatus.OK, asdict(report(self._farm)))


class _Bearer:
    """Lets in who knows the token."""

    challenges = ("Bearer",)

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def authenticate(
        self,
        request: Request,
        connection: Connection,  # noqa: ARG002 - the interface
    ) -> Authenticated | Response | None:
        """Accept the right token."""
        scheme, _sep, token = request.headers.get("authorization", "").partition(" ")
        known = scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)
        return Authenticated("control") if known else None


def _json(status: HTTPStatus, value: object) -> Response:
    return Response(status, json.dumps(value).encode(), "application/json")


def _wrong_method(allowed: str) -> Response:
    return replace(
        _json(HTTPStatus.METHOD_NOT_ALLOWED, {"error": f"only {allowed} is answered here"}),
        headers=(("Allow", allowed),),
    )


# --- the state --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ServiceReport:
    """One service: how it is, and what happened to it since the records were cleared."""

    state: str
    start_mode: str
    starts: int
    stops: int
    restarts: int
    failed_starts: int


@dataclass(frozen=True)
class RegistryReport:
    """The collection's own key: its values, by their path below it, and all writes to the host's registry."""

    key_exists: bool
    values: dict[str, str | int | list[str]]
    writes: int


@dataclass(frozen=True)
class ModuleReport:
    """The module calls, in order and without the name of the collection."""

    count: int
    names: list[str]


@dataclass(frozen=True)
class HostReport:
    """One Windows host."""

    services: dict[str, ServiceReport]
    registry: RegistryReport
    module_calls: ModuleReport
    pop3_greetings: int
    pop_proxy_active: bool


@dataclass(frozen=True)
class ExchangeReport:
    """Cmdlets by name, sessions that are open now, and how the others ended."""

    calls: dict[str, int]
    open_shells: int
    endings: dict[str, int]


@dataclass(frozen=True)
class MailboxReport:
    """One mailbox."""

    name: str
    server: str
    pop_enabled: bool


@dataclass(frozen=True)
class FarmReport:
    """All of it: hosts by their inventory names, mailboxes by their primary e-mail addresses."""

    hosts: dict[str, HostReport]
    exchange: ExchangeReport
    mailboxes: dict[str, MailboxReport]


@dataclass(frozen=True)
class Counters:
    """What Exchange's endpoint and its process had to do so far: a benchmark takes the difference of two.

    Small, whatever the size of the organisation. `clear` forgets cmdlets and ended sessions, and nothing else of it.
    """

    http_requests: int
    http_connections: int
    bytes_in: int
    bytes_out: int
    cmdlets: int
    """Commands of pipelines, not the objects that they got."""
    sessions_opened: int
    sessions_open: int
    cpu_seconds: float
    """Of the whole process."""
    pop_enabled: int
    """Mailboxes with POP3 access now."""


def farm_counters(farm: Farm) -> Counters:
    """See `Counters`."""
    exchange, organisation = farm.exchange, farm.organisation
    return Counters(
        http_requests=exchange.http_requests,
        http_connections=exchange.http_connections,
        bytes_in=exchange.bytes_in,
        bytes_out=exchange.bytes_out,
        cmdlets=len(exchange.calls),
        sessions_opened=len(exchange.shells),
        sessions_open=len(exchange.open_shells),
        cpu_seconds=time.process_time(),
        pop_enabled=sum(organisation.settings(mailbox).pop_enabled for mailbox in organisation.mailboxes()),
    )


def farm_state(farm: Farm) -> FarmReport:
    """What has happened, and how everything is now."""
    organisation = farm.organisation
    return FarmReport(
        hosts={setup.inventory_name: _host_state(farm.hosts[setup.name]) for setup in farm.setups},
        exchange=ExchangeReport(
            calls=dict(Counter(call.name for call in farm.exchange.calls)),
            open_shells=len(farm.exchange.open_shells),
            endings=dict(Counter(shell.ending.value for shell in farm.exchange.shells if shell.ending is not None)),
        ),
        mailboxes={
            mailbox.primary_smtp_address: MailboxReport(
                mailbox.name, mailbox.server, organisation.settings(mailbox).pop_enabled
            )
            for mailbox in organisation.mailboxes()
        },
    )


def _host_state(host: WindowsHost) -> HostReport:
    key = host.registry.key(REGISTRY_KEY)
    names = [call.short_name for call in host.module_calls]
    return HostReport(
        services={service.name: _service_state(service) for service in host.services},
        registry=RegistryReport(
            key_exists=key is not None,
            values={} if key is None else _values(key),
            writes=len(host.registry.writes),
        ),
        module_calls=ModuleReport(len(names), names),
        pop3_greetings=host.frontend.greetings,
        pop_proxy_active=host.component_active(POP_PROXY),
    )


def _service_state(service: Service) -> ServiceReport:
    return ServiceReport(
        service.state.value,
        service.start_mode.value,
        service.starts,
        service.stops,
        service.restarts,
        service.failed_starts,
    )


def _values(key: RegistryKey, path: str = "") -> dict[str, str | int | list[str]]:
    values = {path + value.name: _plain(value.data) for value in list(key.values.values())}
    for below in list(key.keys.values()):
        values |= _values(below, f"{path}{below.name}\\")
    return values


def _plain(data: RegistryData) -> str | int | list[str]:
    return data.hex() if isinstance(data, bytes) else data


# --- the commands -----------------------------------------------------------------------------------------------------
# Each takes all of its fields, and the end of them, before it does anything.

Command = Callable[[Farm, Fields], None]
Report = Callable[[Farm], "FarmReport | Counters"]

_REPORTS: dict[str, Report] = {"state": farm_state, "counters": farm_counters}


def _steer_service(farm: Farm, fields: Fields) -> None:
    """`{"host", "service"}` and any of `"always_fails": bool`, `"fail_next_start": times`, `"start_delay": seconds`.

    `"error"` is the name of a Win32Error with which the starts fail (default: SERVICE_REQUEST_TIMEOUT).
    """
    service = _service(_host(farm, fields), fields)
    always_fails = fields.take_or("always_fails", bool, None)
    times = fields.take_or("fail_next_start", int, None)
    delay = fields.take_or("start_delay", float, None)
    errors = {error.name: error for error in Win32Error if error}
    error = chosen(fields.take_or("error", str, Win32Error.SERVICE_REQUEST_TIMEOUT.name), errors)
    fields.end()
    if always_fails is None and times is None and delay is None:
        raise Malformed("/service: one of 'always_fails', 'fail_next_start' and 'start_delay' is missing")
    if times is not None and not 1 <= times <= 1000:
        raise Malformed("/service: 'fail_next_start' is how many starts fail: 1 to 1000")
    if delay is not None and not 0 <= delay <= 3600:
        raise Malformed("/service: 'start_delay' is a number of seconds: 0 to 3600")
    if always_fails is not None:
        service.always_fails = StartFailure(error) if always_fails else None
    if times is not None:
        service.fail_next_start(error, times=times)
    if delay is not None:
        service.start_delay = delay


def _heal(farm: Farm, fields: Fields) -> None:
    """`{"host"}` and maybe `"service"`: its services, or the one, start normally again. Nothing is started."""
    host = _host(farm, fields)
    name = fields.take_or("service", str, None)
    fields.end()
    for service in list(host.services) if name is None else [_named_service(host, name)]:
        service.always_fails = None
        service.start_failures.clear()
        service.start_delay = 0.0


def _steer_host(farm: Farm, fields: Fields) -> None:
    """`{"host"}` and any of `"up": bool` (WinRM answers; POP3 goes on in any case), `"pop_proxy_active": bool`."""
    host = _host(farm, fields)
    up = fields.take_or("up", bool, None)
    active = fields.take_or("pop_proxy_active", bool, None)
    fields.end()
    if up is None and active is None:
        raise Malformed("/host: one of 'up' and 'pop_proxy_active' is missing")
    if up is not None:
        (host.come_up if up else host.go_down)()
    if active is not None:
        host.set_component(POP_PROXY, active=active)


def _steer_mailbox(farm: Farm, fields: Fields) -> None:
    """`{"identity", "pop_enabled": bool}`: as if an administrator had changed it elsewhere."""
    identity = fields.take("identity", str)
    enabled = fields.take("pop_enabled", bool)
    fields.end()
    try:
        mailbox = farm.organisation.mailbox(identity)
    except KeyError:
        raise Malformed(f"/mailbox: {identity!r} is not the identity of one mailbox") from None
    farm.organisation.change_settings(mailbox, {"PopEnabled": enabled})


def _steer_organisation(farm: Farm, fields: Fields) -> None:
    """`{"pop_enabled": share}`: all mailboxes get the settings of new ones, POP3 on for this share of them."""
    share = fields.take("pop_enabled", float)
    fields.end()
    if not 0 <= share <= 1:
        raise Malformed("/organisation: 'pop_enabled' is a share: 0 to 1")
    farm.organisation.set_pop_enabled(share)


def _steer_exchange(farm: Farm, fields: Fields) -> None:
    """Any of the members of a `CostModel` in seconds, and `"select_object_visible": bool`, `"max_sessions": number`."""
    behaviour = farm.exchange.behaviour
    costs = {name: fields.take_or(name, float, seconds) for name, seconds in asdict(behaviour.costs).items()}
    visible = fields.take_or("select_object_visible", bool, behaviour.select_object_visible)
    sessions = fields.take_or("max_sessions", int, behaviour.max_shells_per_user)
    fields.end()
    if not all(0 <= seconds <= 3600 for seconds in costs.values()):
        raise Malformed("/exchange: a cost is a number of seconds: 0 to 3600")
    if not 1 <= sessions <= 1000:
        raise Malformed("/exchange: 'max_sessions' is how many sessions a user may have: 1 to 1000")
    behaviour.costs = CostModel(**costs)
    behaviour.select_object_visible = visible
    behaviour.max_shells_per_user = sessions


def _clear_records(farm: Farm, fields: Fields) -> None:
    """`{}`: forget what happened: histories of services, writes, module calls, cmdlets, sessions that have ended."""
    fields.end()
    for host in farm.hosts.values():
        host.clear_records()
        host.frontend.greetings = 0
    farm.exchange.calls.clear()
    for shell in [shell for shell in farm.exchange.shells if shell.ending is not None]:
        farm.exchange.shells.remove(shell)


def _drop_sessions(farm: Farm, fields: Fields) -> None:
    """`{}`: end all Exchange sessions, as a restart of IIS does."""
    fields.end()
    farm.exchange.kill_shells()


_COMMANDS: dict[str, Command] = {
    "service": _steer_service,
    "heal": _heal,
    "host": _steer_host,
    "mailbox": _steer_mailbox,
    "organisation": _steer_organisation,
    "exchange": _steer_exchange,
    "clear": _clear_records,
    "drop-sessions": _drop_sessions,
}


def _host(farm: Farm, fields: Fields) -> WindowsHost:
    name = fields.take("host", str)
    host = farm.host(name)
    if host is None:
        raise Malformed(f"there is no host {name!r}; there are {', '.join(one.inventory_name for one in farm.setups)}")
    return host


def _service(host: WindowsHost, fields: Fields) -> Service:
    return _named_service(host, fields.take("service", str))


def _named_service(host: WindowsHost, name: str) -> Service:
    service = host.services.find(name)
    if service is None:
        raise Malformed(f"{host.name} has no service {name!r}; it has {', '.join(one.name for one in host.services)}")
    return service


# --- the other side ---------------------------------------------------------------------------------------------------


class ControlError(Exception):
    """The control refused a request; the text says why."""

    def __init__(self, status: int, text: str) -> None:
        """Keep the HTTP status."""
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class ControlClient:
    """Asks a control in another process. OSError when nothing listens there."""

    uri: str
    token: str
    timeout: float = 30.0

    def state(self) -> dict[str, Any]:
        """`GET /state`."""
        return self._ask("GET", "state", b"")

    def counters(self) -> Counters:
        """`GET /counters`."""
        return Counters(**self._ask("GET", "counters", b""))

    def post(self, command: str, **fields: object) -> None:
        """`POST /<command>`."""
        self._ask("POST", command, json.dumps(fields).encode())

    def _ask(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        address = urlsplit(self.uri)
        # http.client and not urllib: a proxy of the environment has no business here.
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=self.timeout)
        try:
            connection.request(method, f"/{path}", body, {"Authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            text = response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{self.uri} does not answer as a control: {error!r}") from error
        finally:
            connection.close()
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise ControlError(response.status, "this is not the token of the control")
        answer: dict[str, Any] = json.loads(text)
        if response.status != HTTPStatus.OK:
            raise ControlError(response.status, str(answer.get("error")))
        return answer
