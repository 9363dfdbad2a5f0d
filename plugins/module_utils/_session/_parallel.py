# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session, and more beside it while there is much to do: work is shared out in pieces.

Each session beyond the first has a thread of its own, and keeps its pieces to itself: what it wrote is read back by it,
because another session may have another domain controller. Where Exchange allows fewer sessions, fewer do the work.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Generic, TypeVar

from .._errors import ConnectionFailed
from ._protocol import Session

T = TypeVar("T")

_PATIENCE = 15.0
"""Seconds that all sessions beyond the first together may take to end when a signal or a time-out ends the run."""


Work = Callable[[Session, Iterator[T]], None]
"""What one session does: it takes pieces for as long as there are any, and then settles what is left over."""


class ParallelSessions:
    """Opened with one session by its context manager; ``share`` opens more, up to ``most``, and keeps them.

    ``first`` makes the session that there has to be, ``further`` one that may be done without.
    """

    def __init__(
        self,
        first: Callable[[], Session],
        further: Callable[[], Session],
        most: int,
        note: Callable[[str], None],
    ) -> None:
        self._open_first = first
        self._open_further = further
        self._most = most
        self._note = note
        self._further: list[Session] = []
        self._open: list[Session] = []
        self._idle: list[Session] = []
        self._refused = False
        self._lock = threading.Lock()

    def __enter__(self) -> ParallelSessions:
        self.first = self._open_first().__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # At once: each may take its time where the server does not answer any more.
        with _all_at_once([functools.partial(s.__exit__, exc_type, exc, traceback) for s in self._open]):
            self.first.__exit__(exc_type, exc, traceback)

    def share(self, work: Work[T], pieces: Sequence[T], sessions: int) -> None:
        """Have the pieces worked on by as many as ``sessions`` sessions, and wait until all is done.

        An error in one session lets the others finish the piece that they have; then the first error is raised. A
        signal or a time-out lets nobody finish anything.
        """
        queue = _Pieces(pieces)
        errors: list[Exception] = []
        threads = [
            # In the context of the run: Ansible collects warnings there.
            threading.Thread(
                target=contextvars.copy_context().run, args=(self._take_part, work, queue, errors), daemon=True
            )
            for _turn in range(min(sessions, self._most, len(pieces)) - 1)
        ]
        try:
            for thread in threads:
                thread.start()
            self._work_on(work, self.first, queue, errors)
            for thread in threads:
                thread.join()
        except BaseException:  # a signal or a time-out: nobody waits for a cmdlet any more
            queue.stop()
            self._abort()
            deadline = time.monotonic() + _PATIENCE
            for thread in threads:
                if thread.ident is not None:  # it had been started
                    thread.join(max(0.0, deadline - time.monotonic()))
            raise
        if errors:
            raise errors[0]

    @staticmethod
    def _work_on(work: Work[T], session: Session, queue: _Pieces[T], errors: list[Exception]) -> None:
        try:
            work(session, queue)
        except Exception as exc:
            errors.append(exc)
            queue.stop()

    def _take_part(self, work: Work[T], queue: _Pieces[T], errors: list[Exception]) -> None:
        session = self._further_session(errors)
        if session is not None:
            self._work_on(work, session, queue, errors)
            self._idle.append(session)

    def _further_session(self, errors: list[Exception]) -> Session | None:
        """Return a session beyond the first; None where none can be had: the others do its work then."""
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        if self._refused:
            return None
        try:
            session = self._open_further()
            with self._lock:
                self._further.append(session)  # before it is open, so that it can be aborted then, too
            session.__enter__()
        except ConnectionFailed as exc:
            self._refused = True
            self._note(f"Fewer sessions do the work: {exc}")
            return None
        except Exception as exc:
            errors.append(exc)
            return None
        with self._lock:
            self._open.append(session)
        return session

    def _abort(self) -> None:
        with self._lock:
            further = list(self._further)
        with _all_at_once([session.abort for session in further]):
            pass


@contextlib.contextmanager
def _all_at_once(calls: Sequence[Callable[[], None]]) -> Iterator[None]:
    """Make the calls beside the block, and wait for all of them; that one fails is nobody's concern."""

    def make(call: Callable[[], None]) -> None:
        with contextlib.suppress(Exception):
            call()

    threads = [threading.Thread(target=make, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


class _Pieces(Generic[T]):
    """The pieces that are left, for all threads."""

    def __init__(self, pieces: Sequence[T]) -> None:
        self._left = iter(pieces)
        self._stopped = False
        self._lock = threading.Lock()

    def __iter__(self) -> _Pieces[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            if self._stopped:
                raise StopIteration
            return next(self._left)

    def stop(self) -> None:
        """There are no more pieces."""
        self._stopped = True
