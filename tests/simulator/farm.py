# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A farm: one Exchange organisation, its endpoint, and Windows hosts that serve its mailboxes over POP3.

    with Farm(servers=("MBX01", ServerSetup("MBX02", POP3_OFF))) as farm:
        farm.exchange.uri, farm.exchange.https_uri, farm.ca_file   # what a Simulator has, a farm has too
        farm.hosts["MBX01"].services["MSExchangePOP3"].restarts    # see WindowsHost
        farm.inventory()                                           # for Ansible

A POP3 service learns who may log on and how (`Set-PopSettings`) when it starts, from the organisation as it is then. A
frontend proxies to the backend of the server that holds the mailbox, as Exchange does; where that server is not in the
farm or has no backend, to the backend of its own server. A farm is not started twice: make another one.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
import tempfile
import threading
from collections.abc import ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from simulator.exchange.directory import DomainDirectory
from simulator.exchange.endpoint import ExchangeEndpoint
from simulator.exchange.identity import Ambiguous
from simulator.exchange.mailbox import Mailbox
from simulator.exchange.organisation import (
    CLIENT_ACCESS,
    EXCHANGE_2013,
    MAILBOX,
    Organisation,
    sample_organisation,
)
from simulator.exchange.rbac import MAIL_RECIPIENTS, POP3_AND_IMAP4_PROTOCOLS, VIEW_ONLY_CONFIGURATION, Users
from simulator.windows.host import HostPorts, Pop3Services, WindowsHost
from simulator.windows.maildrop import Maildrop
from simulator.windows.pop3 import LoginType, Logon, Maildrops, PopServiceSettings
from simulator.windows.services import ServiceState, StartMode
from simulator.wire.certificates import CertificateAuthority
from simulator.wire.negotiate import Negotiate

FOLDER_PREFIX = "exchange-simulator-"
"""Where a farm keeps its certificates and keys while it runs: the beginning of a temporary folder's name."""

ADMINISTRATOR = "administrator@contoso.com"
"""Who administers the sample organisation."""

POP3_PASSWORD = "Pop3-Passw0rd"
"""What a mailbox without a password of its own accepts."""

POP3_ON = Pop3Services()
POP3_OFF = Pop3Services.of_new_server()
FRONTEND_ONLY = Pop3Services(backend=False)
"""A Client Access server of Exchange 2013."""
BACKEND_ONLY = Pop3Services(frontend=False)
"""A Mailbox server of Exchange 2013."""
NO_POP3 = Pop3Services(frontend=False, backend=False)

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True)
class ServerSetup:
    """One server of a farm: its name, and its POP3 services when it comes up."""

    name: str
    pop3: Pop3Services = POP3_ON
    ports: HostPorts = field(default_factory=HostPorts)
    address: str | None = None
    """A loopback address; None takes a free one."""

    @property
    def inventory_name(self) -> str:
        """What Ansible calls the server."""
        return self.name.lower()


