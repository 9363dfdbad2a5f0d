# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing mailboxes: -Filter and -OrganizationalUnit of Get-CASMailbox, the POP settings, large organisations."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from simulator import Simulator
from simulator.exchange.cas_mailbox import CAS_MAILBOX_CMDLETS
from simulator.exchange.errors import ErrorRecord, TerminatingError
from simulator.exchange.mailbox import DEFAULT_SETTINGS, MimeTextFormat
from simulator.exchange.opath import PROPERTIES, FilterError, compile_filter
from simulator.exchange.organisation import Organisation, large_organisation, sample_organisation
from simulator.exchange.texts import ENGLISH, FRENCH
from simulator.exchange.values import EnumValue
from support.cmdlet_shell import CmdletShell

EVERYBODY = ["ameyer", "ameyer2", "cobrien", "jane", "jnunez", "jsmith", "pcolon", "printer", "support", "uoeztuerk"]
SALES = uuid.uuid5(uuid.NAMESPACE_DNS, "contoso.com/sales")
TASK = "Microsoft.Exchange.Management.RecipientTasks.GetCASMailbox"


def found(filter_text: str, organisation: Organisation | None = None) -> list[str]:
    organisation = organisation or sample_organisation()
    matches = compile_filter(filter_text)
    return sorted(one.alias for one in organisation.mailboxes() if matches(one, organisation.settings(one)))


class Shell(CmdletShell):
    """Runs one cmdlet about mailboxes."""

    cmdlets = CAS_MAILBOX_CMDLETS

    def get(self, **parameters: object) -> list[str]:
        shell = self.run("Get-CASMailbox", **parameters)
        assert not shell.errors
        return [str(record.get("Name")) for record in shell.records]


# --- the language -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter_text", "expected"),
    [
        ("PopEnabled -eq $false", ["jsmith", "support"]),
        ("popenabled -EQ $FALSE", ["jsmith", "support"]),
        ("PopEnabled -ne $true", ["jsmith", "support"]),
        ("PopEnabled -eq 'False'", ["jsmith", "support"]),
        ("  (\tPopEnabled\n-eq\r\n$false )  ", ["jsmith", "support"]),
        ("-not PopEnabled -eq $true", ["jsmith", "support"]),
        ("-not(-not(PopEnabled -eq $false))", ["jsmith", "support"]),
        ("PopEnabled -eq $null", []),
        ("PopEnabled -ne $null", EVERYBODY),
        ("ImapEnabled -eq $true -and OWAEnabled -eq $true -and ActiveSyncEnabled -eq $true", EVERYBODY),
        ("HasActiveSyncDevicePartnership -eq $true", []),
        ("EwsEnabled -eq 1", EVERYBODY),
        ("ExchangeVersion -lt 88218628259840", []),
        ("Name -eq 'john smith'", ["jsmith"]),
        ('Name -eq "John Smith"', ["jsmith"]),
        ("Name -eq 'Conor O''Brien'", ["cobrien"]),
        ('Name -eq "Conor O\'Brien"', ["cobrien"]),
        ("Name -like 'José $(Home) \"Pepe\"*'", ["jnunez"]),
        ('Name -like "José $(Home) ""Pepe""*"', ["jnunez"]),
        ("Name -eq 'ÜMIT ÖZTÜRK'", ["uoeztuerk"]),
        ("Name -eq 'Support 😀'", ["support"]),
        ("Name -like '*mit*'", ["jane", "jsmith", "uoeztuerk"]),
        ("Name -like '*smith'", ["jsmith"]),
        ("Name -like 'smith*'", ["jane"]),
        ("Name -like '*'", EVERYBODY),
        ("Name -like 'smith, jane'", ["jane"]),
        ("Name -notlike '*e*'", ["jsmith", "pcolon", "support", "uoeztuerk"]),
        # A wildcard is one only with -like, and only at the ends.
        ("Name -eq '*'", []),
        ("Name -like 'J*n Smith'", []),
        ("Name -like 'J?hn*'", []),
        ("Name -lt 'b'", ["ameyer", "ameyer2", "printer"]),
        ("Name -ge 'Support' -and Name -le 'support 😀'", ["support"]),
        ("Name -gt 'Support 😀'", ["uoeztuerk"]),
        ("DisplayName -eq 'Alex Meyer'", ["ameyer", "ameyer2"]),
        ("SamAccountName -like 'j*'", ["jane", "jnunez", "jsmith"]),
        ("ServerName -eq 'MBX02'", ["printer", "uoeztuerk"]),
        ("ServerLegacyDN -like '*/cn=Servers/cn=MBX02'", ["printer", "uoeztuerk"]),
        ("DistinguishedName -eq 'cn=Smith\\, Jane,ou=Sales,dc=contoso,dc=com'", ["jane"]),
        ("Id -eq 'contoso.com/Sales/Smith, Jane'", ["jane"]),
        ("ObjectClass -eq 'user' -and ObjectCategory -like 'person'", EVERYBODY),
        ("OwaMailboxPolicy -eq $null", EVERYBODY),
        ("OwaMailboxPolicy -ne $null", []),
        ("WhenCreated -gt '8/1/2017 2:00:00 PM'", EVERYBODY),
        ("WhenChangedUTC -lt '2017-08-01'", []),
        # -and binds tighter than -or.
        ("Name -eq 'John Smith' -or Name -eq 'Smith, Jane' -and PopEnabled -eq $false", ["jsmith"]),
        ("(SamAccountName -eq 'jsmith' -or SamAccountName -eq 'jane') -and PopEnabled -eq $true", ["jane"]),
        ("SamAccountName -eq 'jsmith' -or Name -eq 'Smith, Jane' -or SamAccountName -eq 'support'", None),
    ],
)
def test_filters_choose_mailboxes(filter_text: str, expected: list[str] | None) -> None:
    assert found(filter_text) == (expected if expected is not None else ["jane", "jsmith", "support"])


