# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session over a host: what it sends there, and what it makes of each kind of answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._errors import (
    ConnectionFailed,
    LoginFailed,
    OptionError,
    SessionLost,
    SessionRefused,
    UnexpectedReply,
)
from ansible_collections.mailops.exchange.plugins.module_utils._session._host import Credential
from ansible_collections.mailops.exchange.plugins.module_utils._session._protocol import Cmdlet, Pipeline
from ansible_collections.mailops.exchange.plugins.module_utils._transport._endpoint import Authentication
from ansible_collections.mailops.exchange.plugins.module_utils._transport._host_endpoint import HostEndpoint
from ansible_collections.mailops.exchange.plugins.module_utils._transport._host_shell import HostShellSession

LOOK = Pipeline((Cmdlet("Get-CASMailbox", {"Identity": "john"}),))
HIDDEN = {"message": "no such parameter", "id": "NamedParameterNotFound,Get-CASMailbox", "code": 0}


class FakeHost:
    """Gives the answers that it has, one after the other, and notes what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.left = list(answers)
        self.asked: list[dict[str, Any]] = []

    def run(self, script: str, parameters: Mapping[str, object], credential: Credential | None) -> str:
        assert "New-PSSession" in script
        self.asked.append({**parameters, "Credential": credential})
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, str) else json.dumps(answer)


def said(*answers: Mapping[str, Any]) -> dict[str, Any]:
    return {"failure": None, "answers": list(answers)}


def answer(**parts: Any) -> dict[str, Any]:
    empty = {"records": [], "errors": [], "warnings": [], "domain_controller": None}
    return {**empty, "ended": False, "silent": False, "lost": None, **parts}


def failed(code: int, words: str = "Access is denied.") -> dict[str, Any]:
    return {"failure": {"message": words, "id": f"{code},PSSessionOpenFailed", "code": code}, "answers": []}


def session(*answers: Any, **options: Any) -> tuple[HostShellSession, FakeHost]:
    host = FakeHost(*answers)
    return HostShellSession(HostEndpoint(**options), host), host


def test_every_later_cmdlet_is_given_the_first_domain_controller() -> None:
    first = answer(records=[{"Name": "John"}], domain_controller="DC02.contoso.com")
    opened, host = session(said(first), said(answer()), said(answer()))
    opened.invoke(LOOK)
    opened.invoke(LOOK)
    opened.invoke(Pipeline((Cmdlet("Get-CASMailbox", {"DomainController": "DC01"}),)))
    named = [asked["Parameters"].get("DomainController") for asked in host.asked]
    assert named == [None, "DC02.contoso.com", "DC01"]
    assert opened.openings == 1


def test_where_that_is_hidden_each_run_counts_as_an_opening() -> None:
    first = answer(records=[{"Name": "John"}], domain_controller="DC02.contoso.com")
    opened, host = session(said(first), said(answer(errors=[HIDDEN])), said(first), said(first))
    opened.invoke(LOOK)
    assert opened.invoke(LOOK).records == ({"Name": "John"},)
    opened.invoke(LOOK)
    named = [asked["Parameters"].get("DomainController") for asked in host.asked]
    assert named == [None, "DC02.contoso.com", None, None]
    assert opened.openings == 3


def test_answers_are_in_the_order_of_the_values() -> None:
    """Also where an error stands between records: each value has an answer of its own."""
    error = {"message": "nobody", "id": "[Server=MBX01,...] [FailureCategory=x]", "code": 0}
    opened, host = session(said(answer(records=[{"n": 1}]), answer(errors=[error]), answer(records=[{"n": 3}])))
    values = Pipeline((Cmdlet("Get-CASMailbox", {}), Cmdlet("Select-Object", {"Property": ("n",)})), ("a", "b", "c"))
    answers = opened.invoke(values).answers
    assert [getattr(one, "message", one) for one in answers] == [{"n": 1}, "nobody", {"n": 3}]
    assert host.asked[0]["Values"] == ["a", "b", "c"]
    assert host.asked[0]["Property"] == ["n"]


@pytest.mark.parametrize(
    ("code", "kind", "may_pass", "says"),
    [
        (1326, LoginFailed, False, "username and password"),
        (5, ConnectionFailed, False, "double hop"),
        (1312, LoginFailed, False, "become: true"),
        (-2144108526, ConnectionFailed, True, "connection_uri"),
        (-2144108250, ConnectionFailed, False, "connection_timeout"),
        (12175, ConnectionFailed, False, "its own store counts"),
    ],
)
def test_a_session_that_cannot_be_opened(code: int, kind: type[ConnectionFailed], may_pass: bool, says: str) -> None:
    opened, _host = session(failed(code))
    with pytest.raises(ConnectionFailed) as raised:
        opened.__enter__()
    assert type(raised.value) is kind  # pylint: disable=unidiomatic-typecheck
    assert raised.value.may_pass is may_pass
    assert says in str(raised.value)
    assert str(raised.value).startswith("No session with Exchange at its own address")


def test_too_many_sessions_may_pass_and_are_no_refused_login() -> None:
    """Exchange says so with the code of a denied access, in any language."""
    words = "[FailureCategory=AuthZ-AuthorizationException] Trop de connexions: 18, MaxConcurrency."
    opened, host = session(failed(5, words), failed(5, words), username="a@b.c", password="p")
    for _time in range(2):
        with pytest.raises(SessionRefused, match="PowerShellMaxConcurrency") as raised:
            opened.__enter__()
        assert raised.value.may_pass
    assert host.left == []


def test_a_user_whom_exchange_refuses_has_logged_in() -> None:
    """The code is that of a denied access here, too; the words are Exchange's own, which nobody else has."""
    words = "[Server=MBX01] [FailureCategory=AuthZ-AuthorizationException] L'utilisateur n'a pas accès."
    opened, host = session(failed(5, words), failed(5, words), username="a@b.c", password="p")
    for _time in range(2):
        with pytest.raises(ConnectionFailed, match=r"The login was accepted .* RemotePowerShellEnabled"):
            opened.__enter__()
    assert host.left == []


