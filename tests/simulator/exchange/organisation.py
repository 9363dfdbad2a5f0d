# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Exchange organisation as data: servers, domain controllers, organizational units and mailboxes.

    organisation = Organisation(domain="contoso.com")
    organisation.add_mailbox("John Smith", pop_enabled=False)
    organisation.settings(organisation.mailbox("jsmith")).pop_enabled

A write lands at one domain controller. With a `replication_delay` the others show it only after that many seconds.
"""

from __future__ import annotations

import datetime
import random
import re
import threading
import time
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from simulator.exchange.identity import Ambiguous, IdentityIndex, NotFound
from simulator.exchange.mailbox import DEFAULT_SETTINGS, SETTING_NAMES, ClientAccessSettings, Mailbox, container_dn
from simulator.exchange.pop_settings import PopSettings, defaults_of

_ADMINISTRATIVE_GROUP = "Exchange Administrative Group (FYDIBOHF23SPDLT)"
MAILBOX, CLIENT_ACCESS, EDGE = "Mailbox", "ClientAccess", "Edge"
EXCHANGE_2013 = "Version 15.0 (Build 1497.2)"
"""2013 CU23, the last version in which Mailbox and Client Access were roles that a server could have one of."""
_NOT_IN_ALIAS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Server:
    """An Exchange server."""

    name: str
    fqdn: str
    version: str = "Version 15.2 (Build 1748.10)"
    """What Exchange calls 2019 CU15."""
    roles: tuple[str, ...] = (MAILBOX, CLIENT_ACCESS)
    site: str = "Default-First-Site-Name"
    dag: str | None = None
    edition: str = "Standard"

    @property
    def guid(self) -> uuid.UUID:
        """The same for the same name."""
        return uuid.uuid5(uuid.NAMESPACE_DNS, self.fqdn)

    @property
    def client_access(self) -> bool:
        """Whether clients connect to it: not to an Exchange 2013 with the Mailbox role only, nor to an Edge server."""
        return CLIENT_ACCESS in self.roles


@dataclass(frozen=True, slots=True)
class DomainController:
    """A domain controller."""

    name: str
    fqdn: str


@dataclass(frozen=True, slots=True)
class _Write:
    """A change that not every domain controller shows yet."""

    at: str
    seconds: float
    changes: dict[str, object]


class Organisation:
    """See the top of this file. Safe to use from several threads."""

    def __init__(
        self,
        domain: str = "contoso.com",
        *,
        name: str | None = None,
        netbios_name: str | None = None,
        servers: tuple[str, ...] = ("MBX01",),
        domain_controllers: tuple[str, ...] = ("DC01", "DC02"),
        language: str = "en",
    ) -> None:
        label = domain.split(".")[0]
        self.domain = domain
        self.name = name or label.capitalize()
        self.netbios_name = netbios_name or label.upper()[:15]
        self.language = language
        """In which language Exchange writes its messages: `en` or `fr`."""
        self.replication_delay = 0.0
        self.servers = {server: Server(server, f"{server}.{domain}".lower()) for server in servers}
        self.domain_controllers = tuple(DomainController(dc, f"{dc}.{domain}") for dc in domain_controllers)
        self.lock = threading.RLock()
        self._units: dict[str, str] = {}
        self._unit_forms: dict[str, tuple[str, ...]] = {}
        self._mailboxes: list[Mailbox] = []
        self._index = IdentityIndex()
        self._settings: dict[uuid.UUID, ClientAccessSettings] = {}
        self._writes: dict[uuid.UUID, list[_Write]] = {}
        self._pop_settings: dict[str, PopSettings] = {}
        self.add_organizational_unit("Users")

    def __len__(self) -> int:
        return len(self._mailboxes)

    # --- servers and organizational units ---

    def add_server(self, name: str, **described: Any) -> Server:
        """Another Exchange server, or one of the same name as it is from now on; see `Server`."""
        self.servers[name] = Server(name, f"{name}.{self.domain}".lower(), **described)
        return self.servers[name]

    def dags(self) -> dict[str, tuple[Server, ...]]:
        """The database availability groups and their members."""
        with self.lock:
            names = sorted({server.dag for server in self.servers.values() if server.dag})
            return {name: tuple(server for server in self.servers.values() if server.dag == name) for name in names}

    def server_dn(self, server: Server) -> str:
        """The distinguished name of a server."""
        return (
            f"CN={server.name},CN=Servers,CN={_ADMINISTRATIVE_GROUP},CN=Administrative Groups,CN={self.name},"
            f"CN=Microsoft Exchange,CN=Services,CN=Configuration,{','.join(f'DC={x}' for x in self.domain.split('.'))}"
        )

    def server(self, identity: str) -> Server | None:
        """The server with this name, FQDN, DN or legacy Exchange DN (Microsoft docs: Get-PopSettings, -Server)."""
        wanted = identity.casefold()
        for server in self.servers.values():
            legacy = f"/o={self.name}/ou={_ADMINISTRATIVE_GROUP}/cn=Configuration/cn=Servers/cn={server.name}"
            if wanted in map(str.casefold, (server.name, server.fqdn, self.server_dn(server), legacy)):
                return server
        return None

    def pop_settings(self, server: str) -> PopSettings:
        """The POP3 settings of a server, by its name; KeyError when there is none."""
        with self.lock:
            known = self.server(server)
            if known is None:
                raise KeyError(server)
            return self._pop_settings.get(known.name) or defaults_of(known.name, known.fqdn)

    def change_pop_settings(self, server: str, **changes: object) -> None:
        """Change POP3 settings of a server, by Exchange's names."""
        with self.lock:
            settings = self.pop_settings(server).changed(changes)
            known = self.server(server)
            assert known is not None
            self._pop_settings[known.name] = settings

    def add_organizational_unit(self, path: str) -> str:
        """An organizational unit such as `Sales` or `Sales/Berlin`; the ones above it come along."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            unit = "/".join(parts[:depth])
            if unit.casefold() in self._units:
                continue
            self._units[unit.casefold()] = unit
            canonical = f"{self.domain}/{unit}"
            guid = uuid.uuid5(uuid.NAMESPACE_DNS, canonical.casefold())
            for form in (parts[depth - 1], canonical, container_dn(unit, self.domain), str(guid), f"{{{guid}}}"):
                key = form.casefold()
                self._unit_forms[key] = (*self._unit_forms.get(key, ()), unit)
        return self._units[path.casefold()]

    def find_organizational_units(self, identity: str) -> tuple[str, ...]:
        """The paths of the organizational units with this name, canonical name, DN or GUID (Microsoft docs:
        Get-CASMailbox, -OrganizationalUnit). Only a name can fit several; "" is the domain itself."""
        key = identity.strip().rstrip("/").casefold()
        domain_dn = ",".join(f"DC={label}" for label in self.domain.split("."))
        if key in (self.domain.casefold(), domain_dn.casefold()):
            return ("",)
        return self._unit_forms.get(key, ())

    def organizational_unit(self, identity: str) -> str | None:
        """The path of the organizational unit with this path, or with this identity if it is unique."""
        known = self._units.get(identity.casefold())
        if known is not None:
            return known
        found = self.find_organizational_units(identity)
        return found[0] if len(found) == 1 else None

    def domain_controller(self, name: str) -> DomainController | None:
        """The domain controller with this host name or FQDN."""
        wanted = name.casefold()
        return next((dc for dc in self.domain_controllers if wanted in (dc.name.casefold(), dc.fqdn.casefold())), None)

    # --- mailboxes ---

    def add_mailbox(
        self,
        name: str,
        *,
        alias: str | None = None,
        display_name: str | None = None,
        organizational_unit: str = "Users",
        server: str | None = None,
        primary_smtp_address: str | None = None,
        email_addresses: tuple[str, ...] = (),
        sam_account_name: str | None = None,
        user_principal_name: str | None = None,
        guid: uuid.UUID | None = None,
        password: str = "",
        pop_enabled: bool = True,
        settings: ClientAccessSettings | None = None,
    ) -> Mailbox:
        """A new mailbox. What is not given is derived from the name, as New-Mailbox does; POP3 is on, as in Exchange.

        ValueError when an address, account or DN is taken already.
        """
        alias = alias or derived_alias(name)
        sam = sam_account_name or alias[:20]
        address = primary_smtp_address or f"{alias}@{self.domain}"
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        unit = self.organizational_unit(organizational_unit)
        unit = unit if unit is not None else self.add_organizational_unit(organizational_unit)
        guid = guid or uuid.uuid5(uuid.NAMESPACE_DNS, f"{unit}/{name}.{self.domain}".casefold())
        mailbox = Mailbox(
            name=name,
            display_name=display_name or name,
            alias=alias,
            sam_account_name=sam,
            user_principal_name=user_principal_name or f"{sam}@{self.domain}",
            primary_smtp_address=address,
            email_addresses=(address, *(other for other in email_addresses if other != address)),
            domain=self.domain,
            netbios_domain=self.netbios_name,
            organizational_unit=unit,
            server=server or next(iter(self.servers)),
            legacy_exchange_dn=f"/o={self.name}/ou={_ADMINISTRATIVE_GROUP}/cn=Recipients/cn={guid.hex}-{sam}",
            guid=guid,
            when_created=now,
            when_changed=now,
            password=password,
        )
        if settings is None:
            settings = DEFAULT_SETTINGS if pop_enabled else replace(DEFAULT_SETTINGS, pop_enabled=False)
        with self.lock:
            self._index.add(mailbox)
            self._mailboxes.append(mailbox)
            self._settings[guid] = settings
        return mailbox

    def remove_mailbox(self, mailbox: Mailbox) -> None:
        """Delete a mailbox."""
        with self.lock:
            self._index.remove(mailbox)
            self._mailboxes.remove(mailbox)
            del self._settings[mailbox.guid]
            self._writes.pop(mailbox.guid, None)

    def resolve(self, identity: str, *, distinguished_name_only: bool = False) -> Mailbox | NotFound | Ambiguous:
        """The mailbox with this identity, in any form."""
        if distinguished_name_only:
            return self._index.resolve_distinguished_name(identity)
        return self._index.resolve(identity)

    def mailbox(self, identity: str) -> Mailbox:
        """The mailbox with this identity; KeyError when there is none or more than one. For tests."""
        found = self.resolve(identity)
        if not isinstance(found, Mailbox):
            raise KeyError(identity)
        return found

    def mailboxes(self, organizational_unit: str = "") -> Iterator[Mailbox]:
        """All mailboxes, or those in an organizational unit and below it, in the order they were made."""
        with self.lock:
            everyone = list(self._mailboxes)
        if not organizational_unit:
            return iter(everyone)
        return (mailbox for mailbox in everyone if is_in(mailbox, organizational_unit))

    # --- settings ---

    def settings(self, mailbox: Mailbox, domain_controller: DomainController | None = None) -> ClientAccessSettings:
        """The settings as a domain controller shows them now; without one, as they will be everywhere in the end."""
        with self.lock:
            current = self._settled(mailbox)
            for write in self._writes.get(mailbox.guid, ()):
                if domain_controller is None or write.at == domain_controller.fqdn:
                    current = _changed(current, write.changes)
            return current

    def change_settings(
        self, mailbox: Mailbox, changes: dict[str, object], domain_controller: DomainController | None = None
    ) -> None:
        """Write settings, by Exchange's property names, at a domain controller (default: the first)."""
        at = domain_controller or self.domain_controllers[0]
        with self.lock:
            mailbox.when_changed = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
            settled = self._settled(mailbox)
            if self.replication_delay <= 0 and mailbox.guid not in self._writes:
                self._settings[mailbox.guid] = _changed(settled, changes)
                return
            write = _Write(at.fqdn, time.monotonic() + self.replication_delay, changes)
            self._writes.setdefault(mailbox.guid, []).append(write)

    def set_pop_enabled(self, share: float) -> None:
        """Put every mailbox back to the settings of a new one, with POP3 on for this share of them, spread evenly."""
        disabled = replace(DEFAULT_SETTINGS, pop_enabled=False)
        with self.lock:
            self._writes.clear()
            on = 0
            for number, mailbox in enumerate(self._mailboxes, 1):
                is_on = round(number * share) > on
                on += is_on
                self._settings[mailbox.guid] = DEFAULT_SETTINGS if is_on else disabled

    def _settled(self, mailbox: Mailbox) -> ClientAccessSettings:
        """The settings that every domain controller shows, with writes that have replicated by now folded in."""
        writes = self._writes.get(mailbox.guid)
        if not writes:
            return self._settings[mailbox.guid]
        now = time.monotonic()
        done = [write for write in writes if write.seconds <= now]
        for write in done:
            self._settings[mailbox.guid] = _changed(self._settings[mailbox.guid], write.changes)
        waiting = [write for write in writes if write.seconds > now]
        if waiting:
            self._writes[mailbox.guid] = waiting
        else:
            del self._writes[mailbox.guid]
        return self._settings[mailbox.guid]


