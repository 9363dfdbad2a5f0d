# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of value that the POP3 settings of a server have: read, compared by meaning, and sent. Pure.

Each kind reads what a user writes and what Exchange shows, and the two are equal where they mean the same, however they
are spelt. Types, names, numbers and ranges are those of Microsoft's page on Set-PopSettings
(https://learn.microsoft.com/powershell/module/exchangepowershell/set-popsettings); what is inferred says so.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PureWindowsPath
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

Plain: TypeAlias = "bool | int | str | list[str] | None"
"""A value as a result shows it."""

Sent: TypeAlias = "bool | int | str | tuple[str, ...]"
"""A value as a cmdlet gets it."""


class BadValue(ValueError):
    """A value that a setting cannot have; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Caseless:
    """A text of which the case has no meaning, such as the name of a host or of a certificate."""

    text: str = field(compare=False)
    _folded: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folded", self.text.casefold())

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Url:
    """An absolute address; ``https://Mail.contoso.com`` and ``https://mail.contoso.com:443/`` are the same one."""

    text: str = field(compare=False)
    _parts: tuple[object, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.text)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or parts.scheme not in _DEFAULT_PORTS:
            raise BadValue("expected an address that begins with https:// or http://")
        port = port or _DEFAULT_PORTS[parts.scheme]
        meaning = (parts.scheme, host, port, parts.path or "/", parts.query, parts.fragment)
        object.__setattr__(self, "_parts", meaning)

    def __str__(self) -> str:
        return self.text


_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class IPBinding:
    """A local address and a port on which a service listens."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int

    def __str__(self) -> str:
        shown = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{shown}:{self.port}"


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What clients are told: a host, a port, and ``SSL``, ``TLS`` or, for an unencrypted connection, ``""``."""

    host: Caseless
    port: int
    encryption: str

    def __str__(self) -> str:
        # "The encryption method value is optional (blank indicates unencrypted connections)": that the colon before it
        # is optional too is inferred.
        return ":".join([str(self.host), str(self.port), *([self.encryption] if self.encryption else [])])


@dataclass(frozen=True, slots=True)
class ByteQuantity:
    """A number of bytes; ``None`` is unlimited."""

    number: int | None

    def __str__(self) -> str:
        if self.number is None:
            return "Unlimited"
        for unit, size in reversed(_UNITS.items()):
            if self.number and self.number % size == 0:
                return f"{self.number // size} {unit}"
        return f"{self.number} B"


_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
"""Exchange counts in powers of 1024: it shows ten megabytes as ``10 MB (10,485,760 bytes)``."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What Exchange showed and this collection does not understand: shown as it is, and equal to nothing declared."""

    text: str

    def __str__(self) -> str:
        return self.text


Readable: TypeAlias = (
    "bool "
    "| int "
    "| str "
    "| timedelta "
    "| Caseless "
    "| Url "
    "| PureWindowsPath "
    "| ByteQuantity "
    "| frozenset[IPBinding] "
    "| frozenset[ConnectionSettings] "
)
SettingValue: TypeAlias = "Readable | Unreadable"
"""A value with a meaning of its own: two that are equal mean the same."""


class Kind(Protocol):
    """What values a setting can have."""

    @property
    def argument(self) -> dict[str, str]:
        """The type of the option, in Ansible's words."""

    def parse(self, given: object) -> Readable:
        """Return what a user means. Raises BadValue."""

    def read(self, shown: object) -> Readable:
        """Return what Exchange means. Raises BadValue."""


def plain(value: SettingValue | None) -> Plain:
    """Return a value as a result shows it."""
    match value:
        case None | bool() | int() | str():
            return value
        case timedelta():
            return time_span_text(value)
        case frozenset():
            return sorted(map(str, value))
        case _:
            return str(value)


def sent(value: Readable) -> Sent:
    """Return a value as Set-PopSettings gets it."""
    match value:
        case bool() | int() | str():
            return value
        case frozenset():
            return tuple(sorted(map(str, value)))
        case ByteQuantity(number) if number is not None:
            # With its unit: without one, "small values might be rounded up to the nearest kilobyte".
            return f"{number}B"
        case timedelta():
            return time_span_text(value)
        case _:
            return str(value)


# --- the kinds --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Boolean:
    """On or off."""

    argument: dict[str, str] = field(default_factory=lambda: {"type": "bool"})

    def parse(self, given: object) -> bool:
        if isinstance(given, bool):
            return given
        raise BadValue("expected true or false")

    def read(self, shown: object) -> bool:
        words = {"true": True, "false": False}
        known = words.get(str(shown).lower())
        if known is None:
            raise BadValue("expected True or False")
        return known


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number within limits."""

    least: int
    most: int
    argument: dict[str, str] = field(default_factory=lambda: {"type": "int"})

    def parse(self, given: object) -> int:
        number = self.read(given)
        if not self.least <= number <= self.most:
            raise BadValue(f"expected a whole number from {self.least} through {self.most}")
        return number

    def read(self, shown: object) -> int:
        """Without limits: an Exchange that has another number has it."""
        if isinstance(shown, bool) or not re.fullmatch(r"-?[0-9]{1,19}", str(shown)):
            raise BadValue("expected a whole number")
        return int(str(shown))


@dataclass(frozen=True, slots=True)
class Text:
    """A text of which every character counts."""

    argument: dict[str, str] = field(default_factory=lambda: {"type": "str"})

    def parse(self, given: object) -> str:
        return _filled(given)

    def read(self, shown: object) -> str:
        return str(shown)


@dataclass(frozen=True, slots=True)
class CaselessText:
    """A text of which the case has no meaning."""

    argument: dict[str, str] = field(default_factory=lambda: {"type": "str"})

    def parse(self, given: object) -> Caseless:
        return Caseless(_filled(given))

    def read(self, shown: object) -> Caseless:
        return Caseless(str(shown))


@dataclass(frozen=True, slots=True)
class WindowsPath:
    """A folder of the server. Windows minds neither case nor the direction of slashes."""

    argument: dict[str, str] = field(default_factory=lambda: {"type": "str"})

    def parse(self, given: object) -> PureWindowsPath:
        return PureWindowsPath(_filled(given))

    def read(self, shown: object) -> PureWindowsPath:
        return PureWindowsPath(str(shown))


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An absolute address of the web."""

    argument: dict[str, str] = field(default_factory=lambda: {"type": "str"})

    def parse(self, given: object) -> Url:
        return Url(_filled(given))

    def read(self, shown: object) -> Url:
        return Url(str(shown))


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enumeration, by its name in any case or by its number; here it is its name."""

    names: tuple[tuple[int, str], ...]
    argument: dict[str, str] = field(default_factory=lambda: {"type": "str"})

    def parse(self, given: object) -> str:
        wanted = str(given).strip().lower()
        for number, name in self.names:
            if wanted in (name.lower(), str(number)):
                return name
        known = ", ".join(f"{name} ({number})" for number, name in self.names)
        raise BadValue(f"expected one of {known}")

    def read(self, shown: object) -> str:
        return self.parse(shown)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A time span within limits: ``dd.hh:mm:ss``, without days too, or a number of seconds."""

    least: timedelta
    most: timedelta
    argument: dict[str, str] = field(default_factory=lambda: {"type": "str"})

    def parse(self, given: object) -> timedelta:
        span = time_span(str(given))
        if span.microseconds or not self.least <= span <= self.most:
            limits = f"{time_span_text(self.least)} through {time_span_text(self.most)}"
            raise BadValue(f"expected a time span of whole seconds from {limits}, or its seconds")
        return span

    def read(self, shown: object) -> timedelta:
        return time_span(str(shown))


@dataclass(frozen=True, slots=True)
class Bytes:
    """A number of bytes with or without a unit, or ``Unlimited``."""

    argument: dict[str, str] = field(default_factory=lambda: {"type": "str"})

    def parse(self, given: object) -> ByteQuantity:
        return byte_quantity(str(given))

    def read(self, shown: object) -> ByteQuantity:
        return byte_quantity(str(shown))


_LIST = {"type": "list", "elements": "str"}


@dataclass(frozen=True, slots=True)
class Bindings:
    """Local addresses with ports. Their order has no meaning."""

    argument: dict[str, str] = field(default_factory=lambda: dict(_LIST))

    def parse(self, given: object) -> frozenset[IPBinding]:
        return frozenset(binding(text, bracketed=True) for text in _items(given))

    def read(self, shown: object) -> frozenset[IPBinding]:
        """Without brackets too, as earlier versions show them (reported)."""
        return frozenset(binding(text, bracketed=False) for text in _items(shown))


@dataclass(frozen=True, slots=True)
class Connections:
    """What clients are told of how to connect. The order has no meaning."""

    argument: dict[str, str] = field(default_factory=lambda: dict(_LIST))

    def parse(self, given: object) -> frozenset[ConnectionSettings]:
        return frozenset(connection_settings(text) for text in _items(given))

    def read(self, shown: object) -> frozenset[ConnectionSettings]:
        return self.parse(shown)


# --- the texts --------------------------------------------------------------------------------------------------------

_SPAN = re.compile(r"(?:([0-9]{1,8})\.)?([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.([0-9]{1,7}))?")
_SECONDS = re.compile(r"[0-9]{1,9}")
# How PowerShell's remoting writes a TimeSpan: an xs:duration ([MS-PSRP] 2.2.5.1.9).
_DURATION = re.compile(
    r"P(?:([0-9]{1,8})D)?(?:T(?:([0-9]{1,8})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,7}))?S)?)?"
)


def time_span(text: str) -> timedelta:
    """Return the time span that is written as .NET does, as seconds, or as an XML duration. Raises BadValue."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    found = _SPAN.fullmatch(text)
    if found:
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
        if hours < 24 and minutes < 60 and seconds < 60:
            return timedelta(days, seconds, _microseconds(found[5]), minutes=minutes, hours=hours)
    found = _DURATION.fullmatch(text)
    if found and not text.endswith(("P", "T")):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
        return timedelta(days, seconds, _microseconds(found[5]), minutes=minutes, hours=hours)
    raise BadValue("expected a time span such as 00:30:00 or 1.00:00:00 (in quotes), or a number of seconds")


def _microseconds(fraction: str | None) -> int:
    """.NET has seven digits, of which the last is less than a microsecond."""
    return int((fraction or "").ljust(6, "0")[:6])


def time_span_text(span: timedelta) -> str:
    """Return a time span as .NET writes it."""
    minutes, seconds = divmod(span.seconds, 60)
    days = f"{span.days}." if span.days else ""
    fraction = f".{span.microseconds:06}0" if span.microseconds else ""
    return f"{days}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


_QUANTITY = re.compile(r"([0-9]{1,19}) ?(B|KB|MB|GB|TB)?", re.IGNORECASE)
# "1.907 MB (2,000,000 bytes)": the number of bytes is exact; its thousands are parted as the server's language has it.
_SHOWN_QUANTITY = re.compile(r"[^()]{0,40}\(([0-9][^()]{0,60})\)")


_MOST_BYTES = 2**64 - 1
"""The type of Exchange's quantities counts bytes in 64 bits (reported: ByteQuantifiedSize.MaxValue)."""


def byte_quantity(text: str) -> ByteQuantity:
    """Return the number of bytes that is written as Exchange takes and shows it. Raises BadValue."""
    text = text.strip()
    if text.lower() == "unlimited":
        return ByteQuantity(None)
    shown = _SHOWN_QUANTITY.fullmatch(text)
    if shown:
        return ByteQuantity(int(re.sub(r"[^0-9]", "", shown[1])))
    found = _QUANTITY.fullmatch(text)
    if found:
        number = int(found[1]) * _UNITS[(found[2] or "B").upper()]
        if number > _MOST_BYTES:
            raise BadValue(f"expected less than {_MOST_BYTES // _UNITS['TB'] + 1} TB, or Unlimited")
        return ByteQuantity(number)
    raise BadValue("expected a whole number with a unit (B, KB, MB, GB, TB), such as 10 MB, or Unlimited")


def binding(text: str, *, bracketed: bool) -> IPBinding:
    """Return the address and the port in ``0.0.0.0:110`` or ``[::]:110``. Raises BadValue."""
    address, _sep, port = text.strip().rpartition(":")
    inner = address[1:-1] if address.startswith("[") and address.endswith("]") else None
    try:
        parsed = ipaddress.ip_address(address if inner is None else inner)
        # Without brackets nobody can tell a port from the last part of an address.
        if (inner is None and parsed.version == 6 and bracketed) or (inner is not None and parsed.version == 4):
            raise BadValue(_BINDING)
        return IPBinding(parsed, _port(port))
    except ValueError:
        raise BadValue(_BINDING) from None


_BINDING = "expected an IP address and a port, such as 0.0.0.0:110 or [::]:110 (in quotes)"


def connection_settings(text: str) -> ConnectionSettings:
    """Return what is in ``host:port``, ``host:port:SSL`` or ``host:port:TLS``. Raises BadValue."""
    host, _sep, rest = text.strip().partition(":")
    port, _sep, encryption = rest.partition(":")
    if not _HOST.fullmatch(host) or encryption.upper() not in ("", "SSL", "TLS"):
        raise BadValue(_CONNECTION)
    try:
        return ConnectionSettings(Caseless(host), _port(port), encryption.upper())
    except ValueError:
        raise BadValue(_CONNECTION) from None


_HOST = re.compile(r"[^\s:/\\@\[\]]+")
_CONNECTION = "expected host:port:SSL, host:port:TLS or, unencrypted, host:port, such as mail.contoso.com:995:SSL"


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError(text)
    return int(text)


def _filled(given: object) -> str:
    text = str(given)
    if not text.strip():
        raise BadValue("expected some text; leave the option out to have this setting left as it is")
    if not text.isprintable():
        raise BadValue("expected text on one line, without control characters")
    return text


def _items(value: object) -> Iterable[str]:
    """Return the texts of a list; Exchange shows one item and none at all in more than one way."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    # PowerShell writes a list as {a, b} where it is too deep in an object to be sent as one.
    text = str(value).strip().removeprefix("{").removesuffix("}")
    return [part for part in text.split(",") if part.strip()]
