# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-CASMailbox and Set-CASMailbox as Python calls: identities in, mailboxes or failures out."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from .._core._mailbox import Failure, Finding, Mailbox, MimeFormat, Pop3Settings, Reason
from .._core._plan import Change
from .._errors import SelectionFailed, UnexpectedReply
from .._session._protocol import Cmdlet, ErrorRecord, Record, Reply, Session, Value
from . import _properties, _reasons

GET = "Get-CASMailbox"
SET = "Set-CASMailbox"

_PROPERTIES = {
    "pop_enabled": "PopEnabled",
    "pop_use_protocol_defaults": "PopUseProtocolDefaults",
    "pop_messages_retrieval_mime_format": "PopMessagesRetrievalMimeFormat",
    "pop_enable_exact_rfc822_size": "PopEnableExactRFC822Size",
    "pop_suppress_read_receipt": "PopSuppressReadReceipt",
    "pop_force_ical_for_calendar_retrieval_option": "PopForceICalForCalendarRetrievalOption",
}
"""Our fields and Exchange's properties, which are the parameters of Set-CASMailbox too (Microsoft's page on it)."""


class CasMailboxes:
    """The client access settings of mailboxes, read and changed over one session.

    ``domain_controller`` is given to every cmdlet if it is set, so that what was written is what is read.
    ``warn`` gets each warning that Exchange gave, as often as it gave it.
    """

    def __init__(self, session: Session, domain_controller: str | None, warn: Callable[[str], None]) -> None:
        self._session = session
        self._common: dict[str, Value] = {"DomainController": domain_controller} if domain_controller else {}
        self._warn = warn
        self._hidden: dict[str, ErrorRecord] = {}

    def find(self, identity: str) -> Finding:
        """Return the mailbox that ``identity`` names, in any form that Exchange accepts, or why there is none."""
        # Without an identity, Get-CASMailbox returns every mailbox. The options refuse a blank one; this is the last
        # door before the wire.
        if not identity.strip():
            raise ValueError("an identity is needed")
        reply = self._invoke(GET, {"Identity": identity})
        if reply.errors:
            return _reasons.failure_for(GET, identity, reply.errors[0])
        if not reply.records:
            return Failure(Reason.NOT_FOUND, f"No mailbox is named '{identity}': Exchange answered with nothing.")
        if len(reply.records) > 1:
            number = len(reply.records)
            return Failure(Reason.AMBIGUOUS, f"'{identity}' names {number} mailboxes: name one by its e-mail address.")
        try:
            return _mailbox(reply.records[0])
        except UnexpectedReply as exc:
            return Failure(Reason.ERROR, f"The answer about '{identity}' was not understood: {exc}")

    def select(self, filter_: str | None, organizational_unit: str | None) -> list[Mailbox]:
        """Return every mailbox that an OPATH filter and an organizational unit select; without both, every mailbox.

        Raises SelectionFailed, and UnexpectedReply if one of the answers is not understood: who is not known to be
        selected must not be taken for somebody who is not.
        """
        scope: dict[str, Value] = {"ResultSize": "Unlimited"}  # the default cuts after 1000
        if filter_:
            scope["Filter"] = filter_
        if organizational_unit:
            scope["OrganizationalUnit"] = organizational_unit
        reply = self._invoke(GET, scope)
        if reply.errors:
            asked = ", ".join(f"-{name} {value}" for name, value in scope.items() if name != "ResultSize")
            failure = _reasons.failure_for(GET, asked or "all mailboxes", reply.errors[0])
            raise SelectionFailed(f"The mailboxes could not be selected ({asked or 'all'}). {failure.msg}")
        return [_mailbox(record) for record in reply.records]

    def find_by_guid(self, guid: UUID) -> Finding:
        """Return the mailbox with this GUID, or why it cannot be read."""
        finding = self.find(str(guid))
        if isinstance(finding, Mailbox) and finding.guid != guid:
            return Failure(Reason.ERROR, f"Exchange was asked for the mailbox {guid} and answered with {finding.guid}.")
        return finding

    def set(self, change: Change) -> Failure | None:
        """Make the change, and nothing that is not one. Return why Exchange refused, or ``None`` if it accepted."""
        mailbox = change.mailbox
        settings = {_PROPERTIES[k]: _value(v) for k, v in change.wanted.missing_in(mailbox.settings).items()}
        reply = self._invoke(SET, {"Identity": str(mailbox.guid), **settings})
        if reply.errors:
            return _reasons.failure_for(SET, mailbox.name, reply.errors[0])
        return None

    def _invoke(self, name: str, parameters: dict[str, Value]) -> Reply:
        if name in self._hidden:
            return Reply(errors=(self._hidden[name],))
        reply = self._session.invoke(Cmdlet(name, parameters | self._common))
        for warning in reply.warnings:
            self._warn(warning)
        if reply.errors and _reasons.is_hidden(reply.errors[0]):
            self._hidden[name] = reply.errors[0]
        return reply


def _mailbox(record: Record) -> Mailbox:
    return Mailbox(
        guid=_properties.guid(record, "Guid"),
        name=_properties.text(record, "Name"),
        primary_smtp_address=_properties.text(record, "PrimarySmtpAddress"),
        server=_properties.text(record, "ServerName"),
        organizational_unit=_container(_properties.text(record, "Identity")),
        settings=Pop3Settings(
            pop_enabled=_properties.boolean(record, "PopEnabled"),
            pop_use_protocol_defaults=_properties.optional_boolean(record, "PopUseProtocolDefaults"),
            pop_messages_retrieval_mime_format=_properties.mime_format(record, "PopMessagesRetrievalMimeFormat"),
            pop_enable_exact_rfc822_size=_properties.optional_boolean(record, "PopEnableExactRFC822Size"),
            pop_suppress_read_receipt=_properties.optional_boolean(record, "PopSuppressReadReceipt"),
            pop_force_ical_for_calendar_retrieval_option=_properties.optional_boolean(
                record, "PopForceICalForCalendarRetrievalOption"
            ),
        ),
    )


def _container(canonical_name: str) -> str:
    """Return the container of ``contoso.com/Sales/Smith, Jane``; a slash in a name has a backslash before it."""
    container, _slash, _name = canonical_name.replace("\\/", "\0").rpartition("/")
    return container.replace("\0", "\\/")


def _value(value: bool | MimeFormat) -> Value:
    return value if isinstance(value, bool) else str(value.value)