def is_in(mailbox: Mailbox, organizational_unit: str) -> bool:
    """True for a mailbox in an organizational unit, given by its path, or below it; "" is the whole domain."""
    unit = mailbox.organizational_unit
    return not organizational_unit or unit == organizational_unit or unit.startswith(organizational_unit + "/")


def _changed(settings: ClientAccessSettings, changes: dict[str, object]) -> ClientAccessSettings:
    # replace() cannot know the types behind names of run time; parameter binding has checked them.
    return replace(settings, **{SETTING_NAMES[name]: value for name, value in changes.items()})  # type: ignore[arg-type]


def derived_alias(name: str) -> str:
    """An alias from a name: letters without marks, no spaces."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss").replace("\u0131", "i"))
    alias = _NOT_IN_ALIAS.sub("", plain).strip(".")
    return alias or f"user-{uuid.uuid5(uuid.NAMESPACE_DNS, name).hex[:8]}"


def sample_organisation() -> Organisation:
    """A small organisation to play with: every kind of name that makes trouble, and two people called Alex Meyer."""
    organisation = Organisation("contoso.com", servers=("MBX01", "MBX02"))
    for server, site in (("MBX01", "Berlin"), ("MBX02", "Paris")):
        organisation.add_server(server, site=site, dag="DAG1", edition="Enterprise")
    for unit in ("Sales", "Sales/Berlin", "Engineering"):
        organisation.add_organizational_unit(unit)
    add = organisation.add_mailbox
    add("John Smith", alias="jsmith", pop_enabled=False)
    add("Patrick Colon", alias="pcolon")
    add("Smith, Jane", alias="jane", display_name="Smith, Jane", organizational_unit="Sales")
    add("Ümit Öztürk", alias="uoeztuerk", organizational_unit="Engineering", server="MBX02")
    add("Alex Meyer", alias="ameyer", organizational_unit="Sales/Berlin")
    add("Alex Meyer (Engineering)", alias="ameyer2", display_name="Alex Meyer", organizational_unit="Engineering")
    add("Conor O'Brien", alias="cobrien", organizational_unit="Engineering")
    add('José $(Home) "Pepe" Núñez; QA', alias="jnunez", organizational_unit="Engineering")
    add("Support 😀", alias="support", organizational_unit="Sales", pop_enabled=False)
    add("_x0041_ Printer", alias="printer", organizational_unit="Users", server="MBX02")
    return organisation


_FIRST_NAMES = """
    Aaliyah Adam Agnieszka Ahmed Alice Amélie André Anna Antoine Beatriz Björn Camille Carlos Chloé Clara Daniel David
    Elena Emma Erik Fatima Felix Fiona Florian Giulia Hannah Hugo Ingrid Isabel Ivan James Jane Jérôme Johanna John
    Julia Kenji Laura Léa Liam Lucas Maria Marta Mehmet Mia Nadia Noah Olga Oliver Paul Priya Rachel Renée Samuel Sofia
    Søren Thomas Ümit Yuki Zoë
