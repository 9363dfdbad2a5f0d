# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runspace pool in no-language mode: PSRP in, cmdlets run, PSRP out. Knows nothing of WSMan or HTTP.

Each pipeline runs in a thread of its own, so that a client sees output as it comes and can stop what runs.
"""

from __future__ import annotations

import itertools
import logging
import queue
import struct
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from psrpcore import (
    GetAvailableRunspacesEvent,
    PSRPCoreError,
    PSRPPayload,
    ResetRunspaceStateEvent,
    ServerPipeline,
    ServerRunspacePool,
    SetMaxRunspacesEvent,
    SetMinRunspacesEvent,
    StreamType,
)
from psrpcore import types as ps

from simulator.exchange import clixml
from simulator.exchange.clixml import MalformedData
from simulator.exchange.cmdlets import (
    Cmdlet,
    CmdletCall,
    Command,
    CommandTable,
    PipelineStopped,
    Session,
    SessionGone,
    Statement,
    now,
)
from simulator.exchange.errors import (
    ErrorRecord,
    TerminatingError,
    command_not_found,
    not_in_restricted_language,
    scripts_not_allowed,
)
from simulator.exchange.pace import Pace
from simulator.exchange.parameters import Switch
from simulator.exchange.values import Complex, EnumValue, Record, Table, TextList, Value

log = logging.getLogger(__name__)

FRAGMENT_SIZE = 32768
GRACE = 0.05
"""Seconds for which the start of a pipeline waits for its end. A real server answers at once; the wait makes what a
test sees right after a lost answer the same every time, and a client that asks next loses nothing by it. Where round
trips have a price, it would lose: there is no wait then."""

POWERSHELL_VERSION = "5.1.20348.2849"
"""That of Windows PowerShell on Windows Server 2022."""

_OWN_OBJECT_IDS = 1 << 40  # psrpcore counts the ids of its messages from 1; those of the records must not meet them


class UnknownPipeline(Exception):
    """No pipeline with this id."""


class RunspaceClosed(Exception):
    """The runspace pool has gone."""


@dataclass(slots=True)
class _Output:
    chunks: deque[bytes] = field(default_factory=deque)
    size: int = 0
    wanted: int = 1
    """Whoever waits is woken when there is this much. Waking for each record would make listings slow."""
    finished: bool = False

    def add(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.size += len(chunk)


class _Pipeline:
    """One pipeline at work."""

    def __init__(self, pool: Runspace, server: ServerPipeline, has_input: bool) -> None:
        self.server = server
        self.pipeline_id = server.pipeline_id
        self.has_input = has_input
        self.input: queue.SimpleQueue[tuple[object, ...] | None] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self.finished = threading.Event()
        self.thread: threading.Thread | None = None
        self.pace = Pace(self._wait)
        self._pool = pool

    def _wait(self, seconds: float) -> None:
        """Ends early when the pipeline is stopped."""
        if self.stopped.wait(seconds):
            raise PipelineStopped

    def next_input(self) -> tuple[object, ...] | None:
        """The next object from the client, as soon as there is one; None at the end."""
        try:
            return self.input.get_nowait()
        except queue.Empty:
            item = self.input.get()
            self.pace.resume()
            return item

    # Streams

    def output(self, record: Record) -> None:
        """The success stream."""
        if self.stopped.is_set():
            raise PipelineStopped
        self._pool.write(self.pipeline_id, clixml.PIPELINE_OUTPUT, record)

    def error(self, record: ErrorRecord) -> None:
        """The error stream."""
        self._pool.write(self.pipeline_id, clixml.ERROR_RECORD, _error(record))

    def warning(self, text: str) -> None:
        """The warning stream."""
        self._pool.write(self.pipeline_id, clixml.WARNING_RECORD, _warning(text))


class Runspace:
    """One shell's runspace pool. All methods may be called from several threads."""

    def __init__(
        self,
        session: Session,
        table: CommandTable,
        record_call: Callable[[CmdletCall], None],
        vanish: Callable[[], None],
    ) -> None:
        self.session = session
        self._table = table
        self._record_call = record_call
        self._vanish = vanish
        # A real server sends its whole $PSVersionTable.
        self._pool = ServerRunspacePool({"PSVersionTable": {"PSVersion": POWERSHELL_VERSION, "PSEdition": "Desktop"}})
        self._changed = threading.Condition(threading.RLock())
        self._pipelines: dict[uuid.UUID, _Pipeline] = {}
        self._commands: dict[str, uuid.UUID] = {}
        self._outputs: dict[uuid.UUID | None, _Output] = {None: _Output()}
        self._incoming = clixml.Defragmenter()
        self._object_ids = itertools.count(_OWN_OBJECT_IDS)
        self._closed = False

    # --- from the client ---

    def open(self, data: bytes) -> None:
        """The first fragments: session capability and the wish for a runspace pool."""
        self.feed(None, data)

    def start(self, command_id: str, data: bytes) -> None:
        """Start a pipeline. What it writes waits for `receive`."""
        pipeline_id = clixml.pipeline_of(data)
        with self._changed:
            self._check_open()
            ServerPipeline(self._pool, pipeline_id)
            self._commands[command_id] = pipeline_id
            self._outputs[pipeline_id] = _Output()
        self.feed(command_id, data)

    def feed(self, command_id: str | None, data: bytes) -> None:
        """More fragments, for the pool or for a pipeline."""
        with self._changed:
            self._check_open()
            pipeline_id = None if command_id is None else self._pipeline_id(command_id)
            if pipeline_id is None:
                self._feed_pool(data)
            else:
                for message in self._incoming.feed(data):
                    self._handle(message)
            pipeline = self._pipelines.get(pipeline_id) if pipeline_id is not None else None
        if pipeline is not None and not pipeline.has_input and not self.session.behaviour.costs.round_trip:
            pipeline.finished.wait(GRACE)

    def receive(self, command_id: str | None, timeout: float, limit: int) -> tuple[list[bytes], bool] | None:
        """Output of a pipeline or of the pool, at most about `limit` bytes, as soon as there is some, and whether that
        was all; None when nothing came within the timeout."""
        with self._changed:
            self._check_open()
            output = self._outputs[None if command_id is None else self._pipeline_id(command_id)]
            self._changed.wait_for(lambda: output.chunks or output.finished or self._closed, timeout)
            if not output.chunks and not output.finished:
                self._check_open()
                return None
            # The last record and the end of the pipeline come together when they are this close.
            output.wanted = limit
            gather = self.session.behaviour.costs.gather
            self._changed.wait_for(lambda: output.finished or output.size >= limit or self._closed, gather)
            output.wanted = 1
            taken: list[bytes] = []
            size = 0
            while output.chunks and (not taken or size + len(output.chunks[0]) <= limit):
                taken.append(output.chunks.popleft())
                size += len(taken[-1])
            output.size -= size
            return taken, output.finished and not output.chunks

    def stop(self, command_id: str) -> None:
        """The client's Ctrl-C."""
        with self._changed:
            pipeline = self._pipelines.get(self._pipeline_id(command_id))
        if pipeline is None:
            return
        pipeline.stopped.set()
        pipeline.input.put(None)
        pipeline.finished.wait(1.0)

    def forget(self, command_id: str) -> None:
        """The client has all it wanted of this pipeline."""
        self.stop(command_id)
        with self._changed:
            pipeline_id = self._commands.pop(command_id)
            self._outputs.pop(pipeline_id, None)
            pipeline = self._pipelines.pop(pipeline_id, None)
            self._pool.pipeline_table.pop(pipeline_id, None)
        if pipeline is not None and pipeline.thread is not None:
            pipeline.thread.join(1.0)

    def close(self) -> None:
        """Stop everything; whoever waits in `receive` gets `RunspaceClosed`."""
        with self._changed:
            self._closed = True
            pipelines = list(self._pipelines.values())
            self._changed.notify_all()
        for pipeline in pipelines:
            pipeline.stopped.set()
            pipeline.input.put(None)
        for pipeline in pipelines:
            if pipeline.thread is not None and pipeline.thread is not threading.current_thread():
                pipeline.thread.join(1.0)

    # --- to the client ---

    def write(self, pipeline_id: uuid.UUID, kind: int, record: Record) -> None:
        """Queue an entry of one of the streams. They leave in the order in which they were written, whatever their
        streams: a client that feeds many objects into a pipeline sees what became of each in turn."""
        data = clixml.serialize(record)
        message = clixml.message(kind, self._pool.runspace_pool_id, pipeline_id, data)
        with self._changed:
            output = self._outputs.get(pipeline_id)
            if output is not None and not self._closed:
                for fragment in clixml.fragments(next(self._object_ids), message, FRAGMENT_SIZE - 21):
                    output.add(fragment)
                if output.size >= output.wanted:
                    self._changed.notify_all()

    def _flush(self) -> None:
        while (payload := self._pool.data_to_send(FRAGMENT_SIZE)) is not None:
            output = self._outputs.get(payload.pipeline_id)
            if output is not None:
                output.add(payload.data)
        self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise RunspaceClosed

    def _pipeline_id(self, command_id: str) -> uuid.UUID:
        try:
            return self._commands[command_id]
        except KeyError:
            raise UnknownPipeline(command_id) from None

    # --- events ---

    def _feed_pool(self, data: bytes) -> None:
        self._pool.receive_data(PSRPPayload(data, StreamType.default, None))
        try:
            while (event := self._pool.next_event()) is not None:
                match event:
                    case GetAvailableRunspacesEvent():
                        self._pool.runspace_availability_response(event.ci, 1)
                    case SetMaxRunspacesEvent() | SetMinRunspacesEvent() | ResetRunspaceStateEvent():
                        self._pool.runspace_availability_response(event.ci, False)
                    case _:
                        pass  # psrpcore has answered by itself, or there is nothing to answer
        except (PSRPCoreError, KeyError, ValueError, AttributeError, struct.error, SyntaxError) as error:
            # Whatever psrpcore makes of bytes that are no PSRP (SyntaxError: no XML).
            raise MalformedData(str(error)) from error
        self._flush()

    def _handle(self, message: clixml.Incoming) -> None:
        pipeline = self._pipelines.get(message.pipeline)
        match message.kind:
            case clixml.CREATE_PIPELINE:
                self._create(message.pipeline, clixml.deserialize(message.data))
            case clixml.GET_COMMAND_METADATA:
                self._describe(message.pipeline, clixml.deserialize(message.data))
            case clixml.PIPELINE_INPUT if pipeline is not None:
                # No data at all is $null.
                pipeline.input.put((clixml.deserialize(message.data) if message.data else None,))
            case clixml.END_OF_PIPELINE_INPUT if pipeline is not None:
                pipeline.input.put(None)
            case _:
                raise MalformedData(f"unexpected message of type {message.kind:#x}")

    def _create(self, pipeline_id: uuid.UUID, sent: object) -> None:
        statements = _statements(sent)
        pipeline = self._add(pipeline_id, has_input=_property(sent, "NoInput") is not True)
        calls = [self._call(pipeline_id, command) for commands in statements for command in commands]
        for call in calls:
            self._record_call(call)
        self._run(pipeline, lambda: self._execute(pipeline, statements, calls[0]))

    def _call(self, pipeline_id: uuid.UUID, command: Command) -> CmdletCall:
        parameters: dict[str, object] = {}
        for number, (name, value) in enumerate(command.arguments):
            parameters[name if name is not None else str(number)] = value
        session = self.session
        return CmdletCall(
            command.name, parameters, session.user.name, session.shell_id, str(pipeline_id), now(), command.is_script
        )

    def _add(self, pipeline_id: uuid.UUID, *, has_input: bool) -> _Pipeline:
        server = self._pool.pipeline_table[pipeline_id]
        server.state = ps.PSInvocationState.Running  # not start(): a real server does not announce this state
        pipeline = self._pipelines[pipeline_id] = _Pipeline(self, server, has_input)
        return pipeline

    def _run(self, pipeline: _Pipeline, work: Callable[[], None]) -> None:
        pipeline.thread = threading.Thread(
            target=self._work, args=(pipeline, work), name=f"pipeline-{pipeline.pipeline_id}", daemon=True
        )
        pipeline.thread.start()

    def _work(self, pipeline: _Pipeline, work: Callable[[], None]) -> None:
        end: Callable[[], None] = pipeline.server.complete
        pipeline.pace.resume()
        try:
            work()
            pipeline.pace.settle()
        except TerminatingError as error:
            record = error.record

            def end() -> None:
                _fail(pipeline.server, record)
        except PipelineStopped:
            end = pipeline.server.stop
        except SessionGone:
            self._vanish()
        except Exception as error:  # a mistake in the simulator: show it, and do not leave the client waiting
            log.exception("pipeline %s", pipeline.pipeline_id)
            internal = ErrorRecord(repr(error), "System.InvalidOperationException", "SimulatorError")

            def end() -> None:
                _fail(pipeline.server, internal)

        with self._changed:
            if not self._closed:
                end()
                self._flush()
            output = self._outputs.get(pipeline.pipeline_id)
            if output is not None:
                output.finished = True
            self._changed.notify_all()
        pipeline.finished.set()

    def _execute(self, pipeline: _Pipeline, statements: list[list[Command]], first: CmdletCall) -> None:
        for number, commands in enumerate(statements):
            has_input = pipeline.has_input and number == 0
            try:
                self._execute_statement(pipeline, commands, first, has_input=has_input)
            except TerminatingError as error:
                # With several statements PowerShell writes the error and goes on to the next one (its source:
                # PowerShell.AddStatement runs a batch).
                if len(statements) == 1:
                    raise
                pipeline.error(error.record)

    def _execute_statement(
        self, pipeline: _Pipeline, commands: list[Command], first: CmdletCall, *, has_input: bool
    ) -> None:
        for command in commands:
            if command.is_script:
                self._run_script(pipeline, command.name)
                return
        statement = Statement(commands, self._table, self.session, pipeline, pipeline.pace.spend, has_input=has_input)
        statement.begin()
        if not has_input:
            statement.process()
            statement.end()
            return
        while (item := pipeline.next_input()) is not None:
            if pipeline.stopped.is_set():
                break
            first.pipeline_input.append(item[0])
            statement.process(item[0])
        if pipeline.stopped.is_set():
            raise PipelineStopped
        statement.end()

    def _run_script(self, pipeline: _Pipeline, script: str) -> None:
        """There is no PowerShell here; what is known is how a session answers who asks for its language."""
        mode = self.session.behaviour.language_mode
        if mode == "NoLanguage":
            raise TerminatingError(scripts_not_allowed(script))
        if mode == "RestrictedLanguage":
            raise TerminatingError(not_in_restricted_language(script))
        pipeline.output(Record((), [("Value", mode)], mode))

    def _describe(self, pipeline_id: uuid.UUID, sent: object) -> None:
        wanted = _property(sent, "Name")
        patterns = [str(one).lower() for one in wanted] if isinstance(wanted, list) else ["*"]
        cmdlets = [cmdlet for cmdlet in self._table.visible(self.session.user) if _matches(cmdlet.name, patterns)]
        pipeline = self._add(pipeline_id, has_input=False)

        def work() -> None:
            if not self.session.behaviour.command_metadata:
                raise TerminatingError(command_not_found("Get-Command"))
            pipeline.output(
                Record(
                    (
                        "Selected.Microsoft.PowerShell.Commands.GenericMeasureInfo",
                        "System.Management.Automation.PSCustomObject",
                        "System.Object",
                    ),
                    [("Count", len(cmdlets))],
                    extended=True,
                )
            )
            for cmdlet in cmdlets:
                pipeline.output(_metadata(cmdlet))

        self._run(pipeline, work)


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)


