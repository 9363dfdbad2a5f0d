# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-ExchangeServer as a Python call over one session, and who is in which database availability group."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from .._core._server import Server, last_part, roles_of, version_of
from .._core._visible import visible
from .._errors import ListingFailed, UnexpectedReply
from .._session._protocol import Cmdlet, ErrorRecord, Pipeline, Record, Reply, Session, Value
from . import _properties, _reasons

GET = "Get-ExchangeServer"
_GROUPS = "Get-DatabaseAvailabilityGroup"
_MEMBERS = "Get-MailboxServer"

_ROLE_HINT = (
    "The management role 'View-Only Configuration' is needed, which the role groups View-Only Organization Management "
    "and Organization Management have; see Get-ManagementRoleAssignment."
)

_HOST = re.compile(r"\w[\w.-]*")
"""A name becomes a host, and an argument of programs that connect to it: none may begin with a hyphen."""


class ExchangeServers:
    """The servers of the organisation, over one session.

    ``domain_controller`` is given to every cmdlet if it is set. ``relay`` gets each warning that Exchange gave,
    ``warn`` what could not be found out.
    """

    def __init__(
        self,
        session: Session,
        domain_controller: str | None,
        relay: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._session = session
        self._common: dict[str, Value] = {"DomainController": domain_controller} if domain_controller else {}
        self._relay = relay
        self._warn = warn

    def list(self) -> list[Server]:
        """Return every server of the organisation. Raises ListingFailed, and UnexpectedReply for one not understood.

        One that is left out would be a server that is not restarted, so it is all of them or none.
        """
        reply = self._invoke(GET)
        if reply.errors:
            raise ListingFailed(f"The servers of the organisation could not be listed. {_why(GET, reply.errors[0])}")
        if not reply.records:
            raise ListingFailed(
                f"The servers of the organisation could not be listed: {GET} was answered with no server at all, "
                "though one has answered. Has this user a role assignment whose scope leaves them out? See "
                "Get-ManagementRoleAssignment."
            )
        servers = [self._server(record) for record in reply.records]
        # Servers of a DAG are Mailbox servers: without one of these, nobody has to be asked.
        dags = self._dags() if any("mailbox" in server.roles for server in servers) else {}
        return [replace(server, dag=dags.get(server.name.lower())) for server in servers]

    def _server(self, record: Record) -> Server:
        name = _properties.text(record, "Name")
        fqdn = _properties.text(record, "Fqdn")
        for text in (name, fqdn or name):
            if not _HOST.fullmatch(text):
                raise UnexpectedReply(
                    f"Exchange sent a server with the name {text[:80]!r}, which is none for a server."
                )
        told = _properties.text(record, "AdminDisplayVersion")
        version = version_of(told)
        if version is None:
            self._warn(f"The version of {name} is not known: Exchange calls it {visible(told)!r}.")
        return Server(
            name=name,
            fqdn=fqdn or None,
            roles=roles_of(_properties.text(record, "ServerRole")),
            version=str(version) if version else None,
            build=version.build if version else None,
            product=version.product if version else None,
            site=last_part(_properties.text(record, "Site")) or None,
            edition=_properties.text(record, "Edition") or None,
        )

    def _dags(self) -> dict[str, str]:
        """Return the DAG of each server that is in one, by its name in small letters.

        Both cmdlets know it, and roles of an organisation's own may have one of them only. Whoever may see neither gets
        the servers without it.
        """
        groups = self._invoke(_GROUPS)
        if not groups.errors:
            return dict(_members(groups))
        members = self._invoke(_MEMBERS)
        if not members.errors:
            return dict(_memberships(members))
        why = visible(_why(_GROUPS, groups.errors[0]))
        self._warn(
            "Which servers are in which database availability group could not be found out, so their groups are left "
            f"out. {why}"
        )
        return {}

    def _invoke(self, name: str) -> Reply:
        reply = self._session.invoke(Pipeline((Cmdlet(name, self._common),)))
        for warning in reply.warnings:
            self._relay(warning)
        return reply


def _members(groups: Reply) -> Iterator[tuple[str, str]]:
    for group in groups.records:
        servers = group.get("Servers")
        for server in servers if isinstance(servers, list) else ():
            yield last_part(str(server)).lower(), _properties.text(group, "Name")


def _memberships(members: Reply) -> Iterator[tuple[str, str]]:
    for server in members.records:
        dag = last_part(_properties.text(server, "DatabaseAvailabilityGroup"))
        if dag:
            yield _properties.text(server, "Name").lower(), dag


def _why(cmdlet: str, error: ErrorRecord) -> str:
    if _reasons.is_hidden(error):
        return _reasons.no_such_cmdlet(cmdlet, _ROLE_HINT, error)
    answered = f"Exchange answered: {error.message.strip()}"
    if _reasons.is_denied(error):
        return f"{cmdlet} is not allowed to this user. {_ROLE_HINT} {answered}"
    return f"{cmdlet} failed. {answered}"
