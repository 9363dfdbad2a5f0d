# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module of this collection is, apart from its two faces: options, and one function from options to result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Params = dict[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HostConnection:
    """How Ansible itself reaches the task's Windows host; nothing of it for any other host."""

    address: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class Defaults(Protocol):
    """Where options come from that neither the task nor module_defaults gives."""

    def __call__(self, params: Params, host: HostConnection, environment: Mapping[str, str]) -> Params:
        """Return ``params`` with what the host's connection and the environment say."""


class Work(Protocol):
    """The one function behind both faces. Raises ExchangeError if there is nothing to report but the error."""

    def __call__(self, params: Mapping[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Result:
        """Do the work. ``params`` are validated options; ``warn`` shows a warning to the user."""


def _accept(_arguments: Mapping[str, Any]) -> None:
    """Ansible's own validation says enough."""


@dataclass(frozen=True, slots=True)
class ModuleDefinition:
    """A module: its argument spec, where its defaults come from, a check of the raw arguments, and its work."""

    argument_spec: Mapping[str, Any]
    defaults: Defaults
    run: Work
    check_arguments: Callable[[Mapping[str, Any]], None] = _accept
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
