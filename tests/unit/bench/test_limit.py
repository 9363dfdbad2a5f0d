# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of the limit: examples reckoned by hand, and what must hold for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.limit import Work, limit
from simulator import CostModel

COSTS = CostModel.of_benchmarks()


@pytest.mark.parametrize(
    ("work", "seconds", "reading"),
    [
        # open 2 x 20, start 20, cmdlet 30 and lookup 4, close 20
        (Work(10_000, 1), 0.114, "lookups"),
        # 10,000 of a listing at 1 ms are cheaper than 10,000 lookups at 4 ms
        (Work(10_000, 10_000), 0.080 + 0.030 + 10.0, "listing"),
        (Work(10_000, 1_000), 0.080 + 0.030 + 4.0, "lookups"),
        # one listing, or 2,500 lookups in each session: the same; 250 writes at 44 ms; 250 lookups
        (Work(10_000, 10_000, 1_000, 4), 0.120 + 0.030 + 10.0 + 0.030 + 11.0 + 0.030 + 1.0, "lookups"),
        # proving 9 of 10 by a listing is cheaper than by lookups
        (Work(10, 10, 9), 0.120 + 0.030 + 0.010 + 0.030 + 9 * 0.044 + 0.030 + 0.010, "listing"),
        (Work(100_000, 100_000), 0.080 + 0.030 + 100.0, "listing"),
    ],
)
def test_examples(work: Work, seconds: float, reading: str) -> None:
    found = limit(work, COSTS)
    assert found.seconds == pytest.approx(seconds)
    assert found.reading == reading
    assert found.round_trips * COSTS.round_trip + found.looking + found.changing + found.proving == pytest.approx(
        found.seconds
    )


def test_where_nothing_takes_time_but_the_way_only_the_way_counts() -> None:
    assert limit(Work(10, 10), CostModel(round_trip=1.0)).seconds == 5  # 2 to open, 2 for the pipeline, 1 to close
    assert limit(Work(10, 10), CostModel(round_trip=1.0, per_cmdlet=0.1)).seconds == 5  # done when the second comes
    assert limit(Work(10, 10, 5), CostModel(round_trip=1.0)).seconds == 9  # three pipelines
    assert limit(Work(10, 10, 5), CostModel()).seconds == 0


works = st.builds(
    lambda listed, others, changes, sessions: Work(listed + others, listed, min(changes, listed), sessions),
    st.integers(1, 10_000),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.integers(1, 8),
)


@given(works)
def test_more_work_never_takes_less_time_and_more_sessions_never_more(work: Work) -> None:
    seconds = limit(work, COSTS).seconds
    more = Work(work.organisation + 1, work.listed + 1, min(work.changes + 1, work.listed + 1), work.sessions)
    assert limit(more, COSTS).seconds >= seconds
    assert limit(Work(work.organisation, work.listed, work.changes, work.sessions + 1), COSTS).seconds <= seconds
