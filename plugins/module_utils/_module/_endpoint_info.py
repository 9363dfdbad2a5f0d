# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_endpoint_info: go the way to Exchange step by step, and say where it leads or where it ends."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from .._core._steps import Step, StepName, StepState, all_steps, first_failure
from .._errors import ConnectionFailed, DependencyError, ExchangeError, LoginFailed, SessionRefused
from .._gateway._rights import Look, Rights, look_at
from .._session._host import HostShell
from .._session._interrupt import TimedOut
from .._session._protocol import SelfDescribing, Session, SessionFacts
from .._transport._endpoint import Authentication, Endpoint
from .._transport._host_endpoint import HostEndpoint
from .._transport._probe import Answer, Probe, ProbeFailed, Tls, is_address
from ._definition import Result, Say
from ._exchange import Connection, connection_from, exchange_module

_EXPIRES_SOON = 30
"""Days before a certificate ends in which that is worth a word."""

_ROLE = (
    "The management role 'Mail Recipients' has all of it; docs/least-privilege.md of this collection makes a role with "
    "no more than is needed."
)


def run(params: Mapping[str, Any], *, check_mode: bool, say: Say, host: HostShell | None = None) -> Result:
    """Go the way. Nothing is changed and no mailbox is read, so check mode is the same."""
    del check_mode, say
    connection = connection_from(params, host)
    connection.endpoint.check_files()
    way = _Way(connection, change_is_needed=params["needed_rights"] == "change")
    way.go()
    return way.result()


class _Stop(Exception):
    """A step failed; it is noted, and the ones behind it are not tried."""


