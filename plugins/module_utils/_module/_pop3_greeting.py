# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_greeting: connect like a mail client, and wait until the service greets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import OptionError
from .._session._host import HostShell
from ._definition import HostConnection, ModuleDefinition, Params, Result, Say
from ._numbers import check_numbers
from ._text import text_option

PLAIN_PORT = 110
"""Where POP3 speaks without TLS at first; every other port is taken for TLS, as 995 is (RFC 8314)."""

_PAUSE_SECONDS = 0.5
_LONGEST_LINE = 1024
"""Bytes; a line of POP3 has at most 512 (RFC 2449)."""

_ATTEMPT_SECONDS = 10.0
"""How long one attempt may take, so that a server that starts slowly gets several."""


@dataclass(frozen=True, slots=True)
class _Service:
    """Where the service listens, and how to talk to it. ``tls`` is None for a connection without TLS."""

    host: str
    port: int
    tls: ssl.SSLContext | None

    def greeting(self, seconds: float) -> str:
        """Connect and return the greeting without its ``+OK``, all within ``seconds``.

        Raises OSError, and NoGreeting for a service that says something else.
        """
        end = time.monotonic() + seconds
        with socket.create_connection((self.host, self.port), timeout=seconds) as plain:
            plain.settimeout(_remaining(end))
            if self.tls is None:
                return _read_greeting(plain, end)
            with self.tls.wrap_socket(plain, server_hostname=self.host) as secure:
                return _read_greeting(secure, end)


class NoGreeting(Exception):
    """The service answered, and not with a greeting; the message is what it said."""


def _read_greeting(connection: socket.socket, end: float) -> str:
    """Read one line, however slowly it comes, until ``end`` of the monotonic clock, and take leave."""
    line = b""
    while not line.endswith(b"\n"):
        connection.settimeout(_remaining(end))
        some = connection.recv(_LONGEST_LINE - len(line))
        line += some
        if not some or len(line) >= _LONGEST_LINE:
            break
    said = line.decode("utf-8", "replace").strip()
    if not said.startswith("+OK"):
        raise NoGreeting(said)
    with contextlib.suppress(OSError):
        connection.sendall(b"QUIT\r\n")
    return said.removeprefix("+OK").strip()


def _remaining(end: float) -> float:
    remaining = end - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining


def run(params: Mapping[str, Any], *, check_mode: bool, say: Say, host: HostShell | None = None) -> Result:
    """Wait for the greeting. Reads only, so check mode is the same."""
    del check_mode, say, host
    service = _service(params)
    tls = "with TLS" if service.tls else "without TLS"
    found: Result = {"changed": False, "host": service.host, "port": service.port, "tls": service.tls is not None}
    started = time.monotonic()
    greeting, problem = _wait(service, started + int(params["timeout"]))
    where = f"POP3 at {service.host}:{service.port} {tls}"
    if greeting is None:
        msg = f"{where} did not greet within {params['timeout']} seconds. The last attempt: {problem}"
        return found | {"failed": True, "greeting": None, "msg": msg}
    stable_for = int(params["stable_for"])
    if stable_for:
        time.sleep(stable_for)
        greeting, problem = _greeting(service, _ATTEMPT_SECONDS)
    if greeting is None:
        msg = f"{where} greeted, and did not any more {stable_for} seconds later: {problem}"
        return found | {"failed": True, "greeting": None, "msg": msg}
    return found | {"greeting": greeting, "elapsed": round(time.monotonic() - started, 1)}


def _wait(service: _Service, end: float) -> tuple[str | None, str]:
    """Try until ``end`` of the monotonic clock. Return the greeting, or None and what the last attempt met."""
    while True:
        greeting, problem = _greeting(service, max(0.1, min(_ATTEMPT_SECONDS, end - time.monotonic())))
        if greeting is not None or time.monotonic() + _PAUSE_SECONDS > end:
            return greeting, problem
        time.sleep(_PAUSE_SECONDS)


def _greeting(service: _Service, seconds: float) -> tuple[str | None, str]:
    try:
        return service.greeting(seconds), ""
    except (OSError, UnicodeError, NoGreeting) as exc:
        return None, _in_words(exc, service)


def _service(params: Mapping[str, Any]) -> _Service:
    host = (text_option(params, "host") or "").strip("[]")
    if not host:
        raise OptionError("host is needed: neither the task nor the host's own connection gives it.")
    port, timeout, stable_for = int(params["port"]), int(params["timeout"]), int(params["stable_for"])
    if not 0 < port < 65536:
        raise OptionError(f"port is a number from 1 to 65535, and this is {port}.")
    if timeout < 1 or stable_for < 0:
        raise OptionError("timeout is a number of seconds, at least 1, and stable_for is none that is negative.")
    wants_tls = port != PLAIN_PORT if params["tls"] is None else bool(params["tls"])
    return _Service(host, port, _context(params) if wants_tls else None)


def _context(params: Mapping[str, Any]) -> ssl.SSLContext:
    ca_cert = text_option(params, "ca_cert")
    try:
        context = ssl.create_default_context(cafile=ca_cert)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        raise OptionError(f"ca_cert: {ca_cert} cannot be used: {exc}") from exc
    if not params["validate_certs"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # A look whether it lives, not whether it is to be trusted: an old server with TLS 1.0 or a short key lives too.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def _in_words(exc: Exception, service: _Service) -> str:
    if isinstance(exc, ConnectionRefusedError):
        return "nothing listens there, the connection was refused."
    if isinstance(exc, TimeoutError):
        hint = "" if service.tls else " Does this port want TLS at once? See the option tls."
        return f"no greeting came in time.{hint}"
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted ({exc.verify_message}); see ca_cert and validate_certs."
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed ({exc.reason}); does this port speak TLS at once? See the option tls."
    if isinstance(exc, NoGreeting):
        return f"it answered '{exc}' instead of +OK." if str(exc) else "it closed the connection without a greeting."
    if isinstance(exc, UnicodeError):
        return f"'{service.host}' is no host name."
    return f"{exc}."


def _defaults(params: Params, host: Callable[[], HostConnection], environment: Mapping[str, str]) -> Params:
    del environment
    return {**params, "host": params["host"] or host().address}


_ARGUMENTS: dict[str, dict[str, Any]] = {
    "host": {"type": "str"},
    "port": {"type": "int", "default": 995},
    "tls": {"type": "bool"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_cert": {"type": "path"},
    "timeout": {"type": "int", "default": 60},
    "stable_for": {"type": "int", "default": 0},
}

POP3_GREETING = ModuleDefinition(
    argument_spec=_ARGUMENTS,
    check_arguments=lambda given: check_numbers(_ARGUMENTS, given),
    defaults=_defaults,
    run=run,
)
