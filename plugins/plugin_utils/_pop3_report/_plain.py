# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads values that came through a playbook: plain Python types without Ansible's tags, or an error in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._model import ReportError


def sequence(value: object, what: str) -> Sequence[Any]:
    """Return a list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ReportError(f"{what} has to be a list, and this is of the type {type(value).__name__}.")
    return value


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """Return a dictionary."""
    if not isinstance(value, Mapping):
        raise ReportError(f"{what} has to be a dictionary, and this is of the type {type(value).__name__}.")
    return value


def text(values: Mapping[str, Any], key: str) -> str:
    """Return a text of a dictionary, as a plain ``str``."""
    value = values.get(key)
    if not isinstance(value, str):
        raise ReportError(
            f"'{key}' has to be text, and this is {value!r}. Was it exchange_pop3_access_info that said so?"
        )
    return "".join(value)


def optional_text(value: object) -> str | None:
    """Return a text, or ``None`` for what is empty."""
    return "".join(str(value)) if value else None


def truth(values: Mapping[str, Any], key: str) -> bool:
    """Return a Boolean of a dictionary. What is neither true nor false is refused, not guessed at."""
    value = values.get(key)
    if value not in (True, False):
        raise ReportError(f"'{key}' has to be true or false, and this is {value!r}.")
    return bool(value)