class _Way:
    """What was seen so far."""

    def __init__(self, connection: Connection, *, change_is_needed: bool) -> None:
        self._connection = connection
        self._endpoint = connection.endpoint
        self._change_is_needed = change_is_needed
        # Not where a host does it: what can be seen from here is not its way.
        self._probe = Probe(self._endpoint) if isinstance(self._endpoint, Endpoint) else None
        self._steps: list[Step] = []
        self._addresses: tuple[str, ...] = ()
        self._tls: Tls | None = None
        self._answer: Answer | None = None
        self._facts: SessionFacts | None = None
        self._look: Look | None = None

    def go(self) -> None:
        """Take one step after the other, as far as the way leads."""
        try:
            if isinstance(self._endpoint, Endpoint) and self._probe:
                self._name(self._probe)
                self._port(self._probe)
                self._shake_hands(self._probe, self._endpoint)
                self._path(self._probe, self._endpoint)
            else:
                self._begin_at_the_host()
            self._enter()
        except _Stop:
            return

    # --- without credentials ---

    def _begin_at_the_host(self) -> None:
        for name in (StepName.NAME, StepName.PORT, StepName.TLS, StepName.PATH):
            self._not_needed(name, "Not tried alone: with transport host_shell, the host itself goes the way.")

    def _name(self, probe: Probe) -> None:
        with self._step(StepName.NAME) as seen:
            self._addresses = probe.resolve()
            whose = "The proxy" if probe.proxy else "The name"
            if is_address(probe.host):
                seen.append(f"{probe.host} is an address and needs no name service.")
            else:
                seen.append(f"{whose} {probe.host} has the addresses {', '.join(self._addresses)}.")

    def _port(self, probe: Probe) -> None:
        with self._step(StepName.PORT) as seen:
            address = probe.connect()
            seen.append(f"{probe.host}:{probe.port} took the connection, at {address}.")

    def _shake_hands(self, probe: Probe, endpoint: Endpoint) -> None:
        if probe.proxy:
            self._not_needed(
                StepName.TLS, "Not tried alone: a proxy is in between. The session itself makes and checks it."
            )
            return
        if not endpoint.uri.is_tls:
            self._not_needed(StepName.TLS, f"connection_uri is http://. {_encryption(endpoint)}")
            return
        with self._step(StepName.TLS) as seen:
            self._tls = tls = probe.shake_hands()
            seen.append(f"{tls.version} with {tls.cipher}. {_trust(tls)}")

    def _path(self, probe: Probe, endpoint: Endpoint) -> None:
        if probe.proxy:
            self._not_needed(StepName.PATH, "Not tried alone: a proxy is in between.")
            return
        with self._step(StepName.PATH) as seen:
            self._answer = answer = probe.ask()
            path, status = f"/{endpoint.uri.path}", answer.status
            if status == 401:
                offers = ", ".join(answer.offers) or "no method at all"
                seen.append(f"{path} asks for a login (HTTP status 401) and offers {offers}.")
            else:
                seen.append(f"{path} answered without asking for a login: HTTP status {status}.")

    # --- with credentials: once ---

    def _enter(self) -> None:
        if self._answer and self._probe and not self._probe.method_is_offered(self._answer):
            self._fail(StepName.AUTHENTICATION, *self._not_offered(self._answer))
        began = time.monotonic()
        try:
            with self._connection.open_once() as session:
                # One exchange of messages does both, so there is one time for both.
                self._ok(StepName.AUTHENTICATION, f"The login was accepted: {_who(self._endpoint)}.")
                self._ok(StepName.SESSION, self._opened(), time.monotonic() - began)
                self._look_around(session)
        except (LoginFailed, DependencyError) as exc:
            self._fail_with(StepName.AUTHENTICATION, exc, time.monotonic() - began)
        except ConnectionFailed as exc:
            if isinstance(exc, SessionRefused):
                self._ok(StepName.AUTHENTICATION, f"The login was accepted: {_who(self._endpoint)}.")
            else:
                not_known = "Not known: the session failed in a way that does not tell whether the login was accepted."
                self._steps.append(Step(StepName.AUTHENTICATION, StepState.NOT_TRIED, not_known))
            self._fail_with(StepName.SESSION, exc, time.monotonic() - began)
        except (ExchangeError, TimedOut) as exc:
            reached = {step.name for step in self._steps}
            self._fail_with(StepName.RIGHTS if StepName.SESSION in reached else StepName.SESSION, exc, None)

    def _look_around(self, session: Session) -> None:
        began = time.monotonic()
        self._look = look = look_at(session, self._connection.domain_controller)
        seconds = time.monotonic() - began
        self._steps.append(self._rights(look, seconds))
        if isinstance(session, SelfDescribing):
            with contextlib.suppress(ExchangeError):  # the way is known by now; these are extras
                self._facts = session.facts()

    def _rights(self, look: Look, seconds: float) -> Step:
        rights = look.rights
        missing = f" It lacks: {', '.join(rights.missing)}." if rights.missing else ""
        said = f" Exchange answered: {rights.said}" if rights.said else ""
        if rights.read is None:
            msg = f"Reading POP3 access does not work.{said}"
            return Step(
                StepName.RIGHTS, StepState.FAILED, msg, "Check domain_controller, and Exchange itself.", seconds
            )
        if not rights.read or (self._change_is_needed and rights.change is False):
            what = "change" if rights.read else "read"
            msg = f"This user may not {what} POP3 access.{missing}{said}"
            return Step(StepName.RIGHTS, StepState.FAILED, msg, _ROLE, seconds)
        msg = f"This user may {_may(rights)}.{missing}"
        return Step(StepName.RIGHTS, StepState.OK, msg, _ROLE if rights.missing else "", seconds)

    def _opened(self) -> str:
        return f"The server opened a session with the configuration '{self._endpoint.configuration_name}'."

    def _not_offered(self, answer: Answer) -> tuple[str, str]:
        offers = ", ".join(answer.offers) or "none"
        method = self._endpoint.authentication.value
        return (
            f"The server does not offer the method that 'authentication: {method}' needs; it offers: {offers}. No "
            "credentials were sent.",
            "Exchange's own default is kerberos; others work where an administrator turned them on "
            "(Set-PowerShellVirtualDirectory).",
        )

    # --- noting ---

    @contextlib.contextmanager
    def _step(self, name: StepName) -> Iterator[list[str]]:
        """Note a step: what was put into the list is what was seen."""
        seen: list[str] = []
        began = time.monotonic()
        try:
            yield seen
        except ProbeFailed as exc:
            self._fail(name, exc.diagnosis.came_back, exc.diagnosis.check, time.monotonic() - began)
        self._ok(name, " ".join(seen), time.monotonic() - began)

    def _ok(self, name: StepName, msg: str, seconds: float | None = None) -> None:
        self._steps.append(Step(name, StepState.OK, msg, seconds=seconds))

    def _not_needed(self, name: StepName, msg: str) -> None:
        self._steps.append(Step(name, StepState.NOT_NEEDED, msg))

    def _fail(self, name: StepName, msg: str, check: str, seconds: float | None = None) -> None:
        self._steps.append(Step(name, StepState.FAILED, msg, check, seconds))
        raise _Stop

    def _fail_with(self, name: StepName, exc: BaseException, seconds: float | None) -> None:
        if isinstance(exc, ConnectionFailed):
            self._fail(name, exc.came_back, exc.check, seconds)
        self._fail(name, str(exc), "", seconds)

    # --- the result ---

    def result(self) -> Result:
        """Return the result in Ansible's form."""
        steps = all_steps(self._steps)
        states = {step.name: step.state for step in steps}
        result: Result = {
            "changed": False,
            "reachable": states[StepName.SESSION] is StepState.OK,
            "steps": [_step_dict(step) for step in steps],
            "endpoint": self._endpoint_dict(),
            "session": self._session_dict(),
            "commands": self._commands(),
            "rights": self._rights_dict(),
        }
        failure = first_failure(steps)
        if failure:
            number = list(StepName).index(failure.name) + 1
            words = f"Step {number} of {len(steps)}, {failure.name.value}, failed. {failure.msg} {failure.check}"
            result |= {"failed": True, "msg": words.strip()}
        return result

    def _endpoint_dict(self) -> dict[str, Any]:
        uri, answer = self._endpoint.uri, self._answer
        return {
            "uri": None if uri is None else str(uri),
            "authentication": self._endpoint.authentication.value,
            "username": self._endpoint.username,
            "encrypted_by": _encrypted_by(self._endpoint),
            "addresses": list(self._addresses),
            "proxy": _proxy(self._probe),
            "tls": _tls_dict(self._tls),
            "http_status": answer.status if answer else None,
            "http_server": answer.server if answer else None,
            "offers": list(answer.offers) if answer else None,
        }

    def _session_dict(self) -> dict[str, Any]:
        facts = self._facts or SessionFacts()
        return {
            "user": facts.user,
            "server": self._look.server if self._look else None,
            "configuration_name": self._endpoint.configuration_name,
            "powershell_version": facts.powershell_version,
            "protocol_version": facts.protocol_version,
            "language_mode": facts.language_mode,
        }

    def _commands(self) -> list[dict[str, Any]] | None:
        commands = self._look.commands if self._look else None
        if commands is None:
            return None
        return [{"name": command.name, "parameters": list(command.parameters)} for command in commands]

    def _rights_dict(self) -> dict[str, Any]:
        rights = self._look.rights if self._look else None
        if rights is None:
            return {"read": None, "change": None, "missing": []}
        return {"read": rights.read, "change": rights.change, "missing": list(rights.missing)}