"""
_LAST_NAMES = """
    Andersson Bauer Becker Bernard Brown Chen Colon Costa Dubois Dupont Evans Fernández Fischer Fontaine Fournier García
    Gonzalez Hansen Hoffmann Ito Jensen Johnson Jones Kaya Khan Kowalski Kumar Lambert Larsen Lefèvre López Martin Meyer
    Moreau Müller Nguyen Nowak Núñez O'Brien Öztürk Papadopoulos Patel Petrov Rossi Roux Schmidt Schneider Silva Singh
    Smith Suzuki Tanaka Taylor Thomas Wagner Weber Williams Wilson Zimmermann
"""


def large_organisation(
    count: int,
    *,
    organizational_units: tuple[str, ...] = ("Sales", "Sales/Berlin", "Sales/Paris", "Engineering", "Finance"),
    servers: tuple[str, ...] = ("MBX01", "MBX02", "MBX03"),
    pop_enabled: float = 0.5,
    seed: int = 1,
    domain: str = "contoso.com",
) -> Organisation:
    """Many mailboxes with plausible names, spread by chance over units and servers; the same again for the same seed.

    POP3 is on for exactly `pop_enabled` of them, rounded. Names, aliases and addresses are unique.
    """
    chance = random.Random(seed)
    organisation = Organisation(domain, servers=servers)
    units = [organisation.add_organizational_unit(unit) for unit in organizational_units]
    everybody = _people(count, chance)
    enabled = set(chance.sample(range(count), round(count * pop_enabled)))
    for number, (name, alias) in enumerate(everybody):
        organisation.add_mailbox(
            name,
            alias=alias,
            organizational_unit=chance.choice(units),
            server=chance.choice(servers),
            sam_account_name=f"u{number + 1:06}",
            user_principal_name=f"{alias}@{domain}",
            pop_enabled=number in enabled,
        )
    return organisation


def large_organisation_addresses(count: int, *, seed: int = 1, domain: str = "contoso.com") -> list[str]:
    """The e-mail addresses in a `large_organisation`, in its order, for whoever does not have it at hand."""
    return [f"{alias}@{domain}" for _unused, alias in _people(count, random.Random(seed))]


def _people(count: int, chance: random.Random) -> list[tuple[str, str]]:
    """Names and aliases."""
    people = [f"{first} {last}" for first in _FIRST_NAMES.split() for last in _LAST_NAMES.split()]
    aliases = {name: ".".join(derived_alias(part) for part in name.partition(" ")[::2]).lower() for name in people}
    chance.shuffle(people)
    found: list[tuple[str, str]] = []
    for number in range(count):
        repeat, person = divmod(number, len(people))
        suffix = str(repeat + 1) if repeat else ""
        name = people[person]
        found.append((f"{name} {suffix}".strip(), f"{aliases[name]}{suffix}"))
    return found
