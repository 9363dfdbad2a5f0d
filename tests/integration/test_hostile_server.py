# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is broken or hostile: a clear error, bounded memory, no crash, and a result that is true all the same.

The work runs in this process; the wire is real.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._session import _reconnecting
from simulator import MAIL_RECIPIENTS, Simulator
from simulator.wire import faults
from support.faults import NAMES, hold_against_the_truth
from support.faults import settings as settings_of
from support.in_process import InProcess
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY a{n} "&a{n - 1 if n else ""};&a{n - 1 if n else ""};&a{n - 1 if n else ""};">' for n in range(20)
    )
    + "]><s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>&a19;</s:Body></s:Envelope>"
).encode()
EXTERNAL = b'<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]><s>&a;</s>'


@pytest.fixture
def here(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pop3Tasks]:
    """Tasks in this process that wait for nothing before they try again."""
    monkeypatch.setattr(_reconnecting, "WAITS", (0.0, 0.0, 0.0))
    controller = InProcess(tmp_path)
    yield Pop3Tasks(simulator, controller, None)
    controller.close()


def bodies(body: bytes) -> Callable[[bytes], bytes]:
    return lambda _body: body


@pytest.mark.parametrize("action", ["Create", "Receive", "Command"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (bodies(b""), "not understood"),
        (bodies(b"<not-xml"), "not understood"),
        (bodies(BOMB), "XML with a declaration"),
        (bodies(EXTERNAL), "XML with a declaration"),
        (bodies(b"<s/>".decode().encode("utf-16")), "XML with a declaration or in another encoding"),
        (lambda body: body[: len(body) // 2], "not understood"),
        (lambda body: body.replace(b"RelatesTo>uuid:", b"RelatesTo>uuid:0"), "The server answered"),
        (bodies(b"<" + b"a" * 17 * 2**20), "more than 16 MiB"),
    ],
    ids=["empty", "garbage", "entity bomb", "external entity", "utf-16", "cut", "another's answer", "17 MiB"],
)
def test_an_answer_that_is_none(here: Pop3Tasks, action: str, change: Callable[[bytes], bytes], says: str) -> None:
    here.simulator.exchange.faults.add(faults.Mangle(change), action=action, times=None)
    before = settings_of(here.simulator, tuple(NAMES))
    result = here(identities=NAMES).result
    assert says in result["msg"]
    assert "Traceback" not in result["msg"]
    hold_against_the_truth(result, here.simulator, tuple(NAMES), before)
    assert settings_of(here.simulator, tuple(NAMES)) == before


def test_a_hundred_megabytes_are_not_taken_in(here: Pop3Tasks) -> None:
    body = bytes(100 * 2**20)
    here.simulator.exchange.faults.add(faults.Mangle(bodies(body)), action="Create", times=None)
    tracemalloc.start()
    try:
        assert "more than 16 MiB" in here(identities=NAMES).result["msg"]
        # The server lives in this process too, and sends head and body as one: that copy is its own.
        assert tracemalloc.get_traced_memory()[1] < (100 + 3 * 16) * 2**20
    finally:
        tracemalloc.stop()


def test_a_compressed_bomb_is_not_unpacked(here: Pop3Tasks) -> None:
    """Nobody asked for compression; a server that does it all the same is not followed beyond the limit."""
    packed = gzip.compress(bytes(200 * 2**20))
    effect = faults.Mangle(bodies(packed), headers=(("Content-Encoding", "gzip"),))
    here.simulator.exchange.faults.add(effect, action="Create", times=None)
    tracemalloc.start()
    try:
        assert "more than 16 MiB" in here(identities=NAMES).result["msg"]
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@st.composite
def damage(draw: st.DrawFn) -> tuple[int, Callable[[bytes], bytes]]:
    """At which answer, and what becomes of its body."""
    places = draw(
        st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=6)), min_size=1, max_size=3)
    )

    def change(body: bytes) -> bytes:
        for place, cut, put in places:
            start = int(place * len(body))
            body = body[:start] + put + body[start + cut :]
        return body

    return draw(st.integers(1, 22)), change


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage())
def test_damaged_answers_never_make_a_result_untrue(
    monkeypatch: pytest.MonkeyPatch, damaged: tuple[int, Callable[[bytes], bytes]]
) -> None:
    monkeypatch.setattr(_reconnecting, "WAITS", (0.0, 0.0, 0.0))
    nth, change = damaged
    with Simulator() as simulator, tempfile.TemporaryDirectory() as folder:
        simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        before = settings_of(simulator, tuple(NAMES))
        simulator.exchange.faults.add(faults.Mangle(change), nth=nth)
        controller = InProcess(Path(folder))
        result = Pop3Tasks(simulator, controller, None)(identities=NAMES, operation_timeout=5).result
        controller.close()
        hold_against_the_truth(result, simulator, tuple(NAMES), before)
        assert "Traceback" not in result.get("msg", "")


def test_a_login_that_cuts_the_connection_is_not_repeated_for_tidying_up(here: Pop3Tasks) -> None:
    """A device in between may cut it because of the login: four tries to open, and none to delete what may be there."""
    here.simulator.exchange.faults.add(faults.ResetBeforeProcessing(), times=None)
    assert here(identities=NAMES).result["failed"]
    assert len(here.simulator.exchange.authorizations) <= 4


def test_opening_ends_though_the_server_goes_on_answering_with_nothing(here: Pop3Tasks) -> None:
    nothing = re.compile(rb"<rsp:Stream .*?</rsp:Stream>", re.DOTALL)
    effect = faults.Mangle(lambda body: nothing.sub(b"", body))
    here.simulator.exchange.faults.add(effect, action="Receive", times=None)
    result = here(identities=NAMES, operation_timeout=1, connection_timeout=1).result
    assert result["msg"].startswith("No session with Exchange at ")


def test_errors_without_end_are_not_taken_in(here: Pop3Tasks) -> None:
    """Exchange can say no more about a change than there are changes, or it is not Exchange."""
    here.simulator.exchange.behaviour.extra_warnings["Set-CASMailbox"] = ["Once more."] * 15_000
    result = here(identities=NAMES).result
    assert "said more than 10000 things" in result["msg"]
    assert {failure["reason"] for failure in result["failures"]} <= {"unconfirmed", "error"}


def test_an_answer_that_trickles_is_not_waited_for(here: Pop3Tasks) -> None:
    """A byte now and then keeps every time-out of a socket from striking."""
    here.simulator.exchange.faults.add(faults.Trickle(0.3), action="Receive", nth=2, times=None)
    result = here(identities=NAMES, operation_timeout=1, connection_timeout=1).result
    assert "did not answer in time" in result["msg"]
