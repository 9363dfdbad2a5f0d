# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of a simulated Windows host: keys and typed values, and a journal of everything that was written.

Names keep their case and are compared without it. The journal is what lets a test say that a run wrote nothing.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum

RegistryData = str | int | bytes | list[str]


class RegistryType(StrEnum):
    """The value types, by the names of .NET's ``RegistryValueKind``."""

    STRING = "String"
    EXPAND_STRING = "ExpandString"
    BINARY = "Binary"
    DWORD = "DWord"
    QWORD = "QWord"
    MULTI_STRING = "MultiString"
    NONE = "None"


class RegistryAction(StrEnum):
    """What can be done to a registry."""

    CREATE_KEY = "create_key"
    DELETE_KEY = "delete_key"
    SET_VALUE = "set_value"
    DELETE_VALUE = "delete_value"


@dataclass(frozen=True)
class RegistryValue:
    """One value of a key; the name is empty for the key's default value."""

    name: str
    data: RegistryData
    type: RegistryType = RegistryType.STRING


@dataclass
class RegistryKey:
    """One key, with what is in it."""

    name: str
    values: dict[str, RegistryValue] = field(default_factory=dict)
    keys: dict[str, RegistryKey] = field(default_factory=dict)

    def value(self, name: str) -> RegistryValue | None:
        """The value of this name, or None."""
        return self.values.get(name.casefold())


@dataclass(frozen=True)
class RegistryWrite:
    r"""One write: on which path (``HKLM:\...``), to which value, and when (seconds since the epoch)."""

    action: RegistryAction
    path: str
    name: str | None
    at: float


class Registry:
    r"""The hives HKLM, HKCU, HKU, HKCR and HKCC. Paths are written ``HKLM:\SOFTWARE\...``."""

    def __init__(self) -> None:
        """Begin with empty hives."""
        self._hives = {name.casefold(): RegistryKey(name) for name in ("HKLM", "HKCU", "HKU", "HKCR", "HKCC")}
        self._lock = threading.Lock()
        self.writes: list[RegistryWrite] = []

    def key(self, path: str) -> RegistryKey | None:
        """The key at this path, or None."""
        hive, names = _split(path)
        key: RegistryKey | None = self._hives.get(hive)
        for name in names:
            if key is None:
                return None
            key = key.keys.get(name.casefold())
        return key

    def value(self, path: str, name: str) -> RegistryValue | None:
        """The value of this name at this path, or None."""
        key = self.key(path)
        return None if key is None else key.value(name)

    def create_key(self, path: str) -> RegistryKey:
        """Create a key and those above it; nothing is written where it is there already."""
        with self._lock:
            key, created = self._create(path)
            if created:
                self._note(RegistryAction.CREATE_KEY, path)
        return key

    def set_value(self, path: str, name: str, data: RegistryData, kind: RegistryType = RegistryType.STRING) -> None:
        """Set a value, and create its key where needed."""
        key = self.create_key(path)
        with self._lock:
            key.values[name.casefold()] = RegistryValue(name, data, kind)
            self._note(RegistryAction.SET_VALUE, path, name)

    def delete_value(self, path: str, name: str) -> None:
        """Remove a value; KeyError when it is not there."""
        with self._lock:
            key = self.key(path)
            if key is None:
                raise KeyError(path)
            del key.values[name.casefold()]
            self._note(RegistryAction.DELETE_VALUE, path, name)

    def delete_key(self, path: str) -> None:
        """Remove a key with everything below it; KeyError when it is not there."""
        parent, _sep, name = path.rstrip("\\").rpartition("\\")
        with self._lock:
            key = self.key(parent)
            if key is None:
                raise KeyError(path)
            del key.keys[name.casefold()]
            self._note(RegistryAction.DELETE_KEY, path)

    def clear_writes(self) -> None:
        """Begin the journal anew: for tests that look at one run only."""
        self.writes.clear()

    def _create(self, path: str) -> tuple[RegistryKey, bool]:
        hive, names = _split(path)
        key, created = self._hives[hive], False
        for name in names:
            below = key.keys.get(name.casefold())
            if below is None:
                below, created = RegistryKey(name), True
                key.keys[name.casefold()] = below
            key = below
        return key, created

    def _note(self, action: RegistryAction, path: str, name: str | None = None) -> None:
        self.writes.append(RegistryWrite(action, path, name, time.time()))


def _split(path: str) -> tuple[str, list[str]]:
    hive, _sep, rest = path.partition(":")
    return hive.casefold(), [name for name in rest.split("\\") if name]
