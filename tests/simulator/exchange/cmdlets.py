# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small framework for cmdlets: what a cmdlet is, what surrounds it, and how a pipeline of them runs.

A pipeline pushes: every stage processes one object after the other and hands its output to the next stage. An error of
one object does not stop the others, unless it is a `TerminatingError`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol, TypeVar

from simulator.exchange.behaviour import ExchangeBehaviour
from simulator.exchange.errors import (
    ErrorRecord,
    Failure,
    TerminatingError,
    access_denied,
    binding_error,
    command_not_found,
    exchange_error,
)
from simulator.exchange.organisation import DomainController, Organisation
from simulator.exchange.parameters import ConversionError, Parameter, Signature, Switch, Text, Unlimited, not_bound
from simulator.exchange.rbac import User
from simulator.exchange.texts import Texts, texts
from simulator.exchange.values import Record, Value, text_of, type_name_of

T = TypeVar("T")


class SessionGone(Exception):
    """The shell vanishes in the middle of a pipeline."""


class PipelineStopped(Exception):
    """The client stopped the pipeline, or the shell was closed under it."""


class CmdletFailure(Exception):
    """Raised by a cmdlet's body: becomes a non-terminating Exchange error for the current object."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Streams(Protocol):
    """Where a pipeline writes."""

    def output(self, record: Record) -> None:
        """The success stream."""

    def error(self, record: ErrorRecord) -> None:
        """The error stream."""

    def warning(self, text: str) -> None:
        """The warning stream."""


@dataclass(slots=True)
class CmdletCall:
    """One command of a pipeline as it was received."""

    name: str
    parameters: dict[str, object]
    user: str
    shell_id: str
    pipeline_id: str
    time: float
    is_script: bool = False
    pipeline_input: list[object] = field(default_factory=list)
    """What came in through the pipeline from the client (for the first command of a pipeline)."""


@dataclass(slots=True)
class Session:
    """What the cmdlets of one shell share."""

    organisation: Organisation
    behaviour: ExchangeBehaviour
    user: User
    shell_id: str
    domain_controller: DomainController
    """The session keeps to this one."""
    server: str
    """The Exchange server that answers, as error ids name it."""

    @property
    def texts(self) -> Texts:
        """Exchange's texts in the organisation's language."""
        return texts(self.organisation.language)

    def next_domain_controller(self) -> None:
        """Turn to another one, as a session does when its own goes away."""
        controllers = self.organisation.domain_controllers
        self.domain_controller = controllers[(controllers.index(self.domain_controller) + 1) % len(controllers)]


@dataclass(slots=True)
class Invocation:
    """One cmdlet in one running pipeline: its bound parameters, and what it may do."""

    cmdlet: Cmdlet
    session: Session
    bound: dict[str, object]
    emit: Callable[[Record], None]
    streams: Streams
    spend: Callable[[float], None]
    """Takes simulated time, in seconds."""

    def get(self, name: str, default: object = None) -> object:
        """A parameter's value."""
        return self.bound.get(name, default)

    def warn(self, text: str) -> None:
        """Write a warning, unless -WarningAction says not to."""
        if str(self.bound.get("WarningAction") or "").lower() not in ("silentlycontinue", "ignore", "0", "4"):
            self.streams.warning(text)

    def fail(self, record: ErrorRecord) -> None:
        """Write an error, or end the pipeline, as -ErrorAction says."""
        action = str(self.bound.get("ErrorAction") or "").lower()
        if action in ("stop", "1"):
            raise TerminatingError(record)
        if action not in ("silentlycontinue", "ignore", "0", "4"):
            self.streams.error(record)


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """An Exchange cmdlet."""

    name: str
    task_class: str
    parameters: tuple[Parameter, ...]
    roles: frozenset[str]
    process: Callable[[Invocation], None]
    output_type: str | None = None
    signature: Signature = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signature", Signature(self.name, self.task_class, self.parameters))

    def for_user(self, user: User) -> Cmdlet:
        """The cmdlet as its role entry shows it: a parameter that the entry does not have is not there at all."""
        if user.entries is None:
            return self
        return replace(self, parameters=tuple(p for p in self.parameters if user.may_give(self.name, p.name)))

    def error(self, session: Session, failure: Failure) -> ErrorRecord:
        """The Exchange error record for a failure."""
        return exchange_error(failure, server=session.server, cmdlet=self.name, task_class=self.task_class)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a statement, as the client sent it."""

    name: str
    arguments: tuple[tuple[str | None, object], ...]
    is_script: bool = False


class Stage(Protocol):
    """One command of a running statement."""

    def begin(self) -> None:
        """The statement starts."""

    def process(self, *values: object) -> None:
        """Work on one pipeline object, or, without any, on none."""

    def end(self) -> None:
        """No more objects come."""


class CmdletStage:
    """An Exchange cmdlet at work."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._bound = invocation.bound

    def begin(self) -> None:
        """What a cmdlet costs before it gets anything to do."""
        self._invocation.spend(self._invocation.session.behaviour.costs.per_cmdlet)

    def process(self, *values: object) -> None:
        """Bind one pipeline object, run the cmdlet, turn its failures into error records."""
        invocation, cmdlet = self._invocation, self._invocation.cmdlet
        behaviour = invocation.session.behaviour
        try:
            invocation.bound = self._bind(values[0]) if values else self._bound
        except ConversionError as error:
            invocation.fail(
                binding_error(
                    str(error),
                    error.error_id,
                    cmdlet=cmdlet.name,
                    task_class=cmdlet.task_class,
                    target=values[0] if isinstance(values[0], str) else None,
                )
            )
            return
        drops = [drop for drop in behaviour.session_drops if drop.strikes(cmdlet.name)]
        if any(drop.when == "before" for drop in drops):
            raise SessionGone
        invocation.spend(_of(behaviour.cmdlet_delays, cmdlet.name, 0.0))
        try:
            self._authorize()
            cmdlet.process(invocation)
        except CmdletFailure as failed:
            invocation.fail(cmdlet.error(invocation.session, failed.failure))
        for text in _of(behaviour.extra_warnings, cmdlet.name, []):
            invocation.warn(text)
        if drops:
            raise SessionGone

    def end(self) -> None:
        """Nothing is left to do."""

    def _bind(self, value: object) -> dict[str, object]:
        invocation = self._invocation
        if isinstance(value, str) and not invocation.session.behaviour.pipeline_input_binds:
            raise not_bound()
        return invocation.cmdlet.signature.bind_input(self._bound, value)

    def _authorize(self) -> None:
        session = self._invocation.session
        if session.user.is_denied(self._invocation.cmdlet.name):
            user = f"{session.organisation.domain}/Users/{session.user.name}"
            raise CmdletFailure(access_denied(session.texts.no_role.format(user=user)))


