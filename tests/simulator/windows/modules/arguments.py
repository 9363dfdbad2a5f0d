# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a module: what it takes, and the messages when it is given something else.

The messages are those of ``Ansible.Basic``, the C# library beneath the Windows modules, so that a wrong role fails here
with the words it would fail with on Windows. Modules on the older ``Ansible.ModuleUtils.Legacy`` ignore options they do
not know; here they refuse them too, which is stricter than the original on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simulator.windows.modules.call import ModuleCall, ModuleFailure

_TRUE = ("y", "yes", "on", "1", "true", "t", "1.0")
_FALSE = ("n", "no", "off", "0", "false", "f", "0.0")


class OptionType(StrEnum):
    """The types of options that the simulated modules have."""

    STR = "str"
    BOOL = "bool"
    INT = "int"
    LIST = "list"
    RAW = "raw"


@dataclass(frozen=True)
class Option:
    """One option of a module."""

    type: OptionType = OptionType.STR
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    simulated: bool = True
    """False: the real module has it, and here it is refused by name."""


NOT_SIMULATED = Option(simulated=False)


def arguments(spec: Mapping[str, Option], call: ModuleCall) -> dict[str, Any]:
    """The arguments of a call by option name, with defaults; ModuleFailure when they do not fit."""
    given = _by_option_name(spec, call)
    missing = [name for name, option in spec.items() if option.required and name not in given]
    if missing:
        raise ModuleFailure(f"missing required arguments: {', '.join(missing)}")
    result: dict[str, Any] = {name: option.default for name, option in spec.items()}
    for name, value in given.items():
        if value is None:
            continue
        if not spec[name].simulated:
            raise ModuleFailure(f"The simulated Windows host does not support option '{name}' of {call.name}")
        result[name] = _checked(name, spec[name], value)
    return result


def _by_option_name(spec: Mapping[str, Option], call: ModuleCall) -> dict[str, Any]:
    names = {one.casefold(): name for name, option in spec.items() for one in (name, *option.aliases)}
    unknown = [name for name in call.args if name.casefold() not in names]
    if unknown:
        supported = [*spec, *(alias for option in spec.values() for alias in option.aliases)]
        raise ModuleFailure(
            f"Unsupported parameters for ({call.name}) module: {', '.join(unknown)}. "
            f"Supported parameters include: {', '.join(supported)}"
        )
    return {names[name.casefold()]: value for name, value in call.args.items()}


def _checked(name: str, option: Option, value: Any) -> Any:
    try:
        converted = _CONVERTERS[option.type](value)
    except ValueError as error:
        raise ModuleFailure(
            f"argument for {name} is of type {_dotnet_type(value)} and we were unable to convert to {option.type}: "
            f"{error}"
        ) from None
    if option.choices and str(converted).casefold() not in option.choices:
        raise ModuleFailure(
            f"value of {name} must be one of: {', '.join(option.choices)}. Got no match for: {converted}"
        )
    return converted.casefold() if option.choices else converted


def _to_str(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    return str(value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in _TRUE + _FALSE:
        raise ValueError(
            f"The value '{text}' is not a valid boolean. Valid booleans include: {', '.join(_TRUE + _FALSE)}"
        )
    return text in _TRUE


def _to_int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError("Input string was not in a correct format.") from None


def _to_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return [value]


_CONVERTERS: dict[OptionType, Callable[[Any], Any]] = {
    OptionType.STR: _to_str,
    OptionType.BOOL: _to_bool,
    OptionType.INT: _to_int,
    OptionType.LIST: _to_list,
    OptionType.RAW: lambda value: value,
}


def _dotnet_type(value: Any) -> str:
    names = {bool: "System.Boolean", int: "System.Int32", float: "System.Double", str: "System.String"}
    return names.get(type(value), "System.Object")
