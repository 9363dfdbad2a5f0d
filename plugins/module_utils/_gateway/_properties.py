# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading typed values from a record that Exchange sent. What has the wrong type is an error, never a guess."""

from __future__ import annotations

from uuid import UUID

from .._core._mailbox import MimeFormat
from .._errors import UnexpectedReply
from .._session._protocol import Record

_MIME_FORMATS = {str(number): member for number, member in enumerate(MimeFormat)} | {
    member.value.lower(): member for member in MimeFormat
}


def boolean(record: Record, name: str) -> bool:
    """Return a Boolean property."""
    value = _property(record, name)
    if isinstance(value, bool):
        return value
    raise _wrong_type(name, value, "a Boolean")


def optional_boolean(record: Record, name: str) -> bool | None:
    """Return a Boolean property that not every version of Exchange has."""
    return None if record.get(name) is None else boolean(record, name)


def mime_format(record: Record, name: str) -> MimeFormat | None:
    """Return how messages are handed out. Exchange sends the name or the number, and both mean the same."""
    value = record.get(name)
    if value is None:
        return None
    known = None if isinstance(value, (list, dict)) else _MIME_FORMATS.get(str(value).lower())
    if known is not None:
        return known
    raise _wrong_type(name, value, "one of " + ", ".join(MimeFormat))


def guid(record: Record, name: str) -> UUID:
    """Return a GUID property, sent as a GUID or as its text."""
    value = _property(record, name)
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise _wrong_type(name, value, "a GUID") from None


def text(record: Record, name: str) -> str:
    """Return a text property. Only for what people read: absent or null is ``""``."""
    value = record.get(name)
    return "" if value is None or isinstance(value, (list, dict)) else str(value)


def _property(record: Record, name: str) -> object:
    if name not in record:
        raise UnexpectedReply(f"Exchange sent an object without the property {name}.")
    return record[name]


def _wrong_type(name: str, value: object, expected: str) -> UnexpectedReply:
    # The text of a list could be without end: lists can hold one list many times.
    shown = f"a {type(value).__name__}" if isinstance(value, (list, dict)) else repr(value)[:80]
    return UnexpectedReply(f"Exchange sent {shown} for the property {name}, where {expected} was expected.")
