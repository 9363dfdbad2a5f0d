# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small, fast HTTP/1.1 server for loopback: one thread a connection, keep-alive, optional TLS.

    server = HttpServer(handler, address="127.0.0.1", port=0, authenticator=Basic(check), faults=FaultList())
    with server:
        print(server.port)

- `handler`: a callable `Request -> Response`. It may block (a long poll); whoever writes such a handler must be able to
  wake it before `stop()`, or must wait with `server.wait(seconds)`, which `stop()` wakes.
- `authenticator`: see `Authenticator`, and `negotiate` for Kerberos and NTLM. It sees the request and the connection's
  state, so schemes of several steps and schemes that encrypt the bodies fit in: it unwraps the request's body and gives
  a function that wraps the answer.
- `faults`: see `faults.FaultList`.

Counters count plain bytes, also under TLS. `stop()` leaves no thread, socket or connection behind.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, Protocol, TypeAlias
from urllib.parse import unquote

from simulator.wire import faults as effects
from simulator.wire.faults import Effect, FaultList

log = logging.getLogger(__name__)

MAX_HEAD: Final = 64 * 1024
MAX_BODY: Final = 64 * 1024 * 1024
IIS: Final = "Microsoft-IIS/10.0"
HTTPAPI: Final = "Microsoft-HTTPAPI/2.0"
_HTTP_SYS: Final = frozenset({400, 411, 413, 503})  # refused before IIS sees the request, or with IIS not there


class Headers(Mapping[str, str]):
    """Header fields by name in any case; of a repeated field the last one counts."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@dataclass(slots=True)
class Connection:
    """One client connection. `state` is the authenticator's own, for schemes that span several requests."""

    number: int
    scheme: str
    client_address: tuple[str, int]
    server_address: tuple[str, int]
    client_certificate: bytes | None = None
    """The client's certificate, DER, when the TLS context asked for one and the client gave one."""
    server_certificate: bytes | None = None
    """The certificate, DER, that this connection was served with; None without TLS."""
    state: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `body` is decrypted and `user` set once the authenticator has accepted it."""

    method: str
    target: str
    path: str
    query: str
    headers: Headers
    body: bytes
    user: str | None
    connection: Connection
    number: int
    """Running number of the request on this server, from 1."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `close` ends the connection after it."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False

    @classmethod
    def page(cls, status: int, *, headers: tuple[tuple[str, str], ...] = (), close: bool = False) -> Response:
        """An error page like those of IIS, which are well-formed XML, or of HTTP.sys, which are not."""
        phrase = _phrase(status)
        if status in _HTTP_SYS:
            body = (
                '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
                f'<HTML><HEAD><TITLE>{phrase}</TITLE>\r\n<META HTTP-EQUIV="Content-Type" Content="text/html; '
                f'charset=us-ascii"></HEAD>\r\n<BODY><h2>{phrase}</h2>\r\n<hr><p>HTTP Error {status}. {phrase}.</p>'
                "\r\n</BODY></HTML>\r\n"
            )
            return cls(status, body.encode(), "text/html; charset=us-ascii", headers, close)
        body = (
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
            '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\r\n<html xmlns="http://www.w3.org/1999/xhtml">\r\n'
            f"<head><title>{status} - {phrase}</title></head>\r\n<body>\r\n"
            f'<div id="header"><h1>Server Error</h1></div>\r\n<div id="content"><fieldset><h2>{status} - {phrase}.</h2>'
            "\r\n</fieldset></div>\r\n</body>\r\n</html>\r\n"
        )
        return cls(status, body.encode(), "text/html", headers, close)


Handler: TypeAlias = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Authenticated:
    """An accepted request."""

    user: str | None
    body: bytes | None = None
    """The decrypted body, when the scheme encrypts messages; None: the body as it came."""
    headers: tuple[tuple[str, str], ...] = ()
    """To be added to the answer, such as the last token of the scheme."""
    wrap: Callable[[Response], Response] | None = None
    """Encrypts the answer, when the scheme encrypts messages."""


