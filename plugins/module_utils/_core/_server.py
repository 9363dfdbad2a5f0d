# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this collection knows of an Exchange server, and which groups of an inventory it belongs to. Pure data.

An Edge Transport server is in one group of its own and in no other: it is not a member of the domain, so the others'
credentials are not its own, and it has no POP3 services to restart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

ALL = "exchange"
"""The group of the servers that serve POP3, and the beginning of all other groups' names."""

EDGE = "edge"
_SERVES_POP3 = frozenset(("mailbox", "client_access"))
"""From 2016 on both services are on every Mailbox server; in 2013 the frontend is where Client Access is, the backend
where Mailbox is (Microsoft's page on the POP3 services)."""

_ANSIBLES = frozenset(("all", "ungrouped"))
"""Groups that every inventory has."""

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOT_IN_GROUP = re.compile(r"\W")
_VERSION = re.compile(r"Version (\d+)\.(\d+) \(Build (\d+)\.(\d+)\b", re.IGNORECASE)

_OF_SERIAL_NUMBER = 30_000
"""Active Directory keeps build 2507 as 32507, and some tools show it so (published code: ServerVersion.ToString)."""

_SE_FROM = 2562
"""Subscription Edition began as 15.2.2562.17; the last cumulative update of 2019 is 15.2.1748 (Microsoft's build
numbers). That later ones of SE stay at 15.2 and count on is inferred from that."""

_PRODUCTS = {(8, None): "2007", (14, None): "2010", (15, 0): "2013", (15, 1): "2016", (15, 2): "2019"}


@dataclass(frozen=True, slots=True)
class Version:
    """Four numbers, as in 15.2.1748.10. Security updates do not show in them where they come from Active Directory."""

    major: int
    minor: int
    number: int
    revision: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}"

    @property
    def build(self) -> str:
        """The build, as in 1748.10."""
        return f"{self.number}.{self.revision}"

    @property
    def product(self) -> str | None:
        """The name of the product, as in 2019 or SE; None for one that is not known here."""
        if (self.major, self.minor) == (15, 2) and self.number >= _SE_FROM:
            return "SE"
        return _PRODUCTS.get((self.major, self.minor if self.major >= 15 else None))


@dataclass(frozen=True, slots=True)
class Server:
    """One server as Exchange described it; these fields are the host variable ``exchange_server``.

    ``None`` is what Exchange did not say: a server outside of a DAG has none, and neither has one whose DAG this user
    may not see.
    """

    name: str
    fqdn: str | None
    roles: tuple[str, ...]
    version: str | None = None
    build: str | None = None
    product: str | None = None
    site: str | None = None
    dag: str | None = None
    edition: str | None = None

    @property
    def is_edge(self) -> bool:
        """It stands outside of the domain."""
        return EDGE in self.roles

    @property
    def serves_pop3(self) -> bool:
        """It has at least one of the two POP3 services."""
        return not self.is_edge and not _SERVES_POP3.isdisjoint(self.roles)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that it belongs to, as names that Ansible accepts."""
        if self.is_edge:
            return (_group(EDGE),)
        parts = [*self.roles, self.product, self.site and f"site_{self.site}", self.dag and f"dag_{self.dag}"]
        return (*([ALL] if self.serves_pop3 else []), *(_group(part) for part in parts if part))

    def facts(self) -> dict[str, object]:
        """Return it in a form that Ansible and JSON can carry."""
        return {**asdict(self), "roles": list(self.roles)}


class NoHostName(ValueError):
    """A server cannot be called what it is called. The message says which one, and what to do."""


def host_names(servers: Iterable[Server], form: str) -> dict[str, Server]:
    """Return the servers by what an inventory calls them: their ``name``, or their ``fqdn`` if they have one.

    DNS knows no case, Ansible does. A name that is a group's, too, would be the group to Ansible: such a server goes by
    its full name. Raises NoHostName where it has none, and where two servers would be one host.
    """
    servers = tuple(servers)
    groups = {group for server in servers for group in server.groups} | _ANSIBLES
    named: dict[str, Server] = {}
    for server in servers:
        short, full = server.name.lower(), (server.fqdn or server.name).lower()
        name = full if form == "fqdn" or short in groups else short
        if name in groups:
            raise NoHostName(
                f"The server {server.name} has the name of a group of this inventory, and Exchange gives no full name "
                "for it, so that Ansible could not tell the two apart."
            )
        if name in named:
            raise NoHostName(
                f"Two of the servers that Exchange lists would be the host {name}: {named[name].fqdn or name} and "
                f"{server.fqdn or server.name}. If their full names differ, hostname: fqdn tells the two apart."
            )
        named[name] = server
    return named


def server_of(facts: object) -> Server:
    """Return the server that the facts are of. Raises ValueError for anything else: a cache is a file like others."""
    if not isinstance(facts, Mapping) or set(facts) != set(Server.__slots__):
        raise ValueError("these are not the facts of a server")
    roles, rest = facts["roles"], {name: value for name, value in facts.items() if name != "roles"}
    texts = [facts["name"], *(value for value in rest.values() if value is not None)]
    if not isinstance(roles, list) or not all(isinstance(text, str) for text in [*texts, *roles]):
        raise ValueError("the facts of a server are texts")
    return Server(roles=tuple(roles), **rest)


def version_of(text: str) -> Version | None:
    """Read ``AdminDisplayVersion``, as in ``Version 15.2 (Build 1748.10)``; it may have words behind the build."""
    found = _VERSION.match(text)
    if found is None:
        return None
    major, minor, number, revision = map(int, found.groups())
    return Version(major, minor, number % _OF_SERIAL_NUMBER, revision)


def roles_of(text: str) -> tuple[str, ...]:
    """Read ``ServerRole``, as in ``Mailbox, ClientAccess``, in Ansible's spelling."""
    names = (name.strip() for name in text.split(","))
    return tuple(_WORD.sub("_", name).lower() for name in names if name not in ("", "None"))


def last_part(canonical_name: str) -> str:
    """Return the end of ``contoso.com/Configuration/Sites/Berlin``; a slash in a name has a backslash before it."""
    return canonical_name.replace("\\/", "\0").rpartition("/")[2].replace("\0", "/")


def _group(name: str) -> str:
    return f"{ALL}_{_NOT_IN_GROUP.sub('_', name.lower())}"
