# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an identity, in any form that Exchange accepts, to a mailbox.

Forms (Microsoft docs: Get-CASMailbox, -Identity): name, display name, alias, distinguished name, canonical DN,
DOMAIN\\user, e-mail address, GUID, LegacyExchangeDN, SamAccountName, user principal name. Case does not matter,
wildcards have no meaning. Forms that are unique in the forest win over names; names that fit several mailboxes are
ambiguous. Active Directory lets the user principal name of one be the e-mail address of another; that this text is then
ambiguous is inferred.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from simulator.exchange.mailbox import Mailbox

_GUID = re.compile(r"^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NotFound:
    """No mailbox has this identity."""

    identity: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one mailbox has this identity."""

    identity: str
    mailboxes: tuple[Mailbox, ...]


class IdentityIndex:
    """Every form of every mailbox, each found in one step."""

    def __init__(self) -> None:
        self._guids: dict[uuid.UUID, Mailbox] = {}
        self._unique: dict[str, Mailbox] = {}
        self._principals: dict[str, Mailbox] = {}
        self._names: dict[str, tuple[Mailbox, ...]] = {}

    def add(self, mailbox: Mailbox) -> None:
        """Index a mailbox; ValueError when a form that must be unique is taken."""
        unique, principal = _unique_forms(mailbox), mailbox.user_principal_name.casefold()
        for key in unique:
            _refuse_if_taken(key, self._unique)
        _refuse_if_taken(principal, self._principals)
        self._guids[mailbox.guid] = mailbox
        self._principals[principal] = mailbox
        for key in unique:
            self._unique[key] = mailbox
        for key in _name_forms(mailbox):
            self._names[key] = (*self._names.get(key, ()), mailbox)

    def remove(self, mailbox: Mailbox) -> None:
        """Forget a mailbox."""
        del self._guids[mailbox.guid]
        del self._principals[mailbox.user_principal_name.casefold()]
        for key in _unique_forms(mailbox):
            del self._unique[key]
        for key in _name_forms(mailbox):
            rest = tuple(other for other in self._names[key] if other is not mailbox)
            if rest:
                self._names[key] = rest
            else:
                del self._names[key]

    def resolve(self, identity: str) -> Mailbox | NotFound | Ambiguous:
        """The mailbox with this identity, in whatever form."""
        if _GUID.match(identity):
            mailbox = self._guids.get(uuid.UUID(identity))
            if mailbox is not None:
                return mailbox
        key = identity.casefold()
        unique, principal = self._unique.get(key.removeprefix("smtp:")), self._principals.get(key)
        if unique is None:
            unique = principal
        if unique is not None:
            return unique if principal in (unique, None) else Ambiguous(identity, (principal, unique))
        named = self._names.get(key, ())
        if not named:
            return NotFound(identity)
        return named[0] if len(named) == 1 else Ambiguous(identity, named)

    def resolve_distinguished_name(self, identity: str) -> Mailbox | NotFound:
        """The mailbox with this distinguished name; no other form counts (-IgnoreDefaultScope)."""
        mailbox = self._unique.get(identity.casefold())
        if mailbox is None or mailbox.distinguished_name.casefold() != identity.casefold():
            return NotFound(identity)
        return mailbox


def _refuse_if_taken(key: str, index: dict[str, Mailbox]) -> None:
    if key in index:
        raise ValueError(f"{key!r} belongs to {index[key].canonical_name!r} already")


def _unique_forms(mailbox: Mailbox) -> set[str]:
    forms = (
        mailbox.distinguished_name,
        mailbox.canonical_name,
        mailbox.legacy_exchange_dn,
        mailbox.logon_name,
        *mailbox.email_addresses,
    )
    return {form.casefold() for form in forms}


def _name_forms(mailbox: Mailbox) -> set[str]:
    forms = (mailbox.name, mailbox.display_name, mailbox.alias, mailbox.sam_account_name)
    return {form.casefold() for form in forms}