class Authenticator(Protocol):
    """One authentication scheme, or several."""

    @property
    def challenges(self) -> tuple[str, ...]:
        """The values of `WWW-Authenticate` for a request that nobody accepted."""

    def authenticate(self, request: Request, connection: Connection) -> Authenticated | Response | None:
        """Accept the request, or answer it (the next step of the scheme), or None: not acceptable, answer 401."""


class Anonymous:
    """Everybody is let in, as no user."""

    challenges: tuple[str, ...] = ()

    def authenticate(
        self,
        request: Request,  # noqa: ARG002 - the interface
        connection: Connection,  # noqa: ARG002 - the interface
    ) -> Authenticated | Response | None:
        """Accept."""
        return Authenticated(user=None)


class Basic:
    """Basic authentication, user and password in UTF-8. `check(user, password)` decides."""

    def __init__(self, check: Callable[[str, str], bool], realm: str = "localhost") -> None:
        self._check = check
        self.challenges: tuple[str, ...] = (f'Basic realm="{realm}"',)

    def authenticate(
        self,
        request: Request,
        connection: Connection,  # noqa: ARG002 - the interface
    ) -> Authenticated | Response | None:
        """Accept the right user and password."""
        scheme, _sep, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None
        if not colon or not self._check(user, password):
            return None
        return Authenticated(user)


class ClientCertificate:
    """The certificate that the client showed in the TLS handshake, as WSMan uses it ([MS-WSMV], DSP0226 C.3.3).

    `user_of(certificate)` is the mapping: whose certificate, DER, this is; None: nobody's. Whether an authority that we
    trust has issued it, the TLS context has checked already.
    """

    challenges: tuple[str, ...] = ()
    _PROFILE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

    def __init__(self, user_of: Callable[[bytes], str | None]) -> None:
        self._user_of = user_of

    def authenticate(self, request: Request, connection: Connection) -> Authenticated | Response | None:
        """Accept a certificate that is mapped to a user."""
        if request.headers.get("authorization", "") != self._PROFILE or connection.client_certificate is None:
            return None
        user = self._user_of(connection.client_certificate)
        return None if user is None else Authenticated(user)


class FirstOf:
    """Several schemes side by side; the first that accepts or answers wins."""

    def __init__(self, *authenticators: Authenticator) -> None:
        self._authenticators = authenticators

    @property
    def challenges(self) -> tuple[str, ...]:
        """All of them, in order."""
        return tuple(challenge for one in self._authenticators for challenge in one.challenges)

    def authenticate(self, request: Request, connection: Connection) -> Authenticated | Response | None:
        """Ask each in turn."""
        for one in self._authenticators:
            outcome = one.authenticate(request, connection)
            if outcome is not None:
                return outcome
        return None


@dataclass(slots=True)
class Counters:
    """What a server has seen so far."""

    connections: int = 0
    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    tls_failures: int = 0


