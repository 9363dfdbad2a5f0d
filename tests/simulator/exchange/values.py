# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that travel between cmdlets and PowerShell: plain Python where it exists, and these where not."""

from __future__ import annotations

import datetime  # pylint: disable=unused-import
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A member of a .NET enumeration."""

    type_name: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Complex:
    """An object that is little more than its text, such as the Identity of a record."""

    type_names: tuple[str, ...]
    text: str
    properties: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class TextList:
    """A MultiValuedProperty of strings."""

    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectList:
    """A MultiValuedProperty of objects that are little more than their texts, all of one type."""

    type_name: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary with text keys."""

    items: tuple[tuple[str, Value], ...]


Value: TypeAlias = (
    "bool | int | str | uuid.UUID | datetime.datetime | datetime.timedelta | EnumValue | Complex | TextList "
    "| ObjectList | Table | None"
)


@dataclass(frozen=True, slots=True)
class Record:
    """An object that a cmdlet writes to the pipeline, or that a client sends into it."""

    type_names: tuple[str, ...]
    properties: Sequence[tuple[str, Value]]
    text: str = ""
    extended: bool = False
    """True for the custom objects that Select-Object makes: their properties are notes, not the object's own."""

    def has(self, name: str) -> bool:
        """True when there is such a property."""
        wanted = name.lower()
        return any(key.lower() == wanted for key, _unused in self.properties)

    def get(self, name: str) -> Value:
        """A property by name, in any case; None when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.properties if key.lower() == wanted), None)


def type_name_of(value: object) -> str:
    """The .NET name of a value's type, for error messages."""
    if isinstance(value, Record | Complex):
        return value.type_names[0] if value.type_names else "System.Management.Automation.PSObject"
    if isinstance(value, EnumValue):
        return value.type_name
    names = {bool: "System.Boolean", int: "System.Int32", str: "System.String", uuid.UUID: "System.Guid"}
    if isinstance(value, list | tuple | TextList):
        return "System.Collections.ArrayList"
    if isinstance(value, dict):
        return "System.Collections.Hashtable"
    return names.get(type(value), "System.Object")


def text_of(value: object) -> str:
    """What ToString() gives."""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, Record | Complex):
        return value.text
    if isinstance(value, EnumValue):
        return value.name
    return "" if value is None else str(value)
