# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is given for an option: one sentence, or typed cmdlets. Never an exception, never an echoed password."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._gateway._rights import USED
from ansible_collections.mailops.exchange.plugins.module_utils._module import _exchange
from ansible_collections.mailops.exchange.plugins.module_utils._module._connection import CONNECTION_ARGUMENTS
from ansible_collections.mailops.exchange.plugins.module_utils._session._protocol import (
    Answer,
    Cmdlet,
    Pipeline,
    Record,
    Reply,
)
from support.in_process import DEFINITIONS, run_module

MARK = "S3cret"
"""In every password that is given here."""

HOSTILE = [
    "'; Remove-Mailbox *; '",
    "$(Get-Mailbox)",
    "`$x | Set-CASMailbox -PopEnabled $true",
    "a' -or PopEnabled -eq $true -or 'a' -eq 'a",
    "<S>x</S>]]><!ENTITY a>",
    "_x0027_",
    "{{ lookup('pipe', 'id') }}",
    "*",
    "\x00",
    "\u202eexe.txt",
    "\r\nAuthorization: Basic eA==",
    "$null",
    "true",
    "-1",
    "\ud800",
    "\uffff",
    " ",
    "",
]

texts = st.text(max_size=40) | st.sampled_from(HOSTILE)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=8)
anything = st.recursive(
    scalars, lambda x: st.lists(x, max_size=4) | st.dictionaries(texts, x, max_size=3), max_leaves=6
)
uris = st.one_of(
    texts,
    st.builds("http://{}/{}".format, texts, texts),
    st.builds("https://{}:{}/PowerShell/".format, texts, st.integers() | texts),
    st.builds("https://{}:{}@mbx01/".format, texts, st.just(MARK)),
    st.sampled_from(["https://mbx01.contoso.com/PowerShell/", "http://[::1]:80/PowerShell/"]),
)
passwords = st.builds("{}{}".format, st.just(MARK), texts) | st.lists(st.just(MARK), max_size=2) | st.just({MARK: MARK})


class Recording:
    """A session that has every mailbox that is asked for, keeps what is set, and notes what it is sent."""

    openings = 1

    def __init__(self) -> None:
        self.pipelines: list[Pipeline] = []
        self._names: dict[str, str] = {}
        self._enabled: dict[str, bool] = {}

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """There is nothing to close."""

    def abort(self) -> None:
        """There is nothing to end."""

    def invoke(self, pipeline: Pipeline, take: Callable[[Record], None] | None = None) -> Reply:
        self.pipelines.append(pipeline)
        first = pipeline.cmdlets[0]
        identities = pipeline.values or tuple(str(v) for v in [first.parameters.get("Identity")] if v is not None)
        if first.name == "Set-CASMailbox":
            for identity in identities:
                self._enabled[identity] = bool(first.parameters["PopEnabled"])
            return Reply()
        answers: list[Answer] = []
        for identity in identities or ("somebody",):
            (take or answers.append)(self._record(identity))
        return Reply(tuple(answers))

    def _record(self, identity: str) -> Record:
        name = self._names.get(identity, identity)
        guid = uuid5(NAMESPACE_DNS, name)
        self._names[str(guid)] = name
        return {
            "Guid": guid,
            "Name": name,
            "PrimarySmtpAddress": "a@contoso.com",
            "ServerName": "mbx01",
            "Identity": f"contoso.com/{name}",
            "PopEnabled": self._enabled.get(str(guid), False),
        }


@contextmanager
def recorded() -> Iterator[Recording]:
    """What would be sent to Exchange goes into the recording."""
    recording = Recording()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_exchange, "open_session", lambda _endpoint, _host: recording)
        yield recording


