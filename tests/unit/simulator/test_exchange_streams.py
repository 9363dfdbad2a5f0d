# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The streams of a pipeline that gets many objects, as psrpcore's client sees them: in which order, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psrpcore
import pytest

from simulator import MAIL_RECIPIENTS, CostModel, ExchangeBehaviour, Users, sample_organisation
from simulator.exchange.cas_mailbox import CAS_MAILBOX_CMDLETS
from simulator.exchange.cmdlets import CommandTable, Session
from simulator.exchange.runspace import Runspace

COMMAND_ID = "COMMAND"
LIMIT = 100_000


class Client:
    """psrpcore's client, wired to a runspace without HTTP."""

    def __init__(self) -> None:
        self.behaviour = ExchangeBehaviour(CostModel(gather=0.0))
        organisation = sample_organisation()
        user = Users().add("admin", "", MAIL_RECIPIENTS)
        session = Session(organisation, self.behaviour, user, "shell", organisation.domain_controllers[0], "MBX01")
        self.runspace = Runspace(session, CommandTable(CAS_MAILBOX_CMDLETS), lambda _: None, lambda: None)
        self._pool = psrpcore.ClientRunspacePool()
        self._pool.open()
        self.runspace.open(self._sent())
        self._receive(None)

    def start(self, cmdlet: str, **parameters: Any) -> psrpcore.ClientPowerShell:
        shell = psrpcore.ClientPowerShell(self._pool, no_input=False)
        shell.add_command(psrpcore.Command(cmdlet).add_parameters(**parameters))
        shell.start()
        self.runspace.start(COMMAND_ID, self._sent())
        return shell

    def feed(self, shell: psrpcore.ClientPowerShell, inputs: Sequence[str], *, end: bool = True) -> None:
        for one in inputs:
            shell.send(one)
        if end:
            shell.send_eof()
        self.runspace.feed(COMMAND_ID, self._sent())

    def events(self) -> Iterator[psrpcore.PSRPEvent]:
        """All to the end of the pipeline, in the order of the wire."""
        finished = False
        while not finished:
            finished = self._receive(COMMAND_ID)
            while (event := self._pool.next_event()) is not None:
                yield event

    def _receive(self, command_id: str | None) -> bool:
        received = self.runspace.receive(command_id, 10, LIMIT)
        assert received is not None
        for chunk in received[0]:
            self._pool.receive_data(psrpcore.PSRPPayload(chunk, psrpcore.StreamType.default, None))
        if command_id is None:
            while self._pool.next_event() is not None:
                pass
        return received[1]

    def _sent(self) -> bytes:
        data = bytearray()
        while (payload := self._pool.data_to_send()) is not None:
            data += payload.data
        return bytes(data)


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.runspace.close()


def told(events: Iterator[psrpcore.PSRPEvent]) -> list[str]:
    """What each event is about, in short."""
    found: list[str] = []
    for event in events:
        match event:
            case psrpcore.PipelineOutputEvent():
                found.append(f"record {event.data.Name}")
            case psrpcore.ErrorRecordEvent():
                found.append(f"error {event.record.CategoryInfo.Reason}")
            case psrpcore.WarningRecordEvent():
                found.append(f"warning {event.record.Message}")
            case psrpcore.PipelineStateEvent():
                found.append(event.state.name)
    return found


def test_records_and_errors_come_in_the_order_of_the_input(client: Client) -> None:
    inputs = ["jsmith", "nobody", "pcolon", "Alex Meyer", "no one", "jane"] * 50
    client.feed(client.start("Get-CASMailbox"), inputs)
    events = told(client.events())
    assert [event.split()[0] for event in events] == ["record", "error", "record", "error", "error", "record"] * 50 + [
        "Completed"
    ]
    assert events[:6] == [
        "record John Smith",
        "error ManagementObjectNotFoundException",
        "record Patrick Colon",
        "error ManagementObjectAmbiguousException",
        "error ManagementObjectNotFoundException",
        "record Smith, Jane",
    ]


def test_warnings_and_errors_come_in_the_order_of_the_input(client: Client) -> None:
    inputs = ["jsmith", "pcolon", "nobody", "jane"]
    client.feed(client.start("Set-CASMailbox", PopEnabled=True), inputs)
    warning = "warning The command completed successfully but no settings of '{}' have been modified."
    assert [event.split()[0] for event in told(client.events())] == ["warning", "error", "warning", "Completed"]
    client.runspace.forget(COMMAND_ID)
    client.feed(client.start("Set-CASMailbox", PopEnabled=True), ["jsmith", "jane"])
    assert told(client.events()) == [
        warning.format("contoso.com/Users/John Smith"),
        warning.format("contoso.com/Sales/Smith, Jane"),
        "Completed",
    ]


def test_a_record_is_there_while_the_pipeline_waits_for_more_input(client: Client) -> None:
    shell = client.start("Get-CASMailbox")
    client.feed(shell, ["jsmith"], end=False)
    events = client.events()
    first = next(events)
    assert isinstance(first, psrpcore.PipelineOutputEvent)
    client.feed(shell, ["pcolon"])
    assert told(events) == ["record Patrick Colon", "Completed"]


def test_a_record_is_there_while_the_cmdlet_works(client: Client) -> None:
    client.behaviour.cmdlet_delays["Get-CASMailbox"] = 0.05
    client.feed(client.start("Get-CASMailbox"), ["jsmith", *["pcolon"] * 1200])
    assert isinstance(next(client.events()), psrpcore.PipelineOutputEvent)  # a minute before the last one
    client.runspace.stop(COMMAND_ID)


def test_an_answer_gathers_records_until_it_is_full_or_the_pipeline_has_ended(client: Client) -> None:
    client.behaviour.costs = CostModel(gather=600)
    client.feed(client.start("Get-CASMailbox"), ["jsmith"] * 100)
    assert told(client.events()) == [*["record John Smith"] * 100, "Completed"]


def test_input_that_does_not_bind_is_an_error_each(client: Client) -> None:
    client.behaviour.pipeline_input_binds = False
    client.feed(client.start("Get-CASMailbox"), ["jsmith", "pcolon"])
    events = list(client.events())
    errors = [event.record for event in events if isinstance(event, psrpcore.ErrorRecordEvent)]
    assert [str(error.FullyQualifiedErrorId) for error in errors] == [
        "InputObjectNotBound,Microsoft.Exchange.Management.RecipientTasks.GetCASMailbox"
    ] * 2
    assert [str(error.TargetObject) for error in errors] == ["jsmith", "pcolon"]
    assert errors[0].Exception.Message.startswith("The input object cannot be bound to any parameters")
    assert errors[0].CategoryInfo.Reason == "ParameterBindingException"
    assert told(iter(events[-1:])) == ["Completed"]