class Farm:
    """See the top of this file."""

    def __init__(
        self,
        servers: Iterable[str | ServerSetup] = ("MBX01", "MBX02"),
        organisation: Organisation | None = None,
        *,
        administrator: str | None = None,
        password: str | None = None,
        pop3_password: str = POP3_PASSWORD,
        port: int = 0,
        https_port: int = 0,
    ) -> None:
        """Reserve what the hosts need; nothing listens before `start`.

        Servers that the organisation does not have yet are added to it; those with one of the two services are of
        Exchange 2013 in it. The administrator's password (default: a new one) is also that of Windows' Administrator.
        """
        setups = [ServerSetup(server) if isinstance(server, str) else server for server in servers]
        self._setups = {setup.name.casefold(): setup for setup in setups}
        if len(self._setups) < len(setups):
            raise ValueError("two servers of a farm have the same name")
        self.organisation = organisation if organisation is not None else sample_organisation()
        known = {name.casefold() for name in self.organisation.servers}
        for setup in setups:
            if setup.pop3.frontend != setup.pop3.backend:
                role = CLIENT_ACCESS if setup.pop3.frontend else MAILBOX
                self.organisation.add_server(setup.name, roles=(role,), version=EXCHANGE_2013)
            elif setup.name.casefold() not in known:
                self.organisation.add_server(setup.name)
        self.password = password if password is not None else secrets.token_urlsafe(12)
        self.pop3_password = pop3_password
        self.users = Users()
        self.administrator = self.users.add(
            administrator or f"administrator@{self.organisation.domain}",
            self.password,
            MAIL_RECIPIENTS,
            VIEW_ONLY_CONFIGURATION,
            POP3_AND_IMAP4_PROTOCOLS,
        )
        self.logons = OrganisationLogons(self.organisation, pop3_password)
        self.maildrops: Maildrops = OrganisationMail(self.organisation)
        self.hosts: dict[str, WindowsHost] = {}
        """By the servers' names as they were given."""
        with contextlib.ExitStack() as undo:
            self._folder = tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX)
            undo.callback(self._folder.cleanup)
            self.authority = CertificateAuthority(Path(self._folder.name))
            self.exchange = ExchangeEndpoint(
                self.organisation,
                self.users,
                tls=self.authority.server().server_context(client_ca=self.authority.ca_file),
                port=port,
                https_port=https_port,
            )
            for setup in setups:
                host = self.hosts[setup.name] = self._host(setup)
                host.machine.domain_logons[self.administrator.name.casefold()] = (
                    self.administrator.name,
                    self.password,
                )
                undo.callback(host.stop)
            self._undo = undo.pop_all()

    @property
    def ca_file(self) -> Path:
        """What a client needs to trust every TLS endpoint of the farm."""
        return self.authority.ca_file

    def accept_logins(
        self,
        *,
        keytab: Path | None = None,
        ntlm: bool = False,
        basic: bool = False,
        certificates: bool = False,
        headers: tuple[str, ...] = ("Negotiate", "Kerberos"),
    ) -> Negotiate:
        """Turn on these methods for Exchange, and no others; `keytab` turns on Kerberos. Returns what it will see."""
        directory = DomainDirectory(self.users, self.organisation.netbios_name, self.organisation.domain)
        negotiate = Negotiate(directory, keytab=keytab, ntlm=ntlm, headers=headers, boundary_gap=" ")
        on = negotiate if keytab is not None or ntlm else None
        self.exchange.accept_logins(on, basic=basic, certificates=certificates)
        return negotiate

    @property
    def setups(self) -> tuple[ServerSetup, ...]:
        """The servers in their order."""
        return tuple(self._setups.values())

    def __enter__(self) -> Farm:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Bring everything up. OSError, and nothing left behind, when a port is taken."""
        try:
            self._undo.callback(self.exchange.stop)
            self.exchange.start()
            for host in self.hosts.values():
                host.machine.exchange_uri = self.exchange.https_uri
            for host in self.hosts.values():
                host.start()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut everything down; leaves no thread, socket, address or file behind. Safe to call twice."""
        self._undo.close()

    def host(self, name: str) -> WindowsHost | None:
        """The host of this name, in any case."""
        setup = self._setups.get(name.casefold())
        return None if setup is None else self.hosts[setup.name]

    def may_use_pop3(self, identity: str) -> bool:
        """What the organisation has for a mailbox now, whatever the services have learned."""
        return self.organisation.settings(self.organisation.mailbox(identity)).pop_enabled

    def pop3_logons(self) -> Mapping[str, Logon]:
        """All logons by user name: the farm is the directory of its POP3 services."""
        return self.logons

    def inventory(self, scheme: str = "http", connection: str = "winrm", method: str = "basic") -> dict[str, Any]:
        """An Ansible inventory: the group `exchange`, `localhost`, and how to reach Exchange from there.

        `method` is how Ansible logs in to the hosts; see `WindowsHost.inventory_vars`.
        """
        hosts = {
            setup.inventory_name: self.hosts[setup.name].inventory_vars(scheme, connection, method)
            | {
                "pop3_services_verify_port": self.hosts[setup.name].pop3s_port,
                "pop3_services_verify_tls": True,
            }
            for setup in self.setups
        }
        local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        remote_powershell = {
            "connection_uri": self.exchange.https_uri,
            "authentication": "basic",
            "username": self.administrator.name,
            "password": self.password,
            "ca_cert": str(self.ca_file),
        }
        return {
            "all": {
                "hosts": {"localhost": local},
                # What the roles need here: these servers do not serve Exchange's own address, port 80.
                "children": {
                    "exchange": {
                        "hosts": hosts,
                        "vars": {
                            f"{role}_{name}": value
                            for role in ("pop3_access", "pop3_services")
                            for name, value in remote_powershell.items()
                        },
                    }
                },
                "vars": {"simulator_exchange": remote_powershell},
            }
        }

    def _host(self, setup: ServerSetup) -> WindowsHost:
        return WindowsHost(
            setup.name,
            self,
            self.authority,
            address=setup.address,
            ports=setup.ports,
            pop3=setup.pop3,
            maildrops=self.maildrops,
            backend_for=functools.partial(self._backend_for, setup),
            pop_settings=functools.partial(self._pop_settings, setup),
            domain=self.organisation.domain,
            password=self.password,
        )

    def _pop_settings(self, setup: ServerSetup) -> PopServiceSettings:
        """What Set-PopSettings has made of a server by now."""
        settings = self.organisation.pop_settings(setup.name)
        return PopServiceSettings(
            login_type=LoginType(settings.LoginType),
            banner=settings.Banner,
            max_command_size=settings.MaxCommandSize,
            unencrypted_or_tls=bool(settings.UnencryptedOrTLSBindings),
            ssl=bool(settings.SSLBindings),
        )

    def _backend_for(self, frontend: ServerSetup, user: str) -> tuple[str, int] | None:
        mailbox = self.logons.mailbox(user)
        holder = None if mailbox is None else self._setups.get(mailbox.server.casefold())
        for setup in (holder, frontend):
            if setup is not None and setup.pop3.backend:
                host = self.hosts[setup.name]
                return host.address, host.pop3_backend_port
        return None


