# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-CASMailbox and Set-CASMailbox (Microsoft docs: the pages of these two cmdlets)."""

from __future__ import annotations

from simulator.exchange.cmdlets import Cmdlet, CmdletFailure, Invocation
from simulator.exchange.errors import Failure, ambiguous, domain_controller_down, not_found, out_of_scope
from simulator.exchange.identity import Ambiguous, NotFound
from simulator.exchange.mailbox import SETTING_NAMES, ClientAccessSettings, Mailbox, MimeTextFormat
from simulator.exchange.organisation import DomainController
from simulator.exchange.parameters import (
    WRITE_PARAMETERS,
    Boolean,
    Identity,
    MimeFormat,
    Parameter,
    Switch,
    Text,
    Unlimited,
)
from simulator.exchange.rbac import MAIL_RECIPIENTS, VIEW_ONLY_RECIPIENTS
from simulator.exchange.values import Complex, EnumValue, Record, TextList, Value

DEFAULT_RESULT_SIZE = 1000

RECORD_TYPES = (
    "Microsoft.Exchange.Data.Directory.Management.CASMailbox",
    "Microsoft.Exchange.Data.Directory.Management.ADPresentationObject",
    "Microsoft.Exchange.Data.Directory.ADObject",
    "Microsoft.Exchange.Data.Directory.ADRawEntry",
    "Microsoft.Exchange.Data.ConfigurableObject",
    "System.Object",
)
# As on the wire: it is the client that puts "Deserialized." before the names.
IDENTITY_TYPES = (
    "Microsoft.Exchange.Data.Directory.ADObjectId",
    "Microsoft.Exchange.Data.ObjectId",
    "System.Object",
)
_NOTHING = TextList()

_SETTING_TYPES: tuple[tuple[str, Boolean | MimeFormat], ...] = (
    ("PopEnabled", Boolean()),
    ("PopUseProtocolDefaults", Boolean()),
    ("PopMessagesRetrievalMimeFormat", MimeFormat()),
    ("PopEnableExactRFC822Size", Boolean()),
    ("PopSuppressReadReceipt", Boolean()),
    ("PopForceICalForCalendarRetrievalOption", Boolean()),
    ("ImapEnabled", Boolean()),
    ("ImapUseProtocolDefaults", Boolean()),
    ("ImapMessagesRetrievalMimeFormat", MimeFormat()),
    ("ImapEnableExactRFC822Size", Boolean()),
    ("ImapSuppressReadReceipt", Boolean()),
    ("ImapForceICalForCalendarRetrievalOption", Boolean()),
    ("ActiveSyncEnabled", Boolean()),
    ("OWAEnabled", Boolean()),
    ("OWAforDevicesEnabled", Boolean()),
    ("ECPEnabled", Boolean()),
    ("MAPIEnabled", Boolean()),
    ("EwsEnabled", Boolean()),
)


# --- Get-CASMailbox ---------------------------------------------------------------------------------------------------


def _get(call: Invocation) -> None:
    controller = _domain_controller(call)
    if call.get("Filter") is not None:
        # Here a recipient filter (OPATH) would narrow the listing below.
        raise CmdletFailure(Failure("-Filter is not implemented in the simulator.", "System.NotImplementedException"))
    if call.get("Identity") is None:
        # Dangerous, and just so in Exchange: $null or no identity means every mailbox (Microsoft docs).
        _list(call, controller)
        return
    mailbox = _resolve(call, controller)
    failure = _chosen(call, call.session.behaviour.failing_reads, mailbox)
    if failure is not None:
        raise CmdletFailure(failure)
    call.settle()
    call.emit(_record(call, mailbox, controller))


def _list(call: Invocation, controller: DomainController) -> None:
    organisation, behaviour, texts = call.session.organisation, call.session.behaviour, call.session.texts
    unit = ""
    wanted_unit = call.get("OrganizationalUnit")
    if wanted_unit is not None:
        found = organisation.organizational_unit(str(wanted_unit))
        if found is None:
            raise CmdletFailure(not_found(texts.unit_not_found.format(unit=wanted_unit)))
        unit = found
    limit = call.get("ResultSize", DEFAULT_RESULT_SIZE)
    for count, mailbox in enumerate(organisation.mailboxes(unit)):
        if isinstance(limit, int) and count >= limit:
            call.warn(texts.more_results if "ResultSize" in call.bound else texts.first_thousand)
            return
        call.spend(behaviour.costs.per_bulk_object)
        call.emit(_record(call, mailbox, controller))


def _record(call: Invocation, mailbox: Mailbox, controller: DomainController) -> Record:
    session = call.session
    settings = session.organisation.settings(mailbox, controller)
    behaviour = session.behaviour
    identity: Value = mailbox.canonical_name
    if behaviour.identity_form == "object":
        identity = Complex(IDENTITY_TYPES, mailbox.canonical_name)
    properties = _properties(mailbox, settings, controller, identity)
    if behaviour.pop_enabled_form == "missing":
        properties = [(name, value) for name, value in properties if name != "PopEnabled"]
    elif behaviour.pop_enabled_form == "text":
        properties = [(name, str(value) if name == "PopEnabled" else value) for name, value in properties]
    return Record(RECORD_TYPES, properties, mailbox.canonical_name)


