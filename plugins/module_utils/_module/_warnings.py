# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange's warnings as a user wants to read them: once each."""

from __future__ import annotations

from collections.abc import Callable

from .._core._visible import visible


def once_each(warn: Callable[[str], None]) -> Callable[[str], None]:
    """Exchange repeats a warning for each mailbox; pass each text on once."""
    seen: set[str] = set()

    def warn_once(text: str) -> None:
        if text not in seen:
            seen.add(text)
            warn(f"Exchange warns: {visible(text)}")

    return warn_once
