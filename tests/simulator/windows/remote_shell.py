# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows Remote Shell (``winrs``) over WSMan, as pywinrm and Ansible's winrm connection use it ([MS-WSMV]).

A shell holds commands; a command collects its standard input, runs in a thread of its own, and a Receive waits for its
output up to the client's operation timeout.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.windows.interpreter import Outcome
from simulator.windows.powershell import CommandLine
from simulator.windows.workers import Workers
from simulator.wire import wsman
from simulator.wire.wsman import Action, CommandState, StreamData, WSManFault

_DEFAULT_OPERATION_TIMEOUT = 60.0
_CHUNK = 96 * 1024  # in base64 it stays below the MaxEnvelopeSize of 150 KiB that pywinrm asks for

Run = Callable[[CommandLine, bytes], Outcome]


@dataclass
class _Command:
    command_line: CommandLine
    stdin: list[bytes] = field(default_factory=list)
    started: bool = False
    outcome: Outcome | None = None
    sent: int = 0


@dataclass
class _Shell:
    shell_id: str
    user: str
    commands: dict[str, _Command] = field(default_factory=dict)


class RemoteShells:
    """All remote shells of one host."""

    def __init__(self, run: Run) -> None:
        """Run commands with this."""
        self._run = run
        self._shells: dict[str, _Shell] = {}
        self._workers = Workers()

    @property
    def open_shells(self) -> int:
        """How many shells clients have open now."""
        return len(self._shells)

    def forget(self) -> None:
        """Lose all shells."""
        self._shells.clear()

    def wake(self) -> None:
        """End all waiting."""
        self._workers.wake()

    def join(self) -> None:
        """Wait for the threads of commands."""
        self._workers.join()

    def answer(self, message: wsman.Message, user: str) -> bytes:
        """Answer one request."""
        if message.action == Action.CREATE:
            shell = _Shell(str(uuid.uuid4()).upper(), user)
            self._shells[shell.shell_id] = shell
            return wsman.create_response(message, shell.shell_id, owner=user, idle_timeout=7200)
        found = self._shells.get(message.shell_id)
        if found is None or found.user.casefold() != user.casefold():
            raise WSManFault.shell_not_found(message.shell_id)
        match message.action:
            case Action.COMMAND:
                return self._command(message, found)
            case Action.SEND:
                return self._send(message, found)
            case Action.RECEIVE:
                return self._receive(message, found)
            case Action.SIGNAL:
                found.commands.pop(wsman.SignalRequest.of(message).command_id, None)
                return wsman.signal_response(message)
            case Action.DELETE:
                self._shells.pop(found.shell_id, None)
                return wsman.delete_response(message)
            case _:
                raise WSManFault.action_not_supported(message.action)

    def _command(self, message: wsman.Message, shell: _Shell) -> bytes:
        request = wsman.CommandRequest.of(message)
        command = _Command(CommandLine.of(" ".join([request.command, *request.arguments])))
        shell.commands[request.command_id] = command
        if not command.command_line.is_bootstrap or command.command_line.input_file is not None:
            self._execute(command)
        return wsman.command_response(message, request.command_id)

    def _send(self, message: wsman.Message, shell: _Shell) -> bytes:
        for stream in wsman.SendRequest.of(message).streams:
            command = shell.commands.get(stream.command_id or "")
            if command is None:
                raise WSManFault.invalid_selectors()
            command.stdin.append(stream.data)
            if stream.end and not command.started:
                self._execute(command)
        return wsman.send_response(message)

    def _execute(self, command: _Command) -> None:
        def work() -> None:
            outcome = Outcome.refused("The simulated Windows host broke down")
            try:
                outcome = self._run(command.command_line, b"".join(command.stdin))
            finally:
                command.stdin.clear()
                command.outcome = outcome

        command.started = True
        self._workers.run(work)

    def _receive(self, message: wsman.Message, shell: _Shell) -> bytes:
        command_id = wsman.ReceiveRequest.of(message).command_id or ""
        command = shell.commands.get(command_id)
        if command is None:
            raise WSManFault.invalid_selectors()
        timeout = message.operation_timeout or _DEFAULT_OPERATION_TIMEOUT
        if not self._workers.wait_for(lambda: command.outcome is not None, timeout):
            raise WSManFault.operation_aborted() if self._workers.closing else WSManFault.operation_timed_out()
        assert command.outcome is not None
        return _output(message, command_id, command, command.outcome)


def _output(message: wsman.Message, command_id: str, command: _Command, outcome: Outcome) -> bytes:
    piece = outcome.stdout[command.sent : command.sent + _CHUNK]
    command.sent += len(piece)
    if command.sent < len(outcome.stdout):
        streams = [StreamData("stdout", piece, command_id)]
        return wsman.receive_response(message, streams, command_id=command_id, state=CommandState.RUNNING)
    streams = [
        StreamData("stdout", piece, command_id, end=True),
        StreamData("stderr", outcome.stderr, command_id, end=True),
    ]
    return wsman.receive_response(
        message, streams, command_id=command_id, state=CommandState.DONE, exit_code=outcome.exit_code
    )
