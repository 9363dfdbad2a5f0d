# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell remoting over WSMan ([MS-PSRP], ``Microsoft.PowerShell``), as Ansible's psrp connection uses it.

A pool of runspaces holds pipelines; a pipeline has one script, which is run as if it were given to powershell.exe: the
pipeline's input is its standard input, its exit code goes to the client's host as ``SetShouldExit``. File transfers use
scripts of their own over psrp and are refused.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from psrpcore import (
    CreatePipelineEvent,
    EndOfPipelineInputEvent,
    PipelineInputEvent,
    PowerShell,
    PSRPCoreError,
    PSRPPayload,
    ServerPipeline,
    ServerRunspacePool,
    StreamType,
)
from psrpcore.types import ErrorCategoryInfo, HostMethodIdentifier, NETException

from simulator.windows.interpreter import Outcome
from simulator.windows.powershell import CommandLine
from simulator.windows.workers import Workers
from simulator.wire import wsman
from simulator.wire.wsman import Action, CommandState, StreamData, WSManFault

_DEFAULT_OPERATION_TIMEOUT = 60.0
_INTERNAL_ERROR = 1359  # ERROR_INTERNAL_ERROR
_FRAGMENT = 32 * 1024  # the size that Windows itself uses

Run = Callable[[CommandLine, bytes], Outcome]


@dataclass
class _Pipeline:
    server: ServerPipeline
    script: str
    input: list[str] = field(default_factory=list)


