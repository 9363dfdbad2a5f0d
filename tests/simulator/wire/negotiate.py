# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Negotiate, Kerberos and NTLM over HTTP: the login of a TCP connection, and the encryption of its messages.

    logins = Negotiate(directory, keytab=path, ntlm=True, headers=("Negotiate", "Kerberos"))
    HttpServer(handler, authenticator=logins)
    logins.logins        # who logged in, and how

Real SPNEGO, real Kerberos tickets and real NTLM, by pyspnego. After [MS-NTHT] (tokens in headers), [MS-WSMV] 2.2.9.1
(encrypted messages) and RFC 5929 (tls-server-end-point). Over http:// a message that is not encrypted is refused with
status 500, as Windows does while AllowUnencrypted is false (users of pywinrm report it: its issues 129 and 208); over
https:// both kinds are taken.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import os
import re
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego._context import GSSMech
from spnego._ntlm import NTLMProxy
from spnego._ntlm_raw.crypto import ntowfv1
from spnego._ntlm_raw.messages import Authenticate, AvId, NTClientChallengeV2
from spnego.channel_bindings import GssChannelBindings

from simulator.wire.http import Authenticated, Connection, Request, Response

_STATE: Final = "negotiate"
_BOUNDARY: Final = "Encrypted Boundary"
_ENCRYPTED: Final = re.compile(
    r'multipart/encrypted;\s*protocol="application/HTTP-(SPNEGO|Kerberos)-session-encrypted"'
)
_ORIGINAL_LENGTH: Final = re.compile(rb"OriginalContent:.*;Length=(\d+)")
_CHANNEL_BOUND: Final = 0x800  # GSS_C_CHANNEL_BOUND_FLAG
_KERBEROS_OIDS: Final = (b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02")
_NTLM_OID: Final = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
_LARGEST_TOKEN: Final = 64 * 1024


class Binding(StrEnum):
    """What a login over TLS has to prove about the certificate that the client saw: WinRM's CbtHardeningLevel."""

    NONE = "None"
    RELAXED = "Relaxed"
    """What is sent has to fit; nothing needs to be sent."""
    STRICT = "Strict"


@dataclass(frozen=True, slots=True)
class Account:
    """A user who may log in with NTLM, by the domain and the name that a client sends."""

    domain: str
    name: str
    password: str


class Directory(Protocol):
    """Who there is."""

    def accounts(self) -> Iterable[Account]:
        """All users in every form that NTLM clients may give their names in."""

    def user_of(self, principal: str) -> str | None:
        """The user that a Kerberos principal or an NTLM name means; None: nobody who may come in."""


@dataclass(frozen=True, slots=True)
class Login:
    """One login that was accepted."""

    user: str
    method: str
    """`kerberos` or `ntlm`."""
    header: str
    """What the client had in front of its token: Negotiate, Kerberos or NTLM."""
    scheme: str
    """`http` or `https`."""
    bound: bool
    """The client has proven that it saw our certificate."""
    delegated: bool
    """The client has handed on its own ticket: it should not."""


class Negotiate:
    """An `Authenticator`; see the top of this file. All attributes may be changed while the server runs."""

    def __init__(
        self,
        directory: Directory,
        *,
        keytab: Path | None = None,
        ntlm: bool = False,
        headers: tuple[str, ...] = ("Negotiate",),
        binding: Binding = Binding.RELAXED,
        boundary_gap: str = "",
    ) -> None:
        """`boundary_gap`: Exchange has a space between the hyphens and the boundary of its encrypted answers."""
        self.directory = directory
        self.ntlm = ntlm
        self.headers = headers
        self.binding = binding
        self.boundary_gap = boundary_gap
        self.logins: list[Login] = []
        self.certificate: bytes | None = None
        """The certificate, DER, that the client should have seen; None: the one that was really served. Another one is
        what a proxy that opens TLS on the way looks like from here."""
        self._service_key: object | None = None
        if keytab is not None:
            self.accept_tickets(keytab)

    def accept_tickets(self, keytab: Path) -> None:
        """Turn on Kerberos, for every service that the keytab has the key of."""
        self._service_key = _service_key(keytab)

    @property
    def challenges(self) -> tuple[str, ...]:
        """The schemes."""
        return self.headers

    def authenticate(self, request: Request, connection: Connection) -> Authenticated | Response | None:
        """Take a step of a login, or a message on a connection that has logged in."""
        header, _sep, encoded = request.headers.get("authorization", "").partition(" ")
        known = {name.lower(): name for name in self.headers}.get(header.lower())
        state = connection.state.get(_STATE)
        if known is not None:
            return self._step(known, encoded, request, connection)
        if isinstance(state, _Session) and state.user is not None and not header:
            return self._message(request, connection, state, ())
        return None

    def _step(
        self, header: str, encoded: str, request: Request, connection: Connection
    ) -> Authenticated | Response | None:
        state = connection.state.pop(_STATE, None)
        try:
            token = base64.b64decode(encoded.strip(), validate=True)
            under_way = isinstance(state, _Session) and state.user is None
            session = state if under_way and isinstance(state, _Session) else self._begin(token, connection)
            with _ntlm_accounts(self.directory):
                answer = session.context.step(token)
        except (binascii.Error, struct.error, ValueError):
            return Response.page(HTTPStatus.BAD_REQUEST, close=True)
        except Exception as refusal:  # spnego, gssapi and krb5 have a class of their own for each reason
            return self._refuse(header, refusal)
        connection.state[_STATE] = session
        reply = () if answer is None else (("WWW-Authenticate", f"{header} {base64.b64encode(answer).decode()}"),)
        if not session.context.complete:
            return Response(HTTPStatus.UNAUTHORIZED, headers=reply)
        if not self._accept(session, header, connection):
            del connection.state[_STATE]
            return None
        return self._message(request, connection, session, reply)

    def _begin(self, token: bytes, connection: Connection) -> _Session:
        if len(token) > _LARGEST_TOKEN:
            raise ValueError("a token of this size is refused by HTTP.sys")
        bindings = self._bindings(connection)
        contexts: dict[GSSMech, spnego.ContextProxy] = {}
        # pyspnego looks at the client's list only for contexts that it makes itself.
        head = token[:128]
        if self._service_key is not None and any(oid in head for oid in _KERBEROS_OIDS):
            contexts[GSSMech.kerberos] = spnego.server(
                protocol="kerberos", channel_bindings=bindings, _gssapi_credential=self._service_key
            )
        if self.ntlm and (_NTLM_OID in head or token.startswith(b"NTLMSSP\0")):
            with _ntlm_accounts(self.directory):
                contexts[GSSMech.ntlm] = _NtlmAcceptor(self.binding, bindings)
        if not contexts:
            raise PermissionError("none of the client's mechanisms is on")
        negotiated = spnego.server(
            protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate, _negotiate_contexts=contexts
        )
        return _Session(negotiated, contexts)

    def _bindings(self, connection: Connection) -> GssChannelBindings | None:
        served = self.certificate or connection.server_certificate
        if served is None or self.binding is Binding.NONE:
            return None
        return GssChannelBindings(application_data=b"tls-server-end-point:" + _certificate_hash(served))

    def _accept(self, session: _Session, header: str, connection: Connection) -> bool:
        context = session.chosen()
        user = self.directory.user_of(context.client_principal or "")
        bound, delegated = _flags(context)
        must_be_bound = connection.server_certificate is not None and self.binding is Binding.STRICT
        if user is None or (must_be_bound and not bound):
            return False
        session.user = user
        method = context.negotiated_protocol or ""
        self.logins.append(Login(user, method, header, connection.scheme, bound, delegated))
        return True

    def _refuse(self, header: str, refusal: Exception) -> Response:
        # A Kerberos error can come with a token that tells the client why: clock skew, for example.
        token = getattr(getattr(refusal, "base_error", None), "token", None)
        first = f"{header} {base64.b64encode(token).decode()}" if token else header
        others = tuple(name for name in self.headers if name != header)
        return Response.page(HTTPStatus.UNAUTHORIZED, headers=tuple(("WWW-Authenticate", v) for v in (first, *others)))

    def _message(
        self, request: Request, connection: Connection, session: _Session, reply: tuple[tuple[str, str], ...]
    ) -> Authenticated | Response:
        kind = _ENCRYPTED.match(request.headers.get("content-type", ""))
        if kind is None:
            if not request.body:
                return Response(HTTPStatus.OK, headers=reply)  # the login alone, as clients begin with
            if connection.scheme == "http":
                return Response.page(HTTPStatus.INTERNAL_SERVER_ERROR, headers=reply, close=True)
            return Authenticated(session.user, headers=reply)
        protocol = f"application/HTTP-{kind.group(1)}-session-encrypted"
        try:
            body = _unwrapped(session.context, request.body)
        except Exception:  # malformed, or encrypted with another key
            return Response.page(HTTPStatus.BAD_REQUEST, close=True)

        def wrap(response: Response) -> Response:
            return _wrapped(session.context, protocol, response, self.boundary_gap) if response.body else response

        return Authenticated(session.user, body, reply, wrap)


@dataclass(slots=True)
class _Session:
    """The login of one connection; `user` is set when it is complete."""

    context: spnego.ContextProxy
    contexts: dict[GSSMech, spnego.ContextProxy]
    user: str | None = None

    def chosen(self) -> spnego.ContextProxy:
        return next(one for one in self.contexts.values() if one.complete)


# --- messages ---------------------------------------------------------------------------------------------------------


def _unwrapped(context: spnego.ContextProxy, body: bytes) -> bytes:
    """The message in a body of [MS-WSMV] 2.2.9.1."""
    marker = f"--{_BOUNDARY}\r\n".encode()
    head, _sep, rest = body.removeprefix(marker).partition(marker)
    found = _ORIGINAL_LENGTH.search(head)
    end = f"--{_BOUNDARY}--\r\n".encode()
    if found is None or not rest.endswith(end):
        raise ValueError("this is no encrypted message")
    payload = rest.removesuffix(end).removeprefix(b"\tContent-Type: application/octet-stream\r\n")
    (size,) = struct.unpack_from("<I", payload)
    message = context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])
    if len(message) != int(found.group(1)):
        raise ValueError("the message is not as long as it says")
    return message


