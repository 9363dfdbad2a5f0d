# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches: nothing is lost, none is too large, and no session has much more to do than another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._gateway._reading import batches_of


@given(st.integers(0, 3000), st.integers(1, 500), st.integers(1, 18))
def test_batches_hold_everything_in_order_and_share_it_evenly(number: int, most: int, sessions: int) -> None:
    items = list(range(number))
    batches = batches_of(items, most, sessions)
    assert [item for batch in batches for item in batch] == items
    assert all(0 < len(batch) <= most for batch in batches)
    assert len({len(batch) for batch in batches[:-1]}) <= 1
    if number >= sessions:
        rounds = -(-len(batches) // sessions)
        assert rounds * len(batches[0]) <= -(-number // sessions) + rounds


def test_a_thousand_changes_for_four_sessions() -> None:
    assert {len(batch) for batch in batches_of(list(range(1000)), 100, 4)} == {84, 76}
    assert len(batches_of(list(range(1000)), 100, 4)) == 12