def _metadata(cmdlet: Cmdlet) -> Record:
    """[MS-PSRP] 2.2.3.22."""
    parameters: list[tuple[str, Value]] = []
    for parameter in cmdlet.parameters:
        properties: tuple[tuple[str, Value], ...] = (
            ("Name", parameter.name),
            ("ParameterType", parameter.type.type_name),
            ("Aliases", TextList(parameter.aliases)),
            ("SwitchParameter", isinstance(parameter.type, Switch)),
            ("IsDynamic", False),
        )
        types = ("System.Management.Automation.ParameterMetadata", "System.Object")
        parameters.append((parameter.name, Complex(types, types[0], properties)))
    return Record(
        ("System.Management.Automation.PSCustomObject", "System.Object"),
        [
            ("Name", cmdlet.name),
            ("Namespace", "Microsoft.Exchange.Management.PowerShell.E2010"),
            ("HelpUri", ""),
            ("CommandType", EnumValue("System.Management.Automation.CommandTypes", "Cmdlet", 8)),
            ("OutputType", TextList((cmdlet.output_type,) if cmdlet.output_type else ())),
            ("Parameters", Table(tuple(parameters))),
        ],
        extended=True,
    )


# --- what a client sends ----------------------------------------------------------------------------------------------


def _property(sent: object, name: str) -> object:
    return sent.get(name) if isinstance(sent, Record) else None


