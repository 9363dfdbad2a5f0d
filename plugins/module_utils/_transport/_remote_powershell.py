# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session over Exchange's remote PowerShell: WSMan and PSRP, by way of the library pypsrp.

Exchange runs these sessions without a language (NoLanguage since KB5001779): cmdlets and parameters only. So this is
the only thing that work is made of, and there is no script text that a value could break out of. (One constant script
asks a session for its language, where a user asks what the session is like: ``_description``.)
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from .._errors import SessionLost, UnexpectedReply
from .._session._protocol import Answer, Command, ErrorRecord, Pipeline, Record, Reply, SessionFacts
from . import _clixml, _description, _encryption
from ._diagnosis import OPERATION_TIMED_OUT, diagnose, is_time_out, kind_of_failure, may_have_been_processed
from ._endpoint import Authentication, Endpoint
from ._fragments import RawFragmenter, RawOutput
from ._libraries import (
    MessageType,
    PowerShell,
    PSInvocationState,
    RunspacePool,
    SelectorSet,
    WSMan,
    WSManFaultError,
    requests,
)
from ._limits import Guard

_POLL_SECONDS = 20
"""How long the server may hold one Receive request open. Load balancers and firewalls cut longer silences."""

_MOST_SAID = 10_000
"""Errors, warnings and words of progress of one pipeline at most, beside one for each of its answers."""

_CLOSE_SECONDS = 5
"""How long closing may take when the run is ending on an error or a signal."""

# A library's log lines and warnings would otherwise end up on the standard error stream of Ansible's worker.
for _name in ("pypsrp", "spnego", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=rf"{_name}(\..*)?$")


