# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module of this collection is, apart from its two faces: options, and one function from options to result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Result = dict[str, Any]


class Work(Protocol):
    """The one function behind both faces. Raises ExchangeError if there is nothing to report but the error."""

    def __call__(self, params: Mapping[str, Any], *, check_mode: bool, warn: Callable[[str], None]) -> Result:
        """Do the work. ``params`` are validated options; ``warn`` shows a warning to the user."""


@dataclass(frozen=True, slots=True)
class ModuleDefinition:
    """A module: its argument spec, the check of its raw arguments, and its work."""

    argument_spec: Mapping[str, Any]
    run: Work
    check_arguments: Callable[[Mapping[str, Any]], None]
    mutually_exclusive: Sequence[Sequence[str]] = field(default=())
    required_one_of: Sequence[Sequence[str]] = field(default=())
