# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-PopSettings and Set-PopSettings (Microsoft docs: the pages of these cmdlets).

Parameters, types, ranges and that `-Server` means the local server where it is missing: Microsoft's pages on the two.
Property names and the forms of their texts are those that users show of `Get-PopSettings | Format-List`.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlsplit

from simulator.exchange.cas_mailbox import domain_controller
from simulator.exchange.cmdlets import Cmdlet, CmdletFailure, Invocation
from simulator.exchange.errors import ErrorRecord, TerminatingError, binding_error, not_found
from simulator.exchange.mailbox import MimeTextFormat
from simulator.exchange.organisation import DomainController, Server
from simulator.exchange.parameters import (
    WRITE_PARAMETERS,
    Boolean,
    Identity,
    Parameter,
    ParameterType,
    Text,
    cannot_bind,
)
from simulator.exchange.pop_settings import (
    NAMES,
    CalendarItemRetrievalOptions,
    ExtendedProtection,
    LogFileRollOver,
    LoginOptions,
    SortOrder,
)
from simulator.exchange.rbac import POP3_AND_IMAP4_PROTOCOLS, VIEW_ONLY_CONFIGURATION
from simulator.exchange.values import Complex, EnumValue, ObjectList, Record, TextList, Value, text_of

RECORD_TYPES = (
    "Microsoft.Exchange.Data.Directory.SystemConfiguration.Pop3AdConfiguration",
    "Microsoft.Exchange.Data.Directory.SystemConfiguration.PopImapAdConfiguration",
    "Microsoft.Exchange.Data.Directory.ADObject",
    "Microsoft.Exchange.Data.ConfigurableObject",
    "System.Object",
)
IP_BINDING = "Microsoft.Exchange.Data.IPBinding"
CONNECTION_SETTINGS = "Microsoft.Exchange.Data.ProtocolConnectionSettings"
ENHANCED_TIME_SPAN = "Microsoft.Exchange.Data.EnhancedTimeSpan"
BYTE_QUANTITY = "Microsoft.Exchange.Data.Unlimited`1[Microsoft.Exchange.Data.ByteQuantifiedSize]"
_ENUMERATIONS: dict[type[IntEnum], str] = {
    LoginOptions: "Microsoft.Exchange.Data.Directory.SystemConfiguration.LoginOptions",
    CalendarItemRetrievalOptions: "Microsoft.Exchange.Data.Directory.SystemConfiguration.CalendarItemRetrievalOptions",
    LogFileRollOver: "Microsoft.Exchange.Data.Directory.SystemConfiguration.LogFileRollOver",
    SortOrder: "Microsoft.Exchange.Data.Directory.SystemConfiguration.SortOrder",
    ExtendedProtection: "Microsoft.Exchange.Data.Directory.SystemConfiguration.ExtendedProtectionTokenCheckingMode",
    MimeTextFormat: "Microsoft.Exchange.Data.Directory.MimeTextFormat",
}


# --- types of parameters ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A member by its name in any case, or by its number."""

    members: type[IntEnum]

    @property
    def type_name(self) -> str:
        return _ENUMERATIONS[self.members]

    def convert(self, parameter: str, value: object) -> IntEnum:
        """The member."""
        text = text_of(value).strip().lower()
        for member in self.members:
            if not isinstance(value, bool) and text in (member.name.lower(), str(member.value)):
                return member
        raise cannot_bind(parameter, value, self.type_name)


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """System.Int32 within the limits of its property, which are checked when the cmdlet runs."""

    type_name: str = "System.Int32"

    def convert(self, parameter: str, value: object) -> int:
        """The number."""
        if (
            isinstance(value, bool)
            or not re.fullmatch(r"-?[0-9]+", text_of(value))
            or abs(int(text_of(value))) >= 2**31
        ):
            raise cannot_bind(parameter, value, self.type_name)
        return int(text_of(value))


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """EnhancedTimeSpan, from the text of a TimeSpan."""

    type_name: str = ENHANCED_TIME_SPAN

    def convert(self, parameter: str, value: object) -> datetime.timedelta:
        """The time span."""
        found = re.fullmatch(r"(?:([0-9]+)\.)?([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})", text_of(value))
        if found is None:
            raise cannot_bind(parameter, value, self.type_name)
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return datetime.timedelta(days, seconds, minutes=minutes, hours=hours)


