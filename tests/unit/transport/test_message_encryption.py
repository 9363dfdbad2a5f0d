# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted messages over http, with NTLM: a connection that is lost between two of them, and readable answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._errors import ConnectionFailed, SessionLost
from ansible_collections.mailops.exchange.plugins.module_utils._session._protocol import Cmdlet, Pipeline
from ansible_collections.mailops.exchange.plugins.module_utils._transport._endpoint import (
    Authentication,
    ConnectionUri,
    Endpoint,
)
from ansible_collections.mailops.exchange.plugins.module_utils._transport._open import open_session
from simulator import MAIL_RECIPIENTS, Simulator
from simulator.wire import faults
from simulator.wire.negotiate import Negotiate

LOOK = Pipeline((Cmdlet("Get-CASMailbox", {"Identity": "John Smith"}),))
SWITCH = Pipeline((Cmdlet("Set-CASMailbox", {"Identity": "John Smith", "PopEnabled": True}),))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        running.users.add("popadmin@contoso.com", "Secret-1", MAIL_RECIPIENTS)
        yield running


@pytest.fixture
def logins(simulator: Simulator) -> Negotiate:
    return simulator.accept_logins(ntlm=True)


@pytest.fixture
def endpoint(simulator: Simulator) -> Endpoint:
    uri = ConnectionUri.parse(simulator.exchange.uri)
    return Endpoint(uri, Authentication.NTLM, "popadmin@contoso.com", "Secret-1")


def test_a_connection_that_is_lost_between_two_messages(
    simulator: Simulator, logins: Negotiate, endpoint: Endpoint
) -> None:
    """Load balancers end idle ones. The same session goes on over another connection, and nothing is done twice."""
    simulator.exchange.http.recording = wire = []
    with open_session(endpoint) as session:
        assert len(session.invoke(LOOK).records) == 1
        simulator.exchange.http.drop_connections()
        session.invoke(SWITCH)
        simulator.exchange.http.drop_connections()
        assert len(session.invoke(LOOK).records) == 1
    assert len(simulator.exchange.calls_of("Set-CASMailbox")) == 1
    assert [shell.ending.value if shell.ending else "" for shell in simulator.exchange.shells] == ["closed by client"]
    assert len(logins.logins) == 3
    assert b"Envelope" not in b"".join(wire)


def test_a_login_that_is_refused_meanwhile_ends_the_session(
    simulator: Simulator, logins: Negotiate, endpoint: Endpoint
) -> None:
    with open_session(endpoint) as session:
        logins.ntlm = False
        simulator.exchange.http.drop_connections()
        with pytest.raises(SessionLost, match="The login was not accepted"):
            session.invoke(LOOK)
        logins.ntlm = True


def test_a_readable_answer_is_refused(simulator: Simulator, logins: Negotiate, endpoint: Endpoint) -> None:
    simulator.exchange.faults.add(faults.Garbage(b"<s:Envelope/>", "application/soap+xml"), nth=4)
    with pytest.raises(ConnectionFailed, match="not encrypted"), open_session(endpoint):
        pass
    assert logins.logins


def test_a_server_that_forgets_every_login(simulator: Simulator, logins: Negotiate, endpoint: Endpoint) -> None:
    """As behind a load balancer that sends each request to another server."""
    simulator.exchange.faults.add(faults.Status(401, (("WWW-Authenticate", "Negotiate"),)), times=None, action="Create")
    with pytest.raises(ConnectionFailed, match="load balancer that does not keep"), open_session(endpoint):
        pass
    assert len(logins.logins) >= 2
