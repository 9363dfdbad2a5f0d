# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server of the simulator, over real sockets."""

from __future__ import annotations

import http.client as client_side
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.wire import faults, http
from simulator.wire.certificates import CertificateAuthority


def echo(request: http.Request) -> http.Response:
    return http.Response(200, f"{request.user}:{request.path}:".encode() + request.body, "text/plain")


@pytest.fixture
def server() -> Iterator[http.HttpServer]:
    check = {"jörg": "pässwörd:€"}
    with http.HttpServer(echo, authenticator=http.Basic(lambda user, word: check.get(user) == word)) as running:
        yield running


def ask(server: http.HttpServer, body: bytes = b"x", user: str = "jörg", password: str = "pässwörd:€") -> bytes:
    client = client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        token = b64encode(f"{user}:{password}".encode()).decode()
        client.request("POST", "/PowerShell%20a?x=1", body, {"Authorization": f"Basic {token}"})
        response = client.getresponse()
        assert response.status == 200, response.status
        return response.read()
    finally:
        client.close()


def test_basic_authentication_is_utf8_and_the_path_is_decoded(server: http.HttpServer) -> None:
    assert ask(server, b"hello") == "jörg:/PowerShell a:hello".encode()


def test_a_wrong_password_gets_a_challenge(server: http.HttpServer) -> None:
    client = client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)
    client.request("POST", "/", b"x", {"Authorization": "Basic " + b64encode("jörg:no".encode()).decode()})
    response = client.getresponse()
    assert (response.status, response.headers["WWW-Authenticate"]) == (401, 'Basic realm="localhost"')
    assert b"401 - Unauthorized" in response.read()
    client.close()


def test_one_connection_serves_many_requests_and_chunked_bodies(server: http.HttpServer) -> None:
    client = client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)
    token = {"Authorization": "Basic " + b64encode("jörg:pässwörd:€".encode()).decode()}
    for body in (b"one", iter([b"tw", b"o"]), b"three" * 50_000):
        client.request("POST", "/", body, token)
        assert client.getresponse().read().startswith("jörg:/:t".encode()[:8])
    assert (server.counters.connections, server.counters.requests) == (1, 3)
    client.close()


@pytest.mark.parametrize(
    "text",
    [b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"],
)
def test_bad_requests_are_answered_with_400(server: http.HttpServer, text: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(text)
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_stop_leaves_nothing_behind(server: http.HttpServer) -> None:
    before = threading.active_count()
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    half = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    half.sendall(b"POST / HTTP/1.1\r\nContent-Le")
    ask(server)
    server.stop()
    assert (idle.recv(1), half.recv(1)) == (b"", b"")
    assert server.open_connections == 0
    assert threading.active_count() < before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    idle.close()
    half.close()


def test_refused_connections_and_back(server: http.HttpServer) -> None:
    server.refuse_connections()
    with pytest.raises(ConnectionRefusedError):
        ask(server)
    server.accept_connections()
    assert ask(server)


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (faults.ResetOnConnect(), ConnectionResetError),
        (faults.ResetBeforeProcessing(), ConnectionResetError),
        (faults.ResetAfterProcessing(), ConnectionResetError),
        (faults.HalfResponse(), client_side.IncompleteRead),
        (faults.Status(503), AssertionError),
        (faults.Redirect("http://elsewhere/"), AssertionError),
    ],
)
def test_faults_strike_when_they_should(server: http.HttpServer, effect: faults.Effect, error: type[Exception]) -> None:
    fault = server.faults.add(effect, nth=2)
    ask(server)
    with pytest.raises(error):
        ask(server)
    ask(server)
    assert (fault.seen, fault.struck) == (3, 1)


def test_a_fault_can_wait_for_a_wsman_action(server: http.HttpServer) -> None:
    server.faults.add(faults.Garbage(b"garbage"), action="command", times=None)
    command = b'<s:Header><wsa:Action s:mustUnderstand="true">http://x/shell/Command</wsa:Action>'
    assert ask(server, command) == b"garbage"
    assert ask(server, command.replace(b"Command", b"Receive")) != b"garbage"
    assert ask(server, command) == b"garbage"
    server.faults.clear()
    assert ask(server, command) != b"garbage"


class TwoSteps:
    """A scheme of two steps that encrypts: the first request opens, later ones are XORed."""

    challenges = ("Two",)

    def authenticate(
        self, request: http.Request, connection: http.Connection
    ) -> http.Authenticated | http.Response | None:
        if "open" in connection.state:
            return http.Authenticated("ann", xor(request.body), wrap=lambda r: http.Response(r.status, xor(r.body)))
        if request.headers.get("authorization") != "Two go":
            return None
        connection.state["open"] = True
        return http.Response(200, headers=(("WWW-Authenticate", "Two done"),))


def xor(data: bytes) -> bytes:
    return bytes(byte ^ 0x55 for byte in data)


def test_schemes_of_several_steps_with_encryption_fit_in() -> None:
    authenticator = http.FirstOf(http.Basic(lambda *_: False), TwoSteps())
    with http.HttpServer(echo, authenticator=authenticator) as server:
        client = client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)
        client.request("POST", "/", b"")
        response = client.getresponse()
        response.read()
        assert response.headers.get_all("WWW-Authenticate") == ['Basic realm="localhost"', "Two"]
        client.request("POST", "/", b"", {"Authorization": "Two go"})
        assert client.getresponse().read() == b""
        client.request("POST", "/", xor(b"secret"))
        assert xor(client.getresponse().read()) == b"ann:/:secret"
        client.close()


def strict_context(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_tls_with_strict_verification_and_a_client_certificate(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    seen: list[bytes | None] = []

    def handler(request: http.Request) -> http.Response:
        seen.append(request.connection.client_certificate)
        return http.Response(200, b"ok")

    tls = authority.server().server_context(client_ca=authority.ca_file)
    with http.HttpServer(handler, tls=tls) as server:
        context = strict_context(authority.ca_file)
        mine = authority.client("ann@contoso.com")
        context.load_cert_chain(mine.certificate, mine.key)
        for name in ("localhost", "127.0.0.1"):
            client = client_side.HTTPSConnection(name, server.port, timeout=5, context=context)
            client.request("GET", "/")
            assert client.getresponse().read() == b"ok"
            client.close()
        assert all(seen)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("expired", "certificate has expired"), ("wrong name", "mismatch"), ("self-signed", "self-signed certificate")],
)
def test_bad_certificates_are_bad_in_the_right_way(tmp_path: Path, kind: str, reason: str) -> None:
    authority = CertificateAuthority(tmp_path)
    files = {
        "expired": authority.server(expired=True),
        "wrong name": authority.server(["mbx99.contoso.com"]),
        "self-signed": authority.self_signed(),
    }[kind]
    with http.HttpServer(echo, tls=files.server_context()) as server:
        client = client_side.HTTPSConnection(
            "localhost", server.port, timeout=5, context=strict_context(authority.ca_file)
        )
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            client.request("GET", "/")
        client.close()