def _statements(sent: object) -> list[list[Command]]:
    """[MS-PSRP] 2.2.3.11 and 2.2.3.12; several statements come as ExtraCmds, the first of them among these."""
    powershell = _property(sent, "PowerShell")
    several = _property(powershell, "ExtraCmds")
    lists = [_property(one, "Cmds") for one in several] if isinstance(several, list) and several else []
    lists = lists or [_property(powershell, "Cmds")]
    statements = [[_command(one) for one in commands] for commands in lists if isinstance(commands, list) and commands]
    if not statements:
        raise MalformedData("a pipeline without commands")
    return statements


def _command(sent: object) -> Command:
    arguments = _property(sent, "Args")
    return Command(
        name=str(_property(sent, "Cmd")),
        arguments=tuple(_argument(one) for one in arguments) if isinstance(arguments, list) else (),
        is_script=_property(sent, "IsScript") is True,
    )


def _argument(sent: object) -> tuple[str | None, object]:
    name = _property(sent, "N")
    return None if name is None else str(name), _property(sent, "V")


# --- what psrpcore sends ----------------------------------------------------------------------------------------------

_CATEGORIES = {category.name: category for category in ps.ErrorCategory}
_HRESULT = -2146233088


def _error_record(record: ErrorRecord) -> ps.ErrorRecord:
    exception = ps.NETException(Message=record.message, HResult=_HRESULT)
    exception.PSObject.type_names = [record.exception_type, "System.Exception", "System.Object"]
    exception.PSObject.to_string = clixml.escaped(f"{record.exception_type}: {record.message}")
    error = ps.ErrorRecord(
        Exception=exception,
        TargetObject=record.target,
        FullyQualifiedErrorId=record.error_id,
        CategoryInfo=ps.ErrorCategoryInfo(
            Category=_CATEGORIES[record.category],
            Activity=record.activity,
            Reason=record.reason,
            TargetName=record.target or "",
            TargetType=record.target_type,
        ),
    )
    error.PSObject.to_string = clixml.escaped(record.message)  # psrpcore leaves ToString as it is
    return error


