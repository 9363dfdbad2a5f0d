# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session over the task's own Windows host: a script there opens one with Exchange for each pipeline that is run.

So one of our sessions is many of Exchange's, each of which may have another domain controller. It is kept to one: the
first answer says which domain controller it came from, and every later cmdlet is given that one.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from .._errors import ConnectionFailed, LoginFailed, NotRun, SessionLost, SessionRefused, UnexpectedReply, quoted
from .._session._host import HostShell
from .._session._protocol import Answer, Cmdlet, ErrorRecord, Pipeline, Record, Reply
from ._host_endpoint import HostEndpoint
from ._refusals import ALLOW_REMOTE_POWERSHELL, CLOSE_SOME, LIMIT_OF_SESSIONS

SCRIPT = Path(__file__).with_name("host_shell.ps1")

_quoted = functools.partial(quoted, most=600)
"""PowerShell says more around what matters than others do."""

# Codes of Windows and of WinRM, as PSRemotingTransportException.ErrorCode has them (the source of PowerShell names
# them: WSManNativeApi).
_LOGIN = frozenset({1311, 1326, -2144108274})
_ACCESS_DENIED = 5
_NO_TICKET = frozenset({1312, -2146893053, -2144108387, -2144108315})
_NOT_TRUSTED = frozenset({12175, -2144108316})
_NOT_FOUND = frozenset({-2144108269, -2144108542, -2144108485})
_TIMED_OUT = -2144108250
_MAY_PASS = frozenset({53, 995, 1115, 1722, -2144108526, -2144108270, -2144108176})

_REFUSED_BY_EXCHANGE = "[FailureCategory=AuthZ-"
"""What stands in Exchange's own words, and in no others: the login itself was accepted."""


