# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""POP3 as clients see it: real sockets, poplib, and what a restart of the two services changes."""

from __future__ import annotations

import poplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from simulator.windows import HostPorts, LoginType, Logon, Pop3Services, Win32Error, WindowsHost
from simulator.windows.services import ServiceError, ServiceState
from simulator.wire.certificates import CertificateAuthority
from support.threads import threads_left

_FRONTEND, _BACKEND = "MSExchangePOP3", "MSExchangePOP3BE"
_USER, _PASSWORD = "john@contoso.com", "Zürich 12"
_REFUSED = b"-ERR Logon failure: unknown user name or bad password."


class _Directory:
    def __init__(self) -> None:
        self.logons = {_USER: Logon(_PASSWORD, allowed=False)}

    def pop3_logons(self) -> dict[str, Logon]:
        return self.logons

    def allow(self, *, allowed: bool = True) -> None:
        self.logons = {_USER: Logon(_PASSWORD, allowed=allowed)}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def directory() -> _Directory:
    return _Directory()


@pytest.fixture
def host(directory: _Directory, authority: CertificateAuthority) -> Iterator[WindowsHost]:
    before = set(threading.enumerate())
    with WindowsHost("MBX01", directory, authority) as host:
        yield host
    assert threads_left(before) == set()


@pytest.fixture
def tls(authority: CertificateAuthority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca_file))


def _login(host: WindowsHost, tls: ssl.SSLContext, password: str = _PASSWORD) -> bytes:
    """The answer to a login over TLS."""
    client = poplib.POP3_SSL(host.address, host.pop3s_port, context=tls, timeout=5)
    client.encoding = "utf-8"
    try:
        client.user(_USER)
        return client.pass_(password)
    except poplib.error_proto as error:
        return bytes(error.args[0])
    finally:
        client.close()


def test_a_change_of_access_is_felt_only_after_both_services_were_restarted(
    host: WindowsHost, directory: _Directory, tls: ssl.SSLContext
) -> None:
    assert _login(host, tls) == _REFUSED
    directory.allow()
    assert _login(host, tls) == _REFUSED
    host.services.restart(_FRONTEND)
    assert _login(host, tls) == _REFUSED
    host.services.restart(_BACKEND)
    assert _login(host, tls) == b"+OK User successfully logged on."
    directory.allow(allowed=False)
    assert _login(host, tls).startswith(b"+OK")
    host.services.restart(_BACKEND)
    assert _login(host, tls) == _REFUSED


def test_the_wrong_password_and_a_backend_that_is_down_are_told_apart(
    host: WindowsHost, directory: _Directory, tls: ssl.SSLContext
) -> None:
    directory.allow()
    host.services.restart(_FRONTEND)
    host.services.stop(_BACKEND)
    assert _login(host, tls, "wrong") == _REFUSED
    assert _login(host, tls) == b"-ERR Server Unavailable. 21"
    host.services.start(_BACKEND)
    assert _login(host, tls).startswith(b"+OK")


def test_a_login_without_tls_is_refused_unless_the_login_type_allows_it(
    host: WindowsHost, directory: _Directory, tls: ssl.SSLContext
) -> None:
    directory.allow()
    host.services.restart(_FRONTEND)
    host.services.restart(_BACKEND)
    client = poplib.POP3(host.address, host.pop3_port, timeout=5)
    client.encoding = "utf-8"
    assert client.getwelcome() == b"+OK The Microsoft Exchange POP3 service is ready."
    with pytest.raises(poplib.error_proto, match="Command is not valid in this state"):
        client.user(_USER)
    assert "STLS" in client.capa()
    client.stls(tls)
    assert "STLS" not in client.capa()
    client.user(_USER)
    client.pass_(_PASSWORD)
    client.quit()

    host.pop_settings.login_type = LoginType.PLAIN_TEXT_LOGIN
    plain = poplib.POP3(host.address, host.pop3_port, timeout=5)
    plain.encoding = "utf-8"
    plain.user(_USER)
    assert plain.pass_(_PASSWORD).startswith(b"+OK")
    plain.close()


