# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of cmdlets: their types, and how PowerShell binds the values that a client sends.

The messages are PowerShell's own; they are localized on a real server, so nothing may match on them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simulator.exchange.errors import TerminatingError, binding_error
from simulator.exchange.mailbox import MimeTextFormat
from simulator.exchange.values import Complex, EnumValue, Record, text_of, type_name_of


class ConversionError(ValueError):
    """A value that a parameter does not take; `error_id` is PowerShell's."""

    def __init__(self, message: str, error_id: str) -> None:
        super().__init__(message)
        self.error_id = error_id


class ParameterType(Protocol):
    """Turns a value that was sent into the parameter's own type."""

    @property
    def type_name(self) -> str:
        """The .NET name, for messages."""

    def convert(self, parameter: str, value: object) -> object:
        """The converted value; ConversionError when it cannot be."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """System.Boolean: takes booleans and numbers; PowerShell refuses text, even "True"."""

    type_name: str = "System.Boolean"

    def convert(self, parameter: str, value: object) -> bool:
        """A truth value."""
        if isinstance(value, bool | int):
            return bool(value)
        raise ConversionError(
            f"Cannot convert '{type_name_of(value)}' to the type 'System.Boolean' required by parameter "
            f"'{parameter}'. Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0.",
            "CannotConvertArgument",
        )


@dataclass(frozen=True, slots=True)
class Switch:
    """System.Management.Automation.SwitchParameter: on when named, whatever the value, unless that is false."""

    type_name: str = "System.Management.Automation.SwitchParameter"

    def convert(self, parameter: str, value: object) -> bool:
        """On or off."""
        return True if value is None else Boolean().convert(parameter, value)


@dataclass(frozen=True, slots=True)
class Text:
    """System.String and what Exchange reads from a string, such as Fqdn: takes every scalar."""

    type_name: str = "System.String"

    def convert(self, parameter: str, value: object) -> str | None:
        """Text, or None."""
        if value is None:
            return None
        if isinstance(value, bool | int | str | uuid.UUID | EnumValue | Complex):
            return text_of(value)
        raise cannot_bind(parameter, value, self.type_name)


@dataclass(frozen=True, slots=True)
class Identity:
    """A …IdParameter: a string in one of many forms, or an identity object; never a whole record, a list or nothing."""

    type_name: str = "Microsoft.Exchange.Configuration.Tasks.MailboxIdParameter"

    def convert(self, parameter: str, value: object) -> str | None:
        """The text of the identity, or None for $null."""
        if value is None:
            return None
        if not isinstance(value, str | int | uuid.UUID | Complex) or isinstance(value, bool):
            # Reported for records that went through remoting, where Exchange no longer knows their type.
            raise cannot_bind(parameter, value, self.type_name)
        text = text_of(value)
        if not text:
            raise ConversionError(
                f'Cannot bind parameter \'{parameter}\'. Cannot convert value "" to type "{self.type_name}". Error: '
                f'"Parameter values of type {self.type_name} can\'t be empty. Specify a value, and try again."',
                "CannotConvertArgumentNoMessage",
            )
        return text


@dataclass(frozen=True, slots=True)
class Unlimited:
    """Unlimited<uint>: a number, or the word Unlimited (here: None)."""

    type_name: str = "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]"

    def convert(self, parameter: str, value: object) -> int | None:
        """The number, or None for no limit."""
        text = text_of(value).strip()
        if text.lower() == "unlimited":
            return None
        if isinstance(value, bool) or not text.isdecimal():
            raise cannot_bind(parameter, value, self.type_name)
        return int(text)


@dataclass(frozen=True, slots=True)
class MimeFormat:
    """MimeTextFormat: a member by name in any case, or by number."""

    type_name: str = "Microsoft.Exchange.Data.Directory.MimeTextFormat"

    def convert(self, parameter: str, value: object) -> MimeTextFormat:
        """The member."""
        text = text_of(value).strip().lower()
        for member in MimeTextFormat:
            if not isinstance(value, bool) and text in (member.name.lower(), str(member.value)):
                return member
        names = ", ".join(member.name for member in MimeTextFormat)
        raise ConversionError(
            f"Cannot bind parameter '{parameter}'. Cannot convert value \"{text_of(value)}\" to type "
            f'"{self.type_name}". Error: "Unable to match the identifier name {text_of(value)} to a valid enumerator '
            f'name. Specify one of the following enumerator names and try again: {names}"',
            "CannotConvertArgumentNoMessage",
        )


def not_bound() -> ConversionError:
    """What PowerShell says of a pipeline object that no parameter takes."""
    return ConversionError(
        "The input object cannot be bound to any parameters for the command either because the command does not take "
        "pipeline input or the input and its properties do not match any of the parameters that take pipeline input.",
        "InputObjectNotBound",
    )


def cannot_bind(parameter: str, value: object, type_name: str) -> ConversionError:
    """What PowerShell says of a value that is not of the parameter's type."""
    return ConversionError(
        f"Cannot bind parameter '{parameter}'. Cannot convert the \"{text_of(value)}\" value of type "
        f'"{type_name_of(value)}" to type "{type_name}".',
        "CannotConvertArgumentNoMessage",
    )


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a cmdlet."""

    name: str
    type: ParameterType
    mandatory: bool = False
    position: int | None = None
    from_pipeline: bool = False
    aliases: tuple[str, ...] = ()


COMMON_PARAMETERS: tuple[Parameter, ...] = (
    Parameter("Verbose", Switch(), aliases=("vb",)),
    Parameter("Debug", Switch(), aliases=("db",)),
    Parameter("ErrorAction", Text(), aliases=("ea",)),
    Parameter("WarningAction", Text(), aliases=("wa",)),
    Parameter("InformationAction", Text(), aliases=("infa",)),
    Parameter("ErrorVariable", Text(), aliases=("ev",)),
    Parameter("WarningVariable", Text(), aliases=("wv",)),
    Parameter("InformationVariable", Text(), aliases=("iv",)),
    Parameter("OutVariable", Text(), aliases=("ov",)),
    Parameter("OutBuffer", Unlimited(), aliases=("ob",)),
    Parameter("PipelineVariable", Text(), aliases=("pv",)),
)
"""Accepted by every cmdlet (Microsoft docs: about_CommonParameters)."""

WRITE_PARAMETERS: tuple[Parameter, ...] = (
    Parameter("WhatIf", Switch(), aliases=("wi",)),
    Parameter("Confirm", Switch(), aliases=("cf",)),
)


@dataclass(frozen=True, slots=True)
class Signature:
    """All parameters of one cmdlet."""

    cmdlet: str
    task_class: str
    parameters: tuple[Parameter, ...]
    _by_name: dict[str, Parameter] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for parameter in (*self.parameters, *COMMON_PARAMETERS):
            for name in (parameter.name, *parameter.aliases):
                self._by_name[name.lower()] = parameter

    @property
    def from_pipeline(self) -> Parameter | None:
        """The parameter that takes pipeline input."""
        return next((parameter for parameter in self.parameters if parameter.from_pipeline), None)

    def bind(self, arguments: Sequence[tuple[str | None, object]], *, has_input: bool) -> dict[str, object]:
        """Values by parameter name; raises TerminatingError as PowerShell does."""
        bound: dict[str, object] = {}
        positions = sorted((p for p in self.parameters if p.position is not None), key=lambda p: p.position or 0)
        for name, value in arguments:
            if name is not None:
                self._assign(bound, self._named(name), value)
        for name, value in arguments:
            if name is None:
                free = next((parameter for parameter in positions if parameter.name not in bound), None)
                if free is None:
                    raise self._error(
                        f"A positional parameter cannot be found that accepts argument '{text_of(value)}'.",
                        "PositionalParameterNotFound",
                    )
                self._assign(bound, free, value)
        self._require(bound, has_input=has_input)
        return bound

    def bind_input(self, bound: dict[str, object], value: object) -> dict[str, object]:
        """The values for one pipeline object: by value, or by the property of the same name; ConversionError if not."""
        parameter = self.from_pipeline
        unfit = isinstance(value, Record) and parameter is not None and not value.has(parameter.name)
        if parameter is None or parameter.name in bound or unfit:
            raise not_bound()
        if isinstance(value, Record):
            value = value.get(parameter.name)
        if value is None and parameter.mandatory:
            raise ConversionError(
                f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
                "ParameterArgumentValidationErrorNullNotAllowed",
            )
        return {**bound, parameter.name: parameter.type.convert(parameter.name, value)}

    def _named(self, name: str) -> Parameter:
        key = name.lower().removeprefix("-").removesuffix(":")
        exact = self._by_name.get(key)
        if exact is not None:
            return exact
        # PowerShell takes any unambiguous beginning of a name.
        begins = {p.name: p for p in (*self.parameters, *COMMON_PARAMETERS) if p.name.lower().startswith(key)}
        if key and len(begins) == 1:
            return next(iter(begins.values()))
        if key and begins:
            matches = " ".join(f"-{other}" for other in begins)
            raise self._error(
                f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches "
                f"include: {matches}.",
                "AmbiguousParameter",
            )
        raise self._error(
            f"A parameter cannot be found that matches parameter name '{name}'.", "NamedParameterNotFound"
        )

    def _assign(self, bound: dict[str, object], parameter: Parameter, value: object) -> None:
        if parameter.name in bound:
            raise self._error(
                f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once.",
                "ParameterAlreadyBound",
            )
        if value is None and parameter.mandatory:
            raise self._error(
                f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
                "ParameterArgumentValidationErrorNullNotAllowed",
                category="InvalidData",
                exception="ParameterBindingValidationException",
            )
        try:
            bound[parameter.name] = parameter.type.convert(parameter.name, value)
        except ConversionError as error:
            raise self._error(str(error), error.error_id) from error

    def _require(self, bound: dict[str, object], *, has_input: bool) -> None:
        missing = [
            parameter.name
            for parameter in self.parameters
            if parameter.mandatory and parameter.name not in bound and not (parameter.from_pipeline and has_input)
        ]
        if missing:
            raise self._error(
                f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}.",
                "MissingMandatoryParameter",
            )

    def _error(
        self,
        message: str,
        error_id: str,
        *,
        category: str = "InvalidArgument",
        exception: str = "ParameterBindingException",
    ) -> TerminatingError:
        return TerminatingError(
            binding_error(
                message,
                error_id,
                cmdlet=self.cmdlet,
                task_class=self.task_class,
                category=category,
                exception=exception,
            )
        )