def test_addresses_are_all_searched_and_wildcards_need_the_prefix() -> None:
    organisation = Organisation()
    organisation.add_mailbox("Dario", email_addresses=("dario2@contoso.com",))
    for filter_text, matches in {
        "PrimarySmtpAddress -eq 'DARIO@contoso.com'": True,
        "PrimarySmtpAddress -eq 'dario2@contoso.com'": True,
        "PrimarySmtpAddress -like 'dario*'": True,
        "EmailAddresses -eq 'dario2@contoso.com'": True,
        "EmailAddresses -eq 'smtp:dario2@contoso.com'": True,
        "EmailAddresses -like 'dario*'": False,
        "EmailAddresses -like 'smtp:dario*'": True,
        "EmailAddresses -ne 'dario2@contoso.com'": False,
    }.items():
        assert bool(found(filter_text, organisation)) is matches, filter_text


def test_guids() -> None:
    organisation = sample_organisation()
    guid = organisation.mailbox("jane").guid
    assert found(f"Guid -eq '{guid}'", organisation) == ["jane"]
    assert found(f"Guid -eq '{{{str(guid).upper()}}}'", organisation) == ["jane"]


@given(st.text(max_size=30))
def test_any_quoted_text_means_itself(name: str) -> None:
    organisation = Organisation()
    organisation.add_mailbox("Other")
    settings = organisation.settings(organisation.mailbox("Other"))
    mailbox = replace(organisation.mailbox("Other"), name=name or "x")
    for quote in ("'", '"'):
        quoted = mailbox.name.replace(quote, quote * 2)
        assert compile_filter(f"Name -eq {quote}{quoted}{quote}")(mailbox, settings)


@given(st.text(alphabet="PopEnabld -eq$true'\"()*5\n", max_size=40) | st.text(max_size=20))
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    with suppress(FilterError):
        compile_filter(text)