def _of(table: dict[str, T], cmdlet: str, default: T) -> T:
    if not table:
        return default
    wanted = cmdlet.lower()
    return next((value for name, value in table.items() if name.lower() == wanted), default)


SELECT_OBJECT = Signature(
    "Select-Object",
    "Microsoft.PowerShell.Commands.SelectObjectCommand",
    (
        Parameter("Property", Text(), position=0),
        Parameter("First", Unlimited()),
        Parameter("Unique", Switch()),
        Parameter("InputObject", Text(), from_pipeline=True),
    ),
)


class SelectObject:
    """`Select-Object -Property a,b` (and `-First n`): the only command besides Exchange's that may be visible."""

    def __init__(self, command: Command, emit: Callable[[Record], None]) -> None:
        self._emit = emit
        self._properties: tuple[str, ...] = ()
        self._left: int | None = None
        self._names: list[str] = []
        self._positions: list[tuple[str, int | None]] = []
        arguments: list[tuple[str | None, object]] = []
        for name, value in command.arguments:
            if name is None or name.lower() == "property":
                values = value if isinstance(value, list | tuple) else [value]
                self._properties = tuple(str(one) for one in values)
            else:
                arguments.append((name, value))
        bound = SELECT_OBJECT.bind(arguments, has_input=True)
        first = bound.get("First")
        self._left = first if isinstance(first, int) else None

    def begin(self) -> None:
        """It works on the records that it gets, and asks nobody: it costs nothing."""

    def process(self, *values: object) -> None:
        """Make a custom object with the chosen properties; one that does not exist is null."""
        if not values or not isinstance(values[0], Record):
            return
        if self._left is not None:
            if self._left == 0:
                return
            self._left -= 1
        record = values[0]
        if not self._properties:
            self._emit(record)
            return
        chosen = self._choose(record)
        text = "@{" + "; ".join([f"{name}={text_of(value)}" for name, value in chosen]) + "}"
        self._emit(Record(_selected(type_name_of(record)), chosen, text, extended=True))

    def _choose(self, record: Record) -> list[tuple[str, Value]]:
        names = [name for name, _unused in record.properties]
        if names != self._names:  # the same for all records of a listing
            positions = {name.lower(): position for position, name in enumerate(names)}
            self._names = names
            self._positions = [(name, positions.get(name.lower())) for name in self._properties]
        properties = record.properties
        return [(name, None) if position is None else properties[position] for name, position in self._positions]

    def end(self) -> None:
        """Nothing is left to do."""


