# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from elsewhere on a terminal: nothing acts, and what people write in names stays as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._core._visible import visible


@pytest.mark.parametrize("text", ["Smith, John", "Ünïcödé", "漢字", "👩\u200d👩\u200d👧", "a\u00a0b", "עברית", ""])
def test_names_stay_as_they_are(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nok: [mbx01]", "a\\nok: [mbx01]"),
        ("\r", "\\r"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\x9b1m", "\\x9b1m"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_acts_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(alphabet=st.characters()))
def test_nothing_acts(text: str) -> None:
    assert not {unicodedata.category(ch) for ch in visible(text)} & {"Cc", "Cs", "Zl", "Zp"}
    assert visible(visible(text)) == visible(text)