class OrganisationLogons(Mapping[str, Logon]):
    """The mailboxes of an organisation as POP3 logons, always as they are now: each is looked up when it is asked for.

    A user name is the user principal name, the primary e-mail address, `DOMAIN\\user` or `user`, in any case.
    """

    def __init__(self, organisation: Organisation, password: str) -> None:
        """Mailboxes without a password of their own have this one."""
        self._organisation = organisation
        self._password = password

    def __getitem__(self, user: str) -> Logon:
        """The logon of this user; KeyError when there is none."""
        mailbox = self.mailbox(user)
        if mailbox is None:
            raise KeyError(user)
        return self._logon(mailbox)

    def __iter__(self) -> Iterator[str]:
        """All user names in all forms."""
        return (user for user, _unused in self.everybody())

    def __len__(self) -> int:
        """The number of user names."""
        return sum(1 for _unused in self)

    def items(self) -> ItemsView[str, Logon]:
        """All user names with their logons, without looking up every name: a service reads them all when it starts."""
        return _Everybody(self)

    def everybody(self) -> Iterator[tuple[str, Logon]]:
        """The same, one after the other."""
        for mailbox in self._organisation.mailboxes():
            logon = self._logon(mailbox)
            for user in _user_names(mailbox):
                yield user, logon

    def mailbox(self, user: str) -> Mailbox | None:
        """The mailbox of this user."""
        found = self._organisation.resolve(user)
        mailboxes = found.mailboxes if isinstance(found, Ambiguous) else (found,)
        for mailbox in mailboxes:
            # An Exchange identity can be more than a user name: a display name does not log on.
            if isinstance(mailbox, Mailbox) and user.casefold() in map(str.casefold, _user_names(mailbox)):
                return mailbox
        return None

    def _logon(self, mailbox: Mailbox) -> Logon:
        allowed = self._organisation.settings(mailbox).pop_enabled
        return Logon(mailbox.password or self._password, allowed, mailbox.primary_smtp_address)


class _Everybody(ItemsView[str, Logon]):
    def __init__(self, logons: OrganisationLogons) -> None:
        super().__init__(logons)
        self._logons = logons

    def __iter__(self) -> Iterator[tuple[str, Logon]]:
        return self._logons.everybody()


def _user_names(mailbox: Mailbox) -> set[str]:
    return {
        mailbox.user_principal_name,
        mailbox.primary_smtp_address,
        mailbox.logon_name,
        mailbox.sam_account_name,
    }


