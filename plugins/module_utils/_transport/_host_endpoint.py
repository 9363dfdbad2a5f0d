# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a host finds Exchange, who asks, and how: the options of ``host_shell``, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._errors import OptionError
from .._session._host import Credential
from ._endpoint import Authentication, ConnectionUri, Login, check_configuration_name, check_seconds

_POWERSHELLS_NAMES = {
    Authentication.KERBEROS: "Kerberos",
    Authentication.NEGOTIATE: "Negotiate",
    Authentication.NTLM: "Negotiate",  # PowerShell has no word for NTLM alone
    Authentication.BASIC: "Basic",
}
"""What ``New-PSSession -Authentication`` calls them."""


@dataclass(frozen=True, slots=True)
class HostEndpoint:
    """All that a host needs to open a session with Exchange itself. ``uri`` is None for the host's own address."""

    uri: ConnectionUri | None = None
    authentication: Authentication = Authentication.KERBEROS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    validate_certs: bool = True
    allow_unencrypted: bool = False
    configuration_name: str = "Microsoft.Exchange"
    spn_service: str = "http"
    spn_hostname: str | None = None
    login: Login = field(default_factory=Login, compare=False, repr=False)
    connection_timeout: int = 30
    operation_timeout: int = 180

    def __post_init__(self) -> None:
        if self.authentication not in _POWERSHELLS_NAMES:
            raise OptionError(
                f"authentication: {self.authentication.value} does not work with transport: host_shell, because "
                "Windows would need the certificate in a store of its own. Use transport: remote_powershell for it."
            )
        if self.spn_hostname is not None or self.spn_service != "http":
            raise OptionError(
                "spn_hostname and spn_service do not work with transport: host_shell: Windows itself makes the name "
                "that a ticket is asked for, from connection_uri. Name the server there by the name that has one."
            )
        if (self.username is None) != (self.password is None):
            there, missing = ("password", "username") if self.username is None else ("username", "password")
            raise OptionError(
                f"With transport: host_shell, username and password belong together, and there is a {there} without a "
                f"{missing}. Without both, the session is opened as the user that the host is logged on with."
            )
        self._check_basic()
        check_configuration_name(self.configuration_name)
        check_seconds(self)

    @property
    def credential(self) -> Credential | None:
        """Whom the session is opened for; None for the user that the script runs as."""
        if self.username is None or self.password is None:
            return None
        return Credential(self.username, self.password)

    @property
    def powershells_authentication(self) -> str:
        """The method as PowerShell calls it."""
        return _POWERSHELLS_NAMES[self.authentication]

    @property
    def encrypts_messages(self) -> bool:
        """See ``Endpoint``."""
        is_tls = self.uri is not None and self.uri.is_tls
        return not is_tls and self.authentication is not Authentication.BASIC

    @property
    def described(self) -> str:
        """What is tried, for messages: URI, method, user."""
        user = f"as {self.username}" if self.username else "as the user that the host is logged on with"
        return f"{self.uri or 'its own address'} ({self.authentication.value}, {user})"

    def check_files(self) -> None:
        """There are none: Windows has its own store of certificates."""

    def _check_basic(self) -> None:
        if self.authentication is not Authentication.BASIC:
            return
        if self.credential is None:
            raise OptionError("authentication: basic needs a username and a password.")
        if not self.allow_unencrypted and not (self.uri and self.uri.is_tls):
            raise OptionError(
                "Refused before anything was sent: authentication: basic would send the password and all data readable "
                "over the network. Use an https:// connection_uri or authentication: kerberos; on a network that "
                "nobody else can listen to, allow_unencrypted: true lifts this."
            )
