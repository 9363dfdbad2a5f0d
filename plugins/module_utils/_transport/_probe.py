# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the endpoint, a piece at a time and without credentials: name, port, TLS, path.

Each piece is tried as the session will try it, and says what it saw, or raises ProbeFailed. Nothing here is needed to
work with Exchange; it is for finding out why that does not work.
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from .._core._visible import quoted
from .._errors import ExchangeError
from ._dependency import require_pypsrp
from ._diagnosis import Diagnosis, diagnose, diagnose_status
from ._endpoint import Authentication, Endpoint
from ._libraries import requests

_LONGEST_PAGE = 4096
"""Bytes of an error page that are looked at, for its title."""

_NEEDS = {
    Authentication.KERBEROS: frozenset({"negotiate", "kerberos"}),
    Authentication.NEGOTIATE: frozenset({"negotiate", "kerberos", "ntlm"}),
    Authentication.NTLM: frozenset({"ntlm", "negotiate"}),
    Authentication.BASIC: frozenset({"basic"}),
}
"""What the server has to offer in WWW-Authenticate for each method; a client certificate is shown before that."""


class ProbeFailed(ExchangeError):
    """A piece of the way is not passable; what came back, and what to check."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(str(diagnosis))
        self.diagnosis = diagnosis


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server's certificate says of itself; it may not be trusted."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: str
    not_after: str
    days_left: int

    @property
    def described(self) -> str:
        """For a message: for whom, by whom, until when."""
        names = ", ".join(self.names) or self.subject
        return (
            f"It is for {names}, was issued by {self.issuer}, and is valid from {self.not_before} to {self.not_after}."
        )


@dataclass(frozen=True, slots=True)
class Tls:
    """What a handshake agreed on."""

    version: str
    cipher: str
    trusted: bool
    certificate: Certificate | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the path answered to a request without a login. ``offers`` are the methods of WWW-Authenticate."""

    status: int
    server: str
    offers: tuple[str, ...]


class Probe:
    """Tries the pieces of the way to one endpoint, in their order."""

    def __init__(self, endpoint: Endpoint) -> None:
        require_pypsrp()  # what looks for the proxy comes with it
        self._endpoint = endpoint
        proxy = _proxy_for(endpoint)
        self.proxy = proxy
        self.host, self.port = proxy or (endpoint.uri.host, endpoint.uri.port)

    def resolve(self) -> tuple[str, ...]:
        """Return the addresses that the name has."""
        with self._in_words():
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            return tuple(dict.fromkeys(str(address[0]) for *_family, address in found))

    def connect(self) -> str:
        """Connect, and return the address that answered."""
        with self._connected() as connection:
            return str(connection.getpeername()[0])

    def shake_hands(self) -> Tls:
        """Make a TLS connection, checked as the session checks it. An untrusted certificate is described."""
        try:
            with self._tls(verify=self._endpoint.validate_certs) as connection:
                return _agreed(connection, trusted=self._endpoint.validate_certs)
        except ssl.SSLCertVerificationError as exc:
            found = diagnose(exc, self._endpoint)
            raise ProbeFailed(Diagnosis(f"{found.came_back} {self._shown()}".strip(), found.check)) from exc
        except (OSError, ValueError) as exc:
            raise ProbeFailed(diagnose(exc, self._endpoint)) from exc

    def ask(self) -> Answer:
        """Send a request without a login to the path, and return what the server wants for one."""
        try:
            answer, body, location = self._asked()
        except (OSError, http.client.HTTPException) as exc:
            raise ProbeFailed(self._no_http(exc)) from exc
        if 300 <= answer.status < 400:
            raise ProbeFailed(_redirect(location))
        if answer.status != 401 and (answer.status in (400, 403, 404) or answer.status in (502, 503, 504)):
            found = diagnose_status(answer.status, body, self._endpoint)
            if answer.status == 400 and not self._endpoint.uri.is_tls and self._speaks_tls():
                found = Diagnosis(found.came_back, "This port speaks TLS: use https:// in connection_uri.")
            raise ProbeFailed(found)
        return answer

    def method_is_offered(self, answer: Answer) -> bool:
        """Whether the server offers the method that is to be used. Without a demand for a login, nothing is known."""
        needs = _NEEDS.get(self._endpoint.authentication)
        return needs is None or answer.status != 401 or bool(needs & {offer.lower() for offer in answer.offers})

    def _asked(self) -> tuple[Answer, str, str]:
        uri = self._endpoint.uri
        opened = self._tls(verify=self._endpoint.validate_certs) if uri.is_tls else self._connected()
        with opened as connection:
            # Not requests: that would look for a login in ~/.netrc, and follow redirects.
            client = http.client.HTTPConnection(uri.host, uri.port, timeout=self._endpoint.connection_timeout)
            client.sock = connection
            headers = {"Content-Type": "application/soap+xml;charset=UTF-8", "Connection": "close"}
            client.request("POST", f"/{_ascii(uri.path)}", b"", headers)
            response = client.getresponse()
            body = response.read(_LONGEST_PAGE).decode("utf-8", "replace")
        offers = tuple(dict.fromkeys(_schemes(response.headers.get_all("WWW-Authenticate") or [])))
        server = quoted(response.headers.get("Server") or "")
        return Answer(response.status, server, offers), body, quoted(response.headers.get("Location") or "")

    def _no_http(self, exc: Exception) -> Diagnosis:
        uri = self._endpoint.uri
        if not uri.is_tls and self._speaks_tls():
            return Diagnosis(
                f"{uri.host}:{uri.port} does not answer over http, and speaks TLS.", "Use https:// in connection_uri."
            )
        if isinstance(exc, http.client.HTTPException) and not isinstance(exc, ConnectionError):
            return Diagnosis(
                f"{uri.host}:{uri.port} does not speak HTTP ({type(exc).__name__}).",
                "Check the port in connection_uri: 80 for http, 443 for https.",
            )
        return diagnose(exc, self._endpoint)

    def _speaks_tls(self) -> bool:
        try:
            with self._tls(verify=False):
                return True
        except (OSError, ValueError):
            return False

    def _shown(self) -> str:
        """Describe the certificate that was not trusted, over another connection that trusts nobody's."""
        try:
            with self._tls(verify=False) as connection:
                certificate = _certificate(connection)
        except (OSError, ValueError):
            return ""
        return certificate.described if certificate else ""

    @contextlib.contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        with self._in_words():
            connection = socket.create_connection((self.host, self.port), self._endpoint.connection_timeout)
        with connection:
            yield connection

    @contextlib.contextmanager
    def _tls(self, *, verify: bool) -> Iterator[ssl.SSLSocket]:
        with (
            self._connected() as plain,
            _context(self._endpoint, verify=verify).wrap_socket(plain, server_hostname=self._endpoint.uri.host) as tls,
        ):
            yield tls

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as exc:
            seconds = self._endpoint.connection_timeout
            raise ProbeFailed(
                Diagnosis(
                    f"Nothing answered at {self.host}:{self.port} within connection_timeout: {seconds} seconds.",
                    "Check the address, and that no firewall is in between.",
                )
            ) from exc
        except (OSError, UnicodeError) as exc:
            raise ProbeFailed(self._unreachable(exc)) from exc

    def _unreachable(self, exc: OSError | UnicodeError) -> Diagnosis:
        if self.proxy:
            return Diagnosis(
                f"The proxy of this environment, {self.host}:{self.port}, could not be reached ({quoted(str(exc))}).",
                "Check HTTP_PROXY and HTTPS_PROXY; NO_PROXY leaves a host out.",
            )
        if isinstance(exc, UnicodeError):
            return Diagnosis(f"'{self.host}' is no host name.", "Check connection_uri.")
        return diagnose(exc, self._endpoint)


