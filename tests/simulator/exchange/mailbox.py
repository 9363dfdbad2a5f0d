# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mailbox and its client access settings: data only."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field, fields
from enum import IntEnum


class MimeTextFormat(IntEnum):
    """In which format messages are handed out (Microsoft docs: Set-CASMailbox, PopMessagesRetrievalMimeFormat)."""

    TextOnly = 0
    HtmlOnly = 1
    HtmlAndTextAlternative = 2
    TextEnrichedOnly = 3
    TextEnrichedAndTextAlternative = 4
    BestBodyFormat = 5
    Tnef = 6


@dataclass(frozen=True, slots=True)
class ClientAccessSettings:
    """What Set-CASMailbox can change here, with Exchange's defaults (Microsoft docs: Set-CASMailbox)."""

    pop_enabled: bool = field(default=True, metadata={"name": "PopEnabled"})
    pop_use_protocol_defaults: bool = field(default=True, metadata={"name": "PopUseProtocolDefaults"})
    pop_messages_retrieval_mime_format: MimeTextFormat = field(
        default=MimeTextFormat.BestBodyFormat, metadata={"name": "PopMessagesRetrievalMimeFormat"}
    )
    pop_enable_exact_rfc822_size: bool = field(default=False, metadata={"name": "PopEnableExactRFC822Size"})
    pop_suppress_read_receipt: bool = field(default=False, metadata={"name": "PopSuppressReadReceipt"})
    pop_force_ical_for_calendar_retrieval_option: bool = field(
        default=False, metadata={"name": "PopForceICalForCalendarRetrievalOption"}
    )
    imap_enabled: bool = field(default=True, metadata={"name": "ImapEnabled"})
    imap_use_protocol_defaults: bool = field(default=True, metadata={"name": "ImapUseProtocolDefaults"})
    imap_messages_retrieval_mime_format: MimeTextFormat = field(
        default=MimeTextFormat.BestBodyFormat, metadata={"name": "ImapMessagesRetrievalMimeFormat"}
    )
    imap_enable_exact_rfc822_size: bool = field(default=False, metadata={"name": "ImapEnableExactRFC822Size"})
    imap_suppress_read_receipt: bool = field(default=False, metadata={"name": "ImapSuppressReadReceipt"})
    imap_force_ical_for_calendar_retrieval_option: bool = field(
        default=False, metadata={"name": "ImapForceICalForCalendarRetrievalOption"}
    )
    active_sync_enabled: bool = field(default=True, metadata={"name": "ActiveSyncEnabled"})
    owa_enabled: bool = field(default=True, metadata={"name": "OWAEnabled"})
    owa_for_devices_enabled: bool = field(default=True, metadata={"name": "OWAforDevicesEnabled"})
    ecp_enabled: bool = field(default=True, metadata={"name": "ECPEnabled"})
    mapi_enabled: bool = field(default=True, metadata={"name": "MAPIEnabled"})
    ews_enabled: bool = field(default=True, metadata={"name": "EwsEnabled"})


SETTING_NAMES: dict[str, str] = {entry.metadata["name"]: entry.name for entry in fields(ClientAccessSettings)}
"""Exchange's property name -> field of `ClientAccessSettings`."""

DEFAULT_SETTINGS = ClientAccessSettings()


@dataclass(slots=True, eq=False)
class Mailbox:
    """Who a mailbox is. Its settings live in the organisation, which knows about domain controllers."""

    name: str
    display_name: str
    alias: str
    sam_account_name: str
    user_principal_name: str
    primary_smtp_address: str
    email_addresses: tuple[str, ...]
    domain: str
    netbios_domain: str
    organizational_unit: str
    """Path below the domain, "/" between the parts: `Users`, `Sales/Berlin`."""
    server: str
    legacy_exchange_dn: str
    guid: uuid.UUID
    when_created: datetime.datetime
    when_changed: datetime.datetime
    password: str = ""
    """What a simulated POP3 logon accepts."""

    @property
    def distinguished_name(self) -> str:
        """`CN=Smith\\, Jane,OU=Sales,DC=contoso,DC=com`."""
        return distinguished_name(self.name, self.organizational_unit, self.domain)

    @property
    def canonical_name(self) -> str:
        """`contoso.com/Sales/Smith, Jane`; this is what Exchange shows as Identity."""
        return f"{self.domain}/{self.organizational_unit}/{self.name.replace('/', chr(92) + '/')}"

    @property
    def logon_name(self) -> str:
        """`CONTOSO\\jsmith`."""
        return f"{self.netbios_domain}\\{self.sam_account_name}"


def container_dn(organizational_unit: str, domain: str) -> str:
    """The distinguished name of an organizational unit, or of the built-in container `Users`."""
    parts = organizational_unit.split("/")
    units = [f"CN={part}" if part == "Users" and len(parts) == 1 else f"OU={_escape(part)}" for part in reversed(parts)]
    return ",".join(units + [f"DC={label}" for label in domain.split(".")])


def distinguished_name(name: str, organizational_unit: str, domain: str) -> str:
    """The distinguished name of an object in an organizational unit."""
    return f"CN={_escape(name)},{container_dn(organizational_unit, domain)}"


def _escape(value: str) -> str:
    """RFC 4514: these characters carry meaning in a distinguished name."""
    escaped = "".join("\\" + char if char in ',+"\\<>;=' else char for char in value)
    escaped = escaped.replace("\r", "\\0D").replace("\n", "\\0A")
    return "\\" + escaped if escaped.startswith(("#", " ")) else escaped
