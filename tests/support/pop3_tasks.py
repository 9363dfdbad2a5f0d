# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of exchange_pop3_access against a simulated Exchange, through one of the two faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import Simulator
from support.controller import Controller, Run

ADMIN = "popadmin@contoso.com"
PASSWORD = "Pa$$w0rd-Ünï;`\"'"


@dataclass
class Pop3Tasks:
    """Call it with options: that runs one task and returns what came of it."""

    simulator: Simulator
    controller: Controller
    delegate_to: str | None
    hosts: str = "localhost"

    def __call__(self, *arguments: str, keywords: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """Run a task; an option that is None is left out of it."""
        given = {name: value for name, value in {**self.connection, **options}.items() if value is not None}
        delegation = {"delegate_to": self.delegate_to} if self.delegate_to else {}
        keywords = {**(keywords or {}), **delegation}
        return self.controller.task(given, *arguments, hosts=self.hosts, keywords=keywords)

    @property
    def connection(self) -> dict[str, Any]:
        """The options that every task here has."""
        return {
            "connection_uri": self.simulator.exchange.https_uri,
            "ca_cert": str(self.simulator.ca_file),
            "authentication": "basic",
            "username": ADMIN,
            "password": PASSWORD,
            "state": "enabled",
        }

    def sent(self, name: str) -> list[dict[str, Any]]:
        """The parameters of every call of one cmdlet, in order; one for each mailbox that was streamed into it."""
        return [
            {**call.parameters, **identity}
            for call in self.simulator.exchange.calls_of(name)
            for identity in [{"Identity": value} for value in call.pipeline_input] or [{}]
        ]

    def pop_enabled(self, identity: str) -> bool:
        """What the organisation has for a mailbox now."""
        organisation = self.simulator.organisation
        return organisation.settings(organisation.mailbox(identity)).pop_enabled
