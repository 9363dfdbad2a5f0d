# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OPATH, the language of Exchange's -Filter parameter: from a filter to a test of one mailbox.

    matches = compile_filter("PopEnabled -eq $true -and DisplayName -like 'Smith*'")
    matches(mailbox, settings)

Sources (Microsoft docs): "Recipient filters in Exchange Management Shell commands" for the syntax, "Filterable
properties for the -Filter parameter" and the page of Get-CASMailbox for the properties. So Alias and UserPrincipalName
are not here: Get-CASMailbox does not take them. On-premises, `*` is a wildcard at the beginning and at the end of a
-like value only (MicrosoftDocs/office-docs-powershell#4861). Inferred: -and binds tighter than -or; a `*` elsewhere
stands for itself; which operators a property without wildcards takes.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from simulator.exchange.mailbox import ClientAccessSettings, Mailbox

Predicate: TypeAlias = Callable[[Mailbox, ClientAccessSettings], bool]
Reader: TypeAlias = Callable[[Mailbox, ClientAccessSettings], tuple[Any, ...]]
"""A property's values, comparable; () is $null."""
Constant: TypeAlias = "str | int | bool | None"
Reason: TypeAlias = Literal["syntax", "unknown_property", "unsupported_operator", "bad_value"]


class FilterError(ValueError):
    """A filter that Exchange does not take. `details` fill the text for `reason`, in any language."""

    def __init__(self, reason: Reason, filter_text: str, offset: int, **details: str) -> None:
        # Two reports name the position; both are the offset of the offending character, from 0, plus 2.
        self.details: dict[str, object] = {"filter": filter_text, "position": offset + 2, **details}
        self.reason: Reason = reason
        super().__init__(f"{reason}: {self.details}")


# --- properties -------------------------------------------------------------------------------------------------------

_EQUALITY = frozenset({"-eq", "-ne"})
_ORDER = _EQUALITY | {"-lt", "-gt", "-le", "-ge"}
_WILDCARDS = _ORDER | {"-like", "-notlike"}

# Documented for 0.20 (15.0.0.0).
_EXCHANGE_VERSION = 88218628259840


@dataclass(frozen=True, slots=True)
class Property:
    """A property that can be filtered by."""

    name: str
    type_name: str
    convert: Callable[[str | int | bool], Any]
    """From a constant of the filter to what `read` gives; ValueError when it cannot be."""
    read: Reader
    operators: frozenset[str] = _EQUALITY
    read_like: Reader | None = None
    """What wildcards are held against, where that differs."""


def _to_boolean(value: str | int | bool) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise ValueError(value)
    return str(value).lower() == "true"


def _to_number(value: str | int | bool) -> int:
    return int(value)


def _to_text(value: str | int | bool) -> str:
    return str(value).casefold()


def _to_guid(value: str | int | bool) -> uuid.UUID:
    return uuid.UUID(str(value))


def _to_moment(value: str | int | bool) -> datetime.datetime:
    for pattern in ("%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p"):
        try:
            return datetime.datetime.strptime(str(value), pattern).replace(tzinfo=datetime.UTC)
        except ValueError:
            continue
    moment = datetime.datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _setting(name: str, attribute: str) -> Property:
    def read(_unused: Mailbox, settings: ClientAccessSettings) -> tuple[bool, ...]:
        return (getattr(settings, attribute),)

    return Property(name, "System.Boolean", _to_boolean, read)


def _text(name: str, read: Callable[[Mailbox], str], operators: frozenset[str] = _WILDCARDS) -> Property:
    def values(mailbox: Mailbox, _unused: ClientAccessSettings) -> tuple[str, ...]:
        value = read(mailbox)
        return (value.casefold(),) if value else ()

    return Property(name, "System.String", _to_text, values, operators)


def _constant(name: str, *values: str, operators: frozenset[str] = _WILDCARDS) -> Property:
    return Property(name, "System.String", _to_text, lambda _mailbox, _settings: values, operators)


def _moment(name: str, read: Callable[[Mailbox], datetime.datetime]) -> Property:
    return Property(name, "System.DateTime", _to_moment, lambda mailbox, _: (read(mailbox),), _ORDER)


def _addresses(mailbox: Mailbox, _unused: ClientAccessSettings) -> tuple[str, ...]:
    return tuple([address.casefold() for address in mailbox.email_addresses])


def _proxy_addresses(mailbox: Mailbox, _unused: ClientAccessSettings) -> tuple[str, ...]:
    return tuple([f"smtp:{address.casefold()}" for address in mailbox.email_addresses])


def _proxy_and_plain_addresses(mailbox: Mailbox, settings: ClientAccessSettings) -> tuple[str, ...]:
    return _addresses(mailbox, settings) + _proxy_addresses(mailbox, settings)


def _server_legacy_dn(mailbox: Mailbox) -> str:
    group = mailbox.legacy_exchange_dn.partition("/cn=Recipients")[0]
    return f"{group}/cn=Configuration/cn=Servers/cn={mailbox.server}"


def _identifiers(mailbox: Mailbox, _unused: ClientAccessSettings) -> tuple[str, ...]:
    return (mailbox.distinguished_name.casefold(), mailbox.canonical_name.casefold())


PROPERTIES: dict[str, Property] = {
    entry.name.lower(): entry
    for entry in (
        _setting("ActiveSyncEnabled", "active_sync_enabled"),
        _setting("ECPEnabled", "ecp_enabled"),
        _setting("ImapEnabled", "imap_enabled"),
        _setting("MAPIEnabled", "mapi_enabled"),
        _setting("OWAEnabled", "owa_enabled"),
        _setting("OWAforDevicesEnabled", "owa_for_devices_enabled"),
        _setting("PopEnabled", "pop_enabled"),
        # Documented as 0, 1 or $null.
        Property("EwsEnabled", "System.Int32", _to_number, lambda _, settings: (int(settings.ews_enabled),), _ORDER),
        Property("HasActiveSyncDevicePartnership", "System.Boolean", _to_boolean, lambda _mailbox, _settings: (False,)),
        Property("ActiveSyncSuppressReadReceipt", "System.Boolean", _to_boolean, lambda _mailbox, _settings: (False,)),
        _text("DisplayName", lambda mailbox: mailbox.display_name),
        _text("LegacyExchangeDN", lambda mailbox: mailbox.legacy_exchange_dn),
        _text("Name", lambda mailbox: mailbox.name),
        _text("SamAccountName", lambda mailbox: mailbox.sam_account_name),
        _text("ServerLegacyDN", _server_legacy_dn),
        # Documented without wildcards, like the next ones.
        _text("ServerName", lambda mailbox: mailbox.server, _EQUALITY),
        _text("DistinguishedName", lambda mailbox: mailbox.distinguished_name, _EQUALITY),
        Property("Id", "Microsoft.Exchange.Data.Directory.ADObjectId", _to_text, _identifiers),
        Property("Guid", "System.Guid", _to_guid, lambda mailbox, _: (mailbox.guid,)),
        # "Don't use PrimarySmtpAddress": it searches all addresses (documented).
        Property("PrimarySmtpAddress", "Microsoft.Exchange.Data.SmtpAddress", _to_text, _addresses, _WILDCARDS),
        # With wildcards, smtp: must be named; without, it need not be (documented).
        Property(
            "EmailAddresses",
            "Microsoft.Exchange.Data.ProxyAddress",
            _to_text,
            _proxy_and_plain_addresses,
            _WILDCARDS,
            _proxy_addresses,
        ),
        Property("ExchangeVersion", "System.Int64", _to_number, lambda _mailbox, _: (_EXCHANGE_VERSION,), _ORDER),
        _moment("WhenChanged", lambda mailbox: mailbox.when_changed),
        _moment("WhenChangedUTC", lambda mailbox: mailbox.when_changed),
        _moment("WhenCreated", lambda mailbox: mailbox.when_created),
        _moment("WhenCreatedUTC", lambda mailbox: mailbox.when_created),
        _constant("ObjectCategory", "person"),
        _constant("ObjectClass", "top", "person", "organizationalperson", "user"),
        # Of these every mailbox here has none.
        _constant("ActiveSyncAllowedDeviceIDs"),
        _constant("ActiveSyncBlockedDeviceIDs"),
        _constant("ActiveSyncDebugLogging", operators=_EQUALITY),
        _constant("ActiveSyncMailboxPolicy", operators=_EQUALITY),
        _constant("EwsApplicationAccessPolicy", operators=_EQUALITY),
        _constant("OwaMailboxPolicy", operators=_EQUALITY),
    )
}
_VALID_NAMES = ", ".join(sorted((entry.name for entry in PROPERTIES.values()), key=str.lower))


# --- tests of one mailbox ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _IsOneOf:
    """True when the property has one of these values; a class, so that an -or of many becomes a single look-up."""

    read: Reader
    wanted: frozenset[Any]

    def __call__(self, mailbox: Mailbox, settings: ClientAccessSettings) -> bool:
        return not self.wanted.isdisjoint(self.read(mailbox, settings))


def _negated(test: Predicate) -> Predicate:
    return lambda mailbox, settings: not test(mailbox, settings)


def _all(tests: list[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    return lambda mailbox, settings: all(test(mailbox, settings) for test in tests)


def _any(tests: list[Predicate]) -> Predicate:
    merged: dict[Reader, frozenset[Any]] = {}
    others: list[Predicate] = []
    for test in tests:
        if isinstance(test, _IsOneOf):
            merged[test.read] = merged.get(test.read, frozenset()) | test.wanted
        else:
            others.append(test)
    parts = [_IsOneOf(read, wanted) for read, wanted in merged.items()] + others
    if len(parts) == 1:
        return parts[0]
    return lambda mailbox, settings: any(test(mailbox, settings) for test in parts)


def _ordered(read: Reader, operator: str, wanted: Any) -> Predicate:
    match operator:
        case "-lt":
            return lambda mailbox, settings: any(value < wanted for value in read(mailbox, settings))
        case "-le":
            return lambda mailbox, settings: any(value <= wanted for value in read(mailbox, settings))
        case "-gt":
            return lambda mailbox, settings: any(value > wanted for value in read(mailbox, settings))
        case _:
            return lambda mailbox, settings: any(value >= wanted for value in read(mailbox, settings))


def _like(read: Reader, pattern: str) -> Predicate:
    from_start, to_end = not pattern.startswith("*"), not pattern.endswith("*")
    part = pattern.removeprefix("*").removesuffix("*")
    if from_start and to_end:
        return _IsOneOf(read, frozenset({part}))
    if from_start:
        return lambda mailbox, settings: any(value.startswith(part) for value in read(mailbox, settings))
    if to_end:
        return lambda mailbox, settings: any(value.endswith(part) for value in read(mailbox, settings))
    return lambda mailbox, settings: any(part in value for value in read(mailbox, settings))


def _comparison(entry: Property, operator: str, wanted: Any) -> Predicate:
    if wanted is None:
        is_null: Predicate = lambda mailbox, settings: not entry.read(mailbox, settings)  # noqa: E731
        return is_null if operator == "-eq" else _negated(is_null)
    if operator in ("-like", "-notlike"):
        test = _like(entry.read_like or entry.read, wanted)
        return test if operator == "-like" else _negated(test)
    if operator in _EQUALITY:
        same = _IsOneOf(entry.read, frozenset({wanted}))
        return same if operator == "-eq" else _negated(same)
    return _ordered(entry.read, operator, wanted)


# --- the language -----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<system>\$(?:true|false|null)\b)
      | (?P<number>-?\d+\b)
      | (?P<operator>-(?:eq|ne|lt|gt|le|ge|like|notlike|and|or|not)\b)
      | (?P<bracket>[()])
      | (?P<word>[A-Za-z_]\w*)
      | (?P<end>\Z)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_SYSTEM: dict[str, bool | None] = {"$true": True, "$false": False, "$null": None}
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


class _Parser:
    """Recursive descent: or → and → not → brackets or a comparison."""

    def __init__(self, filter_text: str) -> None:
        self._filter = filter_text
        self._tokens = list(self._read())
        self._at = 0
        self._depth = 0

    def parse(self) -> Predicate:
        test = self._or()
        if self._peek().kind != "end":
            raise self._syntax(self._peek().offset)
        return test

    def _read(self) -> list[_Token]:
        tokens: list[_Token] = []
        at = 0
        while not tokens or tokens[-1].kind != "end":
            match = _TOKEN.match(self._filter, at)
            if match is None or match.lastgroup is None:
                raise self._syntax(at + len(self._filter[at:]) - len(self._filter[at:].lstrip()))
            tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return tokens

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _takes(self, text: str) -> bool:
        found = self._peek().kind in ("operator", "bracket") and self._peek().text.lower() == text
        self._at += found
        return found

    def _or(self) -> Predicate:
        tests = [self._and()]
        while self._takes("-or"):
            tests.append(self._and())
        return _any(tests)

    def _and(self) -> Predicate:
        tests = [self._not()]
        while self._takes("-and"):
            tests.append(self._not())
        return _all(tests)

    def _not(self) -> Predicate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._syntax(self._peek().offset)
        test = _negated(self._not()) if self._takes("-not") else self._term()
        self._depth -= 1
        return test

    def _term(self) -> Predicate:
        if self._takes("("):
            test = self._or()
            if not self._takes(")"):
                raise self._syntax(self._peek().offset)
            return test
        return self._compare()

    def _compare(self) -> Predicate:
        word = self._next()
        if word.kind != "word":
            raise self._syntax(word.offset)
        entry = PROPERTIES.get(word.text.lower())
        if entry is None:
            # Reported for the filter `False`: the name is looked up before an operator is missed.
            raise FilterError("unknown_property", self._filter, word.offset, property=word.text, valid=_VALID_NAMES)
        token = self._next()
        operator = token.text.lower()
        if token.kind != "operator" or operator in ("-and", "-or", "-not"):
            raise self._syntax(token.offset)
        constant = self._constant()
        if operator not in (_EQUALITY if constant is None else entry.operators):
            raise FilterError(
                "unsupported_operator", self._filter, token.offset, property=entry.name, operator=token.text
            )
        if constant is None:
            return _comparison(entry, operator, None)
        try:
            return _comparison(entry, operator, entry.convert(constant))
        except ValueError:
            raise FilterError(
                "bad_value",
                self._filter,
                token.offset,
                property=entry.name,
                value=str(constant),
                type=entry.type_name,
            ) from None

    def _constant(self) -> Constant:
        token = self._next()
        match token.kind:
            case "text":
                quote = token.text[0]
                return token.text[1:-1].replace(quote * 2, quote)
            case "number":
                return int(token.text)
            case "system":
                return _SYSTEM[token.text.lower()]
            case _:
                raise self._syntax(token.offset)

    def _syntax(self, offset: int) -> FilterError:
        return FilterError("syntax", self._filter, offset)


@lru_cache(maxsize=64)
def compile_filter(filter_text: str) -> Predicate:
    """The test that a filter describes; `FilterError` when Exchange would not take it."""
    return _Parser(filter_text).parse()
