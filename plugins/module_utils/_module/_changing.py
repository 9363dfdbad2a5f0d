# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making changes and proving them, of mailboxes and of servers: sent, and read back by the session that sent them.

An outcome always says what is known if the run should end at that very moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from .._core import _outcome
from .._core._mailbox import Failure, Reason
from .._core._outcome import Outcome, Planned
from .._errors import ConnectionFailed, ExchangeError, NotRun, SessionLost

ENDED = "the run ended before its turn."

_PATIENCE = (0.5, 1.5)
"""Seconds to wait before each further look at what was changed: what is not there at the first may still replicate."""

_ANSWERED_BEFORE_CHANGING = frozenset({Reason.NOT_FOUND, Reason.AMBIGUOUS, Reason.ACCESS_DENIED})
"""Errors of a Set- cmdlet that prove that nothing was changed. Others, a directory's time-out for one, do not."""

_OTHER_SESSION = (
    "the session that made the change broke, and the one that looked may have another domain controller, which does "
    "not have it yet. See the option domain_controller."
)

C = TypeVar("C", bound=Planned[Any])
C_contra = TypeVar("C_contra", bound=Planned[Any], contravariant=True)
S = TypeVar("S")


class Changeable(Protocol[C_contra]):
    """The things of one kind, mailboxes or servers, over one session."""

    @property
    def openings(self) -> int:
        """How often the session was opened; see ``Session``."""

    def set(self, change: C_contra, /) -> Failure | None:
        """Send one change. Return why Exchange refused it, or ``None`` if it was accepted."""


class Changing(Generic[C, S]):
    """Makes changes over one session, one by one, and puts what became of each into ``outcomes``, by GUID.

    ``look`` returns the settings that each of what was to be changed has now, by GUID, or why they cannot be seen.
    Like ``things.set`` it raises SessionLost, or ConnectionFailed where there is no session any more and nothing was
    sent.
    """

    def __init__(
        self,
        things: Changeable[C],
        look: Callable[[Sequence[C]], Mapping[UUID, S | Failure]],
        outcomes: MutableMapping[UUID, Outcome[S]],
    ) -> None:
        self._things = things
        self._look = look
        self._outcomes = outcomes
        self._unanswered: set[UUID] = set()
        """Changes that were sent in a session that broke: whatever comes later, they may have taken effect."""
        self._accepted_before: set[UUID] = set()
        """Changes that were accepted in a session that broke before they were read back."""
        self._accepted_in: dict[UUID, int] = {}
        """The opening of the session that accepted a change. Opened anew, it may have another domain controller."""

    def make(self, batches: Iterable[Sequence[C]]) -> Iterator[int]:
        """Send each batch and read it back before the next one. Yields how many changes that were, after each."""
        pending: list[C] = []
        for batch in batches:
            pending += self._not_as_wanted(self._send_surely(batch))
            yield len(batch)
        for seconds in _PATIENCE:
            if not pending:
                return
            time.sleep(seconds)
            pending = self._not_as_wanted(pending)

    def _send_surely(self, batch: Sequence[C]) -> list[C]:
        """Send the changes; if the session breaks over it, look what came of them, and send once more what did not."""
        try:
            return self._send(batch)
        except SessionLost as lost:
            for guid in (change.guid for change in batch):
                outcome = self._outcomes.get(guid)
                if outcome == _outcome.unanswered():
                    self._unanswered.add(guid)
                elif outcome is not None and outcome.changed:
                    self._accepted_before.add(guid)
            try:
                left = self._left(batch)
            except ExchangeError as exc:
                raise SessionLost(f"{lost} {exc}") from exc
        # To send a declared setting to what does not have it is the same the second time.
        return self._send(left)

    def _left(self, batch: Sequence[C]) -> list[C]:
        """Look at changes of which it is not known whether they were accepted. Note those that are as wanted, and
        return the others, of which nothing more is known than before."""
        found = self._look(batch)
        left = []
        for change in batch:
            settings = found[change.guid]
            if isinstance(settings, Failure):
                self._unanswered.add(change.guid)  # what it has now cannot be seen
            elif change.is_met_by(settings):
                self._note([change], _outcome.read_back(change, settings))
                continue
            left.append(change)
        return left

    def _send(self, batch: Sequence[C]) -> list[C]:
        """Send the changes, and return those that Exchange accepted and that have to be read back."""
        accepted = []
        for change in batch:
            with self._sending([change]):
                failure = self._things.set(change)
            if failure is None:
                self._accept([change])
                accepted.append(change)
            elif failure.reason in _ANSWERED_BEFORE_CHANGING:
                self._note([change], _outcome.refused(change, failure))
            else:
                self._look_after_error(change, failure)
        return accepted

    @contextmanager
    def _sending(self, changes: Sequence[C]) -> Iterator[None]:
        """Until an answer comes, nobody knows what becomes of what is sent; unless it is certain that nothing was."""
        before = {change.guid: self._outcomes.get(change.guid) for change in changes}
        self._note(changes, _outcome.unanswered())
        try:
            yield
        except (NotRun, ConnectionFailed):
            for guid, outcome in before.items():
                del self._outcomes[guid]
                if outcome is not None:
                    self._outcomes[guid] = outcome
            raise

    def _accept(self, changes: Iterable[C]) -> None:
        for change in changes:
            self._note([change], _outcome.not_read_back(ENDED, change.noun))
            self._accepted_in[change.guid] = self._things.openings

    def _look_after_error(self, change: C, failure: Failure) -> None:
        """An error does not prove that nothing was changed: look."""
        settings = self._look([change])[change.guid]
        if isinstance(settings, Failure):
            self._note([change], _outcome.not_seen_after_error(failure, settings))
        else:
            self._note([change], _outcome.failed(change, failure, settings))

    def _not_as_wanted(self, changes: Sequence[C]) -> list[C]:
        """Look at what was changed, note what is there, and return what is not, or not yet, as wanted."""
        found = self._look(changes)
        openings = self._things.openings
        return [change for change in changes if not self._is_as_wanted(change, found[change.guid], openings)]

    def _is_as_wanted(self, change: C, settings: S | Failure, openings: int) -> bool:
        if isinstance(settings, Failure):
            self._note([change], _outcome.not_read_back(settings.msg, change.noun))
            return False
        as_wanted = change.is_met_by(settings)
        if as_wanted or self._accepted_in.get(change.guid) == openings:
            self._note([change], _outcome.read_back(change, settings))
        else:
            self._note([change], _outcome.not_read_back(_OTHER_SESSION, change.noun))
        return as_wanted

    def _note(self, changes: Iterable[C], outcome: Outcome[S]) -> None:
        for change in changes:
            if change.guid in self._accepted_before:
                self._outcomes[change.guid] = _outcome.after_accepted(outcome)
            elif change.guid in self._unanswered:
                self._outcomes[change.guid] = _outcome.after_unanswered(outcome)
            else:
                self._outcomes[change.guid] = outcome
