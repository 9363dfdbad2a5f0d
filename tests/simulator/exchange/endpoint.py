# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remote PowerShell endpoint of an Exchange server: WSMan shells at `/PowerShell/`, over HTTP and HTTPS at once.

exchange = ExchangeEndpoint(sample_organisation(), users)
with exchange:
    print(exchange.uri)
"""

from __future__ import annotations

import ssl
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from simulator.exchange.behaviour import ExchangeBehaviour
from simulator.exchange.cas_mailbox import CAS_MAILBOX_CMDLETS
from simulator.exchange.clixml import MalformedData
from simulator.exchange.cmdlets import CmdletCall, CommandTable, Session
from simulator.exchange.exchange_server import EXCHANGE_SERVER_CMDLETS
from simulator.exchange.organisation import Organisation
from simulator.exchange.pop_cmdlets import POP_CMDLETS
from simulator.exchange.rbac import Users
from simulator.exchange.runspace import Runspace, RunspaceClosed, UnknownPipeline
from simulator.exchange.texts import texts
from simulator.wire import wsman
from simulator.wire.certificates import mapped_user
from simulator.wire.faults import FaultList
from simulator.wire.http import (
    Authenticated,
    Authenticator,
    Basic,
    ClientCertificate,
    Connection,
    FirstOf,
    HttpServer,
    Request,
    Response,
)
from simulator.wire.negotiate import Negotiate
from simulator.wire.wsman import Action, CommandState, Message, SignalCode, WSManFault

RESOURCE_URI = "http://schemas.microsoft.com/powershell/Microsoft.Exchange"
DEFAULT_ENVELOPE = 153600
DEFAULT_OPERATION_TIMEOUT = 60.0
ACCESS_DENIED = 5
_OVERSLEPT = "overslept"


class Ending(StrEnum):
    """How a shell came to its end."""

    CLOSED = "closed by client"
    IDLE = "idle time-out"
    KILLED = "killed"
    STOPPED = "simulator stopped"


@dataclass(slots=True, eq=False)
class Shell:
    """One session of a client. Times are seconds of `time.time()`."""

    shell_id: str
    user: str
    domain_controller: str
    scheme: str
    opened_at: float
    last_used: float
    runspace: Runspace = field(repr=False)
    ending: Ending | None = None
    ended_at: float | None = None
    requests: int = 0
    in_use: int = 0
    """Requests that are being worked on: a shell with any is not idle."""


class _AtPowerShell:
    """Asks for authentication below /PowerShell; all other paths are open, and lead nowhere."""

    def __init__(self, methods: Authenticator) -> None:
        self.methods = methods
        self.authorizations: list[str] = []

    @property
    def challenges(self) -> tuple[str, ...]:
        """Those of the methods that are on."""
        return self.methods.challenges

    def authenticate(self, request: Request, connection: Connection) -> Authenticated | Response | None:
        """One of the methods that are on, or nothing."""
        self.authorizations.append(request.headers.get("authorization", ""))
        if not _is_powershell(request.path):
            return Authenticated(None)
        return self.methods.authenticate(request, connection)


def _is_powershell(path: str) -> bool:
    return path.rstrip("/").lower() == "/powershell"


class ExchangeEndpoint:
    """See the top of this file. `tls` turns HTTPS on; HTTP is always on."""

    def __init__(
        self,
        organisation: Organisation,
        users: Users,
        *,
        behaviour: ExchangeBehaviour | None = None,
        faults: FaultList | None = None,
        tls: ssl.SSLContext | None = None,
        address: str = "127.0.0.1",
        host_name: str = "localhost",
        port: int = 0,
        https_port: int = 0,
        server: str | None = None,
    ) -> None:
        self.organisation = organisation
        self.users = users
        self.behaviour = behaviour if behaviour is not None else ExchangeBehaviour()
        self.faults = faults if faults is not None else FaultList()
        self.server = server or next(iter(organisation.servers))
        self.host_name = host_name
        self.calls: list[CmdletCall] = []
        """Every command that arrived, in order."""
        self.shells: list[Shell] = []
        """Every shell that was ever opened, in order."""
        self.on_call: Callable[[CmdletCall], None] | None = None
        self._table = CommandTable((*CAS_MAILBOX_CMDLETS, *EXCHANGE_SERVER_CMDLETS, *POP_CMDLETS))
        self._lock = threading.RLock()
        self._open: dict[str, Shell] = {}
        self._stopping = threading.Event()
        self._authenticator = authenticator = _AtPowerShell(Basic(users.check, realm=host_name))
        self.http = HttpServer(
            self._handle, address=address, port=port, authenticator=authenticator, faults=self.faults
        )
        self.https: HttpServer | None = None
        if tls is not None:
            self.https = HttpServer(
                self._handle, address=address, port=https_port, tls=tls, authenticator=authenticator, faults=self.faults
            )

    # --- life ---

    def __enter__(self) -> ExchangeEndpoint:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        self._stopping.clear()
        self.http.start()
        if self.https is not None:
            self.https.start()

    def stop(self) -> None:
        """Close everything: shells, connections, listeners."""
        self._stopping.set()
        self.kill_shells(Ending.STOPPED)
        self.http.stop()
        if self.https is not None:
            self.https.stop()
        self.kill_shells(Ending.STOPPED)

    # --- logins ---

    def accept_logins(
        self, negotiate: Negotiate | None = None, *, basic: bool = False, certificates: bool = False
    ) -> None:
        """Turn on these methods of authentication, and no others. At first only Basic is on."""
        methods: list[Authenticator] = [] if negotiate is None else [negotiate]
        if basic:
            methods.append(Basic(self.users.check, realm=self.host_name))
        if certificates:
            methods.append(ClientCertificate(self._certificate_user))
        self._authenticator.methods = FirstOf(*methods)

    def _certificate_user(self, certificate: bytes) -> str | None:
        user = mapped_user(certificate)
        return user if user is not None and user in self.users else None

    # --- addresses ---

    @property
    def uri(self) -> str:
        """The connection URI over HTTP."""
        return f"http://{self.host_name}:{self.http.port}/PowerShell/"

    @property
    def https_uri(self) -> str:
        """The connection URI over HTTPS."""
        if self.https is None:
            raise RuntimeError("this endpoint was made without TLS")
        return f"https://{self.host_name}:{self.https.port}/PowerShell/"

    # --- inspection ---

    @property
    def open_shells(self) -> list[Shell]:
        """The shells that are open now."""
        self._expire()
        with self._lock:
            return list(self._open.values())

    @property
    def http_requests(self) -> int:
        """HTTP requests so far, over HTTP and HTTPS together."""
        return sum(server.counters.requests for server in self._servers())

    @property
    def http_connections(self) -> int:
        """TCP connections so far."""
        return sum(server.counters.connections for server in self._servers())

    @property
    def bytes_in(self) -> int:
        """Bytes received so far."""
        return sum(server.counters.bytes_in for server in self._servers())

    @property
    def bytes_out(self) -> int:
        """Bytes sent so far."""
        return sum(server.counters.bytes_out for server in self._servers())

    @property
    def authorizations(self) -> list[str]:
        """The Authorization header of every request, empty where there was none."""
        return self._authenticator.authorizations

    def calls_of(self, cmdlet: str) -> list[CmdletCall]:
        """The calls of one cmdlet."""
        return [call for call in self.calls if call.name.lower() == cmdlet.lower()]

    def kill_shells(self, ending: Ending = Ending.KILLED) -> None:
        """End every open shell, as a restart of IIS would."""
        with self._lock:
            shells = list(self._open.values())
        for shell in shells:
            self._end(shell, ending)

    def _servers(self) -> tuple[HttpServer, ...]:
        return (self.http,) if self.https is None else (self.http, self.https)

    # --- requests ---

    def _handle(self, request: Request) -> Response:
        if not _is_powershell(request.path):
            return Response.page(404)
        if request.method != "POST":
            return Response.page(405, headers=(("Allow", "POST"),))
        self._travel(request)
        try:
            message = wsman.parse(request.body)
        except wsman.MalformedMessage:
            return Response.page(400, close=True)
        try:
            body = self._dispatch(message, request)
        except wsman.MalformedMessage:
            return Response.page(400, close=True)
        except WSManFault as fault:
            machine = self.organisation.servers[self.server].fqdn
            return Response(500, wsman.fault(message, fault, machine=machine), wsman.CONTENT_TYPE)
        return Response(200, body, wsman.CONTENT_TYPE)

    def _travel(self, request: Request) -> None:
        """The round trip. What one wait took too long, the next one on the same connection is shorter."""
        wanted = self.behaviour.costs.round_trip
        if wanted <= 0:
            return
        state, began = request.connection.state, time.monotonic()
        overslept = state.get(_OVERSLEPT, 0.0)
        wanted -= overslept if isinstance(overslept, float) else 0.0
        self._stopping.wait(max(wanted, 0.0))
        state[_OVERSLEPT] = time.monotonic() - began - wanted

    def _dispatch(self, message: Message, request: Request) -> bytes:
        if message.resource_uri.lower() != RESOURCE_URI.lower():
            raise WSManFault.resource_uri_not_found(message.resource_uri)
        self._expire()
        if message.action == Action.CREATE:
            return self._create(message, request)
        action = _ACTIONS.get(message.action)
        if action is None:
            raise WSManFault.action_not_supported(message.action)
        shell = self._shell(message, request)
        shell.requests += 1
        try:
            return action(self, message, shell)
        except RunspaceClosed:
            raise WSManFault.shell_not_found(shell.shell_id) from None
        except UnknownPipeline:
            raise WSManFault.invalid_selectors() from None
        except MalformedData as error:
            raise WSManFault(2150858990, f"The PSRP data cannot be processed: {error}") from error
        finally:
            with self._lock:
                shell.in_use -= 1
                shell.last_used = time.time()

    def _shell(self, message: Message, request: Request) -> Shell:
        with self._lock:
            shell = self._open.get(message.shell_id)
            # Another user's shell does not exist, as far as this one can tell.
            if shell is None or shell.user.casefold() != (request.user or "").casefold():
                raise WSManFault.shell_not_found(message.shell_id)
            shell.in_use += 1
            return shell

    def _create(self, message: Message, request: Request) -> bytes:
        self._stopping.wait(self.behaviour.opening_delay)
        wanted = wsman.CreateRequest.of(message)
        shell_id = wanted.shell_id or str(uuid.uuid4()).upper()
        user = self.users[request.user or ""]
        with self._lock:
            self._admit(user.name, shell_id)
            controllers = self.organisation.domain_controllers
            controller = controllers[len(self.shells) % len(controllers)]
            session = Session(self.organisation, self.behaviour, user, shell_id, controller, self.server)
            runspace = Runspace(session, self._table, self._record, lambda: self._end(shell, Ending.KILLED))
            opened = time.time()
            scheme = request.connection.scheme
            shell = Shell(shell_id, user.name, controller.fqdn, scheme, opened, opened, runspace)
            self.shells.append(shell)
            self._open[shell_id] = shell
        if wanted.creation_xml:
            runspace.open(wanted.creation_xml)
        return wsman.create_response(message, shell_id, owner=user.name, idle_timeout=self.behaviour.idle_timeout)

    def _admit(self, user: str, shell_id: str) -> None:
        behaviour = self.behaviour
        if behaviour.refuse_opening is not None:
            raise WSManFault.access_denied(behaviour.refuse_opening)
        if self._stopping.is_set() or shell_id in self._open:
            raise WSManFault.operation_aborted()
        mine = sum(1 for shell in self._open.values() if shell.user == user)
        if behaviour.throttled_openings > 0:
            behaviour.throttled_openings -= 1
        elif mine < behaviour.max_shells_per_user:
            return
        text = texts(self.organisation.language).too_many_connections.format(limit=behaviour.max_shells_per_user)
        # The message is reported; that its code is that of a refused authorization is inferred from its text.
        raise WSManFault(ACCESS_DENIED, text, subcode="w:AccessDenied", sender=True)

    def _command(self, message: Message, shell: Shell) -> bytes:
        command = wsman.CommandRequest.of(message)
        data = command.first_argument_bytes()
        if len(data) < 61:
            raise wsman.MalformedMessage("the first argument must hold a PSRP fragment")
        shell.runspace.start(command.command_id, data)
        return wsman.command_response(message, command.command_id)

    def _send(self, message: Message, shell: Shell) -> bytes:
        for stream in wsman.SendRequest.of(message).streams:
            shell.runspace.feed(stream.command_id, stream.data)
        return wsman.send_response(message)

    def _receive(self, message: Message, shell: Shell) -> bytes:
        wanted = wsman.ReceiveRequest.of(message)
        # What base64 leaves of the envelope that the client can take.
        limit = ((message.max_envelope_size or DEFAULT_ENVELOPE) - 2048) * 3 // 4
        timeout = message.operation_timeout or DEFAULT_OPERATION_TIMEOUT
        received = shell.runspace.receive(wanted.command_id, timeout, limit)
        if received is None:
            raise WSManFault.operation_timed_out()
        chunks, finished = received
        state = None if wanted.command_id is None else (CommandState.DONE if finished else CommandState.RUNNING)
        streams = wsman.streams_of("stdout", chunks, wanted.command_id)
        return wsman.receive_response(message, streams, command_id=wanted.command_id, state=state)

    def _signal(self, message: Message, shell: Shell) -> bytes:
        signal = wsman.SignalRequest.of(message)
        if signal.code == SignalCode.TERMINATE:
            shell.runspace.forget(signal.command_id)
        else:
            shell.runspace.stop(signal.command_id)
        return wsman.signal_response(message)

    def _delete(self, message: Message, shell: Shell) -> bytes:
        self._end(shell, Ending.CLOSED)
        return wsman.delete_response(message)

    # --- shells ---

    def _record(self, call: CmdletCall) -> None:
        self.calls.append(call)
        if self.on_call is not None:
            self.on_call(call)

    def _expire(self) -> None:
        limit = time.time() - self.behaviour.idle_timeout
        with self._lock:
            idle = [shell for shell in self._open.values() if not shell.in_use and shell.last_used < limit]
        for shell in idle:
            self._end(shell, Ending.IDLE)

    def _end(self, shell: Shell, ending: Ending) -> None:
        with self._lock:
            if self._open.pop(shell.shell_id, None) is None:
                return
            shell.ending = ending
            shell.ended_at = time.time()
        shell.runspace.close()


_ACTIONS: dict[str, Callable[[ExchangeEndpoint, Message, Shell], bytes]] = {
    Action.COMMAND: ExchangeEndpoint._command,
    Action.SEND: ExchangeEndpoint._send,
    Action.RECEIVE: ExchangeEndpoint._receive,
    Action.SIGNAL: ExchangeEndpoint._signal,
    Action.DELETE: ExchangeEndpoint._delete,
}
