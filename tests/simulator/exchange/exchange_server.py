# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-ExchangeServer, Get-DatabaseAvailabilityGroup and Get-MailboxServer (Microsoft docs: the pages of these cmdlets).

Which roles show them is inferred: View-Only Configuration is for all configuration that is not of recipients.
"""

from __future__ import annotations

from simulator.exchange.cas_mailbox import IDENTITY_TYPES, domain_controller
from simulator.exchange.cmdlets import Cmdlet, CmdletFailure, Invocation
from simulator.exchange.errors import not_found
from simulator.exchange.organisation import EDGE, MAILBOX, DomainController, Organisation, Server
from simulator.exchange.parameters import Identity, Parameter, Switch, Text
from simulator.exchange.rbac import POP3_AND_IMAP4_PROTOCOLS, VIEW_ONLY_CONFIGURATION
from simulator.exchange.values import Complex, EnumValue, Record, TextList, Value

_MANAGEMENT = "Microsoft.Exchange.Data.Directory.Management"
_SYSTEM = "Microsoft.Exchange.Data.Directory.SystemConfiguration"
_BASES = (
    "Microsoft.Exchange.Data.Directory.ADObject",
    "Microsoft.Exchange.Data.Directory.ADRawEntry",
    "Microsoft.Exchange.Data.ConfigurableObject",
    "System.Object",
)
SERVER_TYPES = (f"{_MANAGEMENT}.ExchangeServer", f"{_MANAGEMENT}.ADPresentationObject", *_BASES)
MAILBOX_SERVER_TYPES = (f"{_MANAGEMENT}.MailboxServer", f"{_MANAGEMENT}.ADPresentationObject", *_BASES)
DAG_TYPES = (f"{_SYSTEM}.DatabaseAvailabilityGroup", f"{_SYSTEM}.ADConfigurationObject", *_BASES)
_VERSION_TYPES = ("Microsoft.Exchange.Data.ServerVersion", "System.Object")
_ROLES = (MAILBOX, "ClientAccess", "UnifiedMessaging", "HubTransport", EDGE)
_ROLE_NUMBERS = {MAILBOX: 2, "ClientAccess": 4, "UnifiedMessaging": 16, "HubTransport": 32, EDGE: 64}


def _get_servers(call: Invocation) -> None:
    organisation, controller = call.session.organisation, domain_controller(call)
    wanted = call.get("Domain")
    for server in _servers(call, controller):
        call.spend(call.session.behaviour.costs.per_bulk_object)
        if wanted is None or str(wanted).casefold() == organisation.domain.casefold():
            call.emit(Record(SERVER_TYPES, _server(server, organisation, controller), server.name))


def _get_mailbox_servers(call: Invocation) -> None:
    controller = domain_controller(call)
    for server in _servers(call, controller):
        if MAILBOX in server.roles:
            call.emit(Record(MAILBOX_SERVER_TYPES, _mailbox_server(server, controller), server.name))


def _get_dags(call: Invocation) -> None:
    controller = domain_controller(call)
    dags = call.session.organisation.dags()
    identity = call.get("Identity")
    if identity is not None:
        dags = {name: members for name, members in dags.items() if name.casefold() == str(identity).casefold()}
        if not dags:
            raise CmdletFailure(not_found(call.session.texts.not_found.format(identity=identity, dc=controller.fqdn)))
    for name, members in dags.items():
        call.emit(Record(DAG_TYPES, _dag(name, members, controller), name))


def _servers(call: Invocation, controller: DomainController) -> list[Server]:
    organisation = call.session.organisation
    with organisation.lock:
        servers = list(organisation.servers.values())
    identity = call.get("Identity")
    if identity is None:
        return servers
    key = str(identity).casefold()
    found = [server for server in servers if key in (server.name.casefold(), server.fqdn.casefold(), str(server.guid))]
    if not found:
        raise CmdletFailure(not_found(call.session.texts.not_found.format(identity=identity, dc=controller.fqdn)))
    return found


def _server(server: Server, organisation: Organisation, controller: DomainController) -> list[tuple[str, Value]]:
    """The properties that people look at, in about the order in which Format-List shows them."""
    site_name = server.site.replace("/", "\\/")
    site = f"{organisation.domain}/Configuration/Sites/{site_name}"
    is_edge = EDGE in server.roles
    return [
        ("DataPath", "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Mailbox"),
        ("Domain", organisation.domain),
        (
            "Edition",
            EnumValue("Microsoft.Exchange.Data.Directory.SystemConfiguration.ServerEditionType", server.edition, 1),
        ),
        ("ExchangeVersion", "0.1 (8.0.535.0)"),
        ("Fqdn", server.fqdn),
        ("IsHubTransportServer", MAILBOX in server.roles),
        ("IsClientAccessServer", "ClientAccess" in server.roles),
        ("IsExchange2007OrLater", True),
        ("IsEdgeServer", is_edge),
        ("IsMailboxServer", MAILBOX in server.roles),
        ("IsE15OrLater", True),
        ("NetworkAddress", TextList((f"ncacn_ip_tcp:{server.fqdn}", f"netbios:{server.name}"))),
        ("OrganizationalUnit", f"{organisation.domain}/{server.name}"),
        ("AdminDisplayVersion", Complex(_VERSION_TYPES, server.version)),
        ("Site", Complex(IDENTITY_TYPES, site)),
        ("ServerRole", _roles(server)),
        ("Name", server.name),
        ("DistinguishedName", organisation.server_dn(server)),
        ("Identity", Complex(IDENTITY_TYPES, server.name)),
        ("Guid", server.guid),
        ("OriginatingServer", controller.fqdn),
        ("IsValid", True),
    ]


def _roles(server: Server) -> EnumValue:
    """Flags: their names with commas between, in the order of their numbers."""
    names = [role for role in _ROLES if role in server.roles]
    number = sum(_ROLE_NUMBERS[name] for name in names)
    return EnumValue(f"{_SYSTEM}.ServerRole", ", ".join(names) or "None", number)


def _mailbox_server(server: Server, controller: DomainController) -> list[tuple[str, Value]]:
    return [
        ("DatabaseAvailabilityGroup", Complex(IDENTITY_TYPES, server.dag) if server.dag else None),
        ("AdminDisplayVersion", Complex(_VERSION_TYPES, server.version)),
        ("ServerRole", _roles(server)),
        ("Name", server.name),
        ("Identity", Complex(IDENTITY_TYPES, server.name)),
        ("Guid", server.guid),
        ("OriginatingServer", controller.fqdn),
        ("IsValid", True),
    ]


def _dag(name: str, members: tuple[Server, ...], controller: DomainController) -> list[tuple[str, Value]]:
    return [
        ("Name", name),
        ("Servers", TextList(tuple(server.name for server in members))),
        ("WitnessServer", ""),
        ("OperationalServers", None),
        ("PrimaryActiveManager", None),
        ("Identity", Complex(IDENTITY_TYPES, name)),
        ("OriginatingServer", controller.fqdn),
        ("IsValid", True),
    ]


_VIEWERS = frozenset({VIEW_ONLY_CONFIGURATION})


def _identity(type_name: str) -> Parameter:
    kind = Identity(f"Microsoft.Exchange.Configuration.Tasks.{type_name}")
    return Parameter("Identity", kind, position=1, from_pipeline=True)


_DOMAIN_CONTROLLER = Parameter("DomainController", Text("Microsoft.Exchange.Data.Fqdn"))
_STATUS = Parameter("Status", Switch())

EXCHANGE_SERVER_CMDLETS = (
    Cmdlet(
        name="Get-ExchangeServer",
        task_class="Microsoft.Exchange.Management.SystemConfigurationTasks.GetExchangeServer",
        # That whoever may set POP3 up may list the servers, too, is inferred.
        roles=_VIEWERS | {POP3_AND_IMAP4_PROTOCOLS},
        output_type=SERVER_TYPES[0],
        process=_get_servers,
        parameters=(
            _identity("ServerIdParameter"),
            Parameter("Domain", Text("Microsoft.Exchange.Data.Fqdn")),
            _DOMAIN_CONTROLLER,
            _STATUS,
        ),
    ),
    Cmdlet(
        name="Get-DatabaseAvailabilityGroup",
        task_class="Microsoft.Exchange.Management.SystemConfigurationTasks.GetDatabaseAvailabilityGroup",
        roles=_VIEWERS,
        output_type=DAG_TYPES[0],
        process=_get_dags,
        parameters=(_identity("DatabaseAvailabilityGroupIdParameter"), _DOMAIN_CONTROLLER, _STATUS),
    ),
    Cmdlet(
        name="Get-MailboxServer",
        task_class="Microsoft.Exchange.Management.SystemConfigurationTasks.GetMailboxServer",
        roles=_VIEWERS,
        output_type=MAILBOX_SERVER_TYPES[0],
        process=_get_mailbox_servers,
        parameters=(_identity("MailboxServerIdParameter"), _DOMAIN_CONTROLLER, _STATUS),
    ),
)
