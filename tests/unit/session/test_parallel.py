# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is shared out among sessions: all of it is done, an error ends it, nobody is left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._errors import ConnectionFailed, SessionLost
from ansible_collections.mailops.exchange.plugins.module_utils._session._interrupt import Interrupted
from ansible_collections.mailops.exchange.plugins.module_utils._session._parallel import ParallelSessions
from ansible_collections.mailops.exchange.plugins.module_utils._session._protocol import Pipeline, Record, Reply


class FakeSession:
    """Notes what becomes of it."""

    def __init__(self) -> None:
        self.closed = False
        self.aborted = threading.Event()

    def __enter__(self) -> FakeSession:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closed = True

    def invoke(
        self,
        pipeline: Pipeline,
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
    ) -> Reply:
        raise AssertionError(f"{pipeline}, {take}, {again}: not used here")

    def abort(self) -> None:
        self.aborted.set()


class Opener:
    """Opens so many sessions and no more."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.opened: list[FakeSession] = []

    def __call__(self) -> FakeSession:
        if len(self.opened) == self.allowed:
            raise ConnectionFailed("MaxConcurrency")
        self.opened.append(FakeSession())
        return self.opened[-1]


def share(opener: Opener, pieces: list[int], sessions: int, notes: list[str] | None = None) -> dict[int, object]:
    """Have each piece worked on; return who did it."""
    done: dict[int, object] = {}

    def work(session: object, queue: Iterator[int]) -> None:
        for piece in queue:
            time.sleep(0.005)
            done[piece] = session

    with ParallelSessions(opener, opener, 4, (notes if notes is not None else []).append) as parallel:
        parallel.share(work, pieces, sessions)
    return done


def test_everything_is_done_by_as_many_as_were_asked_for() -> None:
    opener = Opener(18)
    done = share(opener, list(range(40)), 3)
    assert set(done) == set(range(40))
    assert len(opener.opened) == len(set(done.values())) == 3
    assert all(session.closed for session in opener.opened)


def test_no_more_sessions_than_allowed_or_than_there_are_pieces() -> None:
    opener = Opener(18)
    share(opener, list(range(40)), 9)
    assert len(opener.opened) == 4
    opener = Opener(18)
    share(opener, [1, 2], 4)
    assert len(opener.opened) == 2


def test_where_fewer_sessions_can_be_had_fewer_do_the_work() -> None:
    opener, notes = Opener(2), list[str]()
    assert set(share(opener, list(range(40)), 4, notes)) == set(range(40))
    assert len(opener.opened) == 2
    assert set(notes) == {"Fewer sessions do the work: MaxConcurrency"}
    assert len(notes) <= 2


def test_sessions_are_kept_for_the_next_work() -> None:
    opener = Opener(18)

    def work(_session: object, queue: Iterator[int]) -> None:
        for _piece in queue:
            time.sleep(0.005)

    with ParallelSessions(opener, opener, 4, lambda _text: None) as parallel:
        for _turn in range(3):
            parallel.share(work, list(range(12)), 3)
    assert len(opener.opened) == 3


@pytest.mark.parametrize("first", [True, False])
def test_an_error_in_one_session_ends_the_work_and_is_raised(first: bool) -> None:
    """The others finish what they have, and nothing new is begun."""
    opener, done = Opener(18), list[int]()

    def work(session: object, queue: Iterator[int]) -> None:
        for piece in queue:
            if (session is opener.opened[0]) == first:
                raise SessionLost("It broke.")
            time.sleep(0.05)
            done.append(piece)

    with (
        pytest.raises(SessionLost, match="It broke"),
        ParallelSessions(opener, opener, 4, lambda _text: None) as parallel,
    ):
        parallel.share(work, list(range(100)), 2)
    assert len(done) <= 2
    assert all(session.closed for session in opener.opened)


def test_a_signal_aborts_the_cmdlets_of_the_other_sessions() -> None:
    opener = Opener(18)

    def work(session: FakeSession, queue: Iterator[int]) -> None:
        for _piece in queue:
            if session is opener.opened[0]:
                while len(opener.opened) < 2:
                    time.sleep(0.001)
                time.sleep(0.05)
                raise Interrupted("SIGTERM")
            if session.aborted.wait(10):
                raise SessionLost("It was aborted.")

    with pytest.raises(Interrupted), ParallelSessions(opener, opener, 4, lambda _text: None) as parallel:
        parallel.share(work, [1, 2], 2)  # type: ignore[arg-type]
    assert [session.aborted.is_set() for session in opener.opened] == [False, True]
    assert all(session.closed for session in opener.opened)


class SlowToEnd(FakeSession):
    """Ends, or is aborted, only when all the others do so, too."""

    ending = threading.Barrier(4)
    aborting = threading.Barrier(3)

    def __exit__(self, *args: object) -> None:
        self.ending.wait(10)
        self.closed = True

    def abort(self) -> None:
        self.aborting.wait(10)
        self.aborted.set()


def test_sessions_that_are_slow_to_end_are_not_waited_for_one_after_the_other() -> None:
    opened: list[SlowToEnd] = []

    def opener() -> SlowToEnd:
        opened.append(SlowToEnd())
        return opened[-1]

    def work(session: SlowToEnd, queue: Iterator[int]) -> None:
        for _piece in queue:
            if session is not opened[0]:
                session.aborted.wait(20)
                continue
            while len(opened) < 4:
                time.sleep(0.001)
            raise Interrupted("SIGTERM")

    with pytest.raises(Interrupted), ParallelSessions(opener, opener, 4, lambda _text: None) as parallel:
        parallel.share(work, [1, 2, 3, 4], 4)  # type: ignore[arg-type]
    assert [session.aborted.is_set() for session in opened] == [False, True, True, True]
    assert all(session.closed for session in opened)
