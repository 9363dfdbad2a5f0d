# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The POP3 settings of a server: which there are, what is declared, what was found, and what has to change. Pure.

Names, ranges and enumerations are those of Microsoft's page on Set-PopSettings
(https://learn.microsoft.com/powershell/module/exchangepowershell/set-popsettings).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from ._mailbox import Failure, MimeFormat, Reason
from ._pop_values import (
    BadValue,
    Bindings,
    Boolean,
    Bytes,
    CaselessText,
    Connections,
    ConnectionSettings,
    IPBinding,
    Kind,
    Member,
    Number,
    Plain,
    Readable,
    SettingValue,
    Text,
    TimeSpan,
    Unreadable,
    WebAddress,
    WindowsPath,
    plain,
)

_MOST_CONNECTIONS = 2147483647
_HALF_A_MINUTE, _HOUR, _DAY = timedelta(seconds=30), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the name of Exchange's parameter and property, and what values it can have."""

    exchange_name: str
    kind: Kind


SETTINGS: dict[str, Setting] = {
    # The cmdlet's page says that an hour is the most, the one on POP3 time-out limits says 86,400 seconds: the larger
    # one is let through, and Exchange has the last word.
    "authenticated_connection_timeout": Setting("AuthenticatedConnectionTimeout", TimeSpan(_HALF_A_MINUTE, _DAY)),
    "banner": Setting("Banner", Text()),
    "calendar_item_retrieval_option": Setting(
        "CalendarItemRetrievalOption",
        Member(((0, "iCalendar"), (1, "IntranetUrl"), (2, "InternetUrl"), (3, "Custom"))),
    ),
    "enable_exact_rfc822_size": Setting("EnableExactRFC822Size", Boolean()),
    "enable_gssapi_and_ntlm_auth": Setting("EnableGSSAPIAndNTLMAuth", Boolean()),
    "enforce_certificate_errors": Setting("EnforceCertificateErrors", Boolean()),
    # The names are documented; the numbers are those of the type in IIS (inferred).
    "extended_protection_policy": Setting(
        "ExtendedProtectionPolicy", Member(((0, "None"), (1, "Allow"), (2, "Require")))
    ),
    "external_connection_settings": Setting("ExternalConnectionSettings", Connections()),
    "internal_connection_settings": Setting("InternalConnectionSettings", Connections()),
    "log_file_location": Setting("LogFileLocation", WindowsPath()),
    "log_file_rollover_settings": Setting(
        "LogFileRollOverSettings", Member(((1, "Hourly"), (2, "Daily"), (3, "Weekly"), (4, "Monthly")))
    ),
    "log_per_file_size_quota": Setting("LogPerFileSizeQuota", Bytes()),
    "login_type": Setting(
        "LoginType", Member(((1, "PlainTextLogin"), (2, "PlainTextAuthentication"), (3, "SecureLogin")))
    ),
    "max_command_size": Setting("MaxCommandSize", Number(40, 1024)),
    "max_connection_from_single_ip": Setting("MaxConnectionFromSingleIP", Number(1, _MOST_CONNECTIONS)),
    "max_connections": Setting("MaxConnections", Number(1, _MOST_CONNECTIONS)),
    "max_connections_per_user": Setting("MaxConnectionsPerUser", Number(1, _MOST_CONNECTIONS)),
    "message_retrieval_mime_format": Setting(
        "MessageRetrievalMimeFormat", Member(tuple(enumerate(member.value for member in MimeFormat)))
    ),
    "message_retrieval_sort_order": Setting("MessageRetrievalSortOrder", Member(((0, "Ascending"), (1, "Descending")))),
    "owa_server_url": Setting("OwaServerUrl", WebAddress()),
    "pre_authenticated_connection_timeout": Setting(
        "PreAuthenticatedConnectionTimeout", TimeSpan(_HALF_A_MINUTE, _HOUR)
    ),
    "protocol_log_enabled": Setting("ProtocolLogEnabled", Boolean()),
    # A port; that it has a port's limits is inferred.
    "proxy_target_port": Setting("ProxyTargetPort", Number(1, 65535)),
    "ssl_bindings": Setting("SSLBindings", Bindings()),
    "suppress_read_receipt": Setting("SuppressReadReceipt", Boolean()),
    "unencrypted_or_tls_bindings": Setting("UnencryptedOrTLSBindings", Bindings()),
    "x509_certificate_name": Setting("X509CertificateName", CaselessText()),
}
"""Every parameter of Set-PopSettings that is a setting, by the name of our option."""

Wanted = Mapping[str, Readable]
"""What is declared, by option; what is not in it is left as it is."""


@dataclass(frozen=True, slots=True)
class PopSettings:
    """The settings of a server as found, by option. ``None`` is one that is not set.

    One that is not in it is one that this Exchange does not have: not every version has all of them.
    """

    values: Mapping[str, SettingValue | None]

    def plain(self) -> dict[str, Plain]:
        """Return them as a result shows them."""
        return {name: plain(value) for name, value in self.values.items()}

    def lacks(self, wanted: Wanted) -> dict[str, Readable]:
        """Return what of ``wanted`` is not there yet."""
        return {name: value for name, value in wanted.items() if self.values.get(name) != value}

    def with_(self, wanted: Wanted) -> PopSettings:
        """Return what they become."""
        return PopSettings({**self.values, **wanted})


def wanted_from(options: Mapping[str, object]) -> dict[str, Readable]:
    """Return what the options declare. Raises BadValue, which names the option."""
    wanted: dict[str, Readable] = {}
    for name, setting in SETTINGS.items():
        given = options.get(name)
        if given is None:
            continue
        try:
            wanted[name] = setting.kind.parse(given)
        except BadValue as exc:
            raise BadValue(f"{name} is {given!r}: {exc}.") from None
    return wanted


def settings_of(properties: Mapping[str, object]) -> PopSettings:
    """Return what the properties of an object of Get-PopSettings say, by Exchange's names."""
    # PowerShell does not mind the case of a name, and Microsoft's own pages write LogFileRollOverSettings in two ways.
    shown = {name.lower(): value for name, value in properties.items()}
    return PopSettings(
        {
            name: _read(setting.kind, shown[setting.exchange_name.lower()])
            for name, setting in SETTINGS.items()
            if setting.exchange_name.lower() in shown
        }
    )


def _read(kind: Kind, shown: object) -> SettingValue | None:
    """One value that is not understood must not hide the others: it is shown, and it is not what is declared."""
    if kind.argument["type"] != "list" and (shown is None or shown == ""):
        return None
    try:
        return kind.read(shown)
    except BadValue:
        return Unreadable(str(shown))


@dataclass(frozen=True, slots=True)
class PopServer:
    """A server with its POP3 settings. The ``guid`` is that of the settings in the directory."""

    guid: UUID
    name: str
    settings: PopSettings


PopFinding: TypeAlias = "PopServer | Failure"
"""What looking for one server gave."""


@dataclass(frozen=True, slots=True)
class PopChange:
    """A server that is not yet as declared, and what it has to become."""

    server: PopServer
    wanted: Wanted

    @property
    def guid(self) -> UUID:
        """That of the server's settings."""
        return self.server.guid

    @property
    def noun(self) -> str:
        """What is changed, for messages."""
        return "server"

    @property
    def before(self) -> PopSettings:
        """What the server was found with."""
        return self.server.settings

    @property
    def after(self) -> PopSettings:
        """What it has when the change is made."""
        return self.before.with_(self.wanted)

    def is_met_by(self, settings: PopSettings) -> bool:
        """Whether a server with these settings is as declared."""
        return not settings.lacks(self.wanted)


@dataclass(frozen=True, slots=True)
class PopPlan:
    """Every server asked for, in the order asked, and the changes: one per server, in the order first met."""

    findings: tuple[tuple[str, PopFinding], ...]
    changes: tuple[PopChange, ...]


def plan(findings: Iterable[tuple[str, PopFinding]], wanted: Wanted) -> PopPlan:
    """Two names of the same server give one change; a server that cannot become what is declared gives a failure."""
    asked = tuple((name, _checked(finding, wanted)) for name, finding in findings)
    changes: dict[UUID, PopChange] = {}
    for _name, found in asked:
        if isinstance(found, PopServer) and found.settings.lacks(wanted):
            changes.setdefault(found.guid, PopChange(found, wanted))
    return PopPlan(asked, tuple(changes.values()))


def _checked(finding: PopFinding, wanted: Wanted) -> PopFinding:
    """Exchange's own words would come late and one at a time; these come before anything is changed."""
    if isinstance(finding, Failure):
        return finding
    unknown = [name for name in wanted if name not in finding.settings.values]
    if unknown:
        return Failure(
            Reason.ERROR,
            f"{finding.name} shows no {', '.join(SETTINGS[name].exchange_name for name in unknown)}: its version of "
            f"Exchange does not have that. Leave out {', '.join(unknown)} for this server. Nothing was changed there.",
        )
    after = finding.settings.with_(wanted).values
    if (
        "calendar_item_retrieval_option" in wanted
        and after["calendar_item_retrieval_option"] == "Custom"
        and not after.get("owa_server_url")
    ):
        return Failure(
            Reason.ERROR,
            f"calendar_item_retrieval_option: Custom needs owa_server_url, and {finding.name} has none. Give both. "
            "Nothing was changed there.",
        )
    return finding


def told_and_not_served(settings: PopSettings, wanted: Wanted) -> list[str]:
    """Return what clients are told (or would be) and no binding serves, for a warning.

    "The combination of encryption methods and ports … need to match" (Microsoft's page); that Exchange does not check
    it is inferred. Connections from outside may come through a gateway with other ports, so it is no error.
    """
    serving = {
        "SSL": _ports(settings.values.get("ssl_bindings")),
        "TLS": _ports(settings.values.get("unencrypted_or_tls_bindings")),
        "": _ports(settings.values.get("unencrypted_or_tls_bindings")),
    }
    told = [
        (name, item)
        for name in ("external_connection_settings", "internal_connection_settings")
        if name in wanted
        for item in _members(settings.values.get(name))
        if isinstance(item, ConnectionSettings)
    ]
    return sorted(f"{item} in {name}" for name, item in told if item.port not in serving[item.encryption])


def _ports(value: SettingValue | None) -> set[int]:
    return {item.port for item in _members(value) if isinstance(item, IPBinding)}


def _members(value: SettingValue | None) -> Iterable[IPBinding | ConnectionSettings]:
    return value if isinstance(value, frozenset) else ()
