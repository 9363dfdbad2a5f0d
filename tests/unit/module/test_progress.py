# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress: nothing for short work, a line now and then for long work."""

from __future__ import annotations

from ansible_collections.mailops.exchange.plugins.module_utils._module._progress import Progress


class Clock:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_short_work_is_quiet_and_long_work_says_how_it_goes() -> None:
    clock, lines = Clock(), list[str]()
    progress = Progress(lines.append, clock)
    progress.begin("looked up", 10_000)
    for _second in range(9):
        clock.now += 1
        progress.advance(100)
    assert lines == []
    for _second in range(21):
        clock.now += 1
        progress.advance(100)
    assert lines == [
        "POP3 access: 1,000 of 10,000 mailboxes looked up, 100 a second, about 2 min left",
        "POP3 access: 2,000 of 10,000 mailboxes looked up, 100 a second, about 80 s left",
        "POP3 access: 3,000 of 10,000 mailboxes looked up, 100 a second, about 70 s left",
    ]


def test_without_a_total_nothing_is_foretold() -> None:
    clock, lines = Clock(), list[str]()
    progress = Progress(lines.append, clock)
    progress.begin("read", None)
    clock.now = 20
    progress.advance(5000)
    assert lines == ["POP3 access: 5,000 mailboxes read, 250 a second"]


def test_a_new_phase_counts_anew() -> None:
    clock, lines = Clock(), list[str]()
    progress = Progress(lines.append, clock)
    progress.begin("looked up", 10)
    progress.advance(10)
    clock.now = 100
    progress.begin("changed and read back", 6)
    clock.now = 112
    progress.advance(3)
    assert lines == ["POP3 access: 3 of 6 mailboxes changed and read back, 0.2 a second, about 12 s left"]
