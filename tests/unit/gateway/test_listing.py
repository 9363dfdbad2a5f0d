# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which identities a listing answers for: only those whose mailbox is certain."""

from __future__ import annotations

from uuid import UUID

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._errors import UnexpectedReply
from ansible_collections.mailops.exchange.plugins.module_utils._gateway._listing import Listing

GUID = UUID("2d3f8a52-6c0c-4c1e-9ae5-4a2f8fbb0d1c")


def record(name: str, *addresses: str, guid: UUID = GUID, **more: object) -> dict[str, object]:
    primary = addresses[0] if addresses else ""
    return {
        "Guid": guid,
        "Name": name,
        "DisplayName": name,
        "SamAccountName": name.lower(),
        "PrimarySmtpAddress": primary,
        "EmailAddresses": [f"SMTP:{primary}", *(f"smtp:{address}" for address in addresses[1:])],
        "DistinguishedName": f"CN={name},OU=Sales,DC=contoso,DC=com",
        "Identity": f"contoso.com/Sales/{name}",
        "ServerName": "mbx01",
        "PopEnabled": True,
        **more,
    }


def found(*records: dict[str, object], asked: str, whole: bool = True) -> str | None:
    listing = Listing([asked])
    for one in records:
        listing.show(one)
    mailbox = listing.findings(whole=whole).get(asked)
    return mailbox and mailbox.name


JOHN = record("John", "john@contoso.com", "j.smith@contoso.com")


@pytest.mark.parametrize(
    "asked",
    [
        "john@contoso.com",
        "JOHN@Contoso.com",
        "j.smith@contoso.com",
        str(GUID),
        str(GUID).upper(),
        "cn=john,ou=sales,dc=contoso,dc=com",
    ],
)
def test_what_names_one_mailbox_by_what_it_is(asked: str) -> None:
    assert found(JOHN, asked=asked) == "John"


@pytest.mark.parametrize(
    "asked",
    [
        "John",
        "john",
        "contoso.com/Sales/John",
        "CONTOSO\\john",
        "smtp:john@contoso.com",
        " john@contoso.com",
        "jöhn@contoso.com",
    ],
)
def test_every_other_form_is_left_to_exchange(asked: str) -> None:
    assert found(JOHN, asked=asked) is None


@pytest.mark.parametrize("property_", ["Name", "DisplayName", "SamAccountName", "Identity"])
def test_an_address_that_is_somebody_elses_name_is_not_certain(property_: str) -> None:
    other = record("Other", "other@contoso.com", guid=UUID(int=2), **{property_: "JOHN@contoso.com"})
    assert found(JOHN, other, asked="john@contoso.com") is None
    assert found(other, JOHN, asked="john@contoso.com") is None
    assert found(JOHN, other, asked=str(GUID)) == "John"


def test_an_address_that_two_mailboxes_show_is_not_certain() -> None:
    other = record("Other", "other@contoso.com", "john@contoso.com", guid=UUID(int=2))
    assert found(JOHN, other, asked="john@contoso.com") is None


def test_of_a_part_of_the_organisation_no_address_is_certain() -> None:
    """Somebody who was not listed could have it as a name."""
    assert found(JOHN, asked="john@contoso.com", whole=False) is None
    assert found(JOHN, asked=str(GUID), whole=False) == "John"


def test_an_answer_that_is_not_understood_is_no_mailbox() -> None:
    with pytest.raises(UnexpectedReply, match="PopEnabled"):
        found(record("John", "john@contoso.com", PopEnabled="perhaps"), asked="john@contoso.com")


def test_two_forms_of_one_mailbox_are_both_answered() -> None:
    listing = Listing(["john@contoso.com", "JOHN@contoso.com", str(GUID), "nobody@contoso.com"])
    listing.show(JOHN)
    assert set(listing.findings(whole=True)) == {"john@contoso.com", "JOHN@contoso.com", str(GUID)}
