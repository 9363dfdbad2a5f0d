# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_greeting: connect like a mail client, and wait until the service greets."""

from __future__ import annotations

import contextlib
import poplib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import OptionError
from ._definition import HostConnection, ModuleDefinition, Params, Result
from ._text import text_option

PLAIN_PORT = 110
"""Where POP3 speaks without TLS at first; every other port is taken for TLS, as 995 is (RFC 8314)."""

_PAUSE_SECONDS = 0.5
_ATTEMPT_SECONDS = 10.0
"""How long one attempt may take, so that a server that starts slowly gets several."""


@dataclass(frozen=True, slots=True)
class _Service:
    """Where the service listens, and how to talk to it. ``tls`` is None for a connection without TLS."""

    host: str
    port: int
    tls: ssl.SSLContext | None

    def greeting(self, seconds: float) -> str:
        """Connect and return the greeting without its ``+OK``. Raises OSError or poplib.error_proto."""
        client = (
            poplib.POP3_SSL(self.host, self.port, timeout=seconds, context=self.tls)
            if self.tls
            else poplib.POP3(self.host, self.port, timeout=seconds)
        )
        welcome = client.getwelcome()
        with contextlib.suppress(OSError, poplib.error_proto):
            client.quit()
        return welcome.decode("utf-8", "replace").removeprefix("+OK").strip()


def run(params: Mapping[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Result:
    """Wait for the greeting. Reads only, so check mode is the same."""
    del check_mode, warn
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
    except (OSError, poplib.error_proto, EOFError) as exc:
        return None, _in_words(exc)


def _service(params: Mapping[str, Any]) -> _Service:
    host = text_option(params, "host")
    if host is None:
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
    except OSError as exc:
        raise OptionError(f"ca_cert: {ca_cert} cannot be used: {exc}") from exc
    if not params["validate_certs"]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _in_words(exc: Exception) -> str:
    if isinstance(exc, ConnectionRefusedError):
        return "nothing listens there, the connection was refused."
    if isinstance(exc, TimeoutError):
        return "no greeting came in time."
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted ({exc.verify_message}); see ca_cert and validate_certs."
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed ({exc.reason}); does this port speak TLS at once?"
    if isinstance(exc, (poplib.error_proto, EOFError)):
        said = exc.args[0] if exc.args else ""
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"it answered '{words}' instead of +OK." if words else "it closed the connection without a greeting."
    return f"{exc}."


def _defaults(params: Params, host: Callable[[], HostConnection], environment: Mapping[str, str]) -> Params:
    del environment
    return {**params, "host": params["host"] or host().address}


POP3_GREETING = ModuleDefinition(
    argument_spec={
        "host": {"type": "str"},
        "port": {"type": "int", "default": 995},
        "tls": {"type": "bool"},
        "validate_certs": {"type": "bool", "default": True},
        "ca_cert": {"type": "path"},
        "timeout": {"type": "int", "default": 60},
        "stable_for": {"type": "int", "default": 0},
    },
    defaults=_defaults,
    run=run,
)
