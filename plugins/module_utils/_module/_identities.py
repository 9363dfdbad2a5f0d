# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options ``identity`` and ``identities``: text that names mailboxes, never split and never guessed at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import OptionError
from ._text import plain_text, sendable


def identities_from(params: Mapping[str, Any]) -> list[str]:
    """Return the identities asked for, in order, as plain text.

    Works on arguments as the user wrote them: Ansible's own conversion would split ``identities: "Smith, John"`` at
    the comma and turn a number into some text. Raises OptionError; nothing has been sent then. That matters, because
    ``Get-CASMailbox`` without an identity returns every mailbox of the organisation.
    """
    if params.get("identity") is not None:
        return [named("identity", params["identity"])]
    listed = params.get("identities")
    if listed is None:
        raise OptionError("identity (one mailbox) or identities (a list of mailboxes) is needed.")
    if isinstance(listed, str) or not isinstance(listed, (list, tuple)):
        raise OptionError(
            f"identities is a list of mailboxes, and this is {described(listed)}. For one mailbox use identity; text "
            "is never split, because names and distinguished names hold commas."
        )
    if not listed:
        raise OptionError("identities is an empty list: there is no mailbox to look at.")
    return [named(f"identities[{index}]", item) for index, item in enumerate(listed)]


def check_identities(arguments: Mapping[str, Any]) -> None:
    """Check what is listed, as the user wrote it. An empty list is another matter: it depends on other options."""
    if arguments.get("identity") is None and arguments.get("identities") in (None, []):
        return
    identities_from(arguments)


def named(option: str, value: object, noun: str = "mailbox", several: str = "identities") -> str:
    """Return the name of one thing as plain text. Raises OptionError."""
    if isinstance(value, (list, tuple)):
        raise OptionError(f"{option} names one {noun}, and this is a list. Use {several} for a list.")
    if not isinstance(value, str):
        raise OptionError(f"{option} has to be text, and this is {described(value)}. Write it in quotes.")
    text = plain_text(value)
    if not text.strip():
        raise OptionError(f"{option} is blank: it has to name a {noun}.")
    if not sendable(text):
        raise OptionError(f"{option} is {text!r}: it has a character that cannot be sent, a half of a surrogate pair.")
    return text


def described(value: object) -> str:
    """Return what a value is, for messages about what was written."""
    if isinstance(value, bool):
        return f"the Boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text '{value}'"
    return "a dictionary" if isinstance(value, dict) else f"of the type {type(value).__name__}"