class RemotePowerShell:
    """A ``Session`` with Exchange's endpoint ``/PowerShell/``. Opened and closed by its context manager."""

    openings = 1

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._wsman, self._guard = _connection(endpoint)
        self._pool = RunspacePool(self._wsman, configuration_name=endpoint.configuration_name)
        self._pool._fragmenter = RawFragmenter(self._wsman.max_payload_size, self._pool._serializer)

    def __enter__(self) -> RemotePowerShell:
        try:
            allowed = self._endpoint.operation_timeout + self._endpoint.connection_timeout
            self._guard.deadline = time.monotonic() + allowed
            self._pool.open()
            self._guard.deadline = None
            self._delete_left_behind()
        except BaseException as exc:
            self._close(in_haste=True, may_be_open=may_have_been_processed(exc))
            if not isinstance(exc, Exception):
                raise
            tried = f"No session with Exchange at {self._endpoint.described} could be opened."
            found = diagnose(exc, self._endpoint)
            raise kind_of_failure(exc)(f"{tried} {found.came_back}", found.check, may_pass=found.may_pass) from exc
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

    def invoke(
        self,
        pipeline: Pipeline,
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
    ) -> Reply:
        """Run a pipeline; see ``Session``. This session repeats nothing, so ``again`` is never called."""
        del again
        try:
            return self._invoke(pipeline, take)
        except (SessionLost, UnexpectedReply):
            raise
        except Exception as exc:
            lost = f"The session with Exchange at {self._endpoint.described} broke during {pipeline.name}."
            raise SessionLost(f"{lost} {diagnose(exc, self._endpoint)}", was_silent=is_time_out(exc)) from exc

    def abort(self) -> None:
        """Delete the shell over a connection of its own: what waits in another thread is then answered with a fault."""
        with contextlib.suppress(Exception):
            wsman, _guard = _connection(self._endpoint)
            wsman.transport.connection_timeout = wsman.transport.read_timeout = _CLOSE_SECONDS
            with contextlib.closing(wsman):
                self._delete_by_id(wsman, self._pool.id)

    def commands(self, patterns: tuple[str, ...]) -> tuple[Command, ...] | None:
        """Return the visible commands; see ``SelfDescribing``."""
        return _description.commands(self._run, self._pool, patterns)

    def facts(self) -> SessionFacts:
        """Return what the session says of itself; see ``SelfDescribing``."""
        return _description.facts(self._run, self._pool)

    def _run(self, remote: PowerShell, start: Callable[[], None]) -> list[Answer]:
        """Take all that a pipeline gives which is a question about the session itself."""
        answers: list[Answer] = []
        last = time.monotonic()
        try:
            start()
            while remote.state == PSInvocationState.RUNNING:
                self._wait_at_most(last, _description.ABOUT)
                answers += self._received(remote)
                if len(answers) > _description.MOST:
                    raise UnexpectedReply(f"{self._endpoint.uri} said more about itself than there can be.")
            remote.close()
        except (SessionLost, UnexpectedReply):
            raise
        except Exception as exc:
            lost = f"The session with Exchange at {self._endpoint.described} broke while it was looked at."
            raise SessionLost(f"{lost} {diagnose(exc, self._endpoint)}") from exc
        return answers

    def _invoke(self, pipeline: Pipeline, take: Callable[[Record], None] | None) -> Reply:
        remote = self._begin(pipeline)
        try:
            answers = self._answers(pipeline, remote, take)
        except Exception:
            # What is left of it would block the next pipeline: the server holds it until somebody receives it.
            with contextlib.suppress(Exception):
                remote.stop()
            raise
        if remote.state != PSInvocationState.COMPLETED and not remote.streams.error:
            raise SessionLost(f"{pipeline.name} at {self._endpoint.uri} was stopped by the server and said no reason.")
        with contextlib.suppress(Exception):
            # The reply is whole. If the session breaks just here, the next cmdlet will say so.
            remote.close()
        return Reply(tuple(answers), tuple(str(warning.message) for warning in remote.streams.warning))

    def _answers(self, pipeline: Pipeline, remote: PowerShell, take: Callable[[Record], None] | None) -> list[Answer]:
        """Receive until the pipeline has ended. What is handed to ``take`` is not among what is returned."""
        answers: list[Answer] = []
        last, number = time.monotonic(), 0
        while remote.state == PSInvocationState.RUNNING:
            self._wait_at_most(last, pipeline)
            streams = remote.streams
            if len(streams.error) + len(streams.warning) + len(streams.progress) > _MOST_SAID + number:
                raise UnexpectedReply(f"{pipeline.name} said more than {_MOST_SAID} things beside its answers.")
            for answer in self._received(remote):
                last, number = time.monotonic(), number + 1
                if pipeline.most is not None and number > pipeline.most:
                    raise UnexpectedReply(
                        f"{pipeline.name} at {self._endpoint.uri} gave more answers than there can be."
                    )
                if take is None or isinstance(answer, ErrorRecord):
                    answers.append(answer)
                else:
                    take(answer)
        return answers

    def _begin(self, pipeline: Pipeline) -> PowerShell:
        remote = PowerShell(self._pool)
        for cmdlet in pipeline.cmdlets:
            remote.add_cmdlet(cmdlet.name)
            for name, value in cmdlet.parameters.items():
                remote.add_parameter(name, list(value) if isinstance(value, tuple) else value)
        values = None if pipeline.values is None else (list(chunk) for chunk in [pipeline.values])
        # Nobody reads the invocation details that a server can add to each record of the other streams.
        remote.begin_invoke(values, remote_stream_options=0)
        return remote

    def _received(self, remote: PowerShell) -> Iterator[Answer]:
        """Receive once, and return what came in its order. Nothing at all is an answer too: it asks to wait on."""
        errors = len(remote.streams.error)
        try:
            messages = self._pool._receive(remote.id)
        except WSManFaultError as fault:
            if fault.code != OPERATION_TIMED_OUT:
                raise
            return
        for kind, message in messages:
            if isinstance(message, RawOutput):
                yield _record(message.xml)
            elif kind in (MessageType.ERROR_RECORD, MessageType.PIPELINE_STATE):
                # pypsrp has put what these hold, if anything, at the end of its list of errors, one after the other.
                for error in remote.streams.error[errors : errors + 1]:
                    yield _clixml.error_record(error)
                errors += 1

    def _wait_at_most(self, last: float, pipeline: Pipeline) -> None:
        """Set how long the next Receive may wait; give up when nothing came for ``operation_timeout``."""
        remaining = self._endpoint.operation_timeout - (time.monotonic() - last)
        if remaining <= 0:
            raise SessionLost(
                f"{pipeline.name} at {self._endpoint.uri} was silent for operation_timeout: "
                f"{self._endpoint.operation_timeout} seconds. It was told to stop.",
                was_silent=True,
            )
        self._wsman.operation_timeout = math.ceil(min(_POLL_SECONDS, remaining))
        self._wsman.transport.read_timeout = self._wsman.operation_timeout + self._endpoint.connection_timeout

    def _close(self, *, in_haste: bool, may_be_open: bool = False) -> None:
        """Delete the shell on the server: one left behind counts against the user until Exchange's idle time-out."""
        self._guard.deadline = None
        if in_haste:
            transport = self._wsman.transport
            transport.connection_timeout = transport.read_timeout = _CLOSE_SECONDS
            # The interrupted request may have left the encryption out of step: log in anew.
            transport.encryption = None
        for _attempt in range(2):  # deleting twice does no harm, and not deleting does
            with contextlib.suppress(Exception):
                self._delete(may_be_open)
                break
        with contextlib.suppress(Exception):
            self._wsman.close()

    def _delete(self, may_be_open: bool) -> None:
        if self._pool.shell.opened:
            self._pool.shell.close()
        elif may_be_open:
            # The answer to Create never came; the shell, if there is one, has the identifier that we gave it.
            if self._endpoint.login.accepted:
                self._delete_by_id(self._wsman, self._pool.id)
            elif self._pool.id not in self._endpoint.login.left_behind:
                # What cut the connection may have done so because of the login: it is not repeated for this.
                self._endpoint.login.left_behind.append(self._pool.id)

    def _delete_left_behind(self) -> None:
        while self._endpoint.login.left_behind:
            with contextlib.suppress(Exception):
                self._delete_by_id(self._wsman, self._endpoint.login.left_behind.pop())

    def _delete_by_id(self, wsman: WSMan, shell_id: str) -> None:
        selectors = SelectorSet()
        selectors.add_option("ShellId", shell_id)
        wsman.delete(self._pool.shell.resource_uri, selector_set=selectors)


class _WSMan(WSMan):
    """pypsrp's WSMan with this collection's rules for repeating: a request that got no answer is not sent again."""

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["retries_on_read_timeout"] = 0
        return super().invoke(*args, **kwargs)


def _connection(endpoint: Endpoint) -> tuple[WSMan, Guard]:
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
        negotiate_hostname_override=endpoint.spn_hostname,
        # Nobody on the server needs the user's own ticket, and the login is bound to the certificate that was seen.
        negotiate_delegate=False,
        negotiate_send_cbt=True,
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
    longest = endpoint.operation_timeout + endpoint.connection_timeout
    guard = Guard(endpoint.login, longest, every_request_logs_in=basic)
    session.hooks["response"].append(guard.read)
    if wsman.transport.wrap_required:
        _encryption.guard(wsman, session)
    wsman.transport.session = session
    # What is decrypted here is checked like what came as it is.
    wsman.transport.send = guard.around(wsman.transport.send)  # type: ignore[method-assign]
    return wsman, guard


def _record(xml: bytes) -> Answer:
    """One object that cannot be read is an error about that object, and not about the others."""
    try:
        return _clixml.record(xml)
    except UnexpectedReply as exc:
        return ErrorRecord(str(exc))


def _no_other_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _utf8(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8")