def test_a_mailbox_can_be_read_and_emptied(host: WindowsHost, directory: _Directory, tls: ssl.SSLContext) -> None:
    directory.allow()
    host.services.restart(_FRONTEND)
    host.services.restart(_BACKEND)
    host.maildrops[_USER].messages.append(b"Subject: two\r\n\r\n.\r\n")
    client = poplib.POP3_SSL(host.address, host.pop3s_port, context=tls, timeout=5)
    client.encoding = "utf-8"
    client.user(_USER)
    client.pass_(_PASSWORD)
    count, size = client.stat()
    assert (count, len(client.list()[1]), len(client.uidl()[1])) == (2, 2, 2)
    assert size == sum(len(message) for message in host.maildrops[_USER].messages)
    assert client.retr(2)[1] == [b"Subject: two", b"", b"."]
    assert client.top(1, 0)[1][-1] == b""
    client.noop()
    client.dele(1)
    client.rset()
    client.dele(1)
    with pytest.raises(poplib.error_proto):
        client.retr(1)
    assert client.quit().endswith(b"signing off.")
    assert [message[:12] for message in host.maildrops[_USER].messages] == [b"Subject: two"]


def test_stopping_a_service_closes_its_port_and_its_connections(host: WindowsHost) -> None:
    with socket.create_connection((host.address, host.pop3_port), 5) as open_one:
        assert open_one.recv(200).startswith(b"+OK")
        host.services.stop(_FRONTEND)
        assert open_one.recv(200) == b""
    for port in (host.pop3_port, host.pop3s_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.address, port), 5)


def test_a_client_that_never_greets_tls_does_not_hold_up_a_stop(host: WindowsHost) -> None:
    with socket.create_connection((host.address, host.pop3s_port), 5):
        time.sleep(0.05)
        host.services.stop(_FRONTEND)


def test_a_failed_start_leaves_no_port_open(host: WindowsHost) -> None:
    host.services[_FRONTEND].fail_next_start(Win32Error.PROCESS_ABORTED)
    with pytest.raises(ServiceError):
        host.services.restart(_FRONTEND)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host.address, host.pop3_port), 5)


def test_while_pop_proxy_is_inactive_the_services_do_not_stay_up(host: WindowsHost) -> None:
    host.set_component("PopProxy", active=False)
    host.services.start(_FRONTEND)
    assert host.services[_FRONTEND].state is ServiceState.STOPPED
    host.set_component("PopProxy", active=True)
    host.services.start(_FRONTEND)
    assert host.services[_FRONTEND].state is ServiceState.RUNNING


def test_a_frontend_of_2013_proxies_to_the_backend_of_another_server(
    directory: _Directory, authority: CertificateAuthority, tls: ssl.SSLContext
) -> None:
    directory.allow()
    with (
        WindowsHost("MBX01", directory, authority, pop3=Pop3Services(frontend=False)) as mailbox,
        WindowsHost(
            "CAS01",
            directory,
            authority,
            pop3=Pop3Services(backend=False),
            backend_for=lambda _: (mailbox.address, mailbox.pop3_backend_port),
        ) as access,
    ):
        assert mailbox.address != access.address
        assert _login(access, tls).startswith(b"+OK")
        assert mailbox.services.find(_FRONTEND) is None


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_behind(
    host: WindowsHost, directory: _Directory, authority: CertificateAuthority
) -> None:
    taken = HostPorts(pop3s=host.pop3s_port)
    with pytest.raises(OSError, match="in use"):
        WindowsHost("TWIN", directory, authority, address=host.address, ports=taken)
    other = HostPorts(winrm_https=host.winrm.https.port)
    with (
        pytest.raises(OSError, match="in use"),
        WindowsHost("TWIN", directory, authority, address=host.address, ports=other),
    ):
        pass


def test_a_new_server_has_the_services_stopped(directory: _Directory, authority: CertificateAuthority) -> None:
    with WindowsHost("NEW", directory, authority, pop3=Pop3Services.of_new_server()) as host:
        assert host.services[_FRONTEND].state is ServiceState.STOPPED
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host.address, host.pop3_port), 5)
