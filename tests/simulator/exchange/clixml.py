# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CLIXML and PSRP framing for what is sent most: the records of cmdlets, and the pipelines and input of clients.

`psrpcore` can do this too, but needs one to two milliseconds for each; a benchmark would measure the simulator instead
of its client. This does the same in some 30 µs. All other messages go through `psrpcore`. Formats: [MS-PSRP] 2.2.1,
2.2.4 and 2.2.5.
"""

from __future__ import annotations

import datetime
import re
import struct
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from simulator.exchange.values import Complex, EnumValue, ObjectList, Record, Table, TextList, Value
from simulator.wire.wsman import MalformedMessage, parse_xml

_ENUM_BASES = ("System.Enum", "System.ValueType", "System.Object")
_LIST_TYPES = (
    "Microsoft.Exchange.Data.MultiValuedProperty`1[[System.String, mscorlib, Version=4.0.0.0, Culture=neutral, "
    "PublicKeyToken=b77a5c561934e089]]",
    "Microsoft.Exchange.Data.MultiValuedPropertyBase",
    "System.Object",
)
_VALUE = ' N="Value"'
_TABLE_TYPES = ("System.Collections.Hashtable", "System.Object")

# `_x` begins an escape, so it must itself be escaped; control characters and halves of surrogate pairs become escapes.
_SPECIAL = re.compile("_(?=[xX])|[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]")
_SPECIAL_OR_MARKUP = re.compile(f"{_SPECIAL.pattern}|[&<>]")


def escaped(value: str) -> str:
    """A string with CLIXML's escapes, before those of XML."""
    return _SPECIAL.sub(_escape, value) if _SPECIAL.search(value) else value


def text(value: str) -> str:
    """A string as the content of an XML element."""
    return escape(escaped(value)) if _SPECIAL_OR_MARKUP.search(value) else value


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"_x{units[at : at + 4]}_" for at in range(0, len(units), 4))


class _Shape:
    """What a record looks like without its texts, so that records of one kind are composed only once.

    Every value adds to `parts` what decides over the elements, and to `texts` what is to be put into them.
    """

    __slots__ = ("parts", "texts")

    def __init__(self, record: Record) -> None:
        self.parts: list[object] = [record.type_names, record.extended, bool(record.text)]
        self.texts: list[str] = [text(record.text)] if record.text else []
        for name, value in record.properties:
            self._add(name, value)

    def _add(self, name: str, value: Value) -> None:
        kind = type(value)
        self.parts += (name, kind)
        if kind is str:
            self.texts.append(text(value))  # type: ignore[arg-type]  # mypy does not see what `kind` says
        elif kind is bool:
            self.texts.append("true" if value else "false")
        elif value is not None:
            self._add_rare(value)

    def _add_rare(self, value: Value) -> None:
        match value:
            case datetime.datetime():
                self.texts.append(_moment(value))
            case EnumValue():
                self.parts.append(value.type_name)
                self.texts += (text(value.name), str(value.number))
            case TextList():
                self.texts.append(_items(value))
            case datetime.timedelta():
                self.texts.append(_duration(value))
            case ObjectList():
                self.parts += (value.type_name, len(value.items))
                self.texts += [text(item) for item in value.items]
            case Complex():
                self.parts += (value.type_names, len(value.properties))
                self.texts.append(text(value.text))
                for name, inner in value.properties:
                    self._add(name, inner)
            case Table():
                self.parts.append(len(value.items))
                for name, inner in value.items:
                    self._add(name, inner)
            case _:
                self.texts.append(str(value))