@dataclass(frozen=True, slots=True)
class Quantity:
    """Unlimited<ByteQuantifiedSize>: a number with or without a unit, or the word Unlimited (here: None)."""

    type_name: str = BYTE_QUANTITY

    def convert(self, parameter: str, value: object) -> int | None:
        """The number of bytes."""
        text = text_of(value).strip()
        if text.lower() == "unlimited":
            return None
        found = re.fullmatch(r"([0-9]+) ?(B|KB|MB|GB|TB)?", text, re.IGNORECASE)
        if found is None or isinstance(value, bool):
            raise cannot_bind(parameter, value, self.type_name)
        power = ("B", "KB", "MB", "GB", "TB").index((found[2] or "B").upper())
        return int(found[1]) << 10 * power


@dataclass(frozen=True, slots=True)
class ListOf:
    """A MultiValuedProperty: one value, or a list of them."""

    item_type: str
    convert_item: Callable[[str], str]

    @property
    def type_name(self) -> str:
        return f"Microsoft.Exchange.Data.MultiValuedProperty`1[{self.item_type}]"

    def convert(self, parameter: str, value: object) -> tuple[str, ...]:
        """The texts of the items."""
        items = [] if value is None else value if isinstance(value, list | tuple) else [value]
        try:
            return tuple(dict.fromkeys(self.convert_item(text_of(item)) for item in items))
        except ValueError:
            raise cannot_bind(parameter, value, self.type_name) from None


@dataclass(frozen=True, slots=True)
class Uri:
    """System.Uri."""

    type_name: str = "System.Uri"

    def convert(self, parameter: str, value: object) -> str | None:
        """The address as Uri.ToString() gives it."""
        if value is None:
            return None
        parts = urlsplit(text_of(value))
        if not parts.scheme or not parts.netloc:
            raise cannot_bind(parameter, value, self.type_name)
        return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=parts.path or "/").geturl()


def _binding(text: str) -> str:
    address, _sep, port = text.rpartition(":")
    parsed = ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    if not 0 < int(port) < 65536:
        raise ValueError(text)
    return f"[{parsed}]:{port}" if parsed.version == 6 else f"{parsed}:{port}"


def _connection(text: str) -> str:
    host, port, *rest = text.split(":")
    encryption = rest[0].upper() if rest else ""
    if not host or not 0 < int(port) < 65536 or len(rest) > 1 or encryption not in ("", "SSL", "TLS"):
        raise ValueError(text)
    return f"{host}:{port}:{encryption}" if encryption else f"{host}:{port}"


_BOOLEAN, _NUMBER = Boolean(), WholeNumber()
_BINDINGS, _CONNECTIONS = ListOf(IP_BINDING, _binding), ListOf(CONNECTION_SETTINGS, _connection)
_TYPES: dict[str, ParameterType] = {
    "AuthenticatedConnectionTimeout": TimeSpan(),
    "Banner": Text(),
    "CalendarItemRetrievalOption": Enumeration(CalendarItemRetrievalOptions),
    "EnableExactRFC822Size": _BOOLEAN,
    "EnableGSSAPIAndNTLMAuth": _BOOLEAN,
    "EnforceCertificateErrors": _BOOLEAN,
    "ExtendedProtectionPolicy": Enumeration(ExtendedProtection),
    "ExternalConnectionSettings": _CONNECTIONS,
    "InternalConnectionSettings": _CONNECTIONS,
    "LogFileLocation": Text(),
    "LogFileRollOverSettings": Enumeration(LogFileRollOver),
    "LoginType": Enumeration(LoginOptions),
    "LogPerFileSizeQuota": Quantity(),
    "MaxCommandSize": _NUMBER,
    "MaxConnectionFromSingleIP": _NUMBER,
    "MaxConnections": _NUMBER,
    "MaxConnectionsPerUser": _NUMBER,
    "MessageRetrievalMimeFormat": Enumeration(MimeTextFormat),
    "MessageRetrievalSortOrder": Enumeration(SortOrder),
    "OwaServerUrl": Uri(),
    "PreAuthenticatedConnectionTimeout": TimeSpan(),
    "ProtocolLogEnabled": _BOOLEAN,
    "ProxyTargetPort": _NUMBER,
    "SSLBindings": _BINDINGS,
    "SuppressReadReceipt": _BOOLEAN,
    "UnencryptedOrTLSBindings": _BINDINGS,
    "X509CertificateName": Text(),
}
_HALF_A_MINUTE, _HOUR = datetime.timedelta(seconds=30), datetime.timedelta(hours=1)
_LIMITS: dict[str, tuple[object, object]] = {
    # The page on POP3 time-out limits says 86,400 seconds where the cmdlet's says an hour; here the cmdlet's counts.
    "AuthenticatedConnectionTimeout": (_HALF_A_MINUTE, _HOUR),
    "PreAuthenticatedConnectionTimeout": (_HALF_A_MINUTE, _HOUR),
    "MaxCommandSize": (40, 1024),
    "MaxConnectionFromSingleIP": (1, 2147483647),
    "MaxConnections": (1, 2147483647),
    "MaxConnectionsPerUser": (1, 2147483647),
    "ProxyTargetPort": (1, 65535),
}