def _wrapped(context: spnego.ContextProxy, protocol: str, response: Response, gap: str) -> Response:
    header, data, padding = context.wrap_winrm(response.body)
    marker = f"--{gap}{_BOUNDARY}"
    head = (
        f"{marker}\r\n\tContent-Type: {protocol}\r\n"
        f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(response.body) + padding}\r\n"
        f"{marker}\r\n\tContent-Type: application/octet-stream\r\n"
    )
    body = head.encode() + struct.pack("<I", len(header)) + header + data + f"{marker}--\r\n".encode()
    return replace(
        response, body=body, content_type=f'multipart/encrypted;protocol="{protocol}";boundary="{_BOUNDARY}"'
    )


def _certificate_hash(certificate: bytes) -> bytes:
    """RFC 5929, 4.1: the hash of the certificate's own signature, or SHA-256 for those that are too weak."""
    algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    weak = algorithm is None or isinstance(algorithm, (hashes.MD5, hashes.SHA1))
    digest = hashes.Hash(hashes.SHA256() if weak or algorithm is None else algorithm)
    digest.update(certificate)
    return digest.finalize()


# --- Kerberos ---------------------------------------------------------------------------------------------------------


def _service_key(keytab: Path) -> object:
    """What accepts tickets for any service of a keytab. ImportError where the Python library gssapi is missing."""
    gssapi = importlib.import_module("gssapi")
    # Without a replay cache: it would be a file that stays behind, and every login here is a new ticket anyway.
    return gssapi.Credentials(usage="accept", store={"keytab": f"FILE:{keytab}", "rcache": "none:"})


