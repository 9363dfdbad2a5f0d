# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_reg_stat and win_regedit, with the conversions, results and error messages of ansible.windows 3.3."""

from __future__ import annotations

import re
from typing import Any

from simulator.windows.modules.arguments import NOT_SIMULATED, Option, OptionType, arguments
from simulator.windows.modules.call import Machine, ModuleCall, ModuleFailure
from simulator.windows.registry import Registry, RegistryData, RegistryType, RegistryValue

_STAT = {
    "path": Option(required=True, aliases=("key",)),
    "name": Option(aliases=("entry", "value")),
}
_EDIT = {
    "path": Option(required=True, aliases=("key",)),
    "name": Option(aliases=("entry", "value")),
    "data": Option(OptionType.RAW),
    "type": Option(
        default="string",
        choices=("none", "binary", "dword", "expandstring", "multistring", "string", "qword"),
        aliases=("datatype",),
    ),
    "state": Option(default="present", choices=("present", "absent")),
    "delete_key": Option(OptionType.BOOL, default=True),
    "hive": NOT_SIMULATED,
}
_TYPES = {type_.value.casefold(): type_ for type_ in RegistryType}
_REG_NAMES = {
    RegistryType.STRING: "REG_SZ",
    RegistryType.EXPAND_STRING: "REG_EXPAND_SZ",
    RegistryType.BINARY: "REG_BINARY",
    RegistryType.DWORD: "REG_DWORD",
    RegistryType.QWORD: "REG_QWORD",
    RegistryType.MULTI_STRING: "REG_MULTI_SZ",
    RegistryType.NONE: "REG_NONE",
}
_PATH = re.compile(r"HK(CC|CR|CU|LM|U):\\", re.IGNORECASE)
_UINT32_MAX = 0xFFFFFFFF
_UINT64_MAX = 0xFFFFFFFFFFFFFFFF