def test_every_documented_property_is_there() -> None:
    documented = """ActiveSyncAllowedDeviceIDs ActiveSyncBlockedDeviceIDs ActiveSyncDebugLogging ActiveSyncEnabled
        ActiveSyncMailboxPolicy ActiveSyncSuppressReadReceipt DisplayName DistinguishedName ECPEnabled EmailAddresses
        EwsApplicationAccessPolicy EwsEnabled ExchangeVersion Guid HasActiveSyncDevicePartnership Id ImapEnabled
        LegacyExchangeDN MAPIEnabled Name ObjectCategory ObjectClass OWAEnabled OWAforDevicesEnabled OwaMailboxPolicy
        PopEnabled PrimarySmtpAddress SamAccountName ServerLegacyDN ServerName WhenChanged WhenChangedUTC WhenCreated
        WhenCreatedUTC"""
    assert {entry.name for entry in PROPERTIES.values()} == set(documented.split())


# --- what Exchange refuses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filter_text", "reason", "position"),
    [
        # The first two positions are as reported for such filters.
        ("(PopEnabled \u2013eq $true)", "syntax", 14),
        ("PopEnabled:contoso.com", "syntax", 12),
        (" ", "syntax", 3),
        ("PopEnabled", "syntax", 12),
        ("PopEnabled -eq", "syntax", 16),
        ("PopEnabled -eq true", "syntax", 17),
        ("PopEnabled -eq $yes", "syntax", 17),
        ("PopEnabled = $true", "syntax", 13),
        ("PopEnabled -match 'x'", "syntax", 13),
        ("PopEnabled -and $true", "syntax", 13),
        ("(PopEnabled -eq $true", "syntax", 23),
        ("PopEnabled -eq $true)", "syntax", 22),
        ("PopEnabled -eq $true ImapEnabled -eq $true", "syntax", 23),
        ("{PopEnabled -eq $true}", "syntax", 2),
        ("Name -eq 'O'Brien'", "syntax", 19),
        ("Name -eq 'open", "syntax", 11),
        ("'Name' -eq Name", "syntax", 2),
        ("(" * 5000 + "PopEnabled -eq $true" + ")" * 5000, "syntax", None),
        ("False", "unknown_property", 2),
        ("Nothing -eq 'x'", "unknown_property", 2),
        ("PopEnabled -eq $true -and UserPrincipalName -eq 'x'", "unknown_property", 28),
        ("Alias -like 'a*'", "unknown_property", 2),
        ("PopUseProtocolDefaults -eq $true", "unknown_property", 2),
        ("PopEnabled -like 'T*'", "unsupported_operator", 13),
        ("PopEnabled -gt $false", "unsupported_operator", 13),
        ("DistinguishedName -like '*OU=Sales*'", "unsupported_operator", 20),
        ("ServerName -like 'MBX*'", "unsupported_operator", 13),
        ("Guid -like '0*'", "unsupported_operator", 7),
        ("Name -like $null", "unsupported_operator", 7),
        ("PopEnabled -eq 'maybe'", "bad_value", None),
        ("PopEnabled -eq 1", "bad_value", None),
        ("Guid -eq 'x'", "bad_value", None),
        ("EwsEnabled -eq 'x'", "bad_value", None),
        ("WhenCreated -gt 'yesterday'", "bad_value", None),
    ],
)
def test_filters_that_exchange_refuses(filter_text: str, reason: str, position: int | None) -> None:
    with pytest.raises(FilterError) as refused:
        compile_filter(filter_text)
    assert refused.value.reason == reason
    assert position in (None, refused.value.details["position"])


def refusal(shell: Shell, **parameters: object) -> ErrorRecord:
    with pytest.raises(TerminatingError) as refused:
        shell.run("Get-CASMailbox", **parameters)
    return refused.value.record