def _properties(
    mailbox: Mailbox, settings: ClientAccessSettings, controller: DomainController, identity: Value
) -> list[tuple[str, Value]]:
    """All properties, in about the order in which Format-List shows them."""
    dn = mailbox.distinguished_name
    server_dn = mailbox.legacy_exchange_dn.partition("/cn=Recipients")[0]
    return [
        ("EmailAddresses", TextList(_proxy_addresses(mailbox))),
        ("LegacyExchangeDN", mailbox.legacy_exchange_dn),
        ("LinkedMasterAccount", ""),
        ("PrimarySmtpAddress", mailbox.primary_smtp_address),
        ("SamAccountName", mailbox.sam_account_name),
        ("ServerLegacyDN", f"{server_dn}/cn=Configuration/cn=Servers/cn={mailbox.server}"),
        ("ServerName", mailbox.server.lower()),
        ("DisplayName", mailbox.display_name),
        ("ActiveSyncAllowedDeviceIDs", _NOTHING),
        ("ActiveSyncBlockedDeviceIDs", _NOTHING),
        ("ActiveSyncMailboxPolicy", "Default"),
        ("ActiveSyncMailboxPolicyIsDefaulted", True),
        ("ActiveSyncDebugLogging", None),
        ("ActiveSyncEnabled", settings.active_sync_enabled),
        ("HasActiveSyncDevicePartnership", False),
        ("ExternalImapSettings", None),
        ("InternalImapSettings", None),
        ("ExternalPopSettings", None),
        ("InternalPopSettings", None),
        ("ExternalSmtpSettings", None),
        ("InternalSmtpSettings", None),
        ("OwaMailboxPolicy", None),
        ("OWAEnabled", settings.owa_enabled),
        ("OWAforDevicesEnabled", settings.owa_for_devices_enabled),
        ("ECPEnabled", settings.ecp_enabled),
        ("PopEnabled", settings.pop_enabled),
        ("PopUseProtocolDefaults", settings.pop_use_protocol_defaults),
        ("PopMessagesRetrievalMimeFormat", _format(settings.pop_messages_retrieval_mime_format)),
        ("PopEnableExactRFC822Size", settings.pop_enable_exact_rfc822_size),
        ("PopSuppressReadReceipt", settings.pop_suppress_read_receipt),
        ("PopForceICalForCalendarRetrievalOption", settings.pop_force_ical_for_calendar_retrieval_option),
        ("ImapEnabled", settings.imap_enabled),
        ("ImapUseProtocolDefaults", settings.imap_use_protocol_defaults),
        ("ImapMessagesRetrievalMimeFormat", _format(settings.imap_messages_retrieval_mime_format)),
        ("ImapEnableExactRFC822Size", settings.imap_enable_exact_rfc822_size),
        ("ImapSuppressReadReceipt", settings.imap_suppress_read_receipt),
        ("ImapForceICalForCalendarRetrievalOption", settings.imap_force_ical_for_calendar_retrieval_option),
        ("MAPIEnabled", settings.mapi_enabled),
        ("MapiHttpEnabled", None),
        ("MAPIBlockOutlookNonCachedMode", False),
        ("MAPIBlockOutlookVersions", ""),
        ("MAPIBlockOutlookRpcHttp", False),
        ("MAPIBlockOutlookExternalConnectivity", False),
        ("EwsEnabled", settings.ews_enabled),
        ("EwsAllowOutlook", None),
        ("EwsAllowMacOutlook", None),
        ("EwsAllowEntourage", None),
        ("EwsApplicationAccessPolicy", None),
        ("EwsAllowList", None),
        ("EwsBlockList", None),
        ("ShowGalAsDefaultView", True),
        ("AdminDisplayName", ""),
        ("ExchangeVersion", "0.20 (15.0.0.0)"),
        ("Name", mailbox.name),
        ("DistinguishedName", dn),
        ("Identity", identity),
        ("Guid", mailbox.guid),
        ("ObjectCategory", f"{mailbox.domain}/Configuration/Schema/Person"),
        ("ObjectClass", TextList(("top", "person", "organizationalPerson", "user"))),
        ("WhenChanged", mailbox.when_changed),
        ("WhenCreated", mailbox.when_created),
        ("WhenChangedUTC", mailbox.when_changed),
        ("WhenCreatedUTC", mailbox.when_created),
        ("OrganizationId", ""),
        ("Id", mailbox.canonical_name),
        ("OriginatingServer", controller.fqdn),
        ("IsValid", True),
        ("ObjectState", "Changed"),
    ]


def _proxy_addresses(mailbox: Mailbox) -> tuple[str, ...]:
    primary = mailbox.primary_smtp_address
    return tuple(f"{'SMTP' if address == primary else 'smtp'}:{address}" for address in mailbox.email_addresses)


def _format(value: MimeTextFormat) -> EnumValue:
    return EnumValue(MimeFormat().type_name, value.name, value.value)


