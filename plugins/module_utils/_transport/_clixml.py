# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From PowerShell's serialized objects to plain Python: the shape that ``Reply`` promises.

Records are read here and not by pypsrp, whose deserializer builds an object with its metadata for each of them: reading
a whole organisation would then take longer on the client than in Exchange. Format: [MS-PSRP] 2.2.5.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

from .._errors import UnexpectedReply
from .._session._protocol import ErrorRecord, Record
from ._libraries import GenericComplexObject
from ._limits import refuse_definitions

_ESCAPES = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
_DEEPEST = 16
"""PowerShell's own limit for remoting is far below; whatever is deeper is not an answer of a cmdlet."""


def record(xml: bytes) -> Record:
    """Return the properties of one object that a cmdlet wrote. Raises UnexpectedReply for what is no CLIXML."""
    refuse_definitions(xml)
    try:
        return _Reader(_without_namespace(ElementTree.fromstring(xml))).record()
    except (ElementTree.ParseError, ValueError) as exc:
        raise UnexpectedReply(f"Exchange sent an object that cannot be read: {exc}.") from exc


class _Reader:
    """Reads one object; what was read once can be referred to later in it."""

    def __init__(self, root: ElementTree.Element) -> None:
        self._root = root
        self._seen: dict[str, object] = {}
        self._by_number: dict[str, ElementTree.Element] | None = None

    def record(self) -> Record:
        root = self._root
        if root.tag != "Obj":
            return {"Value": self._value(root, 0)}
        properties: dict[str, object] = {}
        for part in root:
            if part.tag in ("Props", "MS"):
                for item in part:
                    properties[unescaped(item.attrib.get("N", ""))] = self._value(item, 0)
        return properties or {"Value": self._object(root, 0)}

    def _value(self, element: ElementTree.Element, depth: int) -> object:
        read = _PRIMITIVES.get(element.tag)
        if read is not None:
            return read(element.text)
        if element.tag == "Obj":
            return self._object(element, depth + 1)
        if element.tag == "Ref":
            return self._referred(element.attrib.get("RefId", ""), depth)
        return unescaped(element.text or "")  # a number, a time, a URI …: its text

    def _object(self, element: ElementTree.Element, depth: int) -> object:
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        value: object = None
        self._seen[element.attrib.get("RefId", "")] = ""  # what an object within refers to while it is being read
        for part in element:
            if part.tag in _LISTS:
                value = [self._value(item, depth) for item in part]
            elif part.tag == "DCT":
                value = dict(self._entry(entry, depth) for entry in part)
            elif part.tag == "ToString" and value is None:
                value = unescaped(part.text or "")
            elif part.tag in _EXTENDED:  # a value with members of its own around it ([MS-PSRP] 2.2.5.2.1)
                value = self._value(part, depth)
        if value is None:
            value = ""
        self._seen[element.attrib.get("RefId", "")] = value
        return value

    def _referred(self, number: str, depth: int) -> object:
        """An object that came before, perhaps within one whose members nobody reads."""
        if number not in self._seen:
            if self._by_number is None:
                self._by_number = {one.attrib.get("RefId", ""): one for one in self._root.iter("Obj")}
            found = self._by_number.get(number)
            self._seen[number] = None if found is None else self._object(found, depth + 1)
        return self._seen[number]

    def _entry(self, entry: ElementTree.Element, depth: int) -> tuple[str, object]:
        named = {item.attrib.get("N"): self._value(item, depth) for item in entry}
        key = named.get("Key")
        if isinstance(key, (list, dict)):  # its text could be without end: lists can hold one list many times
            raise ValueError("a key is a list")
        return str(key), named.get("Value")


def unescaped(text: str) -> str:
    """Return text without CLIXML's escapes: ``_x000A_`` is a line feed, ``_xD83D__xDE00_`` an emoji."""
    return _ESCAPES.sub(_unescape, text) if "_x" in text else text


def _unescape(match: re.Match[str]) -> str:
    units = bytes.fromhex("".join(code[2:6] for code in re.findall(r"_x[0-9A-Fa-f]{4}_", match.group())))
    return units.decode("utf-16-be", "replace")  # half of a surrogate pair could not be shown, nor sent on


def _boolean(text: str | None) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is no Boolean")
    return text == "true"


def _without_namespace(root: ElementTree.Element) -> ElementTree.Element:
    """In remoting, objects have no XML namespace ([MS-PSRP] 2.2.5); in files they do. Both are read."""
    if root.tag.startswith("{"):
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    return root


_EXTENDED = frozenset(("S", "B", "G"))
_LISTS = frozenset(("LST", "STK", "QUE", "IE"))
_PRIMITIVES: dict[str, Callable[[str | None], object]] = {
    "S": lambda text: unescaped(text or ""),
    "B": _boolean,
    "Nil": lambda _text: None,
    "G": lambda text: UUID(text or ""),
    **dict.fromkeys(("I32", "I64", "U32", "U64", "I16", "U16", "By"), lambda text: int(text) if text else None),
}


def error_record(error: Any) -> ErrorRecord:
    """Return one entry of the error stream, as pypsrp read it: errors are few."""
    exception = error.exception
    details = _details(error)
    message = details or _property(exception, "Message") or str(error)
    return ErrorRecord(message, str(error.fq_error or ""))


def _details(error: Any) -> str:
    """A cmdlet can set a text for people that stands before the exception's own (ErrorDetails.Message)."""
    return str(getattr(error, "details_message", None) or "")


def _property(value: Any, name: str) -> str:
    if not isinstance(value, GenericComplexObject):
        return ""
    return str({**value.adapted_properties, **value.extended_properties}.get(name) or "")
