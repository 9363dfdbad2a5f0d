# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module of this collection is, apart from its two faces: options, and one function from options to result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._session._host import HostShell

Params = dict[str, Any]
Result = dict[str, Any]


def _unheard(_text: str) -> None:
    """Where a face has no place for it."""


@dataclass(frozen=True, slots=True)
class Say:
    """How a module speaks to the user while it works.

    ``warn`` is part of the result; ``progress`` is for whoever waits at a terminal, and never in the result; ``note``
    is shown with ``-v``.
    """

    warn: Callable[[str], None]
    progress: Callable[[str], None] = _unheard
    note: Callable[[str], None] = _unheard


@dataclass(frozen=True, slots=True)
class HostConnection:
    """How Ansible itself reaches the task's Windows host; nothing of it for any other host.

    ``becomes``: what runs there runs as another user than the one whose name and password these are.
    """

    address: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    becomes: bool = False


class Defaults(Protocol):
    """Where options come from that neither the task nor module_defaults gives."""

    def __call__(self, params: Params, host: Callable[[], HostConnection], environment: Mapping[str, str]) -> Params:
        """Return ``params`` with what the host's connection and the environment say.

        ``host`` is called only if something is missing: its variables may be templates that cannot be resolved.
        """


class Work(Protocol):
    """The one function behind both faces. Raises ExchangeError if there is nothing to report but the error."""

    def __call__(
        self, params: Mapping[str, Any], *, check_mode: bool, say: Say, host: HostShell | None = None
    ) -> Result:
        """Do the work. ``params`` are validated options; ``host`` runs PowerShell on the task's own host, if it can."""


def _accept(_options: Mapping[str, Any]) -> None:
    """Ansible's own validation says enough."""


@dataclass(frozen=True, slots=True)
class ModuleDefinition:
    """A module: its options, where their defaults come from, and its work.

    ``check_arguments`` sees the arguments as the user wrote them, before Ansible converts any; ``check_params`` sees
    them complete, before they are sent to a jump host. ``environment`` names the variables that ``defaults`` reads.
    """

    argument_spec: Mapping[str, Any]
    defaults: Defaults
    run: Work
    check_arguments: Callable[[Mapping[str, Any]], None] = _accept
    check_params: Callable[[Mapping[str, Any]], None] = _accept
    environment: Sequence[str] = ()
    mutually_exclusive: Sequence[Sequence[str]] = ()
    required_one_of: Sequence[Sequence[str]] = ()