def _proxy_for(endpoint: Endpoint) -> tuple[str, int] | None:
    """The proxy that the session will go through: requests reads the environment, and so it is asked here, too."""
    uri = str(endpoint.uri)
    named = requests.utils.select_proxy(uri, requests.utils.get_environ_proxies(uri))
    if not named:
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    with contextlib.suppress(ValueError):
        if parts.hostname:
            return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    return None


def _context(endpoint: Endpoint, *, verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        _trust(context, endpoint)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if endpoint.authentication is Authentication.CERTIFICATE and endpoint.client_cert:
        # A server that wants one breaks the handshake without it.
        key, password = endpoint.client_key or endpoint.client_cert, endpoint.client_key_password or ""
        context.load_cert_chain(endpoint.client_cert, key, password)
    return context


def _trust(context: ssl.SSLContext, endpoint: Endpoint) -> None:
    """Trust whom the session trusts: ca_cert, what the environment names, or what requests brings."""
    named = endpoint.ca_cert or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if not named:
        with contextlib.suppress(ImportError):
            from requests.utils import DEFAULT_CA_BUNDLE_PATH

            named = DEFAULT_CA_BUNDLE_PATH
    if not named:
        context.load_default_certs()
        return
    try:
        is_folder = Path(named).is_dir()
        context.load_verify_locations(cafile=None if is_folder else named, capath=named if is_folder else None)
    except OSError as exc:
        raise ProbeFailed(
            Diagnosis(
                f"The certificate authorities to trust cannot be read from {named} ({quoted(str(exc))}).",
                "ca_cert, or REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE in this environment, names that file.",
            )
        ) from exc


def _agreed(connection: ssl.SSLSocket, *, trusted: bool) -> Tls:
    cipher = connection.cipher()
    return Tls(connection.version() or "TLS", cipher[0] if cipher else "", trusted, _certificate(connection))


def _certificate(connection: ssl.SSLSocket) -> Certificate | None:
    """Read the server's certificate, also one that was not checked; None where no library here can."""
    data = connection.getpeercert(binary_form=True)
    if not data:
        return None
    try:
        from cryptography import x509
    except ImportError:
        return None
    try:
        found = x509.load_der_x509_certificate(data)
        names: list[str] = []
        with contextlib.suppress(x509.ExtensionNotFound):
            alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names = [quoted(str(getattr(name, "value", ""))) for name in alternative.value]
        began, ends = found.not_valid_before_utc, found.not_valid_after_utc
        subject, issuer = quoted(found.subject.rfc4514_string()), quoted(found.issuer.rfc4514_string())
    except ValueError:
        return None
    left = (ends - datetime.datetime.now(datetime.UTC)).days
    return Certificate(subject, issuer, tuple(names), began.date().isoformat(), ends.date().isoformat(), left)


def _redirect(location: str) -> Diagnosis:
    return Diagnosis(
        f"The server redirects to {location or 'another address'}.",
        "Redirects are not followed, so that no credentials go where they were not meant to: if that address is "
        "right, set it as connection_uri.",
    )


def _schemes(fields: list[str]) -> Iterator[str]:
    """The methods of WWW-Authenticate. Each field of IIS has one; a field may have several, with parameters."""
    for field in fields:
        for part in field.split(","):
            word = part.strip().partition(" ")[0]
            if word and "=" not in word:
                yield quoted(word)


def _ascii(path: str) -> str:
    return quote(path, safe="/?&=%:;+,@!$'()*~[]")


def is_address(host: str) -> bool:
    """Whether a host is given by its IP address and not by a name."""
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False