def test_a_refused_filter_is_a_binding_error_whatever_the_error_action() -> None:
    error = refusal(Shell(), Filter="PopEnabled = 1", ErrorAction="SilentlyContinue")
    assert error == ErrorRecord(
        'Cannot bind parameter \'Filter\' to the target. Exception setting "Filter": "Invalid filter syntax. For a '
        'description of the filter parameter syntax see the command help.\n"PopEnabled = 1" at position 13."',
        "System.Management.Automation.ParameterBindingException",
        f"ParameterBindingFailed,{TASK}",
        "WriteError",
        activity="Get-CASMailbox",
    )
    unknown = refusal(Shell(), Filter="Alias -eq '{0}'").message
    assert '"Alias" is not a recognized filterable property. Valid property names are: ActiveSyncAllowed' in unknown
    assert "\"Alias -eq '{0}'\" at position 2." in unknown


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_filter_is_no_filter_for_everybody(empty: str | None) -> None:
    error = refusal(Shell(), Filter=empty)
    assert (error.error_id, error.category) == (f"ParameterArgumentValidationError,{TASK}", "InvalidData")


@pytest.mark.parametrize("bad", ["Alias -eq 'x'", "PopEnabled", "PopEnabled -gt $true", "PopEnabled -eq 'x'"])
def test_refusals_in_french_differ_in_nothing_but_the_text(bad: str) -> None:
    french = Organisation(language="fr")
    english, translated = refusal(Shell(), Filter=bad), refusal(Shell(french), Filter=bad)
    assert translated.message.startswith("Impossible de lier le paramètre « Filter » à la cible.")
    assert replace(translated, message=english.message) == english
    for entry in fields(ENGLISH):
        assert getattr(ENGLISH, entry.name) != getattr(FRENCH, entry.name)


# --- the cmdlet -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        "Sales",
        "sales",
        "contoso.com/Sales",
        "CONTOSO.COM/sales/",
        "OU=Sales,DC=contoso,DC=com",
        str(SALES),
        f"{{{SALES}}}",
    ],
)
def test_an_organizational_unit_and_what_is_below(unit: str) -> None:
    assert Shell().get(OrganizationalUnit=unit) == ["Smith, Jane", "Alex Meyer", "Support 😀"]


def test_the_domain_is_everybody_and_a_container_will_do() -> None:
    for domain in ("contoso.com", "DC=contoso,DC=com"):
        assert len(Shell().get(OrganizationalUnit=domain)) == len(EVERYBODY)
    assert len(Shell().get(OrganizationalUnit="contoso.com/Users")) == 3
    assert len(Shell().get(OrganizationalUnit="CN=Users,DC=contoso,DC=com")) == 3


@pytest.mark.parametrize("unit", ["Paris", "Sales/Berlin", "contoso.com/Berlin", "OU=Berlin,DC=contoso,DC=com", ""])
def test_an_organizational_unit_that_does_not_exist(unit: str) -> None:
    shell = Shell().run("Get-CASMailbox", OrganizationalUnit=unit)
    assert not shell.records
    (error,) = shell.errors
    assert error.reason == "ManagementObjectNotFoundException"
    assert error.message == f'Organizational unit "{unit}" was not found. Please make sure you have typed it correctly.'


def test_a_name_that_several_organizational_units_have() -> None:
    organisation = sample_organisation()
    organisation.add_organizational_unit("EMEA/Sales")
    organisation.add_mailbox("Far away", organizational_unit="EMEA/Sales")
    organisation.add_mailbox("Near", organizational_unit="Sales")
    (error,) = Shell(organisation).run("Get-CASMailbox", OrganizationalUnit="Sales").errors
    assert error.reason == "ManagementObjectAmbiguousException"
    assert Shell(organisation).get(OrganizationalUnit="contoso.com/EMEA/Sales") == ["Far away"]
    assert Shell(organisation).get(OrganizationalUnit="EMEA") == ["Far away"]
    assert len(Shell(organisation).get(OrganizationalUnit="contoso.com/Sales")) == 4