class _Composer:
    """Composes a record with `%s` in the places of its texts; type names that repeat become references."""

    def __init__(self) -> None:
        self._objects = 0
        self._types: dict[tuple[str, ...], int] = {}

    def record(self, record: Record) -> str:
        head = self._open("", record.type_names)
        shown = "<ToString>%s</ToString>" if record.text else ""
        tag = "MS" if record.extended else "Props"
        return f"{head}{shown}<{tag}>{self._all(record.properties)}</{tag}></Obj>"

    def _all(self, properties: Iterable[tuple[str, Value]]) -> str:
        return "".join([self._value(value, f' N="{_fixed(name)}"') for name, value in properties])

    def _value(self, value: Value, name: str) -> str:
        match value:
            case None:
                return f"<Nil{name} />"
            case bool():
                return f"<B{name}>%s</B>"
            case str():
                return f"<S{name}>%s</S>"
            case int():
                return f"<I32{name}>%s</I32>"
            case uuid.UUID():
                return f"<G{name}>%s</G>"
            case datetime.datetime():
                return f"<DT{name}>%s</DT>"
            case EnumValue():
                head = self._open(name, (value.type_name, *_ENUM_BASES))
                return f"{head}<ToString>%s</ToString><I32>%s</I32></Obj>"
            case TextList():
                return f"{self._open(name, _LIST_TYPES)}<LST>%s</LST></Obj>"
            case datetime.timedelta():
                return f"<TS{name}>%s</TS>"
            case ObjectList():
                types = (_LIST_TYPES[0].replace("System.String, mscorlib", value.type_name), *_LIST_TYPES[1:])
                head, item_types = self._open(name, types), (value.type_name, "System.Object")
                items = [f"{self._open('', item_types)}<ToString>%s</ToString></Obj>" for _unused in value.items]
                return f"{head}<LST>{''.join(items)}</LST></Obj>"
            case Complex():
                head = self._open(name, value.type_names)
                properties = self._all(value.properties)
                props = f"<Props>{properties}</Props>" if properties else ""
                return f"{head}<ToString>%s</ToString>{props}</Obj>"
            case Table():
                head = self._open(name, _TABLE_TYPES)
                entries = [
                    f'<En><S N="Key">{_fixed(key)}</S>{self._value(inner, _VALUE)}</En>' for key, inner in value.items
                ]
                return f"{head}<DCT>{''.join(entries)}</DCT></Obj>"
            case _:
                raise TypeError(f"no CLIXML for {type(value).__name__}")

    def _open(self, name: str, type_names: tuple[str, ...]) -> str:
        number = self._objects
        self._objects += 1
        known = self._types.get(type_names)
        if known is not None:
            return f'<Obj{name} RefId="{number}"><TNRef RefId="{known}" />'
        reference = self._types[type_names] = len(self._types)
        types = "".join([f"<T>{_fixed(type_name)}</T>" for type_name in type_names])
        return f'<Obj{name} RefId="{number}"><TN RefId="{reference}">{types}</TN>'


def _fixed(value: str) -> str:
    """A text that belongs to the shape."""
    return escape(escaped(value), {'"': "&quot;", "%": "%%"})


