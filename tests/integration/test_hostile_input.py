# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile text through the wire: it arrives as it is, as a parameter's value or pipeline input, and never as script."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._gateway._rights import USED
from ansible_collections.mailops.exchange.plugins.module_utils._module._connection import endpoint_from
from ansible_collections.mailops.exchange.plugins.module_utils._module._text import sendable
from ansible_collections.mailops.exchange.plugins.module_utils._session._protocol import Cmdlet, Pipeline, Session
from ansible_collections.mailops.exchange.plugins.module_utils._transport._open import open_session
from simulator import MAIL_RECIPIENTS, Simulator
from support.in_process import DEFINITIONS
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks
from support.transports import HOST_SHELL, REMOTE_POWERSHELL, Modules, modules_over

HOSTILE = [
    "'; Remove-Mailbox *; '",
    "$(Get-Mailbox)",
    "`a`n`0",
    '"; Get-Mailbox; "',
    "a</S><S>b",
    "]]>",
    "&amp;&#10;<!ENTITY x>",
    "_x0041_",
    "_x005F_x0041_",
    "_X0041_",
    "x_x",
    "\x00\x01\x1f\x7f\x85\x9f",
    "\r\n\t ",
    "\u2028\u202e\ufeff",
    "😀 Ünïcödé 漢字 👩‍👩‍👧",
    "a" * 40_000,
]

names = st.one_of(
    st.text(min_size=1, max_size=60),
    st.text(alphabet="_xX0123456789ABCDEFabcdef<>&;'\"$`(){}|\\\r\n\x00", min_size=1, max_size=30),
    st.sampled_from(HOSTILE),
).filter(lambda text: bool(text.strip()) and sendable(text))


@pytest.fixture(scope="module")
def opened(transport: str) -> Iterator[tuple[Simulator, Session, Modules]]:
    """One session for all examples."""
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator())
        simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        spec = DEFINITIONS["exchange_pop3_access_info"].argument_spec
        params: dict[str, Any] = {name: option.get("default") for name, option in spec.items()}
        params |= {**connection(simulator), "transport": transport}
        modules = stack.enter_context(modules_over(transport, simulator))
        session = stack.enter_context(open_session(endpoint_from(params), modules.shell))
        yield simulator, session, modules


def connection(simulator: Simulator) -> dict[str, Any]:
    return {
        "connection_uri": simulator.exchange.https_uri,
        "ca_cert": str(simulator.ca_file),
        "authentication": "basic",
        "username": ADMIN,
        "password": PASSWORD,
    }


@pytest.mark.parametrize(
    ("transport", "parameter"),
    [
        (REMOTE_POWERSHELL, "Identity"),
        (REMOTE_POWERSHELL, "OrganizationalUnit"),
        (REMOTE_POWERSHELL, "Filter"),
        (HOST_SHELL, "Identity"),  # parameters are one object of JSON there: the others are no different
    ],
    indirect=["transport"],
)
@settings(max_examples=60)
@given(text=names)
def test_text_is_the_value_of_a_parameter(
    opened: tuple[Simulator, Session, Modules], parameter: str, text: str
) -> None:
    simulator, session, _modules = opened
    session.invoke(Pipeline((Cmdlet("Get-CASMailbox", {parameter: text}),)))
    call = simulator.exchange.calls[-1]
    assert (call.name, call.is_script) == ("Get-CASMailbox", False)
    assert call.parameters == {parameter: text}


@settings(max_examples=60)
@given(texts=st.lists(names, min_size=1, max_size=8))
def test_text_is_an_object_of_the_pipeline(opened: tuple[Simulator, Session, Modules], texts: list[str]) -> None:
    simulator, session, _modules = opened
    simulator.exchange.calls.clear()
    reply = session.invoke(Pipeline((Cmdlet("Get-CASMailbox", {}),), tuple(texts)))
    calls = simulator.exchange.calls  # one; over host_shell, one for each
    assert {(call.name, call.is_script, *call.parameters) for call in calls} == {("Get-CASMailbox", False)}
    assert [value for call in calls for value in call.pipeline_input] == texts
    assert len(reply.answers) == len(texts)


@settings(max_examples=25)
@given(identities=st.lists(names, min_size=1, max_size=10, unique=True))
def test_through_the_module(opened: tuple[Simulator, Session, Modules], identities: list[str]) -> None:
    """The module asks for each name as it was given, and for nothing else; nobody's POP3 access changes."""
    simulator, _session, modules = opened
    simulator.exchange.calls.clear()
    found = modules(
        "exchange_pop3_access", {**connection(simulator), "state": "enabled", "identities": identities}, check_mode=True
    )
    calls = simulator.exchange.calls
    assert {(call.name, call.is_script) for call in calls} == {("Get-CASMailbox", False)}
    assert all(set(call.parameters) <= set(USED["Get-CASMailbox"]) for call in calls)
    asked = [name for call in calls for name in call.pipeline_input or [call.parameters["Identity"]]]
    assert set(asked) == set(identities)
    assert [one["identity"] for one in found["failures"]] == identities


def test_a_mailbox_with_a_hostile_name_is_changed_like_any_other(pop3: Pop3Tasks) -> None:
    """Found by its name, set by its GUID, and in the result as text: through Ansible itself and both faces."""
    name = "x'; $(Remove-Mailbox *) | `a {0} <b>"
    pop3.simulator.organisation.add_mailbox(name, pop_enabled=False)
    run = pop3(identity=name)
    assert run.result["changed"], run.output
    assert run.result["mailboxes"][0]["identity"] == name
    assert pop3.pop_enabled(name)
    assert [call.is_script for call in pop3.simulator.exchange.calls] == [False] * 3


ESCAPES = "\x1b]0;owned\x07\x1b[2Jok: [localhost]\nevil\u202e"
"""Sets the title, wipes the screen, writes a line that looks like Ansible's, turns the direction of writing."""


@pytest.mark.parametrize("exists", [True, False], ids=["diff and warning", "error"])
def test_a_name_does_nothing_to_the_terminal(pop3: Pop3Tasks, exists: bool) -> None:
    """In the diff, in an error and in a warning of Exchange's, which Ansible prints as they are."""
    name = f"Mailbox {ESCAPES}"
    mailbox = pop3.simulator.organisation.add_mailbox(name, pop_enabled=False)
    pop3.simulator.exchange.behaviour.extra_warnings["Set-CASMailbox"] = [f"about {name}"]
    options = {**pop3.connection, "identity": mailbox.primary_smtp_address if exists else f"nobody {ESCAPES}"}
    task = {"name": "Task", "mailops.exchange.exchange_pop3_access": options}
    if pop3.delegate_to:
        task["delegate_to"] = pop3.delegate_to
    play = {"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
    run = pop3.controller.play([play], "--diff", json_output=False)
    shown = r"Mailbox \x1b]0;owned" if exists else r"nobody \x1b]0;owned"
    assert run.output.count(shown) >= (2 if exists else 1), run.output
    # Data, on the lines that begin with the task's state, is JSON: there it is Ansible that escapes what acts.
    ours = [line for line in run.output.splitlines() if not line.startswith(("fatal: ", "changed: "))]
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set("".join(ours)), run.output
    assert not [line for line in ours if line.startswith(("ok: [localhost]", "evil"))]