def test_filter_unit_size_and_identity_together() -> None:
    on = {"Filter": "PopEnabled -eq $true"}
    assert Shell().get(OrganizationalUnit="Sales", **on) == ["Smith, Jane", "Alex Meyer"]
    cut = Shell().run("Get-CASMailbox", OrganizationalUnit="Sales", ResultSize=1, **on)
    assert (len(cut.records), cut.warnings) == (1, [ENGLISH.more_results])
    whole = Shell().run("Get-CASMailbox", OrganizationalUnit="Sales", ResultSize=2, **on)
    assert (len(whole.records), whole.warnings) == (2, [])
    assert Shell().get(Identity="jane", OrganizationalUnit="Sales", **on) == ["Smith, Jane"]
    for other in ({"Filter": "PopEnabled -eq $false"}, {"OrganizationalUnit": "Berlin"}):
        (error,) = Shell().run("Get-CASMailbox", Identity="jane", **other).errors
        assert error.reason == "ManagementObjectNotFoundException"
        assert "'jane'" in error.message


def test_a_filter_sees_what_the_domain_controller_shows() -> None:
    organisation = sample_organisation()
    organisation.replication_delay = 60
    second = organisation.domain_controllers[1]
    organisation.change_settings(organisation.mailbox("jane"), {"PopEnabled": False}, second)
    off = {"Filter": "PopEnabled -eq $false", "OrganizationalUnit": "Sales"}
    assert Shell(organisation).get(**off) == ["Support 😀"]
    assert Shell(organisation).get(DomainController=second.fqdn, **off) == ["Smith, Jane", "Support 😀"]


def test_records_say_where_a_mailbox_is() -> None:
    (record,) = Shell().run("Get-CASMailbox", Identity="ameyer").records
    assert record.get("ServerName") == "mbx01"
    assert record.get("DistinguishedName") == "CN=Alex Meyer,OU=Berlin,OU=Sales,DC=contoso,DC=com"
    assert str(getattr(record.get("Identity"), "text", "")) == "contoso.com/Sales/Berlin/Alex Meyer"
    assert not record.has("OrganizationalUnit")  # Get-CASMailbox returns none


# --- the other POP settings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PopUseProtocolDefaults", False, False),
        ("PopEnableExactRFC822Size", True, True),
        ("PopSuppressReadReceipt", True, True),
        ("PopForceICalForCalendarRetrievalOption", True, True),
        *(
            ("PopMessagesRetrievalMimeFormat", given, member.name)
            for member in MimeTextFormat
            for given in (member.name, member.name.upper(), member.value, str(member.value))
            if member is not MimeTextFormat.BestBodyFormat
        ),
    ],
)
def test_the_other_pop_settings_are_set_and_read_back(name: str, value: object, expected: object) -> None:
    shell = Shell()
    written = shell.run("Set-CASMailbox", Identity="jsmith", **{name: value})
    assert (written.errors, written.warnings) == ([], [])
    (record,) = shell.run("Get-CASMailbox", Identity="jsmith").records
    read = record.get(name)
    assert (read.name if isinstance(read, EnumValue) else read) == expected
    again = shell.run("Set-CASMailbox", Identity="jsmith", **{name: value})
    assert again.warnings == [ENGLISH.not_modified.format(identity="contoso.com/Users/John Smith")]


@pytest.mark.parametrize("value", [7, -1, "7", "Text", "", None, True])
def test_a_format_that_does_not_exist(value: object) -> None:
    with pytest.raises(TerminatingError) as refused:
        Shell().run("Set-CASMailbox", Identity="jsmith", PopMessagesRetrievalMimeFormat=value)
    assert refused.value.record.error_id.startswith("CannotConvertArgumentNoMessage,")


def test_formats_arrive_as_object_text_or_number() -> None:
    enum = EnumValue("Microsoft.Exchange.Data.Directory.MimeTextFormat", "BestBodyFormat", 5)
    shell = Shell()
    for form, expected in {"object": enum, "text": "BestBodyFormat", "number": 5}.items():
        shell.behaviour.mime_format_form = form  # type: ignore[assignment]
        (record,) = shell.run("Get-CASMailbox", Identity="jsmith").records
        assert record.get("PopMessagesRetrievalMimeFormat") == expected
        assert record.get("ImapMessagesRetrievalMimeFormat") == expected


