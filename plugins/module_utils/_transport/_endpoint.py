# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Exchange is, who asks, and how: the options of ``remote_powershell``, checked before anything is sent."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

from .._errors import OptionError

_DEFAULT_PATH = "PowerShell/"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[\w.-]+")
_LONGEST_SECONDS = 86400


class Authentication(StrEnum):
    """How the user proves who they are to the endpoint; the values of the option ``authentication``."""

    KERBEROS = "kerberos"
    NEGOTIATE = "negotiate"
    NTLM = "ntlm"
    BASIC = "basic"
    CERTIFICATE = "certificate"


_ENCRYPTS_MESSAGES = frozenset({Authentication.KERBEROS, Authentication.NEGOTIATE, Authentication.NTLM})
"""These encrypt every message with the key of the login, so that nothing is readable over ``http://`` either."""


@dataclass(frozen=True, slots=True)
class ConnectionUri:
    """A connection URI in its parts; ``path`` has no leading slash and keeps its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}/{self.path}"

    @classmethod
    def parse(cls, text: str) -> ConnectionUri:
        """Read ``http://mbx01.contoso.com/PowerShell/``. Without a path, Exchange's own is taken."""
        try:
            return cls._parse(text)
        except ValueError as exc:
            # What stands before an @ may be a password: it is not repeated.
            raise OptionError(
                f"connection_uri: '{text.rpartition('@')[2]}' is not a URI of Exchange's remote PowerShell ({exc}). "
                "Expected something like http://mbx01.contoso.com/PowerShell/"
            ) from None

    @classmethod
    def _parse(cls, text: str) -> ConnectionUri:
        if any(ch.isspace() or not ch.isprintable() for ch in text):
            raise ValueError("it has white space or control characters in it")
        if "@" in text:
            raise ValueError("it has a user name or password in it: use the options username and password")
        try:
            parts = urlsplit(text)
        except ValueError:
            raise ValueError("its host name is not written rightly") from None
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError("it has to start with http:// or https://")
        if not parts.hostname:
            raise ValueError("it has no host name")
        if parts.fragment:
            raise ValueError("it has a fragment: '#'")
        try:
            port = parts.port if parts.port is not None else _DEFAULT_PORTS[parts.scheme]
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("its port is not a number from 1 to 65535")
        path = parts.path.lstrip("/") or _DEFAULT_PATH
        query = f"?{parts.query}" if parts.query else ""
        return cls(parts.scheme, parts.hostname, port, path + query)


@dataclass(slots=True)
class Login:
    """What became of the login; all sessions of a run share it. Enough refused logins lock an account, so after the
    first one nothing is sent any more that would log in."""

    accepted: bool = False
    refused: bool = False
    left_behind: list[str] = field(default_factory=list)
    """Shells that may have been made by a request whose answer never came, before any login had been accepted."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All that it takes to open a session. Built once, from options that fit together."""

    uri: ConnectionUri
    authentication: Authentication = Authentication.KERBEROS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    validate_certs: bool = True
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    client_key_password: str | None = field(default=None, repr=False)
    allow_unencrypted: bool = False
    configuration_name: str = "Microsoft.Exchange"
    spn_service: str = "http"
    spn_hostname: str | None = None
    login: Login = field(default_factory=Login, compare=False, repr=False)
    connection_timeout: int = 30
    operation_timeout: int = 180

    def __post_init__(self) -> None:
        self._check_encryption()
        self._check_credentials()
        check_configuration_name(self.configuration_name)
        if not _NAME.fullmatch(self.spn_service):
            raise OptionError(f"spn_service: {self.spn_service!r} is not a name.")
        if self.spn_hostname is not None and not _NAME.fullmatch(self.spn_hostname):
            raise OptionError(f"spn_hostname: {self.spn_hostname!r} is not the name of a server.")
        check_seconds(self)

    @property
    def encrypts_messages(self) -> bool:
        """Over http:// the messages themselves are encrypted; over https:// TLS does it."""
        return not self.uri.is_tls and self.authentication in _ENCRYPTS_MESSAGES

    @property
    def service_principal(self) -> str:
        """The name that a Kerberos ticket is asked for."""
        return f"{self.spn_service}/{self.spn_hostname or self.uri.host}"

    @property
    def described(self) -> str:
        """What is tried, for messages: URI, method, user."""
        own = "certificate" if self.authentication is Authentication.CERTIFICATE else "ticket"
        user = f"as {self.username}" if self.username else f"with the user's own {own}"
        return f"{self.uri} ({self.authentication.value}, {user})"

    def _check_encryption(self) -> None:
        if self.uri.is_tls or self.encrypts_messages:
            return
        if self.authentication is Authentication.CERTIFICATE:
            raise OptionError(
                f"authentication: certificate works over TLS only, and connection_uri is {self.uri}. Use https://."
            )
        if not self.allow_unencrypted:
            raise OptionError(
                f"Refused before anything was sent: authentication: {self.authentication.value} to {self.uri} would "
                "send the password and all data readable over the network. Use https:// or authentication: kerberos, "
                "which encrypts over http:// too. On a network that nobody else can listen to, allow_unencrypted: "
                "true lifts this."
            )

    def _check_credentials(self) -> None:
        needs_both = self.authentication in (Authentication.BASIC, Authentication.NTLM)
        if needs_both and not (self.username and self.password):
            missing = "username" if self.password else "password" if self.username else "username and password"
            raise OptionError(
                f"authentication: {self.authentication.value} needs a username and a password, and {missing} is "
                "missing. They can come from the task, the host's own connection, or EXCHANGE_USERNAME and "
                "EXCHANGE_PASSWORD; a password is used only for the user that it comes with."
            )
        if self.authentication is Authentication.CERTIFICATE and not self.client_cert:
            raise OptionError("authentication: certificate needs client_cert, the path of a PEM file.")

    def check_files(self) -> None:
        """Load the certificates and the key, where the session is to be opened. Raises OptionError."""
        if self.ca_cert:
            _load("ca_cert", lambda context: context.load_verify_locations(self.ca_cert))
        if self.client_cert:
            certificate, key = self.client_cert, self.client_key or self.client_cert
            # Without a password, OpenSSL would ask for one at the terminal.
            password = self.client_key_password or ""
            _load("client_cert, client_key", lambda context: context.load_cert_chain(certificate, key, password))


class _Patient(Protocol):
    @property
    def connection_timeout(self) -> int: ...

    @property
    def operation_timeout(self) -> int: ...


def check_seconds(endpoint: _Patient) -> None:
    """Raise OptionError for a time-out that is none."""
    for name in ("connection_timeout", "operation_timeout"):
        if not 1 <= getattr(endpoint, name) <= _LONGEST_SECONDS:
            raise OptionError(f"{name} is a number of seconds, from 1 to {_LONGEST_SECONDS}.")


def check_configuration_name(name: str) -> None:
    """Raise OptionError for what cannot be the name of a session configuration."""
    if not _NAME.fullmatch(name):
        raise OptionError(f"configuration_name: {name!r} is not a name.")


def _load(option: str, load: Callable[[ssl.SSLContext], None]) -> None:
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    except ssl.SSLError as exc:
        raise OptionError(
            f"{option}: these PEM files cannot be used ({exc.reason or exc}). Is it PEM, does the key fit the "
            "certificate, and is client_key_password right?"
        ) from exc
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        raise OptionError(f"{option}: the file does not exist or cannot be read ({exc}).") from exc