@pytest.mark.parametrize("code", [5, 1326])
def test_a_login_that_was_refused_is_the_last(code: int) -> None:
    opened, host = session(failed(code), said(answer()), username="a@b.c", password="p")
    with pytest.raises(ConnectionFailed):
        opened.__enter__()
    with pytest.raises(LoginFailed, match="not tried again"):
        opened.__enter__()
    with pytest.raises(SessionLost, match="not tried again"):
        opened.invoke(LOOK)
    assert len(host.asked) == 1


def test_a_host_that_cannot_be_used() -> None:
    opened, _host = session(SessionLost("The connection broke."))
    with pytest.raises(ConnectionFailed, match="win_ping"):
        opened.__enter__()


@pytest.mark.parametrize("broken", [answer(lost="The pipe was closed."), answer(silent=True)])
def test_a_session_that_breaks(broken: dict[str, Any]) -> None:
    opened, _host = session(said(broken))
    with pytest.raises(SessionLost) as raised:
        opened.invoke(LOOK)
    assert raised.value.was_silent is broken["silent"]


@pytest.mark.parametrize(
    "garbage",
    ["", "no JSON", "[]", {"failure": None}, {"failure": None, "answers": 1}, said({}), said(answer(records=[1]))],
)
def test_what_is_no_answer_is_not_acted_upon(garbage: Any) -> None:
    opened, _host = session(garbage)
    with pytest.raises(UnexpectedReply):
        opened.invoke(LOOK)


def test_more_answers_than_there_can_be() -> None:
    opened, _host = session(said(answer(records=[{}, {}])))
    with pytest.raises(UnexpectedReply, match="more answers"):
        opened.invoke(Pipeline(LOOK.cmdlets, None, 1))


def test_records_are_handed_over() -> None:
    opened, _host = session(said(answer(records=[{"n": 1}, {"n": 2}])))
    taken: list[Any] = []
    assert opened.invoke(LOOK, taken.append).records == ()
    assert taken == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    "options",
    [
        {"authentication": Authentication.CERTIFICATE},
        {"authentication": Authentication.BASIC, "username": "a", "password": "b"},
        {"username": "a"},
        {"password": "b"},
        {"spn_hostname": "mbx01"},
        {"connection_timeout": 0},
        {"configuration_name": "a b"},
    ],
    ids=str,
)
def test_options_that_do_not_fit(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError) as raised:
        HostEndpoint(**options)
    assert "'b'" not in str(raised.value)


def test_the_password_stands_beside_the_parameters() -> None:
    opened, host = session(said(), username="john", password="not-shown")
    opened.__enter__()
    assert host.asked[0].pop("Credential") == Credential("john", "not-shown")
    assert "not-shown" not in json.dumps(host.asked)
    assert "not-shown" not in repr(Credential("john", "not-shown"))