def options_of(module: str, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the module's options, with anything; those in ``known`` mostly with something that is close to right."""
    spec = DEFINITIONS[module].argument_spec
    values = {
        name: known.get(name, st.sampled_from(option["choices"]) | anything if "choices" in option else anything)
        for name, option in spec.items()
    }
    return st.fixed_dictionaries({}, optional=values)


CONNECTION = {
    "connection_uri": uris,
    "password": passwords,
    "client_key_password": passwords,
    "validate_certs": st.booleans(),
    "ca_cert": st.none(),
    "client_cert": st.none(),
    "client_key": st.none(),
}


def holds(result: dict[str, Any], recording: Recording) -> None:
    """The property: a sentence, or typed cmdlets that the guide to least privilege grants."""
    assert isinstance(result["changed"], bool)
    if result.get("failed"):
        assert re.search(r"\w", result["msg"])
        assert "Traceback" not in result["msg"]
    assert MARK not in json.dumps(result, default=repr)
    for pipeline in recording.pipelines:
        assert pipeline.values is None or all(type(value) is str and value.strip() for value in pipeline.values)  # pylint: disable=unidiomatic-typecheck
        for cmdlet in pipeline.cmdlets:
            typed(cmdlet)


def typed(cmdlet: Cmdlet) -> None:
    if cmdlet.name == "Select-Object":
        assert set(cmdlet.parameters) == {"Property"}
        return
    assert set(cmdlet.parameters) <= set(USED[cmdlet.name])
    for value in cmdlet.parameters.values():
        assert type(value) in (bool, int, str)
        assert not isinstance(value, str) or not any("\ud800" <= ch <= "\udfff" for ch in value)


modules = pytest.mark.parametrize("module", ["exchange_pop3_access", "exchange_pop3_access_info"])
fuzzed = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


@modules
@fuzzed
@given(data=st.data())
def test_anything_for_any_option(module: str, data: st.DataObject) -> None:
    options = data.draw(options_of(module, **CONNECTION))
    with recorded() as recording:
        holds(run_module(module, options), recording)


@modules
@fuzzed
@given(data=st.data())
def test_right_connections_and_anything_for_the_mailboxes(module: str, data: st.DataObject) -> None:
    """Nearly right, so that most of it gets as far as to the session."""
    spec = DEFINITIONS[module].argument_spec
    options: dict[str, Any] = {
        "connection_uri": "https://mbx01.contoso.com/PowerShell/",
        "username": data.draw(texts),
        "password": data.draw(st.builds("{}{}".format, st.just(MARK), texts)),
        "state": data.draw(st.sampled_from(spec["state"]["choices"])),
    }
    which = data.draw(st.sampled_from(["identity", "identities", "filter", "organizational_unit"]))
    options[which] = data.draw(st.lists(texts, max_size=12, unique=True) if which == "identities" else texts)
    with recorded() as recording:
        holds(run_module(module, options, check_mode=data.draw(st.booleans())), recording)


@modules
@given(identities=st.lists(texts.filter(lambda text: text.strip()), min_size=1, max_size=20, unique=True))
def test_a_list_is_refused_as_a_whole_or_asked_for_as_it_is(module: str, identities: list[str]) -> None:
    options = {
        "connection_uri": "https://mbx01.contoso.com/PowerShell/",
        "state": "disabled" if module == "exchange_pop3_access" else "any",
        "identities": identities,
    }
    with recorded() as recording:
        result = run_module(module, options)
    if result.get("failed"):
        assert "cannot be sent" in result["msg"]
        assert recording.pipelines == []
        return
    asked = [
        identity
        for pipeline in recording.pipelines
        for identity in pipeline.values or (pipeline.cmdlets[0].parameters["Identity"],)
    ]
    assert asked == identities


@modules
@pytest.mark.parametrize("name", ["parallel_sessions", "connection_timeout", "operation_timeout"])
@pytest.mark.parametrize(
    "value",
    [float("inf"), float("-inf"), float("nan"), 1e300, "1e5", "0x10", 10**400, [2**63, None, None], [0, [4], 0]],
)
def test_numbers_that_nothing_can_count_with(module: str, name: str, value: Any) -> None:
    """hypothesis found the first, and the first list: Ansible's own conversion ends in an OverflowError."""
    options = {
        "connection_uri": "https://mbx01.contoso.com/PowerShell/",
        "identity": "a",
        "state": "disabled",
        "connection_timeout": 1,
        name: value,
    }
    with recorded() as recording:
        result = run_module(module, options)
    holds(result, recording)


@fuzzed
@given(uri=uris, username=texts, name=st.sampled_from(sorted(CONNECTION_ARGUMENTS)), value=anything)
def test_no_option_of_a_connection_gets_further_than_a_sentence(uri: str, username: str, name: str, value: Any) -> None:
    options = {
        "connection_uri": uri,
        "username": username,
        "password": f"{MARK}{username}",
        "identity": "a",
        name: value,
    }
    if name in ("client_cert", "client_key", "ca_cert"):
        options.pop(name)
    with recorded() as recording:
        holds(run_module("exchange_pop3_access_info", options), recording)
