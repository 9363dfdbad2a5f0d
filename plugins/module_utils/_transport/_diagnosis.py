# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an exception of the wire to one message for a person: what came back, what it means, what to check.

Codes and causes are those that Microsoft documents or that administrators report; where a server's own words say more,
they are quoted.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from .._errors import ConnectionFailed, LoginFailed, SessionRefused, quoted
from . import _kerberos
from ._endpoint import Authentication, Endpoint
from ._libraries import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError, requests, spnego, urllib3
from ._limits import AnswerTooLarge
from ._refusals import ALLOW_REMOTE_POWERSHELL, CLOSE_SOME, LIMIT_OF_SESSIONS

_E = TypeVar("_E", bound=BaseException)

ACCESS_DENIED = 5
RESOURCE_URI_NOT_FOUND = 2150858811
SHELL_NOT_FOUND = 2150858843
OPERATION_TIMED_OUT = 2150858793

_TIME_OUTS = (urllib3.exceptions.ReadTimeoutError, requests.exceptions.ReadTimeout, TimeoutError)
_BOUND = frozenset({Authentication.KERBEROS, Authentication.NEGOTIATE, Authentication.NTLM})
"""These send, over TLS, what the certificate was that the client saw."""

_CLIENT_CERTIFICATE = (
    "Check that the client certificate is mapped to a user, that the server trusts the authority that issued it, that "
    "it is one for clients, and its dates."
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came back, and what to check; each one or more whole sentences.

    ``may_pass``: it may be gone in a moment, as it is while a server or its application pool restarts.
    """

    came_back: str
    check: str = ""
    may_pass: bool = False

    def __str__(self) -> str:
        return f"{self.came_back} {self.check}".strip()


def diagnose(exc: BaseException, endpoint: Endpoint) -> Diagnosis:
    """Say what ``exc``, raised while talking to ``endpoint``, means for a user."""
    status = _first(exc, WinRMTransportError)
    fault = _first(exc, WSManFaultError)
    if fault and (fault.reason or fault.provider_fault or isinstance(fault.code, int)):
        return _fault(fault, endpoint)
    if status:
        return _http_status(int(status.code), str(status.response_text), endpoint)
    kerberos = _of_kerberos(exc)
    if kerberos:
        said = f"Kerberos says: {quoted(_kerberos.words(kerberos))}."
        return Diagnosis(said, _kerberos.advice(kerberos, endpoint))
    if isinstance(exc, (AuthenticationError, spnego.exceptions.SpnegoError)) or _is_other_method(exc):
        return _login(exc, endpoint)
    if isinstance(exc, requests.TooManyRedirects):
        return _redirect(exc)
    if isinstance(exc, AnswerTooLarge):
        return Diagnosis(f"What came back is not from Exchange: {exc}.", "Check that connection_uri leads there.")
    if isinstance(exc, (requests.RequestException, OSError)):
        return _network(exc, endpoint)
    if isinstance(exc, ImportError):
        return _library(exc, endpoint)
    if isinstance(exc, WinRMError):
        return Diagnosis(f"The server answered: {quoted(str(exc))}")
    return Diagnosis(
        f"The server's answer was not understood ({type(exc).__name__}: {quoted(str(exc))}).",
        "Check that connection_uri leads to an Exchange server and not to a proxy or another service.",
    )


def diagnose_status(code: int, body: str, endpoint: Endpoint) -> Diagnosis:
    """Say what an HTTP status means that is none of a successful request."""
    return _http_status(code, body, endpoint)


def kind_of_failure(exc: BaseException) -> type[ConnectionFailed]:
    """Say how far a session that could not be opened had come."""
    if _first(exc, WSManFaultError):
        return SessionRefused  # WSMan answers whoever has logged in, and nobody else
    is_login = isinstance(exc, (AuthenticationError, spnego.exceptions.SpnegoError, ImportError))
    return LoginFailed if is_login and not _first(exc, WinRMTransportError) else ConnectionFailed


def is_time_out(exc: BaseException) -> bool:
    """Whether it is the time that ran out, so that a repetition would take as long again."""
    return _first(exc, *_TIME_OUTS) is not None


def may_have_been_processed(exc: BaseException) -> bool:
    """Whether the server may have acted on the request, although ``exc`` came instead of its answer."""
    if _first(exc, AuthenticationError, WSManFaultError, spnego.exceptions.SpnegoError, ImportError):
        return False
    if _of_kerberos(exc) or _is_other_method(exc):
        return False
    status = _first(exc, WinRMTransportError)
    if status:
        return int(status.code) >= 500
    unsent = (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    return not _first(exc, *unsent, urllib3.exceptions.NewConnectionError, requests.TooManyRedirects)


def _fault(fault: WSManFaultError, endpoint: Endpoint) -> Diagnosis:
    words = quoted(fault.provider_fault or fault.reason or "")
    said = f"The server answered with WSMan fault {fault.code}: {words}"
    if fault.code == RESOURCE_URI_NOT_FOUND:
        return Diagnosis(
            said,
            f"It has no session configuration '{endpoint.configuration_name}' at this address: connection_uri leads "
            "to Windows' own WinRM or to another service. Exchange's own is http://<server>/PowerShell/, port 80.",
        )
    if LIMIT_OF_SESSIONS in (fault.provider_fault or fault.reason or ""):
        return Diagnosis(said, CLOSE_SOME, may_pass=True)
    if fault.code == ACCESS_DENIED:
        return Diagnosis(said, ALLOW_REMOTE_POWERSHELL)
    if fault.code == SHELL_NOT_FOUND:
        return Diagnosis(said, "The server has closed the session: it was idle for too long, or was ended there.")
    if fault.code == OPERATION_TIMED_OUT:
        return Diagnosis(said, f"Nothing came within operation_timeout: {endpoint.operation_timeout} seconds.")
    return Diagnosis(said)


def _http_status(code: int, body: str, endpoint: Endpoint) -> Diagnosis:
    said = f"The server answered with HTTP status {code}{_title(body)}."
    if code == 404:
        return Diagnosis(
            said,
            f"Nothing is at the path '/{endpoint.uri.path}'. Exchange's remote PowerShell is at '/PowerShell/': check "
            "connection_uri, and that the virtual directory is there (Get-PowerShellVirtualDirectory).",
        )
    if code == 403:
        wants_tls = "" if endpoint.uri.is_tls else "it may want https://, or "
        return Diagnosis(said, f"The server forbids this: {wants_tls}it does not allow this user or address.")
    if code == 400:
        return Diagnosis(
            said,
            "IIS answers so when a Kerberos ticket is too large (a user in very many groups: see MaxTokenSize, "
            "MaxFieldLength and MaxRequestBytes), or when the request came to a wrong service.",
        )
    if code in (502, 503, 504):
        return Diagnosis(
            said,
            "Exchange's PowerShell application pool is not running, or a load balancer has no server behind it.",
            may_pass=True,
        )
    return Diagnosis(said, "Check that connection_uri leads to an Exchange server.")


def _login(exc: BaseException, endpoint: Endpoint) -> Diagnosis:
    method = endpoint.authentication
    # pypsrp's own sentence about a 401 says no more, and has the user's name as bytes.
    reason = "HTTP status 401" if str(exc).startswith("Failed to authenticate") else quoted(str(exc))
    said = f"The login was not accepted: {reason}."
    if _is_other_method(exc):
        return Diagnosis(
            said,
            f"The server does not offer the method that 'authentication: {method.value}' needs. Exchange's own default "
            "is kerberos; others work where an administrator turned them on.",
        )
    # What an endpoint does whose ExtendedProtectionTokenChecking is Require.
    bound = (
        " The login is bound to the server's certificate: a proxy or load balancer that opens TLS on the way breaks it."
        if endpoint.uri.is_tls and method in _BOUND
        else ""
    )
    if method is Authentication.KERBEROS:
        return Diagnosis(
            said,
            f"Kerberos issued a ticket for {endpoint.service_principal}, and the server refused it. Check that this "
            "user may use the endpoint, that the name belongs to the account that answers ('setspn -Q'), and the "
            f"server's clock.{bound}",
        )
    if method is Authentication.NEGOTIATE:
        return Diagnosis(
            said,
            "Check the user (name@REALM with the realm in capitals) and the password. Where no Kerberos ticket can be "
            "had, negotiate falls back to NTLM, which Exchange does not allow by default; 'authentication: kerberos' "
            f"says what is wrong with the ticket.{bound}",
        )
    if method is Authentication.NTLM:
        return Diagnosis(
            said,
            "Check username (DOMAIN\\name or name@domain) and password, that the account is not locked, and that the "
            f"server and the domain allow NTLM.{bound}",
        )
    if method is Authentication.CERTIFICATE:
        return Diagnosis(said, _CLIENT_CERTIFICATE)
    return Diagnosis(
        said, f"Check username and password, and that the server allows '{method.value}' for /{endpoint.uri.path}."
    )


def _of_kerberos(exc: BaseException) -> BaseException | None:
    return next((e for e in _chain(exc) if _kerberos.is_kerberos(e)), None)


def _is_other_method(exc: BaseException) -> bool:
    """The server does not offer what is asked for: pypsrp's two ways of saying so."""
    return "did not response with one of the following" in str(exc) or "incompatible with the specified auth" in str(
        exc
    )


def _redirect(exc: requests.TooManyRedirects) -> Diagnosis:
    target = exc.response.headers.get("location", "") if exc.response is not None else ""
    return Diagnosis(
        f"The server redirects to {quoted(target) or 'another address'}.",
        "Redirects are not followed, so that no credentials go where they were not meant to: if that address is "
        "right, set it as connection_uri.",
    )


def _network(exc: BaseException, endpoint: Endpoint) -> Diagnosis:
    host, port = endpoint.uri.host, endpoint.uri.port
    tls = _first(exc, urllib3.exceptions.SSLError, requests.exceptions.SSLError, ssl.SSLError)
    if tls or "handshake" in str(exc):
        return _tls(tls or exc, endpoint)
    if _first(exc, urllib3.exceptions.NameResolutionError, socket.gaierror):
        return Diagnosis(f"The name {host} cannot be resolved.", "Check connection_uri and this machine's DNS.")
    if "CA certificate bundle" in str(exc):
        return Diagnosis(
            f"The certificate authorities to trust cannot be read: {quoted(str(exc))}.",
            "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE in this environment names a file that is not there.",
        )
    if _first(exc, requests.exceptions.ProxyError):
        return Diagnosis(
            f"The proxy of this environment could not reach {host}:{port}.",
            "Check HTTP_PROXY and HTTPS_PROXY; NO_PROXY leaves a host out.",
        )
    if _first(exc, ConnectionRefusedError):
        return Diagnosis(
            f"Nothing listens at {host}:{port}: the connection was refused.",
            "Check the host and the port in connection_uri (80 for http, 443 for https), and that IIS runs there.",
            may_pass=True,
        )
    if _first(exc, urllib3.exceptions.ConnectTimeoutError, requests.exceptions.ConnectTimeout):
        return Diagnosis(
            f"Nothing answered at {host}:{port} within connection_timeout: {endpoint.connection_timeout} seconds.",
            "Check the address, and that no firewall is in between.",
        )
    if is_time_out(exc):
        return Diagnosis(
            f"{host}:{port} took the request and did not answer in time.",
            "The server may be overloaded; operation_timeout and connection_timeout say how long to wait.",
        )
    if _first(exc, ConnectionError, urllib3.exceptions.ProtocolError):
        return Diagnosis(
            f"{host}:{port} closed the connection without a whole answer.",
            "Check that http or https in connection_uri fits the port, and that no proxy or load balancer cuts it."
            f"{_or_client_certificate(endpoint)}",
            may_pass=True,
        )
    return Diagnosis(f"The network failed ({type(exc).__name__}: {quoted(str(exc))}).")


def _tls(exc: BaseException, endpoint: Endpoint) -> Diagnosis:
    text = str(exc)
    host, port = endpoint.uri.host, endpoint.uri.port
    if "CERTIFICATE_VERIFY_FAILED" not in text:
        return Diagnosis(
            f"No TLS connection could be made to {host}:{port} ({quoted(text)}).",
            f"Check that this port speaks https and not http.{_or_client_certificate(endpoint)}",
        )
    why = re.search(r"certificate verify failed: ([^(\"']*)", text)
    reason = why.group(1).strip(" .") if why else "it cannot be verified"
    return Diagnosis(
        f"The certificate of {host}:{port} is not trusted: {reason}.",
        "If your own certificate authority issued it, give its certificate as ca_cert; if the name does not fit, use "
        "the name in the certificate. validate_certs: false would trust anybody, and is for tests only.",
    )


def _or_client_certificate(endpoint: Endpoint) -> str:
    """A server that does not take a client certificate ends the connection, with or without saying why."""
    return f" {_CLIENT_CERTIFICATE}" if endpoint.authentication is Authentication.CERTIFICATE else ""


def _library(exc: ImportError, endpoint: Endpoint) -> Diagnosis:
    return Diagnosis(
        f"A library that 'authentication: {endpoint.authentication.value}' needs is missing: {quoted(str(exc))}",
        "Install it with: python -m pip install 'pypsrp[kerberos]'",
    )


def _first(exc: BaseException, *types: type[_E]) -> _E | None:
    return next((e for e in _chain(exc) if isinstance(e, types)), None)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made from: causes, contexts, and what requests and urllib3 wrap."""
    queue: list[object] = [exc]
    seen: set[int] = set()
    while queue:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        inner = (getattr(item, "reason", None), getattr(item, "base_error", None))
        queue += [*item.args, *inner, item.__cause__, item.__context__]


def _title(body: str) -> str:
    found = re.search(r"<title>([^<]{1,200})</title>", body, re.IGNORECASE)
    return f" ('{quoted(found.group(1))}')" if found else ""