class OrganisationMail(Maildrops):
    """Two small messages for every mailbox, written when it is first opened. By primary e-mail address."""

    def __init__(self, organisation: Organisation) -> None:
        """Nothing is written yet."""
        super().__init__()
        self._domain = organisation.domain
        self._filled: set[str] = set()
        self._filling = threading.Lock()

    def __getitem__(self, mailbox: str) -> Maildrop:
        """The maildrop of a mailbox."""
        maildrop = super().__getitem__(mailbox)
        with self._filling:
            if mailbox.casefold() not in self._filled:
                self._filled.add(mailbox.casefold())
                maildrop.messages[:] = [
                    self._message(mailbox, 1, "Welcome", "This mailbox can be read over POP3."),
                    self._message(mailbox, 2, "Lunch", ". a line that begins with a full stop\r\nSee you at noon."),
                ]
        return maildrop

    def _message(self, to: str, number: int, subject: str, text: str) -> bytes:
        head = (
            f"From: Administrator <administrator@{self._domain}>",
            f"To: {to}",
            f"Subject: {subject}",
            f"Message-ID: <{number}.{to}>",
        )
        return "\r\n".join((*head, "", text, "")).encode()


# --- farms as JSON ----------------------------------------------------------------------------------------------------


class Malformed(ValueError):
    """The JSON is not what is expected; the text says where and why."""


class Fields:
    """The members of one JSON object: each is taken out with the type that it must have, and nothing may be left."""

    def __init__(self, value: object, where: str) -> None:
        """`where` names the object in messages."""
        if not isinstance(value, dict):
            raise Malformed(f"{where}: a JSON object is expected, not {value!r}")
        self._members: dict[str, object] = dict(value)
        self._where = where

    def take(self, name: str, kind: type[T]) -> T:
        """A member that must be there."""
        if name not in self._members:
            raise Malformed(f"{self._where}: {name!r} is missing")
        value = self._members.pop(name)
        if kind is float and type(value) is int and abs(value) < 2**53:  # pylint: disable=unidiomatic-typecheck
            value = float(value)
        # Not isinstance: True is no number.
        if type(value) is not kind:  # pylint: disable=unidiomatic-typecheck
            raise Malformed(f"{self._where}: {name!r} is to be {_KINDS[kind]}, not {value!r}")
        return value

    def take_or(self, name: str, kind: type[T], default: D) -> T | D:
        """A member that may be missing."""
        return self.take(name, kind) if name in self._members else default

    def end(self) -> None:
        """Refuse what nobody asked for."""
        if self._members:
            raise Malformed(f"{self._where}: unknown {', '.join(map(repr, self._members))}")


_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
}


def servers_from_json(document: object) -> tuple[ServerSetup, ...]:
    """The servers of a farm, as in `{"servers": [{"name": "MBX01", "backend": false, "state": "stopped"}]}`.

    A server has a `name`, and may have `frontend`, `backend` (default: true), `state` (`running` or `stopped`) and
    `start_mode` (`auto`, `delayed`, `manual`, `disabled`).
    """
    fields = Fields(document, "farm")
    servers = fields.take("servers", list)
    fields.end()
    setups = tuple(_server(Fields(server, f"server {number}")) for number, server in enumerate(servers, start=1))
    names = [setup.inventory_name for setup in setups]
    if len(set(names)) < len(names):
        raise Malformed("farm: two servers have the same name")
    return setups


def _server(fields: Fields) -> ServerSetup:
    name = fields.take("name", str)
    states = (ServiceState.RUNNING, ServiceState.STOPPED)
    setup = ServerSetup(
        name,
        Pop3Services(
            frontend=fields.take_or("frontend", bool, True),
            backend=fields.take_or("backend", bool, True),
            start_mode=chosen(fields.take_or("start_mode", str, "auto"), {mode.value: mode for mode in StartMode}),
            state=chosen(fields.take_or("state", str, "running"), {state.value: state for state in states}),
        ),
    )
    fields.end()
    if not name.isascii() or not name.replace("-", "").isalnum():
        raise Malformed(f"{name!r} is no name of a server")
    return setup


def chosen(name: str, choices: Mapping[str, T]) -> T:
    """The one of the choices that is meant."""
    if name not in choices:
        raise Malformed(f"{name!r} is none of {', '.join(choices)}")
    return choices[name]