def _moment(value: datetime.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _duration(value: datetime.timedelta) -> str:
    """An xs:duration ([MS-PSRP] 2.2.5.1.9)."""
    hours, rest = divmod(value.seconds, 3600)
    parts = [f"{number}{unit}" for number, unit in ((hours, "H"), (rest // 60, "M"), (rest % 60, "S")) if number]
    days = f"{value.days}D" if value.days else ""
    return f"P{days}T{''.join(parts)}" if parts else f"P{days}" if days else "PT0S"


def _items(value: TextList) -> str:
    return "".join([f"<S>{text(item)}</S>" for item in value.items])


_composed: dict[tuple[object, ...], str] = {}
_MOST_SHAPES = 1000


def serialize(record: Record) -> bytes:
    """A record as CLIXML."""
    shape = _Shape(record)
    key = tuple(shape.parts)
    composed = _composed.get(key)
    if composed is None:
        if len(_composed) >= _MOST_SHAPES:
            _composed.clear()
        composed = _composed[key] = _Composer().record(record)
    return (composed % tuple(shape.texts)).encode("utf-8")


# --- reading ----------------------------------------------------------------------------------------------------------

_PLAIN_TEXT = re.compile(rb"<S>([ !#-%'-;=?-^`-~]*)</S>")  # without `_`, which may begin an escape
_ESCAPED = re.compile("_x([0-9a-fA-F]{4})_")
_INTEGERS = frozenset({"I16", "I32", "I64", "U16", "U32", "U64", "By", "SB"})
_LISTS = frozenset({"LST", "IE", "QUE", "STK"})


class MalformedData(Exception):
    """What came is not PSRP."""


def unescaped(value: str) -> str:
    """A string without CLIXML's escapes."""
    if "_x" not in value:
        return value
    units = _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), value)
    # Both halves of a pair came as an escape of their own.
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def deserialize(data: bytes) -> object:
    """CLIXML as plain Python values, `Record`, `Complex` and `EnumValue`; raises `MalformedData`."""
    plain = _PLAIN_TEXT.fullmatch(data)
    if plain is not None:  # most of what clients stream into a pipeline
        return plain[1].decode("ascii")
    try:
        return _Reader().value(parse_xml(data))
    except (MalformedMessage, ValueError, KeyError, TypeError) as error:
        raise MalformedData(f"not CLIXML: {error}") from error


class _Reader:
    """Reads one object, with its references."""

    def __init__(self) -> None:
        self._types: dict[str, tuple[str, ...]] = {}
        self._objects: dict[str, object] = {}

    def value(self, element: ElementTree.Element) -> object:
        tag, content = element.tag, element.text or ""
        if tag in ("S", "SBK", "URI", "XD"):
            return unescaped(content)
        if tag == "Obj":
            return self._object(element)
        if tag == "B":
            return content == "true"
        if tag in _INTEGERS:
            return int(content)
        if tag == "Nil":
            return None
        if tag == "G":
            return uuid.UUID(content)
        if tag == "Ref":
            return self._objects[element.attrib["RefId"]]
        return float(content) if tag in ("Db", "Sg") else content

    def _object(self, element: ElementTree.Element) -> object:
        types: tuple[str, ...] = ()
        shown = ""
        properties: list[tuple[str, object]] = []
        inner: list[object] = []
        for child in element:
            match child.tag:
                case "TN":
                    types = self._types[child.attrib["RefId"]] = tuple(name.text or "" for name in child)
                case "TNRef":
                    types = self._types[child.attrib["RefId"]]
                case "ToString":
                    shown = unescaped(child.text or "")
                case "Props" | "MS":
                    properties += [(unescaped(one.get("N", "")), self.value(one)) for one in child]
                case "DCT":
                    inner.append({self.value(entry[0]): self.value(entry[1]) for entry in child})
                case tag if tag in _LISTS:
                    inner.append([self.value(item) for item in child])
                case _:
                    inner.append(self.value(child))
        found: object
        if inner:
            enumeration = "System.Enum" in types and isinstance(inner[0], int)
            found = EnumValue(types[0], shown, inner[0]) if enumeration else inner[0]  # type: ignore[arg-type]
        elif properties:
            found = Record(types, properties, shown)  # type: ignore[arg-type]  # whatever a client sends
        else:
            found = Complex(types, shown)
        if "RefId" in element.attrib:
            self._objects[element.attrib["RefId"]] = found
        return found


# --- messages and fragments -------------------------------------------------------------------------------------------

CREATE_PIPELINE = 0x00021006
GET_COMMAND_METADATA = 0x0002100A
PIPELINE_INPUT = 0x00041002
END_OF_PIPELINE_INPUT = 0x00041003
PIPELINE_OUTPUT = 0x00041004
ERROR_RECORD = 0x00041005
WARNING_RECORD = 0x00041009
_HEADER = struct.Struct("<iI")
_FRAGMENT = struct.Struct(">QQBI")


def message(kind: int, pool: uuid.UUID, pipeline: uuid.UUID, data: bytes) -> bytes:
    """A PSRP message for the client ([MS-PSRP] 2.2.1)."""
    return _HEADER.pack(1, kind) + pool.bytes_le + pipeline.bytes_le + data


def fragments(object_id: int, data: bytes, size: int) -> Iterator[bytes]:
    """A message, cut into fragments of at most `size` bytes of content ([MS-PSRP] 2.2.4)."""
    for number, start in enumerate(range(0, len(data), size)):
        piece = data[start : start + size]
        flags = (1 if number == 0 else 0) | (2 if start + size >= len(data) else 0)
        yield _FRAGMENT.pack(object_id, number, flags, len(piece)) + piece


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the client."""

    kind: int
    pipeline: uuid.UUID
    data: bytes


class Defragmenter:
    """Puts the fragments of one sender together again."""

    def __init__(self) -> None:
        self._parts: dict[int, list[bytes]] = {}

    def feed(self, data: bytes) -> Iterator[Incoming]:
        """The messages that are complete with this data; raises `MalformedData`."""
        at = 0
        while at < len(data):
            if len(data) - at < _FRAGMENT.size:
                raise MalformedData("a fragment is cut off")
            object_id, number, flags, length = _FRAGMENT.unpack_from(data, at)
            at += _FRAGMENT.size
            parts = self._parts.setdefault(object_id, [])
            if number != len(parts) or len(data) - at < length:
                raise MalformedData("a fragment is missing")
            parts.append(data[at : at + length])
            at += length
            if flags & 2:
                del self._parts[object_id]
                yield _incoming(b"".join(parts))


def _incoming(message: bytes) -> Incoming:
    if len(message) < 40:
        raise MalformedData("a message is too short")
    kind: int = _HEADER.unpack_from(message)[1]
    return Incoming(kind, uuid.UUID(bytes_le=message[24:40]), message[40:].removeprefix(b"\xef\xbb\xbf"))


def pipeline_of(fragment: bytes) -> uuid.UUID:
    """The pipeline that the first fragment of a message belongs to."""
    return uuid.UUID(bytes_le=fragment[45:61])