# --- the cmdlets ------------------------------------------------------------------------------------------------------


def _get(call: Invocation) -> None:
    controller = domain_controller(call)
    server = _server(call, controller)
    failure = call.session.behaviour.unreadable_pop_settings.get(server.name)
    if failure is not None:
        raise CmdletFailure(failure)
    if server.client_access:  # what an Exchange 2013 without the role answers is inferred: nothing
        call.emit(_record(call, server, controller))


def _set(call: Invocation) -> None:
    controller = domain_controller(call)
    server, session = _server(call, controller), call.session
    wanted = {name: call.bound[name] for name in NAMES if name in call.bound}
    for name, (least, most) in _LIMITS.items():
        if name in wanted and not least <= wanted[name] <= most:  # type: ignore[operator]  # both are of one type
            raise TerminatingError(_out_of_limits(call, name, wanted[name], least, most))
    failure = session.behaviour.failing_pop_settings.get(server.name)
    if failure is not None:
        raise CmdletFailure(failure)
    call.spend(session.behaviour.costs.per_set)
    with session.organisation.lock:
        current = session.organisation.pop_settings(server.name)
        if all(getattr(current, name) == value for name, value in wanted.items()):
            call.warn(session.texts.not_modified.format(identity=f"{server.name}\\1"))
            return
        if call.get("WhatIf"):
            return
        if server.name not in session.behaviour.ignored_pop_settings:
            session.organisation.change_pop_settings(server.name, **wanted)
    call.warn(session.texts.restart_pop3.format(server=server.name))


def _out_of_limits(call: Invocation, name: str, value: object, least: object, most: object) -> ErrorRecord:
    return binding_error(
        call.session.texts.bad_pop_setting.format(parameter=name, value=value, least=least, most=most),
        "ParameterBindingFailed",
        cmdlet=call.cmdlet.name,
        task_class=call.cmdlet.task_class,
        category="WriteError",
    )


def _server(call: Invocation, controller: DomainController) -> Server:
    call.spend(call.session.behaviour.costs.per_identity_lookup)
    identity = call.get("Server")
    named = call.session.server if identity is None else str(identity)
    server = call.session.organisation.server(named)
    if server is None:
        raise CmdletFailure(not_found(call.session.texts.not_found.format(identity=named, dc=controller.fqdn)))
    return server