def _step_dict(step: Step) -> dict[str, Any]:
    return {
        "step": step.name.value,
        "state": step.state.value,
        "msg": step.msg,
        "check": step.check,
        "seconds": None if step.seconds is None else round(step.seconds, 3),
    }


def _tls_dict(tls: Tls | None) -> dict[str, Any] | None:
    if tls is None:
        return None
    certificate = asdict(tls.certificate) if tls.certificate else None
    if certificate:
        certificate["names"] = list(certificate["names"])
    return {"version": tls.version, "cipher": tls.cipher, "trusted": tls.trusted, "certificate": certificate}


def _trust(tls: Tls) -> str:
    words = (
        "The certificate is trusted." if tls.trusted else "The certificate was not checked: validate_certs is false."
    )
    if tls.certificate is None:
        return words
    soon = tls.certificate.days_left < _EXPIRES_SOON
    ends = f" It ends in {tls.certificate.days_left} days: renew it." if soon else ""
    return f"{words} {tls.certificate.described}{ends}"


def _proxy(probe: Probe | None) -> str | None:
    return ":".join(map(str, probe.proxy)) if probe and probe.proxy else None


def _encrypted_by(endpoint: Endpoint | HostEndpoint) -> str:
    if endpoint.uri is not None and endpoint.uri.is_tls:
        return "tls"
    return endpoint.authentication.value if endpoint.encrypts_messages else "nothing"


def _encryption(endpoint: Endpoint) -> str:
    if endpoint.encrypts_messages:
        return f"The messages themselves are encrypted by the login: {endpoint.authentication.value}."
    return "Nothing is encrypted (allow_unencrypted): anybody on the network can read the password and all data."


def _may(rights: Rights) -> str:
    if rights.change is None:
        return "read POP3 access; whether it may be changed is not known, the session does not say what it shows"
    return "read and change POP3 access" if rights.change else "read POP3 access, and not change it"


def _who(endpoint: Endpoint | HostEndpoint) -> str:
    if endpoint.username:
        return f"{endpoint.authentication.value}, as {endpoint.username}"
    if isinstance(endpoint, HostEndpoint):
        return f"{endpoint.authentication.value}, as the user that the host is logged on with"
    own = "certificate" if endpoint.authentication is Authentication.CERTIFICATE else "ticket"
    return f"{endpoint.authentication.value}, with the user's own {own}"


def _check_params(params: Mapping[str, Any]) -> None:
    """There is nothing beside the connection options that could contradict anything."""
    del params


ENDPOINT_INFO = exchange_module(
    {"needed_rights": {"type": "str", "default": "change", "choices": ["read", "change"]}},
    run,
    _check_params,
)