# --- Set-CASMailbox ---------------------------------------------------------------------------------------------------


def _set(call: Invocation) -> None:
    session = call.session
    controller = _domain_controller(call)
    mailbox = _resolve(call, controller)
    behaviour, texts = session.behaviour, session.texts
    if not session.user.may_write_to(mailbox.organizational_unit):
        identity, canonical = call.get("Identity"), mailbox.canonical_name
        raise CmdletFailure(out_of_scope(texts.out_of_scope.format(identity=identity, canonical=canonical)))
    failure = _chosen(call, behaviour.failing_writes, mailbox)
    organisation = session.organisation
    if failure is not None:
        if behaviour.failing_writes_apply:
            given = {name: call.bound[name] for name, _ in _SETTING_TYPES if name in call.bound}
            organisation.change_settings(mailbox, given, controller)
        raise CmdletFailure(failure)
    with organisation.lock:
        current = _by_exchange_name(organisation.settings(mailbox, controller))
        wanted = {name: call.bound[name] for name, _ in _SETTING_TYPES if name in call.bound}
        changes = {name: value for name, value in wanted.items() if current[name] != value}
        if not changes:
            # Reported. It names the mailbox by its canonical name, whatever form the caller used.
            call.warn(texts.not_modified.format(identity=mailbox.canonical_name))
            return
        if call.get("WhatIf"):
            return
        if not _is_named(call, behaviour.ignored_writes, mailbox):
            organisation.change_settings(mailbox, changes, controller)
    call.spend(behaviour.costs.per_set)


def _by_exchange_name(settings: ClientAccessSettings) -> dict[str, object]:
    return {name: getattr(settings, attribute) for name, attribute in SETTING_NAMES.items()}


# --- both -------------------------------------------------------------------------------------------------------------


def _domain_controller(call: Invocation) -> DomainController:
    name = call.get("DomainController")
    if name is None:
        if call.session.behaviour.domain_controller_per_cmdlet:
            call.session.next_domain_controller()
        return call.session.domain_controller
    controller = call.session.organisation.domain_controller(str(name))
    if controller is None:
        raise CmdletFailure(domain_controller_down(call.session.texts.domain_controller_down.format(dc=name)))
    return controller


def _resolve(call: Invocation, controller: DomainController) -> Mailbox:
    call.spend(call.session.behaviour.costs.per_identity_lookup)
    identity, texts = str(call.get("Identity")), call.session.texts
    # With -IgnoreDefaultScope only the DN is accepted (Microsoft docs).
    only_dn = bool(call.get("IgnoreDefaultScope"))
    found = call.session.organisation.resolve(identity, distinguished_name_only=only_dn)
    if isinstance(found, NotFound):
        raise CmdletFailure(not_found(texts.not_found.format(identity=identity, dc=controller.fqdn)))
    if isinstance(found, Ambiguous):
        raise CmdletFailure(ambiguous(texts.ambiguous.format(identity=identity)))
    return found


def _is_named(call: Invocation, identities: set[str], mailbox: Mailbox) -> bool:
    return any(call.session.organisation.resolve(identity) is mailbox for identity in identities)


def _chosen(call: Invocation, failures: dict[str, Failure], mailbox: Mailbox) -> Failure | None:
    organisation = call.session.organisation
    return next((failure for name, failure in failures.items() if organisation.resolve(name) is mailbox), None)


GET_CAS_MAILBOX = Cmdlet(
    name="Get-CASMailbox",
    task_class="Microsoft.Exchange.Management.RecipientTasks.GetCASMailbox",
    roles=frozenset({MAIL_RECIPIENTS, VIEW_ONLY_RECIPIENTS}),
    output_type=RECORD_TYPES[0],
    process=_get,
    parameters=(
        Parameter("Identity", Identity(), position=1, from_pipeline=True),
        Parameter("ResultSize", Unlimited()),
        Parameter("DomainController", Text("Microsoft.Exchange.Data.Fqdn")),
        Parameter("OrganizationalUnit", Text("Microsoft.Exchange.Configuration.Tasks.OrganizationalUnitIdParameter")),
        Parameter("ReadFromDomainController", Switch()),
        Parameter("IgnoreDefaultScope", Switch()),
        Parameter("Filter", Text()),
    ),
)

SET_CAS_MAILBOX = Cmdlet(
    name="Set-CASMailbox",
    task_class="Microsoft.Exchange.Management.RecipientTasks.SetCASMailbox",
    roles=frozenset({MAIL_RECIPIENTS}),
    process=_set,
    parameters=(
        Parameter("Identity", Identity(), mandatory=True, position=1, from_pipeline=True),
        *(Parameter(name, kind) for name, kind in _SETTING_TYPES),
        Parameter("DomainController", Text("Microsoft.Exchange.Data.Fqdn")),
        Parameter("IgnoreDefaultScope", Switch()),
        *WRITE_PARAMETERS,
    ),
)

CAS_MAILBOX_CMDLETS = (GET_CAS_MAILBOX, SET_CAS_MAILBOX)
