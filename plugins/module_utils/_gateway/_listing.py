# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mailbox an identity names, found in a listing of the organisation: only where the listing is certain. Pure.

A listing costs Exchange a fraction of as many look-ups. But how Exchange resolves an identity is its own affair, so
only forms count here that name one mailbox by what they are: a GUID, a distinguished name, and an e-mail address that
one mailbox has and that is nobody else's name. Names, aliases, user principal names and all else is left to Exchange.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from uuid import UUID

from .._core._mailbox import Mailbox
from .._session._protocol import Record
from . import _properties
from ._cas_mailbox import mailbox_of

PROPERTIES = ("EmailAddresses", "DistinguishedName", "DisplayName", "SamAccountName")
"""What a listing has to have of each mailbox beside what is needed of it anyway."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS = re.compile(r"[!-~]+@[a-z0-9.-]+", re.IGNORECASE)
_DISTINGUISHED_NAME = re.compile(r"CN=.+,DC=[^,]+", re.IGNORECASE)


class Listing:
    """Looks for identities among the mailboxes that it is shown; those that nobody asked for are forgotten at once."""

    def __init__(self, identities: Iterable[str]) -> None:
        self._asked: defaultdict[str, list[str]] = defaultdict(list)
        for identity in identities:
            key = _key(identity)
            if key is not None:
                self._asked[key].append(identity)
        self.forget()

    def forget(self) -> None:
        """Begin anew: the listing comes once more."""
        self._found: dict[str, Mailbox] = {}
        self._doubtful: set[str] = set()
        self.seen = 0

    def show(self, record: Record) -> None:
        """Look at one mailbox. Raises UnexpectedReply if it is asked for and cannot be understood."""
        self.seen += 1
        certain = {key for key in _certain(record) if key in self._asked}
        self._doubtful.update(key for key in _other_names(record) if key in self._asked and key not in certain)
        for key in certain:
            if key in self._found:
                self._doubtful.add(key)
            self._found[key] = mailbox_of(record)

    def findings(self, *, whole: bool) -> dict[str, Mailbox]:
        """Return the identities whose mailbox is certain. ``whole``: the organisation has no other mailboxes.

        If it has, one of them could have the name that is an address here.
        """
        return {
            identity: mailbox
            for key, mailbox in self._found.items()
            if key not in self._doubtful and (whole or not _ADDRESS.fullmatch(key))
            for identity in self._asked[key]
        }


def _key(identity: str) -> str | None:
    """Return an identity in the form that is compared; None if it has no form that is certain.

    Only ASCII: Exchange alone knows what else it takes for the same letter.
    """
    if not identity.isascii():
        return None
    if _GUID.fullmatch(identity) or _ADDRESS.fullmatch(identity) or _DISTINGUISHED_NAME.fullmatch(identity):
        return identity.lower()
    return None


def _certain(record: Record) -> Iterator[str]:
    guid = record.get("Guid")
    if isinstance(guid, (UUID, str)):
        yield str(guid).lower()
    for name in ("DistinguishedName", "PrimarySmtpAddress"):
        yield _properties.text(record, name).lower()
    addresses = record.get("EmailAddresses")
    for address in addresses if isinstance(addresses, list) else ():
        kind, _colon, text = (address if isinstance(address, str) else "").partition(":")
        if kind.lower() == "smtp":
            yield text.lower()


def _other_names(record: Record) -> Iterator[str]:
    for name in ("Name", "DisplayName", "SamAccountName", "Identity"):
        yield _properties.text(record, name).lower()