# --- over the wire ----------------------------------------------------------------------------------------------------


def test_a_real_client_sees_all_of_this() -> None:
    with Simulator(password="secret") as sim:
        client = WSMan(
            "localhost",
            port=sim.exchange.http.port,
            ssl=False,
            auth="basic",
            encryption="never",
            path="PowerShell/",
            username=sim.administrator.name,
            password="secret",
        )
        with client, RunspacePool(client, configuration_name="Microsoft.Exchange") as pool:

            def get(**parameters: Any) -> PowerShell:
                shell = PowerShell(pool).add_cmdlet("Get-CASMailbox").add_parameters(parameters)
                shell.invoke()
                return shell

            chosen = get(Filter="PopEnabled -eq $false")
            assert [record.adapted_properties["SamAccountName"] for record in chosen.output] == ["jsmith", "support"]
            read = chosen.output[0].adapted_properties["PopMessagesRetrievalMimeFormat"]
            assert str(read) == "BestBodyFormat"
            sim.exchange.behaviour.mime_format_form = "number"
            read = get(Identity="jsmith").output[0].adapted_properties["PopMessagesRetrievalMimeFormat"]
            assert read == 5
            refused = get(Filter="Alias -eq 'x'")
    (error,) = refused.streams.error
    assert refused.had_errors
    assert not refused.output
    assert error.fq_error == f"ParameterBindingFailed,{TASK}"
    assert (error.category, error.reason, error.activity) == (23, "ParameterBindingException", "Get-CASMailbox")
    assert str(error).startswith("Cannot bind parameter 'Filter' to the target. Exception setting")


# --- large organisations ----------------------------------------------------------------------------------------------


def test_a_large_organisation_is_the_same_every_time() -> None:
    first, second, other = (large_organisation(3000, seed=seed) for seed in (1, 1, 2))
    people = [(one.canonical_name, one.alias, one.server, first.settings(one)) for one in first.mailboxes()]
    assert people == [(one.canonical_name, one.alias, one.server, second.settings(one)) for one in second.mailboxes()]
    assert [alias for _unused, alias, _unused, _unused in people] != [one.alias for one in other.mailboxes()]
    assert len({alias for _unused, alias, _unused, _unused in people}) == 3000
    assert sum(settings.pop_enabled for *_unused, settings in people) == 1500
    assert all(
        settings in (DEFAULT_SETTINGS, replace(DEFAULT_SETTINGS, pop_enabled=False)) for *_unused, settings in people
    )


def test_a_large_organisation_as_wanted() -> None:
    organisation = large_organisation(
        5000, organizational_units=("A", "A/B"), servers=("EX1", "EX2"), pop_enabled=0.004, domain="example.net"
    )
    assert len(organisation) == 5000
    assert len(found("PopEnabled -eq $true", organisation)) == 20
    assert {one.server for one in organisation.mailboxes()} == {"EX1", "EX2"}
    assert 2000 < len(list(organisation.mailboxes("A/B"))) < 3000
    assert len(list(organisation.mailboxes("A"))) == 5000
    assert len(large_organisation(0)) == 0


def test_twenty_thousand_mailboxes_are_made_and_filtered_quickly() -> None:
    before = time.process_time()
    organisation = large_organisation(20_000)
    made = time.process_time()
    guids = " -or ".join(f"Guid -eq '{mailbox.guid}'" for mailbox in list(organisation.mailboxes())[:500])
    for filter_text, expected in {
        "PopEnabled -eq $true -and ServerName -ne 'MBX01' -and DisplayName -notlike '*schm*'": 5000,
        guids: 500,
    }.items():
        assert len(found(filter_text, organisation)) >= expected
    filtered = time.process_time()
    # Several times what is needed, so that a busy machine does not fail.
    assert made - before < 5
    assert filtered - made < 3