class _BadRequest(Exception):
    """The bytes are not an acceptable HTTP request; carries the status to answer with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Reset(Exception):
    """Leave the connection with a TCP reset."""


class HttpServer:
    """See the top of this file."""

    def __init__(
        self,
        handler: Handler,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        authenticator: Authenticator | None = None,
        faults: FaultList | None = None,
        server_header: str = IIS,
        round_trip: float = 0.0,
    ) -> None:
        self.address = address
        self.port = port
        self.faults = faults if faults is not None else FaultList()
        self.counters = Counters()
        self.round_trip = round_trip
        """Seconds that every request takes longer: the network of a cost model. May be changed while running."""
        self.recording: list[bytes] | None = None
        """A list to be filled with all bytes in both directions; under TLS with what is inside of it."""
        self._handler = handler
        self._tls = tls
        self._authenticator: Authenticator = authenticator if authenticator is not None else Anonymous()
        self._server_header = server_header
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._accepting: threading.Thread | None = None
        self._connections: dict[int, tuple[socket.socket, threading.Thread]] = {}
        self._threads: list[threading.Thread] = []

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return "http" if self._tls is None else "https"

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return len(self._connections)

    def __enter__(self) -> HttpServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bind, listen and serve; `port` then holds the real port."""
        self._stopping.clear()
        self._listen()

    def stop(self) -> None:
        """Close the listener and all connections, and wait for their threads. Safe to call twice."""
        self._stopping.set()
        self._close_listener()
        with self._lock:
            connections = list(self._connections.values())
        for sock, _unused in connections:
            _hang_up(sock)
        # Also those that have closed their connection a moment ago and are on their last lines.
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def use_certificate(self, tls: ssl.SSLContext) -> None:
        """Serve new connections with another certificate."""
        self._tls = tls

    def refuse_connections(self) -> None:
        """From now on new connections are refused (ECONNREFUSED), as by a server that is down. The port stays ours."""
        self._close_listener()
        self._listener = self._bound_socket()

    def accept_connections(self) -> None:
        """Undo `refuse_connections`."""
        if self._accepting is None and not self._stopping.is_set():
            self._close_listener()
            self._listen()

    def drop_connections(self) -> None:
        """Reset every open connection, as a network that breaks does. New ones are welcome."""
        with self._lock:
            connections = list(self._connections.values())
        for sock, _unused in connections:
            _linger_reset(sock)
            _hang_up(sock)

    def wait(self, seconds: float) -> bool:
        """Sleep, but not beyond `stop()`; True when the server is stopping."""
        return self._stopping.wait(seconds) if seconds > 0 else self._stopping.is_set()

    # --- listening ---

    def _bound_socket(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.address, self.port))
        except OSError:
            sock.close()
            raise
        self.port = sock.getsockname()[1]
        return sock

    def _listen(self) -> None:
        listener = self._bound_socket()
        listener.listen(128)
        self._listener = listener
        self._wake = socket.socketpair()
        self._accepting = threading.Thread(
            target=self._accept, args=(listener, self._wake[1]), name=f"{self.scheme}-accept-{self.port}", daemon=True
        )
        self._accepting.start()

    def _close_listener(self) -> None:
        if self._accepting is not None and self._wake is not None:
            self._wake[0].send(b"x")
            self._accepting.join()
            for end in self._wake:
                end.close()
        self._accepting = None
        self._wake = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _accept(self, listener: socket.socket, wake: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _unused in selector.select()}
                if wake in ready:
                    return
                with contextlib.suppress(OSError):
                    self._welcome(*listener.accept())

    def _welcome(self, sock: socket.socket, client: tuple[str, int]) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.faults.on_connect():
            _linger_reset(sock)
            sock.close()
            return
        with self._lock:
            self.counters.connections += 1
            number = self.counters.connections
            connection = Connection(number, self.scheme, client, (self.address, self.port))
            thread = threading.Thread(
                target=self._serve, args=(sock, connection), name=f"{self.scheme}-{self.port}-{number}", daemon=True
            )
            self._connections[number] = (sock, thread)
        self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)
        thread.start()

    # --- one connection ---

    def _serve(self, sock: socket.socket, connection: Connection) -> None:
        try:
            if self._tls is not None:
                sock = self._handshake(sock, self._tls, connection)
            self._converse(sock, connection)
        except _Reset:
            _linger_reset(sock)
        except OSError:
            pass  # the client hung up, or stop() hung up on it: nothing to answer
        finally:
            with self._lock:
                self._connections.pop(connection.number, None)
            sock.close()

    def _handshake(self, sock: socket.socket, tls: ssl.SSLContext, connection: Connection) -> socket.socket:
        # The handshake comes after the bookkeeping: wrapping empties the old socket, so stop() must know the new one,
        # or a client that never says hello would hold it up.
        secure = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._connections[connection.number] = (secure, threading.current_thread())
        if self._stopping.is_set():
            _hang_up(secure)
        try:
            secure.do_handshake()
        except OSError:
            with self._lock:
                self.counters.tls_failures += 1
            secure.close()
            raise
        connection.client_certificate = secure.getpeercert(binary_form=True)
        connection.server_certificate = getattr(tls, "certificate", None)
        return secure

    def _converse(self, sock: socket.socket, connection: Connection) -> None:
        reader = _Reader(sock, self._record)
        while not self._stopping.is_set():
            try:
                raw = reader.next_request()
            except _BadRequest as error:
                self._send(sock, Response.page(error.status, close=True), "GET")
                return
            if raw is None:
                return
            if not self._exchange(sock, connection, raw):
                return

    def _exchange(self, sock: socket.socket, connection: Connection, raw: _RawRequest) -> bool:
        with self._lock:
            self.counters.requests += 1
            self.counters.bytes_in += raw.size
            number = self.counters.requests
        path, _sep, query = raw.target.partition("?")
        request = Request(raw.method, raw.target, unquote(path), query, raw.headers, raw.body, None, connection, number)
        outcome = self._authenticator.authenticate(request, connection)
        if isinstance(outcome, Authenticated):
            body = request.body if outcome.body is None else outcome.body
            request = replace(request, user=outcome.user, body=body)
        response = self._answer(sock, request, outcome)
        if response is None:
            return False
        keep = not response.close and raw.keep_alive
        self._send(sock, response if keep else replace(response, close=True), raw.method)
        return keep

    def _answer(
        self, sock: socket.socket, request: Request, outcome: Authenticated | Response | None
    ) -> Response | None:
        """The answer with all faults carried out; None when the connection is to be closed without one."""
        struck = self.faults.on_request(request.body)
        self._wait_for(struck, effects.Delay)
        if self.round_trip:
            self._stopping.wait(self.round_trip)
        for effect in struck:
            if isinstance(effect, effects.ResetBeforeProcessing):
                raise _Reset
            instead = _instead(effect)
            if instead is not None:
                return instead
        response = self._processed(request, outcome)
        self._wait_for(struck, effects.DelayReply)
        for effect in struck:
            if isinstance(effect, effects.ResetAfterProcessing):
                raise _Reset
            if isinstance(effect, effects.HalfResponse):
                head = self._head(response)
                self._write(sock, head + response.body[: len(response.body) // 2])
                return None
            if isinstance(effect, effects.Mangle):
                body = effect.change(response.body)
                response = replace(response, body=body, headers=(*response.headers, *effect.headers))
            if isinstance(effect, effects.Trickle):
                self._write(sock, self._head(response))
                for byte in response.body:
                    self._write(sock, bytes([byte]))
                    if self._stopping.wait(effect.seconds):
                        return None
            if isinstance(effect, effects.HangUp):
                self._send(sock, response, request.method)
                return None
        return response

    def _processed(self, request: Request, outcome: Authenticated | Response | None) -> Response:
        if outcome is None:
            challenges = tuple(("WWW-Authenticate", value) for value in self._authenticator.challenges)
            return Response.page(HTTPStatus.UNAUTHORIZED, headers=challenges)
        if isinstance(outcome, Response):
            return outcome
        response = self._handled(request)
        if outcome.wrap is not None:
            response = outcome.wrap(response)
        if outcome.headers:
            response = replace(response, headers=response.headers + outcome.headers)
        return response

    def _handled(self, request: Request) -> Response:
        try:
            return self._handler(request)
        except Exception:  # a mistake in the simulator: show it, and let the client see an error, not a silence
            log.exception("%s %s", request.method, request.target)
            return Response.page(HTTPStatus.INTERNAL_SERVER_ERROR, close=True)

    def _wait_for(self, struck: tuple[Effect, ...], kind: type[effects.Delay] | type[effects.DelayReply]) -> None:
        for effect in struck:
            if isinstance(effect, kind):
                self._stopping.wait(effect.seconds)

    def _send(self, sock: socket.socket, response: Response, method: str) -> None:
        body = b"" if method == "HEAD" else response.body
        self._write(sock, self._head(response) + body)

    def _head(self, response: Response) -> bytes:
        lines = [
            f"HTTP/1.1 {response.status} {_phrase(response.status)}",
            f"Server: {self._server_header}",
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Length: {len(response.body)}",
        ]
        if response.body:
            lines.append(f"Content-Type: {response.content_type}")
        lines += [f"{name}: {value}" for name, value in response.headers]
        if response.close:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _write(self, sock: socket.socket, data: bytes) -> None:
        with self._lock:
            self.counters.bytes_out += len(data)
        self._record(data)
        sock.sendall(data)

    def _record(self, data: bytes) -> None:
        if self.recording is not None:
            self.recording.append(data)


def _instead(effect: Effect) -> Response | None:
    """The answer of a fault that takes the place of processing."""
    match effect:
        case effects.Status(code=code, headers=headers):
            return Response.page(code, headers=headers)
        case effects.Redirect(location=location, code=code):
            return Response.page(code, headers=(("Location", location),))
        case effects.Garbage(body=body, content_type=content_type):
            return Response(200, body, content_type)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class _RawRequest:
    method: str
    target: str
    headers: Headers
    body: bytes
    keep_alive: bool
    size: int


class _Reader:
    """Cuts the byte stream of a connection into requests."""

    def __init__(self, sock: socket.socket, record: Callable[[bytes], None]) -> None:
        self._sock = sock
        self._record = record
        self._buffer = b""

    def next_request(self) -> _RawRequest | None:
        """The next request; None at the end of the stream."""
        head = self._head()
        if head is None:
            return None
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise _BadRequest(HTTPStatus.BAD_REQUEST)
        fields: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                raise _BadRequest(HTTPStatus.BAD_REQUEST)
            fields[name] = value.strip()
        headers = Headers(fields)
        body = self._body(headers)
        keep_alive = words[2] != "HTTP/1.0" and headers.get("connection", "").lower() != "close"
        return _RawRequest(words[0], words[1], headers, body, keep_alive, len(head) + 4 + len(body))

    def _head(self) -> bytes | None:
        while True:
            end = self._buffer.find(b"\r\n\r\n")
            if end >= 0:
                head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
                return head
            # A TLS hello on a plain port must not wait for an end that never comes: IIS answers 400 at once.
            speaks_http = self._buffer[:1].isalpha() or not self._buffer
            if len(self._buffer) > MAX_HEAD or not speaks_http:
                raise _BadRequest(HTTPStatus.BAD_REQUEST)
            if not self._fill():
                return None

    def _body(self, headers: Headers) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            self._continue(headers)
            return self._chunked()
        length_text = headers.get("content-length", "0")
        if not length_text.isdigit():
            raise _BadRequest(HTTPStatus.BAD_REQUEST)
        length = int(length_text)
        if length > MAX_BODY:
            raise _BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if length:
            self._continue(headers)
        return self._exactly(length)

    def _continue(self, headers: Headers) -> None:
        if headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _chunked(self) -> bytes:
        body = bytearray()
        while True:
            size_text = self._line().split(b";")[0].strip()
            try:
                size = int(size_text, 16)
            except ValueError:
                raise _BadRequest(HTTPStatus.BAD_REQUEST) from None
            if size < 0 or len(body) + size > MAX_BODY:
                raise _BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            if size == 0:
                while self._line():
                    pass
                return bytes(body)
            body += self._exactly(size)
            self._line()

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD or not self._fill():
                raise _BadRequest(HTTPStatus.BAD_REQUEST)
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _exactly(self, length: int) -> bytes:
        if len(self._buffer) < length:
            parts = [self._buffer]
            missing = length - len(self._buffer)
            while missing > 0:
                part = self._received()
                if not part:
                    raise ConnectionResetError("the client hung up in the middle of a request")
                parts.append(part)
                missing -= len(part)
            self._buffer = b"".join(parts)
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _fill(self) -> bool:
        part = self._received()
        self._buffer += part
        return bool(part)

    def _received(self) -> bytes:
        part = self._sock.recv(65536)
        self._record(part)
        return part


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _linger_reset(sock: socket.socket) -> None:
    """Make the coming close() send a reset instead of a normal end."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _hang_up(sock: socket.socket) -> None:
    """Wake the thread that reads from this socket. The plain socket's method: the TLS one is not thread-safe."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