@lru_cache(maxsize=64)
def _selected(type_name: str) -> tuple[str, ...]:
    return (f"Selected.{type_name}", "System.Management.Automation.PSCustomObject", "System.Object")


class CommandTable:
    """The cmdlets of an Exchange server, and which of them a user sees."""

    def __init__(self, cmdlets: Iterable[Cmdlet]) -> None:
        self._cmdlets = {cmdlet.name.lower(): cmdlet for cmdlet in cmdlets}

    def visible(self, user: User) -> tuple[Cmdlet, ...]:
        """What the user's roles show."""
        return tuple(cmdlet.for_user(user) for cmdlet in self._cmdlets.values() if user.sees(cmdlet.name, cmdlet.roles))

    def find(self, name: str, user: User) -> Cmdlet:
        """A visible cmdlet; TerminatingError when there is none, or when it is hidden."""
        cmdlet = self._cmdlets.get(name.lower())
        if cmdlet is None or not user.sees(cmdlet.name, cmdlet.roles):
            raise TerminatingError(command_not_found(name))
        return cmdlet.for_user(user)


class Statement:
    """A running statement: commands, each of which feeds the next."""

    def __init__(
        self,
        commands: Sequence[Command],
        table: CommandTable,
        session: Session,
        streams: Streams,
        spend: Callable[[float], None],
        *,
        has_input: bool,
    ) -> None:
        self._stages: list[Stage] = []
        emit: Callable[[Record], None] = streams.output
        for position in range(len(commands) - 1, -1, -1):
            stage = self._stage(commands[position], table, session, streams, spend, emit, has_input or position > 0)
            self._stages.insert(0, stage)
            emit = stage.process

    @staticmethod
    def _stage(
        command: Command,
        table: CommandTable,
        session: Session,
        streams: Streams,
        spend: Callable[[float], None],
        emit: Callable[[Record], None],
        has_input: bool,
    ) -> Stage:
        if command.name.lower() in ("select-object", "select") and session.behaviour.select_object_visible:
            return SelectObject(command, emit)
        cmdlet = table.find(command.name, session.user)
        bound = cmdlet.signature.bind(command.arguments, has_input=has_input)
        return CmdletStage(Invocation(cmdlet, session, bound, emit, streams, spend))

    def begin(self) -> None:
        """The statement starts, before its input comes."""
        for stage in self._stages:
            stage.begin()

    def process(self, *values: object) -> None:
        """One pipeline object into the first command; no argument: the statement has no input."""
        self._stages[0].process(*values)

    def end(self) -> None:
        """The input has ended."""
        for stage in self._stages:
            stage.end()


def now() -> float:
    """The time of a call, for the log."""
    return time.time()
