# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that outlives what a network does: opened again where it broke, and what is safe to repeat is repeated.

Safe is what only reads. A change that got no answer is not sent again from here: whoever made it has to look first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from .._errors import ConnectionFailed, SessionLost
from ._protocol import Pipeline, Record, Reply, Session

WAITS = (0.5, 1.5, 4.0)
"""Seconds to wait before each further try to open a session. An application pool that restarts needs some."""

_LOSSES = 4
"""How many sessions a run may lose and go on. One that loses more has no network to speak of, and is told so."""


class ReconnectingSession:
    """A ``Session`` over sessions that may break. ``connect`` makes one; its context manager opens it.

    ``waits`` are those before further tries to open the first one; ``note`` is told of everything that is tried again.
    """

    def __init__(
        self, connect: Callable[[], Session], note: Callable[[str], None], waits: Sequence[float] = WAITS
    ) -> None:
        self._connect = connect
        self._note = note
        self._waits = waits
        self._losses = 0
        self._session: Session | None = None
        self._aborted = False

    def __enter__(self) -> ReconnectingSession:
        self._session = self._opened(self._waits)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.__exit__(exc_type, exc, traceback)

    def invoke(
        self,
        pipeline: Pipeline,
        take: Callable[[Record], None] | None = None,
        again: Callable[[], None] | None = None,
    ) -> Reply:
        """Run a pipeline; see ``Session``. Raises SessionLost where it broke and was not, or could not be, repeated."""
        while True:
            session = self._session or self._reopened()
            try:
                return session.invoke(pipeline, take)
            except SessionLost as lost:
                self._let_go(lost)
                if lost.was_silent or not pipeline.only_reads or (take and not again):
                    self._note(f"{lost} What came of it has to be looked at in a new session.")
                    raise
                self._note(f"{lost} {pipeline.name} only reads, so it is run again in a new session.")
                self._session = self._reopened(lost)
            if again:
                again()

    def abort(self) -> None:
        """See ``Session``. No other session is opened after that."""
        self._aborted = True
        if self._session is not None:
            self._session.abort()

    def _let_go(self, lost: SessionLost) -> None:
        """Have the broken session closed, where its server still knows it: it counts against the user otherwise."""
        session, self._session = self._session, None
        self._losses += 1
        if session is not None:
            session.__exit__(type(lost), lost, None)

    def _reopened(self, lost: SessionLost | None = None) -> Session:
        if lost is not None and (self._aborted or self._losses > _LOSSES):
            raise lost
        if self._losses > 1:  # the first is often a connection that was idle for too long
            time.sleep(WAITS[min(self._losses - 2, len(WAITS) - 1)])
        try:
            self._session = self._opened(WAITS)
        except ConnectionFailed as exc:
            if lost is None:
                raise
            raise SessionLost(f"{lost} A new session could not be opened. {exc}") from exc
        return self._session

    def _opened(self, waits: Sequence[float]) -> Session:
        for number, seconds in enumerate(waits, start=1):
            try:
                return self._connect().__enter__()
            except ConnectionFailed as exc:
                if not exc.may_pass or self._aborted:
                    raise
                self._note(f"{exc} Trying again in {seconds:g} s ({number} of {len(waits)}).")
                time.sleep(seconds)
        return self._connect().__enter__()
