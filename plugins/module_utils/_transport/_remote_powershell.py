# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session over Exchange's remote PowerShell: WSMan and PSRP, by way of the library pypsrp.

Exchange runs these sessions without a language (NoLanguage since KB5001779): cmdlets and parameters only. So this is
the only thing that is ever sent, and there is no script text that a value could break out of.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
import warnings
from types import TracebackType
from typing import Any

import requests
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import SelectorSet, WSMan

from .._errors import ConnectionFailed, SessionLost, UnexpectedReply
from .._session._protocol import Cmdlet, Reply
from . import _clixml
from ._diagnosis import diagnose, may_have_been_processed
from ._endpoint import Authentication, Endpoint

_POLL_SECONDS = 20
"""How long the server may hold one Receive request open. Load balancers and firewalls cut longer silences."""

_CLOSE_SECONDS = 5
"""How long closing may take when the run is ending on an error or a signal."""

# A library's log lines would otherwise end up on the standard error stream of Ansible's worker.
for _name in ("pypsrp", "spnego", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class RemotePowerShell:
    """A ``Session`` with Exchange's endpoint ``/PowerShell/``. Opened and closed by its context manager."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._wsman = _connection(endpoint)
        self._pool = RunspacePool(self._wsman, configuration_name=endpoint.configuration_name)

    def __enter__(self) -> RemotePowerShell:
        try:
            with _quiet():
                self._pool.open()
        except BaseException as exc:
            self._close(in_haste=True, may_be_open=may_have_been_processed(exc))
            if not isinstance(exc, Exception):
                raise
            tried = f"No session with Exchange at {self._endpoint.described} could be opened."
            raise ConnectionFailed(f"{tried} {diagnose(exc, self._endpoint)}") from exc
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._close(in_haste=exc is not None)
        except BaseException:
            self._close(in_haste=True)  # a signal came while the session was being closed
            raise

    def invoke(self, cmdlet: Cmdlet) -> Reply:
        """Run one cmdlet; see ``Session``."""
        try:
            with _quiet():
                return self._invoke(cmdlet)
        except (SessionLost, UnexpectedReply):
            raise
        except Exception as exc:
            lost = f"The session with Exchange at {self._endpoint.described} broke during {cmdlet.name}."
            raise SessionLost(f"{lost} {diagnose(exc, self._endpoint)}") from exc

    def _invoke(self, cmdlet: Cmdlet) -> Reply:
        pipeline = PowerShell(self._pool)
        pipeline.add_cmdlet(cmdlet.name)
        for name, value in cmdlet.parameters.items():
            pipeline.add_parameter(name, value)
        # Nobody reads the invocation details that a server can add to each record of the other streams.
        pipeline.begin_invoke(remote_stream_options=0)
        self._wait(pipeline, cmdlet)
        with contextlib.suppress(Exception):
            # The reply is whole. If the session breaks just here, the next cmdlet will say so.
            pipeline.close()
        return Reply(
            records=tuple(_clixml.record(output) for output in pipeline.output if output is not None),
            errors=tuple(_clixml.error_record(error) for error in pipeline.streams.error),
            warnings=tuple(str(warning.message) for warning in pipeline.streams.warning),
        )

    def _wait(self, pipeline: PowerShell, cmdlet: Cmdlet) -> None:
        """Receive until the cmdlet has ended; give up when it was silent for ``operation_timeout``."""
        received, last = 0, time.monotonic()
        while pipeline.state == PSInvocationState.RUNNING:
            remaining = self._endpoint.operation_timeout - (time.monotonic() - last)
            if remaining <= 0:
                with contextlib.suppress(Exception):
                    pipeline.stop()
                raise SessionLost(
                    f"{cmdlet.name} at {self._endpoint.uri} was silent for operation_timeout: "
                    f"{self._endpoint.operation_timeout} seconds. It was told to stop."
                )
            self._wsman.operation_timeout = math.ceil(min(_POLL_SECONDS, remaining))
            self._wsman.transport.read_timeout = self._wsman.operation_timeout + self._endpoint.connection_timeout
            pipeline.poll_invoke()
            now = len(pipeline.output) + len(pipeline.streams.error) + len(pipeline.streams.warning)
            if now > received:
                received, last = now, time.monotonic()
        if pipeline.state != PSInvocationState.COMPLETED and not pipeline.streams.error:
            raise SessionLost(f"{cmdlet.name} at {self._endpoint.uri} was stopped by the server and said no reason.")

    def _close(self, *, in_haste: bool, may_be_open: bool = False) -> None:
        """Delete the shell on the server: one left behind counts against the user until Exchange's idle time-out."""
        if in_haste:
            transport = self._wsman.transport
            transport.connection_timeout = transport.read_timeout = _CLOSE_SECONDS
            # The interrupted request may have left the encryption out of step: log in anew.
            transport.encryption = None
        for _attempt in range(2):  # deleting twice does no harm, and not deleting does
            with contextlib.suppress(Exception), _quiet():
                self._delete(may_be_open)
                break
        with contextlib.suppress(Exception):
            self._wsman.close()

    def _delete(self, may_be_open: bool) -> None:
        if self._pool.shell.opened:
            self._pool.shell.close()
        elif may_be_open:
            self._delete_by_id()

    def _delete_by_id(self) -> None:
        """The answer to Create never came; the shell, if there is one, has the identifier that we gave it."""
        selectors = SelectorSet()
        selectors.add_option("ShellId", self._pool.id)
        self._wsman.delete(self._pool.shell.resource_uri, selector_set=selectors)


class _WSMan(WSMan):
    """pypsrp's WSMan with this collection's rules for repeating: a request that got no answer is not sent again."""

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["retries_on_read_timeout"] = 0
        return super().invoke(*args, **kwargs)


def _connection(endpoint: Endpoint) -> WSMan:
    """Build the connection; nothing is sent yet."""
    basic = endpoint.authentication is Authentication.BASIC
    options: dict[str, Any] = {
        # requests would encode text as latin-1, and a password can hold any character.
        "username": _utf8(endpoint.username) if basic else endpoint.username,
        "password": _utf8(endpoint.password) if basic else endpoint.password,
        # pypsrp hands this on to requests, which takes a path as well.
        "cert_validation": endpoint.validate_certs and (endpoint.ca_cert or True),
    }
    wsman = _WSMan(
        endpoint.uri.host,
        port=endpoint.uri.port,
        ssl=endpoint.uri.is_tls,
        path=endpoint.uri.path,
        auth=endpoint.authentication.value,
        connection_timeout=endpoint.connection_timeout,
        operation_timeout=endpoint.operation_timeout,
        read_timeout=endpoint.operation_timeout + endpoint.connection_timeout,
        encryption="auto" if endpoint.uri.is_tls or endpoint.encrypts_messages else "never",
        negotiate_service=endpoint.spn_service,
        certificate_pem=endpoint.client_cert,
        certificate_key_pem=endpoint.client_key or endpoint.client_cert,
        certificate_key_password=endpoint.client_key_password,
        **options,
    )
    # pypsrp builds it at the first request and has no option for what follows.
    session = wsman.transport._build_session()
    # A redirect could send credentials to a place that nobody named, and turns POST into GET.
    session.max_redirects = 0
    if session.auth is None:
        # Without a login of its own (a client certificate), requests would send what ~/.netrc has for this host.
        session.auth = _no_other_login
    wsman.transport.session = session
    return wsman


def _no_other_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _utf8(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8")


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep Python warnings of the libraries off the standard error stream."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
