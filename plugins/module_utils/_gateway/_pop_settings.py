# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-PopSettings, Set-PopSettings and Get-ExchangeServer as Python calls.

Facts from Microsoft's pages on the three: ``-Server`` takes a name, an FQDN, a distinguished name or a legacy Exchange
DN; "if you don't use this parameter, the command is run on the local server".
"""

from __future__ import annotations

from collections.abc import Callable

from .._core._mailbox import Failure, Reason
from .._core._pop_settings import SETTINGS, PopChange, PopFinding, PopServer, settings_of
from .._core._pop_values import sent
from .._errors import ListingFailed, UnexpectedReply
from .._session._protocol import Cmdlet, ErrorRecord, Pipeline, Record, Reply, Session, Value
from . import _properties, _reasons

GET = "Get-PopSettings"
SET = "Set-PopSettings"
LIST = "Get-ExchangeServer"

SERVER = _reasons.Subject(
    noun="server",
    how_to_name_it="name it by its full name",
    role_hint=(
        "The management role 'POP3 And IMAP4 Protocols' is needed, which the role groups Organization Management and "
        "Server Management have; see Get-ManagementRoleAssignment."
    ),
)
_SERVERS = _reasons.Subject(
    noun="server",
    how_to_name_it="name it by its full name",
    role_hint=(
        "To find all servers, a management role with Get-ExchangeServer is needed, such as 'View-Only Configuration'. "
        "Or name the servers in the option servers."
    ),
)

_MOST_ANSWERS = 100
"""Answers about one server at most; it should be one."""

_MOST_SERVERS = 10_000


class PopServers:
    """The POP3 settings of servers, read and changed over one session.

    ``domain_controller`` is given to every cmdlet if it is set, so that what was written is what is read.
    ``warn`` gets each warning that Exchange gave, as often as it gave it.
    """

    def __init__(self, session: Session, domain_controller: str | None, warn: Callable[[str], None]) -> None:
        self._session = session
        self._common: dict[str, Value] = {"DomainController": domain_controller} if domain_controller else {}
        self._warn = warn
        self._hidden: dict[str, ErrorRecord] = {}

    @property
    def openings(self) -> int:
        """How many times the session was opened: opened anew, it may have another domain controller."""
        return self._session.openings

    def names(self) -> list[str]:
        """Return the names of all servers that serve POP3 clients. Raises ListingFailed.

        An Edge Transport server has no POP3, nor has an Exchange 2013 that is no Client Access server.
        """
        reply = self._invoke(LIST, {}, most=_MOST_SERVERS)
        if reply.errors:
            failure = _reasons.failure_for(LIST, "all servers", reply.errors[0], _SERVERS)
            raise ListingFailed(f"The servers of the organisation could not be listed. {failure.msg}")
        try:
            names = [_properties.text(record, "Name") for record in reply.records if _serves_clients(record)]
        except UnexpectedReply as exc:
            raise ListingFailed(f"The list of the organisation's servers was not understood. {exc}") from exc
        if not all(names) or not names:
            raise ListingFailed(
                f"{LIST} listed {len(reply.records)} servers and none, or not all, that serve POP3 clients have a name "
                "for this user, so nothing was looked at. Name the servers in the option servers."
            )
        return names

    def find(self, server: str) -> PopFinding:
        """Return the server with this name with its settings, or why there is none."""
        _refuse_blank(server)
        reply = self._invoke(GET, {"Server": server}, most=_MOST_ANSWERS)
        if reply.errors:
            return _reasons.failure_for(GET, server, reply.errors[0], SERVER)
        if not reply.records:
            return Failure(
                Reason.NOT_FOUND,
                f"'{server}' has no POP3 settings, so it serves no POP3 clients: {GET} answered with nothing.",
            )
        if len(reply.records) > 1:
            return Failure(
                Reason.AMBIGUOUS,
                f"{GET} gave {len(reply.records)} objects for '{server}': {SERVER.how_to_name_it}. Which one would be "
                "changed cannot be told.",
            )
        try:
            return _server(reply.records[0], server)
        except UnexpectedReply as exc:
            return Failure(Reason.ERROR, f"The answer about '{server}' was not understood: {exc}")

    def find_again(self, server: PopServer) -> PopFinding:
        """Look at a server once more."""
        found = self.find(server.name)
        if isinstance(found, PopServer) and found.guid != server.guid:
            msg = (
                f"Exchange was asked for the settings of {server.name} again and answered with those of another server."
            )
            return Failure(Reason.ERROR, msg)
        return found

    def set(self, change: PopChange) -> Failure | None:
        """Make the change, and nothing that is not one. Return why Exchange refused, or ``None`` if it accepted."""
        server = change.server
        _refuse_blank(server.name)
        missing = server.settings.lacks(change.wanted)
        values: dict[str, Value] = {SETTINGS[name].exchange_name: sent(value) for name, value in missing.items()}
        reply = self._invoke(SET, {"Server": server.name, **values})
        if reply.errors:
            return _reasons.failure_for(SET, server.name, reply.errors[0], SERVER)
        return None

    def _invoke(self, name: str, parameters: dict[str, Value], *, most: int | None = None) -> Reply:
        if name in self._hidden:
            return Reply((self._hidden[name],))
        reply = self._session.invoke(Pipeline((Cmdlet(name, parameters | self._common),), most=most))
        for warning in reply.warnings:
            self._warn(warning)
        if reply.errors and _reasons.is_hidden(reply.errors[0]):
            self._hidden[name] = reply.errors[0]
        return reply


def _refuse_blank(server: str) -> None:
    # Without a server, both cmdlets turn to the one that answers. The options refuse a blank one; this is the last door
    # before the wire.
    if not server.strip():
        raise ValueError("a server is needed")


def _serves_clients(record: Record) -> bool:
    if _properties.optional_boolean(record, "IsEdgeServer"):
        return False
    return _properties.optional_boolean(record, "IsClientAccessServer") is not False


def _server(record: Record, asked: str) -> PopServer:
    # The property Server is a reference to the server's object in the directory, and its text is the name (reported);
    # where it comes as a path, the name is its last part. Identity is "MBX01\\1" (reported).
    name = _properties.text(record, "Server").rpartition("/")[2]
    name = name or _properties.text(record, "Identity").partition("\\")[0] or asked
    return PopServer(_properties.guid(record, "Guid"), name, settings_of(record))