def _flags(context: spnego.ContextProxy) -> tuple[bool, bool]:
    """Whether a finished login is bound to the TLS channel, and whether a ticket was handed on."""
    if isinstance(context, _NtlmAcceptor):
        return context.bound, False
    security: Any = getattr(context, "_context", None)
    return bool(int(security.actual_flags) & _CHANNEL_BOUND), security.delegated_creds is not None


# --- NTLM -------------------------------------------------------------------------------------------------------------


class _NtlmAcceptor(NTLMProxy):
    """pyspnego's NTLM, that can do without channel bindings and says whether there were any."""

    def __init__(self, binding: Binding, bindings: GssChannelBindings | None) -> None:
        super().__init__(usage="accept", channel_bindings=bindings)
        self._binding = binding
        self.bound = False

    def _step_accept_authenticate(self, token: bytes, channel_bindings: GssChannelBindings | None) -> None:
        sent = _sends_bindings(token)
        wanted = channel_bindings if sent or self._binding is Binding.STRICT else None
        super()._step_accept_authenticate(token, wanted)
        self.bound = sent and wanted is not None


def _sends_bindings(token: bytes) -> bool:
    response = Authenticate.unpack(token).nt_challenge_response or b""
    if len(response) <= 24:
        return False  # NTLMv1 has nothing of the kind
    return AvId.channel_bindings in NTClientChallengeV2.unpack(response[16:]).av_pairs


class _AccountFile:
    """pyspnego reads the accounts of NTLM from a file that an environment variable names. This one is in memory only.

    It is named once in the life of the process, and has something in it only while a login takes a step.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptor = os.memfd_create("ntlm-accounts")
        os.environ["NTLM_USER_FILE"] = f"/proc/{os.getpid()}/fd/{self._descriptor}"

    @contextmanager
    def holds(self, accounts: Iterable[Account]) -> Iterator[None]:
        with self._lock:
            os.pwrite(self._descriptor, "".join(map(_account_line, accounts)).encode(), 0)
            try:
                yield
            finally:
                os.ftruncate(self._descriptor, 0)


_account_file: _AccountFile | None = None
_account_file_lock = threading.Lock()


@contextmanager
def _ntlm_accounts(directory: Directory) -> Iterator[None]:
    global _account_file
    with _account_file_lock:
        if _account_file is None:
            _account_file = _AccountFile()
    with _account_file.holds(directory.accounts()):
        yield


def _account_line(account: Account) -> str:
    """The format of smbpasswd: it has the hash of the password, so that a password may have any character."""
    name = f"{account.domain}\\{account.name}" if account.domain else account.name
    return f"{name}:0:{'0' * 32}:{ntowfv1(account.password).hex().upper()}:[U]:LCT-00000000\n"