class HostShellSession:
    """A ``Session`` by way of PowerShell on the task's own host."""

    def __init__(self, endpoint: HostEndpoint, host: HostShell) -> None:
        self._endpoint = endpoint
        self._host = host
        self._script = SCRIPT.read_text("utf-8")
        self._domain_controller: str | None = None
        self._may_name_one = True
        self._openings = 0

    @property
    def openings(self) -> int:
        """How many times it went to a domain controller that Exchange chose; see ``Session``."""
        return max(1, self._openings)

    def __enter__(self) -> HostShellSession:
        """Open and close a session with Exchange, so that what is wrong with that is said before anything is run."""
        try:
            self._run({})
        except (SessionLost, UnexpectedReply) as exc:
            raise ConnectionFailed(
                f"No session with Exchange at {self._endpoint.described} could be opened: the task's own host was to "
                f"do that (transport: host_shell), and could not be used for it. {exc}",
                "Check that the host's own connection works, with ansible.windows.win_ping for example.",
            ) from exc
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is left open: the script closes what it opened."""

    def abort(self) -> None:
        """The script cannot be reached while it runs; it closes its session with Exchange when it ends."""

    def invoke(
        self,
        pipeline: Pipeline,
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
    ) -> Reply:
        """Run a pipeline; see ``Session``. This session repeats nothing, so ``again`` is never called."""
        del again
        call = _Call.of(pipeline)
        named = self._domain_controller is not None and not call.names_a_domain_controller
        reply = self._invoke(call.with_domain_controller(self._domain_controller) if named else call)
        if named and reply.errors and reply.errors[0].is_parameter_not_found:  # RBAC can hide DomainController, too
            self._domain_controller, self._may_name_one = None, False
            reply = self._invoke(call)
        if pipeline.most is not None and len(reply.answers) > pipeline.most:
            raise UnexpectedReply(f"{pipeline.name} gave more answers than there can be.")
        if take is None:
            return reply
        for record in reply.records:
            take(record)
        return replace(reply, answers=reply.errors)

    def _invoke(self, call: _Call) -> Reply:
        if not call.names_a_domain_controller:
            self._openings += 1
        try:
            said = self._run(call.parameters)
        except ConnectionFailed as exc:
            raise NotRun(f"{call.cmdlet.name} was not run. {exc}") from exc
        answers = [_answer(answer) for answer in _list(said, "answers")]
        for answer in answers:
            self._refuse_what_broke(call, answer)
        if self._may_name_one and self._domain_controller is None:
            self._domain_controller = next(
                (str(one["domain_controller"]) for one in answers if one["domain_controller"]), None
            )
        return Reply(
            tuple(one for answer in answers for one in _answers(answer)),
            tuple(str(text) for answer in answers for text in _list(answer, "warnings")),
        )

    def _refuse_what_broke(self, call: _Call, answer: Mapping[str, Any]) -> None:
        """Raise SessionLost where the session did not outlive a cmdlet: what came before it is not known either."""
        where = f"The session with Exchange that the host opened at {self._endpoint.described}"
        if answer["silent"]:
            raise SessionLost(
                f"{where} was silent during {call.cmdlet.name} for operation_timeout: "
                f"{self._endpoint.operation_timeout} seconds. It was told to stop.",
                was_silent=True,
            )
        if answer["lost"]:
            raise SessionLost(f"{where} broke during {call.cmdlet.name}. PowerShell says: {_quoted(answer['lost'])}")

    def _run(self, more: Mapping[str, object]) -> Mapping[str, Any]:
        """Run the script. Raises ConnectionFailed where the host could not open a session with Exchange."""
        endpoint = self._endpoint
        if endpoint.login.refused:
            raise LoginFailed("This login was refused before, and is not tried again.")
        parameters: dict[str, object] = {
            "ConfigurationName": endpoint.configuration_name,
            "Authentication": endpoint.powershells_authentication,
            "ValidateCerts": endpoint.validate_certs,
            "OpenSeconds": endpoint.connection_timeout,
            "CallSeconds": endpoint.operation_timeout,
            **more,
        }
        if endpoint.uri is not None:
            parameters["ConnectionUri"] = str(endpoint.uri)
        said = _said(self._host.run(self._script, parameters, endpoint.credential))
        if said.get("failure"):
            raise self._not_opened(said["failure"])
        return said

    def _not_opened(self, failure: Mapping[str, Any]) -> ConnectionFailed:
        error = _error(failure)
        code = int(failure.get("code") or 0)
        came_back = (
            f"No session with Exchange at {self._endpoint.described} could be opened by the task's own host "
            f"(transport: host_shell). PowerShell says: {_quoted(error.message)} ({error.fully_qualified_error_id})"
        )
        if LIMIT_OF_SESSIONS in error.message:
            return SessionRefused(came_back, CLOSE_SOME, may_pass=True)
        if _REFUSED_BY_EXCHANGE in error.message:
            return ConnectionFailed(came_back, ALLOW_REMOTE_POWERSHELL)
        # With basic, Windows calls a wrong password a denied access. Every run of the script logs in anew.
        self._endpoint.login.refused = code in _LOGIN or code == _ACCESS_DENIED
        kind = LoginFailed if code in _LOGIN or code in _NO_TICKET else ConnectionFailed
        return kind(came_back, self._check(code), may_pass=code in _MAY_PASS)

    def _check(self, code: int) -> str:
        if code in _LOGIN:
            return "Check username and password. It is not tried again: enough wrong passwords lock an account."
        if code == _ACCESS_DENIED or code in _NO_TICKET:
            return self._check_login()
        if code in _NOT_TRUSTED:
            return (
                "Check that the host itself trusts the certificate (its own store counts; ca_cert does not) and that "
                "the name in connection_uri is in it."
            )
        if code in _NOT_FOUND:
            return "Check connection_uri (Exchange's path is /PowerShell/) and configuration_name."
        if code == _TIMED_OUT:  # not tried again: it would take as long
            return (
                "Check connection_uri, and that no firewall is in between. The server may be overloaded; "
                "connection_timeout says how long to wait."
            )
        return "Check connection_uri, and that IIS serves Exchange there."

    def _check_login(self) -> str:
        if self._endpoint.credential is not None:
            return (
                "Check username and password, that the method is turned on for the virtual directory, and that the "
                "user may open a session: Get-User ... | Format-List RemotePowerShellEnabled."
            )
        return (
            "The user that Ansible logs in with may have nothing to show to Exchange, because a login over the network "
            "cannot be passed on (the 'double hop'). Give username and password, or use become: true with "
            "become_method: runas, or a connection that delegates (CredSSP)."
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """A pipeline as the script takes it."""

    cmdlet: Cmdlet
    values: tuple[str, ...] | None
    properties: tuple[str, ...]

    @classmethod
    def of(cls, pipeline: Pipeline) -> _Call:
        """A Select-Object at the end is done by the script, where it needs nobody's leave."""
        cmdlet, *behind = pipeline.cmdlets
        properties: tuple[str, ...] = ()
        for one in behind:
            names = one.parameters.get("Property")
            if one.name != "Select-Object" or set(one.parameters) != {"Property"} or not isinstance(names, tuple):
                raise ValueError(f"host_shell runs one cmdlet with Select-Object -Property behind it, not {one.name}")
            properties = names
        return cls(cmdlet, pipeline.values, properties)

    @property
    def names_a_domain_controller(self) -> bool:
        return "DomainController" in self.cmdlet.parameters

    def with_domain_controller(self, name: str | None) -> _Call:
        given = {"DomainController": name} if name else {}
        return replace(self, cmdlet=Cmdlet(self.cmdlet.name, {**self.cmdlet.parameters, **given}))

    @property
    def parameters(self) -> dict[str, object]:
        """For the script."""
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in self.cmdlet.parameters.items()}
        parameters: dict[str, object] = {"Cmdlet": self.cmdlet.name, "Parameters": plain}
        if self.values is not None:
            parameters["Values"] = list(self.values)
        if self.properties:
            parameters["Property"] = list(self.properties)
        return parameters


def _said(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except ValueError as exc:
        raise UnexpectedReply(f"The script on the host wrote no JSON ({exc}): {_quoted(text)}") from exc
    if not isinstance(said, dict):
        raise UnexpectedReply(f"The script on the host wrote something else than an object: {_quoted(text)}")
    return said


def _answer(answer: object) -> Mapping[str, Any]:
    if not isinstance(answer, dict) or not {"domain_controller", "silent", "lost"} <= answer.keys():
        raise UnexpectedReply(f"The script on the host wrote an answer that is none: {_quoted(str(answer))}")
    return answer


def _answers(answer: Mapping[str, Any]) -> Iterator[Answer]:
    """What came of one value: first what the cmdlet wrote, then its errors; between them no order is known."""
    for record in _list(answer, "records"):
        if not isinstance(record, dict):
            raise UnexpectedReply(f"The script on the host wrote a record that is none: {_quoted(str(record))}")
        yield record
    for error in _list(answer, "errors"):
        yield _error(error)


def _list(said: Mapping[str, Any], name: str) -> list[Any]:
    found = said.get(name)
    if not isinstance(found, list):
        raise UnexpectedReply(f"The script on the host wrote no list of {name}.")
    return found


def _error(error: Mapping[str, Any]) -> ErrorRecord:
    return ErrorRecord(str(error.get("message") or ""), str(error.get("id") or ""))