def _error(record: ErrorRecord) -> Record:
    """The same for the error stream, where there may be thousands ([MS-PSRP] 2.2.3.15)."""
    category = f"{record.category} ({record.target or ''}:{record.target_type}) [{record.activity}], {record.reason}"
    absent: tuple[tuple[str, Value], ...] = tuple(
        (name, None) for name in ("Data", "HelpLink", "InnerException", "Source", "StackTrace", "TargetSite")
    )
    exception = Complex(
        (record.exception_type, "System.Exception", "System.Object"),
        f"{record.exception_type}: {record.message}",
        (("Message", record.message), ("HResult", _HRESULT), *absent),
    )
    return Record(
        ("System.Management.Automation.ErrorRecord", "System.Object"),
        [
            ("Exception", exception),
            ("TargetObject", record.target),
            ("FullyQualifiedErrorId", record.error_id),
            ("InvocationInfo", None),
            ("ErrorCategory_Category", int(_CATEGORIES[record.category])),
            ("ErrorCategory_Activity", record.activity),
            ("ErrorCategory_Reason", record.reason),
            ("ErrorCategory_TargetName", record.target or ""),
            ("ErrorCategory_TargetType", record.target_type),
            ("ErrorCategory_Message", category),
            ("SerializeExtendedInfo", False),
        ],
        record.message,
        extended=True,
    )


def _warning(text: str) -> Record:
    """[MS-PSRP] 2.2.3.16."""
    return Record(
        (
            "System.Management.Automation.WarningRecord",
            "System.Management.Automation.InformationalRecord",
            "System.Object",
        ),
        [("InformationalRecord_Message", text), ("InformationalRecord_SerializeInvocationInfo", False)],
        text,
        extended=True,
    )


def _fail(pipeline: ServerPipeline, record: ErrorRecord) -> None:
    """End a pipeline as failed; psrpcore has no call for this."""
    state = ps.PSInvocationState.Failed
    pipeline.prepare_message(ps.PipelineState(PipelineState=int(state), ExceptionAsErrorRecord=_error_record(record)))
    pipeline.state = state
