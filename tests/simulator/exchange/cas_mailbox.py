# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-CASMailbox and Set-CASMailbox (Microsoft docs: the pages of these two cmdlets)."""

from __future__ import annotations

from simulator.exchange.cmdlets import Cmdlet, CmdletFailure, Invocation
from simulator.exchange.errors import (
    Failure,
    TerminatingError,
    ambiguous,
    domain_controller_down,
    empty_argument,
    filter_not_bound,
    not_found,
    out_of_scope,
)
from simulator.exchange.identity import Ambiguous, NotFound
from simulator.exchange.mailbox import SETTING_NAMES, ClientAccessSettings, Mailbox, MimeTextFormat
from simulator.exchange.opath import FilterError, Predicate, compile_filter
from simulator.exchange.organisation import DomainController, is_in
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
    matches = _filter(call)
    controller = domain_controller(call)
    unit = _organizational_unit(call)
    if call.get("Identity") is None:
        # Dangerous, and just so in Exchange: $null or no identity means every mailbox (Microsoft docs).
        _list(call, controller, unit, matches)
        return
    mailbox = _resolve(call, controller)
    # -Filter and -OrganizationalUnit go with -Identity too (Microsoft docs: both parameter sets); that a mailbox
    # outside of them is not found is inferred.
    settings = call.session.organisation.settings(mailbox, controller)
    if not is_in(mailbox, unit) or (matches is not None and not matches(mailbox, settings)):
        raise CmdletFailure(_not_found(call, controller))
    failure = _chosen(call, call.session.behaviour.failing_reads, mailbox)
    if failure is not None:
        raise CmdletFailure(failure)
    call.emit(_record(call, mailbox, controller))


def _list(call: Invocation, controller: DomainController, unit: str, matches: Predicate | None) -> None:
    organisation, costs, texts = call.session.organisation, call.session.behaviour.costs, call.session.texts
    limit = call.get("ResultSize", DEFAULT_RESULT_SIZE)
    count = 0
    for mailbox in organisation.mailboxes(unit):
        if matches is not None and not matches(mailbox, organisation.settings(mailbox, controller)):
            continue
        if isinstance(limit, int) and count >= limit:
            call.warn(texts.more_results if "ResultSize" in call.bound else texts.first_thousand)
            return
        count += 1
        call.spend(costs.per_bulk_object)
        call.emit(_record(call, mailbox, controller))


def _filter(call: Invocation) -> Predicate | None:
    if "Filter" not in call.bound:
        return None
    filter_text, cmdlet = call.get("Filter"), call.cmdlet
    if not filter_text:
        # Inferred: the parameter is marked as not to be empty.
        raise TerminatingError(empty_argument("Filter", cmdlet=cmdlet.name, task_class=cmdlet.task_class))
    try:
        return compile_filter(str(filter_text))
    except FilterError as error:
        texts = call.session.texts
        reasons = {
            "syntax": texts.filter_syntax,
            "unknown_property": texts.filter_unknown_property,
            "unsupported_operator": texts.filter_unsupported_operator,
            "bad_value": texts.filter_bad_value,
        }
        message = texts.filter_not_bound.format(reason=reasons[error.reason].format(**error.details))
        # Binding a parameter: it ends the pipeline, whatever -ErrorAction says.
        raise TerminatingError(filter_not_bound(message, cmdlet=cmdlet.name, task_class=cmdlet.task_class)) from error


def _organizational_unit(call: Invocation) -> str:
    """The path of the organizational unit to look in; "" is the whole domain."""
    wanted = call.get("OrganizationalUnit")
    if wanted is None:
        return ""
    found = call.session.organisation.find_organizational_units(str(wanted))
    if not found:
        raise CmdletFailure(not_found(call.session.texts.unit_not_found.format(unit=wanted)))
    if len(found) > 1:
        raise CmdletFailure(ambiguous(call.session.texts.unit_ambiguous.format(unit=wanted)))
    return found[0]


def _record(call: Invocation, mailbox: Mailbox, controller: DomainController) -> Record:
    session = call.session
    settings = session.organisation.settings(mailbox, controller)
    behaviour = session.behaviour
    identity: Value = mailbox.canonical_name
    if behaviour.identity_form == "object":
        identity = Complex(IDENTITY_TYPES, mailbox.canonical_name)
    properties = _properties(mailbox, settings, controller, identity)
    if behaviour.mime_format_form != "object":
        properties = [(name, _flat(value, behaviour.mime_format_form)) for name, value in properties]
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


def _flat(value: Value, form: str) -> Value:
    if not isinstance(value, EnumValue):
        return value
    return value.name if form == "text" else value.number


# --- Set-CASMailbox ---------------------------------------------------------------------------------------------------


def _set(call: Invocation) -> None:
    session = call.session
    controller = domain_controller(call)
    mailbox = _resolve(call, controller)
    behaviour, texts = session.behaviour, session.texts
    if not session.user.may_write_to(mailbox.organizational_unit):
        identity, canonical = call.get("Identity"), mailbox.canonical_name
        raise CmdletFailure(out_of_scope(texts.out_of_scope.format(identity=identity, canonical=canonical)))
    failure = _chosen(call, behaviour.failing_writes, mailbox)
    organisation = session.organisation
    if failure is not None:
        if behaviour.failing_writes_apply:
            given = {name: call.bound[name] for name, _unused in _SETTING_TYPES if name in call.bound}
            organisation.change_settings(mailbox, given, controller)
        raise CmdletFailure(failure)
    with organisation.lock:
        current = _by_exchange_name(organisation.settings(mailbox, controller))
        wanted = {name: call.bound[name] for name, _unused in _SETTING_TYPES if name in call.bound}
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


def domain_controller(call: Invocation) -> DomainController:
    """The domain controller that a call reads from and writes to."""
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
        raise CmdletFailure(_not_found(call, controller))
    if isinstance(found, Ambiguous):
        raise CmdletFailure(ambiguous(texts.ambiguous.format(identity=identity)))
    return found


def _not_found(call: Invocation, controller: DomainController) -> Failure:
    texts, identity = call.session.texts, call.get("Identity")
    return not_found(texts.not_found.format(identity=identity, dc=controller.fqdn))


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
