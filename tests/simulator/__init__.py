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

import secrets
import tempfile
from pathlib import Path

from simulator.exchange.behaviour import CostModel, ExchangeBehaviour, SessionDrop
from simulator.exchange.endpoint import Ending, ExchangeEndpoint, Shell
from simulator.exchange.errors import Failure
from simulator.exchange.organisation import Organisation, sample_organisation
from simulator.exchange.rbac import MAIL_RECIPIENTS, VIEW_ONLY_RECIPIENTS, User, Users
from simulator.wire.certificates import CertificateAuthority

__all__ = [
    "MAIL_RECIPIENTS",
    "VIEW_ONLY_RECIPIENTS",
    "CostModel",
    "Ending",
    "ExchangeBehaviour",
    "ExchangeEndpoint",
    "Failure",
    "Organisation",
    "SessionDrop",
    "Shell",
    "Simulator",
    "User",
    "Users",
    "sample_organisation",
]

ADMINISTRATOR = "administrator@contoso.com"


class Simulator:
    """An organisation, its remote PowerShell endpoint over HTTP and HTTPS, and a certificate authority."""

    def __init__(
        self,
        organisation: Organisation | None = None,
        *,
        administrator: str = ADMINISTRATOR,
        password: str | None = None,
        port: int = 0,
        https_port: int = 0,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="exchange-simulator-")
        self.authority = CertificateAuthority(Path(self._folder.name))
        self.users = Users()
        self.password = password if password is not None else secrets.token_urlsafe(12)
        self.administrator = self.users.add(administrator, self.password, MAIL_RECIPIENTS)
        self.organisation = organisation if organisation is not None else sample_organisation()
        self.exchange = ExchangeEndpoint(
            self.organisation,
            self.users,
            tls=self.authority.server().server_context(),
            port=port,
            https_port=https_port,
        )

    @property
    def ca_file(self) -> Path:
        """What a client needs to trust the HTTPS endpoint."""
        return self.authority.ca_file

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on loopback."""
        self.exchange.start()

    def stop(self) -> None:
        """Close everything and remove the certificates."""
        self.exchange.stop()
        self._folder.cleanup()
