# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator of an Exchange organisation that is honest at the wire.

    from simulator import Simulator

    with Simulator() as sim:
        sim.exchange.uri, sim.exchange.https_uri, sim.ca_file
        sim.exchange.organisation.add_mailbox("John Smith", pop_enabled=False)
        sim.exchange.calls

Real HTTP, real TLS, real WSMan, real PSRP, on loopback; nothing of the product knows of it.
"""

from __future__ import annotations

from simulator.exchange.behaviour import CostModel, ExchangeBehaviour, SessionDrop
from simulator.exchange.endpoint import Ending, ExchangeEndpoint, Shell
from simulator.exchange.errors import Failure
from simulator.exchange.organisation import Organisation, sample_organisation
from simulator.exchange.rbac import (
    MAIL_RECIPIENTS,
    POP3_AND_IMAP4_PROTOCOLS,
    VIEW_ONLY_CONFIGURATION,
    VIEW_ONLY_RECIPIENTS,
    User,
    Users,
)
from simulator.farm import BACKEND_ONLY, FRONTEND_ONLY, NO_POP3, POP3_OFF, Farm, ServerSetup

__all__ = [
    "BACKEND_ONLY",
    "FRONTEND_ONLY",
    "MAIL_RECIPIENTS",
    "NO_POP3",
    "POP3_AND_IMAP4_PROTOCOLS",
    "POP3_OFF",
    "VIEW_ONLY_CONFIGURATION",
    "VIEW_ONLY_RECIPIENTS",
    "CostModel",
    "Ending",
    "ExchangeBehaviour",
    "ExchangeEndpoint",
    "Failure",
    "Farm",
    "Organisation",
    "ServerSetup",
    "SessionDrop",
    "Shell",
    "Simulator",
    "User",
    "Users",
    "sample_organisation",
]


class Simulator(Farm):
    """A farm without Windows hosts: an organisation and its remote PowerShell, which is all that the module needs."""

    def __init__(
        self,
        organisation: Organisation | None = None,
        *,
        administrator: str | None = None,
        password: str | None = None,
        port: int = 0,
        https_port: int = 0,
    ) -> None:
        super().__init__(
            (), organisation, administrator=administrator, password=password, port=port, https_port=https_port
        )