def _record(call: Invocation, server: Server, controller: DomainController) -> Record:
    behaviour, organisation = call.session.behaviour, call.session.organisation
    settings = organisation.pop_settings(server.name)
    properties: list[tuple[str, Value]] = [("ProtocolName", "POP3"), ("Name", "1")]
    properties += [
        (name, _shown(name, getattr(settings, name), behaviour.pop_settings_form))
        for name in NAMES
        if name not in behaviour.missing_pop_settings
    ]
    identity = f"{server.name}\\1"
    properties += [
        ("Server", server.name),
        ("AdminDisplayName", ""),
        ("ExchangeVersion", "0.10 (14.0.100.0)"),
        ("DistinguishedName", f"CN=1,CN=POP3,CN=Protocols,{organisation.server_dn(server)}"),
        ("Identity", Complex(("Microsoft.Exchange.Data.Directory.ADObjectId", "System.Object"), identity)),
        ("Guid", uuid.uuid5(uuid.NAMESPACE_DNS, f"pop3.{server.fqdn}")),
        ("ObjectCategory", f"{organisation.domain}/Configuration/Schema/ms-Exch-Protocol-Cfg-POP-Server"),
        ("ObjectClass", TextList(("top", "protocolCfg", "protocolCfgPOP", "protocolCfgPOPServer"))),
        ("OrganizationId", ""),
        ("OriginatingServer", controller.fqdn),
        ("IsValid", True),
        ("ObjectState", "Unchanged"),
    ]
    return Record(RECORD_TYPES, properties, identity)


def _shown(name: str, value: object, form: str) -> Value:
    """A value as it arrives; see `ExchangeBehaviour.pop_settings_form`."""
    if name == "LogPerFileSizeQuota":
        text = _quantity(value if isinstance(value, int) else None)
        return Complex((BYTE_QUANTITY, "System.Object"), text) if form == "object" else text
    match value:
        case datetime.timedelta():
            if form == "primitive":
                return value
            text = _time_span(value)
            return Complex((ENHANCED_TIME_SPAN, "System.Object"), text) if form == "object" else text
        case IntEnum():
            if form == "primitive":
                return int(value)
            return EnumValue(_ENUMERATIONS[type(value)], value.name, value.value) if form == "object" else value.name
        case tuple():
            item_type = IP_BINDING if name.endswith("Bindings") else CONNECTION_SETTINGS
            return ObjectList(item_type, value) if form == "object" else TextList(value)
        case str() if name == "OwaServerUrl":
            return Complex(("System.Uri", "System.Object"), value) if form == "object" else value
        case bool() | int() | str() | None:
            return value
        case _:
            raise TypeError(f"{name}: {value!r}")


def _time_span(value: datetime.timedelta) -> str:
    hours, rest = divmod(value.seconds, 3600)
    days = f"{value.days}." if value.days else ""
    return f"{days}{hours:02}:{rest // 60:02}:{rest % 60:02}"


def _quantity(number: int | None) -> str:
    """ByteQuantifiedSize.ToString(): four significant digits of the largest unit, then the bytes."""
    if number is None:
        return "Unlimited"
    unit = next((power for power in (4, 3, 2, 1) if number >= 1024**power), 0)
    return f"{number / 1024**unit:.4g} {('B', 'KB', 'MB', 'GB', 'TB')[unit]} ({number:,} bytes)"


_SERVER_ID = Identity("Microsoft.Exchange.Configuration.Tasks.ServerIdParameter")
_SERVER = Parameter("Server", _SERVER_ID, from_pipeline=True)
_DOMAIN_CONTROLLER = Parameter("DomainController", Text("Microsoft.Exchange.Data.Fqdn"))

GET_POP_SETTINGS = Cmdlet(
    name="Get-PopSettings",
    task_class="Microsoft.Exchange.Management.Tasks.GetPop3Configuration",
    roles=frozenset({POP3_AND_IMAP4_PROTOCOLS, VIEW_ONLY_CONFIGURATION}),
    output_type=RECORD_TYPES[0],
    process=_get,
    parameters=(_SERVER, _DOMAIN_CONTROLLER),
)

SET_POP_SETTINGS = Cmdlet(
    name="Set-PopSettings",
    task_class="Microsoft.Exchange.Management.Tasks.SetPop3Configuration",
    roles=frozenset({POP3_AND_IMAP4_PROTOCOLS}),
    process=_set,
    parameters=(
        _SERVER,
        *(Parameter(name, kind) for name, kind in _TYPES.items()),
        _DOMAIN_CONTROLLER,
        *WRITE_PARAMETERS,
    ),
)

POP_CMDLETS = (GET_POP_SETTINGS, SET_POP_SETTINGS)
