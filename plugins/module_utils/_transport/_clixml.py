# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what pypsrp made of PowerShell's objects to plain Python: the shape that ``Reply`` promises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pypsrp.complex_objects import ComplexObject, GenericComplexObject

from .._session._protocol import ErrorRecord, Record


def record(output: object) -> Record:
    """Return the properties of one object that a cmdlet wrote."""
    if not isinstance(output, GenericComplexObject):
        return {"Value": _plain(output)}
    properties = {**output.adapted_properties, **output.extended_properties}
    return {str(name): _plain(value) for name, value in properties.items()}


def error_record(error: Any) -> ErrorRecord:
    """Return one entry of the error stream."""
    exception = error.exception
    details = _details(error)
    message = details or _property(exception, "Message") or str(error)
    types = getattr(exception, "types", None) or [""]
    return ErrorRecord(
        message=message,
        fully_qualified_error_id=str(error.fq_error or ""),
        exception_type=str(types[0]).removeprefix("Deserialized."),
    )


def _details(error: Any) -> str:
    """A cmdlet can set a text for people that stands before the exception's own (ErrorDetails.Message)."""
    return str(getattr(error, "details_message", None) or "")


def _property(value: Any, name: str) -> str:
    if not isinstance(value, GenericComplexObject):
        return ""
    return str({**value.adapted_properties, **value.extended_properties}.get(name) or "")


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float, str, bytes, UUID)):
        return value
    if isinstance(value, dict):
        return {str(_plain(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, GenericComplexObject):
        return value.to_string or ""
    if isinstance(value, ComplexObject):
        return str(value)
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return str(value)
