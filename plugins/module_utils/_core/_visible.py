# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that comes from elsewhere, made fit for a terminal and a log: every character is seen, and none of them acts.

A name in a directory can hold what moves a cursor, begins a line that nobody wrote, or turns the direction of writing.
"""

from __future__ import annotations

import unicodedata

_ACTING = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_HARMLESS = frozenset("\u200c\u200d\u00ad")
"""Formatting that names need: joiners, which emoji and Persian have, and the soft hyphen."""


def visible(text: str) -> str:
    """Return ``text`` with what would act on a terminal written out, as ``\\x1b`` for example."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_written_out(ch) if _acts(ch) else ch for ch in text)


def quoted(words: str, most: int = 300) -> str:
    """Return another one's words on one line, without control characters, and not without end."""
    line = " ".join("".join(ch if ch.isprintable() else " " for ch in words).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _acts(ch: str) -> bool:
    return unicodedata.category(ch) in _ACTING and ch not in _HARMLESS


def _written_out(ch: str) -> str:
    return ch.encode("unicode_escape").decode("ascii")