def win_reg_stat(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Look at a key or at one of its values."""
    given = arguments(_STAT, call)
    path, name = given["path"], given["name"]
    if not _PATH.match(path):
        raise ModuleFailure(f"path: {path} is not a valid registry path, see module documentation for examples.")
    key = machine.registry.key(path)
    if key is None:
        return {"exists": False}
    if name is None:
        return {
            "exists": True,
            "properties": {value.name: _described(value) for value in key.values.values()},
            "sub_keys": [below.name for below in key.keys.values()],
        }
    value = key.value(name)
    return {"exists": False} if value is None else {"exists": True, **_described(value)}


def win_regedit(call: ModuleCall, machine: Machine) -> dict[str, Any]:
    """Create, change or remove a key or a value."""
    given = arguments(_EDIT, call)
    path, name = given["path"], given["name"] or ""
    if not _PATH.match(path):
        raise ModuleFailure(f"path: {path} is not a valid powershell path, see module documentation for examples.")
    result: dict[str, Any] = {"data_changed": False, "data_type_changed": False}
    type_ = _TYPES[given["type"]]
    if given["name"] is None and type_ is not RegistryType.STRING:
        result["warnings"] = [
            "the data type when name is not specified can only be 'string', the type has automatically been converted"
        ]
        type_ = RegistryType.STRING
    if given["state"] == "absent":
        return result | _absent(machine.registry, path, name, delete_key=given["delete_key"], apply=not call.check_mode)
    data = _converted(given["data"], type_, named=bool(name))
    wanted = None if data is None else RegistryValue(name, data, type_)
    return result | _present(machine.registry, path, wanted, apply=not call.check_mode)


def _present(registry: Registry, path: str, wanted: RegistryValue | None, *, apply: bool) -> dict[str, Any]:
    key = registry.key(path)
    before: dict[str, Any] = {} if key is None else {path: {}}
    after: dict[str, Any] = {path: {}}
    result: dict[str, Any] = {"changed": key is None, "diff": {"before": before, "after": after}}
    if key is None and apply:
        key = registry.create_key(path)
    if key is None or wanted is None:
        return result
    existing = key.value(wanted.name)
    after[path][wanted.name] = _diff_value(wanted)
    if existing is not None:
        before.setdefault(path, {})[wanted.name] = _diff_value(existing)
        result["data_type_changed"] = existing.type is not wanted.type
        result["data_changed"] = existing.data != wanted.data
        if not result["data_type_changed"] and not result["data_changed"]:
            return result
    if apply:
        registry.set_value(path, wanted.name, wanted.data, wanted.type)
    result["changed"] = True
    return result


def _absent(registry: Registry, path: str, name: str, *, delete_key: bool, apply: bool) -> dict[str, Any]:
    key = registry.key(path)
    if key is None:
        return {"diff": {"before": "", "after": ""}}
    if delete_key and not name:
        if apply:
            registry.delete_key(path)
        return {"changed": True, "diff": {"before": {path: {}}, "after": {}}}
    existing = key.value(name)
    if existing is None:
        return {"diff": {"before": "", "after": ""}}
    if apply:
        registry.delete_value(path, name)
    return {"changed": True, "diff": {"before": {path: {name: _diff_value(existing)}}, "after": {path: {}}}}


def _described(value: RegistryValue) -> dict[str, Any]:
    data: Any = value.data
    if isinstance(data, bytes):
        return {
            "type": _REG_NAMES[value.type],
            "value": list(data),
            "raw_value": [f"0x{byte:02x}" for byte in data],
        }
    return {"type": _REG_NAMES[value.type], "value": data, "raw_value": data}


def _diff_value(value: RegistryValue) -> dict[str, Any]:
    data: Any = value.data
    if isinstance(data, bytes):
        data = [f"0x{byte:02x}" for byte in data]
    elif isinstance(data, int):
        data = f"0x{data:08x}" if value.type is RegistryType.DWORD else f"0x{data:016x}"
    return {"type": value.type.value, "value": data}


def _converted(data: Any, type_: RegistryType, *, named: bool) -> RegistryData | None:
    """The data as it is stored; None only for a key's default value that was not asked for."""
    if type_ in (RegistryType.BINARY, RegistryType.NONE):
        return _to_bytes(data)
    if type_ is RegistryType.DWORD:
        return _to_unsigned(data, _UINT32_MAX, "data cannot be larger than 0xffffffff when type is dword")
    if type_ is RegistryType.QWORD:
        return _to_unsigned(data, _UINT64_MAX, "data cannot be larger than 0xffffffffffffffff when type is qword")
    if type_ is RegistryType.MULTI_STRING:
        if data is None:
            return []
        return [str(one) for one in data] if isinstance(data, list) else [str(data)]
    if data is None:
        return "" if named else None
    return str(data)


def _to_bytes(data: Any) -> bytes:
    if data is None:
        return b""
    if isinstance(data, list):
        return bytes(int(one) for one in data)
    if isinstance(data, int):
        if not 0 <= data <= 255:
            raise ModuleFailure(
                f"cannot convert binary data '{data}' to byte array, please specify this value as a yaml byte array or "
                "a comma separated hex value string"
            )
        return bytes([data])
    digits = re.sub(r"[^a-f0-9,:]", "", str(data).lower().removeprefix("hex:")).replace(",", ":")
    if ":" in digits:
        return bytes(int(part, 16) for part in digits.split(":") if part)
    return bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")


def _to_unsigned(data: Any, largest: int, too_large: str) -> int:
    if data is None:
        return 0
    if isinstance(data, float) and data % 1:
        raise ModuleFailure(
            f"data '{data}' cannot be a decimal or float value with a remainder when type is dword or qword"
        )
    try:
        number = int(data, 0) if isinstance(data, str) else int(data)
    except ValueError:
        raise ModuleFailure(
            f'Unhandled exception while executing module: Cannot convert value "{data}" to type "System.UInt64". '
            'Error: "Input string was not in a correct format."'
        ) from None
    if number > largest:
        raise ModuleFailure(too_large)
    return number & largest
