# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The POP3 settings of a server: data only, with names and defaults of Microsoft's page on Set-PopSettings."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, fields, replace
from enum import IntEnum

from simulator.exchange.mailbox import MimeTextFormat


class LoginOptions(IntEnum):
    """How clients may log in."""

    PlainTextLogin = 1
    PlainTextAuthentication = 2
    SecureLogin = 3


class CalendarItemRetrievalOptions(IntEnum):
    """How calendar items are presented."""

    iCalendar = 0  # noqa: N815  (Exchange's name)
    IntranetUrl = 1
    InternetUrl = 2
    Custom = 3


class LogFileRollOver(IntEnum):
    """How often there is a new log file."""

    Hourly = 1
    Daily = 2
    Weekly = 3
    Monthly = 4


class SortOrder(IntEnum):
    """How messages are sorted."""

    Ascending = 0
    Descending = 1


ExtendedProtection = IntEnum("ExtendedProtection", [("None", 0), ("Allow", 1), ("Require", 2)])
"""ExtendedProtectionTokenCheckingMode; its numbers are inferred. One of its members is called None."""
_NO_EXTENDED_PROTECTION = ExtendedProtection(0)


@dataclass(frozen=True, slots=True)
class PopSettings:
    """The settings of one server. The fields have Exchange's names."""

    InternalConnectionSettings: tuple[str, ...]
    X509CertificateName: str
    MaxCommandSize: int = 512
    MessageRetrievalSortOrder: SortOrder = SortOrder.Ascending
    UnencryptedOrTLSBindings: tuple[str, ...] = ("[::]:110", "0.0.0.0:110")
    SSLBindings: tuple[str, ...] = ("[::]:995", "0.0.0.0:995")
    ExternalConnectionSettings: tuple[str, ...] = ()
    Banner: str = "The Microsoft Exchange POP3 service is ready."
    LoginType: LoginOptions = LoginOptions.SecureLogin
    AuthenticatedConnectionTimeout: datetime.timedelta = datetime.timedelta(minutes=30)
    PreAuthenticatedConnectionTimeout: datetime.timedelta = datetime.timedelta(minutes=1)
    MaxConnections: int = 2147483647
    MaxConnectionFromSingleIP: int = 2147483647
    MaxConnectionsPerUser: int = 16
    MessageRetrievalMimeFormat: MimeTextFormat = MimeTextFormat.BestBodyFormat
    ProxyTargetPort: int = 1995
    CalendarItemRetrievalOption: CalendarItemRetrievalOptions = CalendarItemRetrievalOptions.iCalendar
    OwaServerUrl: str | None = None
    EnableExactRFC822Size: bool = False
    SuppressReadReceipt: bool = False
    ProtocolLogEnabled: bool = False
    EnforceCertificateErrors: bool = False
    LogFileLocation: str = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Logging\\Pop3"
    LogFileRollOverSettings: LogFileRollOver = LogFileRollOver.Hourly
    LogPerFileSizeQuota: int | None = 0
    """Bytes; None is unlimited."""
    ExtendedProtectionPolicy: ExtendedProtection = _NO_EXTENDED_PROTECTION
    EnableGSSAPIAndNTLMAuth: bool = True

    def changed(self, changes: dict[str, object]) -> PopSettings:
        """With other values; parameter binding has checked them."""
        return replace(self, **changes)  # type: ignore[arg-type]


NAMES = tuple(entry.name for entry in fields(PopSettings))


def defaults_of(name: str, fqdn: str) -> PopSettings:
    """Those of a server that was just set up."""
    return PopSettings(InternalConnectionSettings=(f"{fqdn}:995:SSL", f"{fqdn}:110:TLS"), X509CertificateName=name)
