# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A farm of Exchange servers as a playbook sees it: its inventory, its roles, its restarts, its POP3 logins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator import Farm
from support.controller import Controller, Run
from support.pop3_login import log_in

FRONTEND, BACKEND = "MSExchangePOP3", "MSExchangePOP3BE"
PENDING, UNDER_WAY = "Pop3RestartPending", "Pop3RestartUnderWay"
_MEMORY = r"HKLM:\SOFTWARE\mailops.exchange"


@dataclass
class Servers:
    """Runs the roles on all servers of a farm, and looks at what became of them."""

    farm: Farm
    controller: Controller
    transport: str = "remote_powershell"

    def have_pop3_access(
        self, *arguments: str, play: dict[str, Any] | None = None, json_output: bool = True, **variables: Any
    ) -> Run:
        """Run the role pop3_access in a play on all servers; ``play`` has more keywords of the play."""
        return self.controller.play([self.play(play, **variables)], *arguments, json_output=json_output)

    def play(self, keywords: dict[str, Any] | None = None, **variables: Any) -> dict[str, Any]:
        """The play that ``have_pop3_access`` runs."""
        return {
            "name": "POP3 access",
            "hosts": "exchange",
            "gather_facts": False,
            # By default the roles look for three seconds whether a service goes on serving.
            "vars": {"pop3_services_verify_stable_for": 0, **self.connection, **variables},
            "roles": ["mailops.exchange.pop3_access"],
            **(keywords or {}),
        }

    def have_services(self, *arguments: str, **variables: Any) -> Run:
        """Run the role pop3_services on all servers."""
        play = {
            "name": "POP3 services",
            "hosts": "exchange",
            "gather_facts": False,
            "vars": {"pop3_services_verify_stable_for": 0, **variables},
            "roles": ["mailops.exchange.pop3_services"],
        }
        return self.controller.play([play], *arguments)

    @property
    def connection(self) -> dict[str, Any]:
        """How the role reaches Exchange: not on port 80 of its servers, as it would by itself."""
        return {
            "pop3_access_transport": self.transport,
            "pop3_access_connection_uri": self.farm.exchange.https_uri,
            "pop3_access_authentication": "basic",
            "pop3_access_username": self.farm.administrator.name,
            "pop3_access_password": self.farm.password,
            "pop3_access_ca_cert": str(self.farm.ca_file),
        }

    def restarts(self) -> dict[str, list[int]]:
        """How often the frontend and the backend of each server were restarted; what is not there is left out."""
        return {
            name.lower(): [service.restarts for service in map(host.services.find, (FRONTEND, BACKEND)) if service]
            for name, host in self.farm.hosts.items()
        }

    def states(self) -> dict[str, list[str]]:
        """The states of the frontend and the backend of each server."""
        return {
            name.lower(): [service.state.value for service in map(host.services.find, (FRONTEND, BACKEND)) if service]
            for name, host in self.farm.hosts.items()
        }

    def marks(self) -> dict[str, list[str]]:
        """What each server remembers of a restart that it owes."""
        return {
            name.lower(): [mark for mark in (PENDING, UNDER_WAY) if host.registry.value(_MEMORY, mark) is not None]
            for name, host in self.farm.hosts.items()
        }

    def changes(self) -> list[str]:
        """The cmdlets that changed something, in order."""
        return [call.name for call in self.farm.exchange.calls if not call.name.startswith(("Get-", "Select-"))]

    def may_log_in(self, server: str, user: str, how: str = "tls") -> bool:
        """A mail client's login over TLS, with STLS, or ``plain``."""
        host = self.farm.hosts[server]
        port = host.pop3s_port if how == "tls" else host.pop3_port
        return log_in(host.address, port, str(self.farm.ca_file), user, self.farm.pop3_password, how)
