# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Negotiate with NTLM over real sockets: a login belongs to its connection, and messages over http are encrypted.

Kerberos needs a KDC: tests/integration/test_authentication.py.
"""

from __future__ import annotations

import http.client as client_side
import os
import ssl
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import spnego
from spnego.channel_bindings import GssChannelBindings

from simulator.wire import http, negotiate
from simulator.wire.certificates import CertificateAuthority, CertificateFiles
from simulator.wire.negotiate import Account, Binding, Negotiate

PASSWORD = "pässwörd:€"
PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
ENCRYPTED = {"Content-Type": f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'}


class People:
    """A directory of one: jörg, also as CONTOSO\\jörg."""

    def accounts(self) -> Iterable[Account]:
        return [Account("", "jörg", PASSWORD), Account("CONTOSO", "jörg", PASSWORD), Account("", "guest", "guest")]

    def user_of(self, principal: str) -> str | None:
        return "jörg" if principal.rpartition("\\")[2] == "jörg" else None


def echo(request: http.Request) -> http.Response:
    return http.Response(200, f"{request.user}:".encode() + request.body, "text/plain")


@pytest.fixture
def logins() -> Negotiate:
    return Negotiate(People(), ntlm=True)


@pytest.fixture
def server(logins: Negotiate) -> Iterator[http.HttpServer]:
    with http.HttpServer(echo, authenticator=logins) as running:
        yield running


class Client:
    """One connection, and what spnego has to say on it."""

    def __init__(self, connection: client_side.HTTPConnection, user: str = "jörg", password: str = PASSWORD) -> None:
        self.connection = connection
        self.context = spnego.client(user, password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)

    def post(self, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes, str]:
        self.connection.request("POST", "/", body, headers or {})
        response = self.connection.getresponse()
        return response.status, response.read(), response.headers.get("WWW-Authenticate", "")

    def log_in(self, bindings: bytes | None = None) -> int:
        binding = None if bindings is None else GssChannelBindings(application_data=bindings)
        token = self.context.step(channel_bindings=binding)
        status = 0
        while token is not None:
            status, _unused, answer = self.post(headers={"Authorization": "Negotiate " + b64encode(token).decode()})
            encoded = answer.partition(" ")[2]
            if not encoded:
                break
            token = self.context.step(b64decode(encoded), channel_bindings=binding)
        return status

    def sealed(self, message: bytes) -> bytes:
        header, data, padding = self.context.wrap_winrm(message)
        return (
            f"--Encrypted Boundary\r\n\tContent-Type: {PROTOCOL}\r\n"
            f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(message) + padding}\r\n"
            "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        ).encode() + (struct.pack("<I", len(header)) + header + data + b"--Encrypted Boundary--\r\n")

    def opened(self, body: bytes) -> bytes:
        payload = body.split(b"octet-stream\r\n", 1)[1].removesuffix(b"--Encrypted Boundary--\r\n")
        (size,) = struct.unpack_from("<I", payload)
        return self.context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])


@pytest.fixture
def client(server: http.HttpServer) -> Iterator[Client]:
    with closing(client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)) as connection:
        yield Client(connection)


def test_without_a_login_there_is_a_challenge(client: Client) -> None:
    status, _unused, challenge = client.post(b"x")
    assert (status, challenge) == (401, "Negotiate")


@pytest.mark.parametrize("size", [1, 70_000, 3_000_000])
def test_messages_are_encrypted_in_both_directions(client: Client, server: http.HttpServer, size: int) -> None:
    server.recording = []
    assert client.log_in() == 200
    for _turn in range(3):
        status, body, _unused = client.post(client.sealed(b"secret" * size), ENCRYPTED)
        assert status == 200
        assert client.opened(body) == "jörg:".encode() + b"secret" * size
    assert b"secretsecret" not in b"".join(server.recording)


def test_a_readable_message_is_refused_over_http(client: Client) -> None:
    assert client.log_in() == 200
    assert client.post(b"<Envelope/>", {"Content-Type": "application/soap+xml"})[0] == 500


@pytest.mark.parametrize("mangle", [lambda b: b[:-60], lambda b: b.replace(b"Length=6", b"Length=7"), lambda _: b"x"])
def test_a_message_that_is_not_right_is_refused(client: Client, mangle: object) -> None:
    assert callable(mangle)
    assert client.log_in() == 200
    assert client.post(mangle(client.sealed(b"secret")), ENCRYPTED)[0] == 400


def test_a_login_is_that_of_its_connection(client: Client, server: http.HttpServer) -> None:
    assert client.log_in() == 200
    with closing(client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)) as other:
        assert Client(other).post(client.sealed(b"secret"), ENCRYPTED)[0] == 401
        second = Client(other)
        assert second.log_in() == 200
        assert second.post(client.sealed(b"secret"), ENCRYPTED)[0] == 400


@pytest.mark.parametrize(("user", "password"), [("jörg", "wrong"), ("nobody", PASSWORD), ("guest", "guest")])
def test_nobody_else_comes_in(server: http.HttpServer, logins: Negotiate, user: str, password: str) -> None:
    with closing(client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)) as connection:
        assert Client(connection, user, password).log_in() == 401
    assert logins.logins == []


def test_a_domain_may_stand_before_the_name(server: http.HttpServer, logins: Negotiate) -> None:
    with closing(client_side.HTTPConnection("127.0.0.1", server.port, timeout=5)) as connection:
        assert Client(connection, "CONTOSO\\jörg").log_in() == 200
    assert [login.user for login in logins.logins] == ["jörg"]


@pytest.mark.parametrize("token", ["%%%", b64encode(b"x" * 100_000).decode()[:60_000]])
def test_nonsense_is_refused(client: Client, token: str) -> None:
    assert client.post(headers={"Authorization": f"Negotiate {token}"})[0] in (400, 401)


def test_no_accounts_stay_behind(client: Client) -> None:
    assert client.log_in() == 200
    assert negotiate._account_file is not None
    assert Path(os.environ["NTLM_USER_FILE"]).read_bytes() == b""


# --- channel binding --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


def hash_of(files: CertificateFiles) -> bytes:
    der = ssl.PEM_cert_to_DER_cert(files.certificate.read_text("ascii"))
    return b"tls-server-end-point:" + negotiate._certificate_hash(der)


@pytest.mark.parametrize(
    ("binding", "sends", "status"),
    [
        (Binding.NONE, None, 200),
        (Binding.NONE, "another", 200),
        (Binding.RELAXED, None, 200),
        (Binding.RELAXED, "right", 200),
        (Binding.RELAXED, "another", 401),
        (Binding.STRICT, None, 401),
        (Binding.STRICT, "right", 200),
        (Binding.STRICT, "another", 401),
    ],
)
def test_a_login_over_tls_can_be_bound_to_the_certificate(
    logins: Negotiate, authority: CertificateAuthority, binding: Binding, sends: str | None, status: int
) -> None:
    right, another = authority.server(), authority.server()
    logins.binding = binding
    sent = {None: None, "right": hash_of(right), "another": hash_of(another)}[sends]
    trust = ssl.create_default_context(cafile=str(authority.ca_file))
    with http.HttpServer(echo, tls=right.server_context(), authenticator=logins) as server:
        connection = client_side.HTTPSConnection("localhost", server.port, timeout=5, context=trust)
        with closing(connection):
            client = Client(connection)
            assert client.log_in(sent) == status
            if status == 200:
                assert client.post(b"plain")[1] == "jörg:plain".encode()
    assert [login.bound for login in logins.logins] == ([] if status == 401 else [sends == "right"])
