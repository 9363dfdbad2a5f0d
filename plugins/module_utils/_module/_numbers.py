# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that are numbers: what YAML calls one and nothing can count with (``.inf``, ``.nan``) is refused in words,
and so is a list.

Ansible's own conversion to a whole number, by way of ``decimal.Decimal``, ends in an OverflowError for some of them,
and takes ``[0, [4], 0]`` for 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .._errors import OptionError


def check_numbers(spec: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Check the arguments as the user wrote them. Raises OptionError."""
    for name, option in spec.items():
        value = arguments.get(name)
        if option["type"] != "int":
            continue
        if isinstance(value, float) and not math.isfinite(value):
            raise OptionError(f"{name} has to be a whole number, and this is {value}.")
        if isinstance(value, (list, tuple)):
            raise OptionError(f"{name} has to be a whole number, and this is a list.")
