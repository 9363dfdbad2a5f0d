# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that outlives what a network does: opened again where it broke, and what is safe to repeat is repeated.

Safe is what only reads. A change that got no answer is not sent again from here: whoever made it has to look first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from .._errors import ConnectionFailed, NotRun, SessionLost
from ._protocol import Pipeline, Record, Reply, Session

WAITS = (0.5, 1.5, 4.0)
"""Seconds to wait before each further try to open a session. An application pool that restarts needs some."""

_LOSSES = 4
"""How many times one session may be lost. One that is lost more often has no network to speak of, and is told so."""


class ReconnectingSession:
    """A ``Session`` over sessions that may break. ``connect`` makes one; its context manager opens it.

    ``waits`` are those before further tries to open the first one; ``note`` is told of everything that is tried again.
    Once it is closed or aborted, it sends nothing any more.
    """

    def __init__(
        self, connect: Callable[[], Session], note: Callable[[str], None], waits: Sequence[float] = WAITS
    ) -> None:
        self._connect = connect
        self._note = note
        self._waits = waits
        self._session: Session | None = None
        self._opening: Session | None = None
        self._losses = 0
        self._earlier_openings = 0
        self._over = threading.Event()
        self._lock = threading.Lock()

    @property
    def openings(self) -> int:
        """See ``Session``."""
        return self._earlier_openings + (self._session.openings if self._session else 1)

    def __enter__(self) -> ReconnectingSession:
        self._open(self._waits)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        session = self._taken()
        if session is not None:
            session.__exit__(exc_type, exc, traceback)

    def invoke(
        self,
        pipeline: Pipeline,
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
    ) -> Reply:
        """Run a pipeline; see ``Session``. Raises SessionLost where it broke and was not, or could not be, repeated;
        ConnectionFailed where it was not sent, because no session could be opened for it."""
        while True:
            session = self._session or self._reopened()
            try:
                return session.invoke(pipeline, take)
            except SessionLost as lost:
                self._let_go(lost)
                if self._over.is_set():
                    raise
                not_run = isinstance(lost, NotRun)
                if lost.was_silent or not (not_run or pipeline.only_reads) or (take and not again):
                    self._note(f"{lost} What came of it has to be looked at in a new session.")
                    raise
                why = "was not run" if not_run else "only reads"
                self._note(f"{lost} {pipeline.name} {why}, so it is run again in a new session.")
                self._reopened(lost)
            if again:
                again()

    def abort(self) -> None:
        """See ``Session``. It is over then: no other session is opened."""
        self._over.set()
        with self._lock:
            sessions = [session for session in (self._session, self._opening) if session is not None]
        for session in sessions:
            session.abort()

    def _taken(self) -> Session | None:
        """Take the session away, so that it is closed once."""
        with self._lock:
            session, self._session = self._session, None
        return session

    def _let_go(self, lost: SessionLost) -> None:
        """Have the broken session closed, where its server still knows it: it counts against the user otherwise."""
        self._losses += 1
        session = self._taken()
        self._earlier_openings += session.openings if session else 1
        if session is not None:
            session.__exit__(type(lost), lost, None)

    def _reopened(self, lost: SessionLost | None = None) -> Session:
        """Open a new session in place of one that was lost."""
        if self._losses > _LOSSES:
            raise lost or NotRun(f"The session with Exchange was lost {self._losses} times, and is given up.")
        if self._losses > 1:  # the first is often a connection that was idle for too long
            self._over.wait(WAITS[min(self._losses - 2, len(WAITS) - 1)])
        try:
            return self._open(WAITS)
        except ConnectionFailed as exc:
            if lost is None:
                raise
            raise type(lost)(f"{lost} A new session could not be opened. {exc}") from exc

    def _open(self, waits: Sequence[float]) -> Session:
        for number, seconds in enumerate(waits, start=1):
            try:
                return self._opened()
            except ConnectionFailed as exc:
                if not exc.may_pass:
                    raise
                self._note(f"{exc} Trying again in {seconds:g} s ({number} of {len(waits)}).")
                self._over.wait(seconds)
        return self._opened()

    def _opened(self) -> Session:
        self._refuse_if_over()
        session = self._connect()
        self._opening = session
        try:
            session.__enter__()
        finally:
            self._opening = None
        with self._lock:
            if not self._over.is_set():
                self._session = session
                return session
        # The run ended while it was being opened, and nobody else will close it.
        over = NotRun("The run has ended.")
        session.__exit__(NotRun, over, None)  # in haste, as after an error
        raise over

    def _refuse_if_over(self) -> None:
        if self._over.is_set():
            raise NotRun("The run has ended.")
