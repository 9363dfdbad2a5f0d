# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mailboxes a task is about: a list, a selection, or a list and everybody else in a scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import OptionError
from ._identities import identities_from
from ._text import text_option

EXCLUSIVE_MAX_CHANGES = 50
"""The brake where nobody set one and everybody in an organisation could lose access by a mistake in one list."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Mailboxes that Exchange itself selects; without both, every mailbox."""

    filter: str | None = None
    organizational_unit: str | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """The mailboxes that are listed; those that are selected, if the task selects; and the brake (None: no brake).

    With ``exclusive``, the selection is the scope in which everybody who is not listed loses access.
    """

    listed: tuple[str, ...]
    selection: Selection | None
    exclusive: bool
    max_changes: int | None


def selection_from(params: Mapping[str, Any]) -> Selection:
    """Return the filter and the organizational unit."""
    return Selection(text_option(params, "filter"), text_option(params, "organizational_unit"))


def is_listed(params: Mapping[str, Any]) -> bool:
    """Whether the task names mailboxes, be it with an empty list."""
    return params.get("identity") is not None or params.get("identities") is not None


def targets_from(params: Mapping[str, Any]) -> Targets:
    """Return what the task is about. Raises OptionError for what contradicts itself."""
    for name in ("filter", "organizational_unit"):
        if params[name] is not None and not params[name].strip():
            # A variable that is empty by mistake would make a part of the organisation the whole of it.
            raise OptionError(f"{name} is blank. Leave it out if it is not to limit anything.")
    selection = selection_from(params)
    selects = bool(selection.filter or selection.organizational_unit)
    exclusive = bool(params["exclusive"])
    listed = is_listed(params)
    if exclusive and params["state"] != "enabled":
        raise OptionError("exclusive goes with state: enabled: the listed mailboxes keep access, and no other does.")
    if params["allow_empty"] and not exclusive:
        raise OptionError("allow_empty goes with exclusive: true.")
    if exclusive and not listed:
        raise OptionError("exclusive needs the list of those who keep access: identities.")
    if selects and listed and not exclusive:
        raise OptionError(
            "filter and organizational_unit select mailboxes instead of identity and identities. Together with a list "
            "they are the scope of exclusive: true."
        )
    if not selects and not listed:
        raise OptionError("identity, identities, filter or organizational_unit is needed.")
    return Targets(
        listed=_listed(params, exclusive) if listed else (),
        selection=selection if selects or exclusive else None,
        exclusive=exclusive,
        max_changes=_max_changes(params, exclusive),
    )


def _listed(params: Mapping[str, Any], exclusive: bool) -> tuple[str, ...]:
    if exclusive and params.get("identities") == [] and params.get("identity") is None:
        if params["allow_empty"]:
            return ()
        raise OptionError(
            "identities is an empty list, and with exclusive everybody in scope would lose access. If that is meant, "
            "add allow_empty: true."
        )
    return tuple(identities_from(params))


def _max_changes(params: Mapping[str, Any], exclusive: bool) -> int | None:
    given = params["max_changes"]
    if given is None:
        return EXCLUSIVE_MAX_CHANGES if exclusive else None
    if given < -1:
        raise OptionError("max_changes is a number of mailboxes, or -1 for no limit.")
    return None if given == -1 else int(given)