@dataclass
class _Pool:
    """A runspace pool, and what it has to say: by the id of the command, None for the pool itself."""

    shell_id: str
    user: str
    server: ServerRunspacePool = field(default_factory=ServerRunspacePool)
    pipelines: dict[uuid.UUID, _Pipeline] = field(default_factory=dict)
    output: dict[str | None, list[bytes]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def collect_output(self) -> None:
        """Take from the protocol's one queue what goes to the pool and to each command. Needs the lock."""
        while (payload := self.server.data_to_send(_FRAGMENT)) is not None:
            target = None if payload.pipeline_id is None else str(payload.pipeline_id).upper()
            self.output.setdefault(target, []).append(payload.data)

    def has_news(self, command_id: str | None) -> bool:
        return bool(self.output.get(command_id)) or command_id in self.done

    def take(self, command_id: str | None) -> tuple[bytes, bool]:
        """The next piece for a command, and whether it is the last."""
        with self.lock:
            waiting = self.output.get(command_id) or []
            piece = waiting.pop(0) if waiting else b""
            return piece, not waiting and command_id in self.done


class RunspacePools:
    """All runspace pools of one host."""

    def __init__(self, run: Run) -> None:
        """Run scripts with this."""
        self._run = run
        self._pools: dict[str, _Pool] = {}
        self._workers = Workers()

    @property
    def open_shells(self) -> int:
        """How many pools clients have open now."""
        return len(self._pools)

    def forget(self) -> None:
        """Lose all pools."""
        self._pools.clear()

    def wake(self) -> None:
        """End all waiting."""
        self._workers.wake()

    def join(self) -> None:
        """Wait for the threads of pipelines."""
        self._workers.join()

    def answer(self, message: wsman.Message, user: str) -> bytes:
        """Answer one request."""
        try:
            return self._dispatch(message, user)
        except wsman.MalformedMessage:
            raise
        except (PSRPCoreError, LookupError, ValueError) as error:  # what a client sent is not PSRP, or out of order
            raise WSManFault(_INTERNAL_ERROR, f"The Windows Remote Shell cannot process the request: {error}") from None

    def _dispatch(self, message: wsman.Message, user: str) -> bytes:
        if message.action == Action.CREATE:
            return self._create(message, user)
        pool = self._pools.get(message.shell_id)
        if pool is None or pool.user.casefold() != user.casefold():
            raise WSManFault.shell_not_found(message.shell_id)
        match message.action:
            case Action.COMMAND:
                request = wsman.CommandRequest.of(message)
                with pool.lock:
                    ServerPipeline(pool.server, uuid.UUID(request.command_id))  # enters itself in the pool's table
                self._feed(pool, request.first_argument_bytes(), uuid.UUID(request.command_id))
                return wsman.command_response(message, request.command_id)
            case Action.SEND:
                for stream in wsman.SendRequest.of(message).streams:
                    self._feed(pool, stream.data, uuid.UUID(stream.command_id) if stream.command_id else None)
                return wsman.send_response(message)
            case Action.RECEIVE:
                return self._receive(message, pool)
            case Action.SIGNAL:
                self._drop_pipeline(pool, wsman.SignalRequest.of(message).command_id)
                return wsman.signal_response(message)
            case Action.DELETE:
                self._pools.pop(pool.shell_id, None)
                return wsman.delete_response(message)
            case _:
                raise WSManFault.action_not_supported(message.action)

    def _create(self, message: wsman.Message, user: str) -> bytes:
        request = wsman.CreateRequest.of(message)
        pool = _Pool(request.shell_id or str(uuid.uuid4()).upper(), user)
        self._feed(pool, request.creation_xml, None)
        self._pools[pool.shell_id] = pool
        return wsman.create_response(message, pool.shell_id, owner=user, idle_timeout=7200)

    def _feed(self, pool: _Pool, data: bytes, pipeline_id: uuid.UUID | None) -> None:
        ready: list[_Pipeline] = []
        with pool.lock:
            pool.server.receive_data(PSRPPayload(data, StreamType.default, pipeline_id))
            while (event := pool.server.next_event()) is not None:
                if isinstance(event, CreatePipelineEvent):
                    ready += self._new_pipeline(pool, event.pipeline_id)
                elif isinstance(event, PipelineInputEvent):
                    pool.pipelines[event.pipeline_id].input.append(str(event.data))
                elif isinstance(event, EndOfPipelineInputEvent):
                    ready.append(pool.pipelines[event.pipeline_id])
            pool.collect_output()
        for pipeline in ready:
            self._execute(pool, pipeline)

    @staticmethod
    def _new_pipeline(pool: _Pool, pipeline_id: uuid.UUID) -> list[_Pipeline]:
        """Keep a new pipeline; in the list if it is ready to run, which is not so while input is to come."""
        server = pool.server.pipeline_table[pipeline_id]
        metadata = server.metadata
        script = "\n".join(command.command_text for command in getattr(metadata, "commands", ()))
        pool.pipelines[pipeline_id] = pipeline = _Pipeline(server, script)
        server.start()
        return [pipeline] if not isinstance(metadata, PowerShell) or metadata.no_input else []

    def _execute(self, pool: _Pool, pipeline: _Pipeline) -> None:
        def work() -> None:
            stdin = "\n".join(pipeline.input).encode()
            outcome = self._run(CommandLine(pipeline.script, pipeline.script, None), stdin)
            with pool.lock:
                _report(pipeline.server, outcome)
                pool.collect_output()
                pool.done.add(str(pipeline.server.pipeline_id).upper())

        self._workers.run(work)

    @staticmethod
    def _drop_pipeline(pool: _Pool, command_id: str) -> None:
        with pool.lock:
            pool.output.pop(command_id, None)
            pool.done.discard(command_id)
            pool.pipelines.pop(uuid.UUID(command_id), None)

    def _receive(self, message: wsman.Message, pool: _Pool) -> bytes:
        command_id = wsman.ReceiveRequest.of(message).command_id
        timeout = message.operation_timeout or _DEFAULT_OPERATION_TIMEOUT
        if not self._workers.wait_for(lambda: pool.has_news(command_id), timeout):
            raise WSManFault.operation_aborted() if self._workers.closing else WSManFault.operation_timed_out()
        piece, last = pool.take(command_id)
        state = None if command_id is None else CommandState.DONE if last else CommandState.RUNNING
        streams = [StreamData("stdout", piece, command_id)]
        return wsman.receive_response(message, streams, command_id=command_id, state=state)


def _report(pipeline: ServerPipeline, outcome: Outcome) -> None:
    """Tell the client how a script ended."""
    text = outcome.stdout.decode().removesuffix("\r\n")
    if text:
        pipeline.write_output(text)
    if outcome.stderr:
        pipeline.write_error(
            NETException(outcome.stderr.decode().strip()),
            ErrorCategoryInfo(),
            fully_qualified_error_id="NotSimulated",
        )
    if outcome.exit_code:
        pipeline.host_call(HostMethodIdentifier.SetShouldExit, [outcome.exit_code])
    pipeline.complete()
