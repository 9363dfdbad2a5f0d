# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM: HTTP and HTTPS at ``/wsman``, Negotiate and Basic, and the shells behind it by their resource URI.

What the shells do is theirs: ``remote_shell`` (Ansible's winrm connection) and ``remote_powershell`` (its psrp
connection).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol

from simulator.wire import wsman
from simulator.wire.faults import FaultList
from simulator.wire.http import HTTPAPI, Basic, FirstOf, HttpServer, Request, Response
from simulator.wire.negotiate import Negotiate
from simulator.wire.wsman import WSManFault


class Plugin(Protocol):
    """One kind of shell."""

    @property
    def open_shells(self) -> int:
        """How many shells clients have open now."""

    def answer(self, message: wsman.Message, user: str) -> bytes:
        """Answer one request, or raise WSManFault. May wait, but not beyond ``wake``."""

    def forget(self) -> None:
        """Lose all shells, as in a crash."""

    def wake(self) -> None:
        """The host shuts down: end all waiting."""

    def join(self) -> None:
        """Wait for the threads; what they run has been told to stop."""


class WinRM:
    """The WinRM service of one host."""

    def __init__(
        self,
        plugins: Mapping[str, Plugin],
        check_logon: Callable[[str, str], bool],
        negotiate: Negotiate,
        *,
        address: str,
        machine: str,
        tls: ssl.SSLContext,
        http_port: int = 0,
        https_port: int = 0,
    ) -> None:
        """Know the shells by resource URI; ``start`` opens the ports."""
        self.faults = FaultList()
        self._plugins = plugins
        self._machine = machine
        logins = FirstOf(negotiate, Basic(check_logon, realm="WSMAN"))
        self.http, self.https = (
            HttpServer(
                self._answer,
                address=address,
                port=port,
                tls=context,
                authenticator=logins,
                faults=self.faults,
                server_header=HTTPAPI,
            )
            for port, context in ((http_port, None), (https_port, tls))
        )

    @property
    def open_shells(self) -> int:
        """How many shells of any kind clients have open now."""
        return sum(plugin.open_shells for plugin in self._plugins.values())

    def start(self) -> None:
        """Open both ports."""
        self.http.start()
        try:
            self.https.start()
        except OSError:
            self.http.stop()
            raise

    def stop(self) -> None:
        """Close both ports, end all shells, and wait for their threads."""
        for plugin in self._plugins.values():
            plugin.wake()
        self.http.stop()
        self.https.stop()
        for plugin in self._plugins.values():
            plugin.join()
            plugin.forget()

    def refuse_connections(self) -> None:
        """Be down: refuse new connections, break those that are open, lose all shells."""
        self.http.refuse_connections()
        self.https.refuse_connections()
        self.drop_connections()

    def accept_connections(self) -> None:
        """Be up again."""
        self.http.accept_connections()
        self.https.accept_connections()

    def drop_connections(self) -> None:
        """Break all open connections, and lose the shells."""
        for plugin in self._plugins.values():
            plugin.forget()
        self.http.drop_connections()
        self.https.drop_connections()

    def _answer(self, request: Request) -> Response:
        if request.path.rstrip("/").lower() != "/wsman" or request.method != "POST":
            return Response.page(HTTPStatus.NOT_FOUND)
        try:
            message = wsman.parse(request.body)
        except wsman.MalformedMessage:
            return Response.page(HTTPStatus.BAD_REQUEST)
        try:
            plugin = self._plugins.get(message.resource_uri)
            if plugin is None:
                raise WSManFault.resource_uri_not_found(message.resource_uri)
            return Response(HTTPStatus.OK, plugin.answer(message, request.user or ""), wsman.CONTENT_TYPE)
        except wsman.MalformedMessage:
            return Response.page(HTTPStatus.BAD_REQUEST)
        except WSManFault as fault:
            answer = wsman.fault(message, fault, machine=self._machine)
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, answer, wsman.CONTENT_TYPE)
