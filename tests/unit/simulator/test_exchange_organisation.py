# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organisation as data: identities, derivations, replication."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.exchange.identity import Ambiguous, NotFound
from simulator.exchange.mailbox import Mailbox
from simulator.exchange.organisation import (
    Organisation,
    large_organisation,
    large_organisation_addresses,
    sample_organisation,
)


@pytest.mark.parametrize(
    "identity",
    [
        "Smith, Jane",
        "SMITH, JANE",
        "jane",
        "jane@contoso.com",
        "smtp:Jane@Contoso.com",
        "CN=Smith\\, Jane,OU=Sales,DC=contoso,DC=com",
        "contoso.com/Sales/Smith, Jane",
        "CONTOSO\\jane",
    ],
)
def test_every_form_finds_the_mailbox(identity: str) -> None:
    organisation = sample_organisation()
    found = organisation.resolve(identity)
    assert isinstance(found, Mailbox)
    assert found.name == "Smith, Jane"
    for form in (str(found.guid), f"{{{found.guid}}}".upper(), found.legacy_exchange_dn, found.user_principal_name):
        assert organisation.resolve(form) is found


def test_names_may_be_ambiguous_and_addresses_never() -> None:
    organisation = sample_organisation()
    found = organisation.resolve("alex meyer")
    assert isinstance(found, Ambiguous)
    assert {mailbox.alias for mailbox in found.mailboxes} == {"ameyer", "ameyer2"}
    with pytest.raises(ValueError, match="belongs to"):
        organisation.add_mailbox("Other", primary_smtp_address="JANE@contoso.com")
    assert organisation.resolve("Other") == NotFound("Other")


def test_a_principal_name_may_be_somebody_elses_address_which_is_then_ambiguous() -> None:
    organisation = sample_organisation()
    ann = organisation.add_mailbox("Ann", user_principal_name="ann@corp.contoso.com")
    other = organisation.add_mailbox("Other", user_principal_name="Ann@contoso.com")
    assert organisation.resolve("ANN@CONTOSO.COM") == Ambiguous("ANN@CONTOSO.COM", (other, ann))
    assert organisation.resolve("smtp:ann@contoso.com") is ann
    assert organisation.resolve("ann@corp.contoso.com") is ann
    assert organisation.resolve("other@contoso.com") is other
    with pytest.raises(ValueError, match=r"'ann@contoso\.com' belongs to 'contoso\.com/Users/Other' already"):
        organisation.add_mailbox("Third", user_principal_name="ann@contoso.com")
    organisation.remove_mailbox(ann)
    assert organisation.resolve("ann@contoso.com") is other


def test_a_large_organisation_is_the_same_each_time_and_its_addresses_are_known_without_it() -> None:
    organisation = large_organisation(5000, pop_enabled=0.25)
    addresses = large_organisation_addresses(5000)
    assert [mailbox.primary_smtp_address for mailbox in organisation.mailboxes()] == addresses
    assert len(set(addresses)) == 5000
    everybody = list(organisation.mailboxes())
    assert sum(organisation.settings(mailbox).pop_enabled for mailbox in everybody) == 1250
    organisation.change_settings(everybody[0], {"PopSuppressReadReceipt": True})
    organisation.set_pop_enabled(0.9)
    assert sum(organisation.settings(mailbox).pop_enabled for mailbox in everybody) == 4500
    assert sum(organisation.settings(mailbox).pop_enabled for mailbox in everybody[:1000]) == 900
    assert not organisation.settings(everybody[0]).pop_suppress_read_receipt


@pytest.mark.parametrize("identity", ["J*", "*", "jan?", "", "nobody"])
def test_wildcards_mean_nothing(identity: str) -> None:
    assert isinstance(sample_organisation().resolve(identity), NotFound)


@given(st.text(min_size=1, max_size=40))
def test_any_name_can_be_found_again(name: str) -> None:
    organisation = Organisation()
    mailbox = organisation.add_mailbox(name)
    assert organisation.resolve(mailbox.distinguished_name) is mailbox
    assert organisation.resolve(mailbox.canonical_name) is mailbox


def test_a_removed_mailbox_is_gone_and_its_names_are_free() -> None:
    organisation = sample_organisation()
    organisation.remove_mailbox(organisation.mailbox("ameyer2"))
    assert organisation.mailbox("Alex Meyer").alias == "ameyer"
    organisation.add_mailbox("Alex Meyer (Engineering)", alias="ameyer2")


def test_organizational_units_are_known_by_every_name() -> None:
    organisation = sample_organisation()
    for form in ("Berlin", "Sales/Berlin", "contoso.com/sales/berlin", "OU=Berlin,OU=Sales,DC=contoso,DC=com"):
        assert organisation.organizational_unit(form) == "Sales/Berlin"
    assert organisation.organizational_unit("Paris") is None
    assert [mailbox.alias for mailbox in organisation.mailboxes("Sales")] == ["jane", "ameyer", "support"]


def test_a_write_shows_at_its_own_domain_controller_first() -> None:
    organisation = sample_organisation()
    first, second = organisation.domain_controllers
    john = organisation.mailbox("jsmith")
    organisation.replication_delay = 0.05
    organisation.change_settings(john, {"PopEnabled": True}, second)
    organisation.change_settings(john, {"ImapEnabled": False}, first)
    there, here = organisation.settings(john, second), organisation.settings(john, first)
    assert (there.pop_enabled, there.imap_enabled) == (True, True)
    assert (here.pop_enabled, here.imap_enabled) == (False, False)
    assert organisation.settings(john).pop_enabled
    time.sleep(0.06)
    assert organisation.settings(john, first) == organisation.settings(john, second) == organisation.settings(john)
