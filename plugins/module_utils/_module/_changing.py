# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making changes and proving them: sent one by one or many in one pipeline, read back by the session that sent them.

An outcome always says what is known if the run should end at that very moment.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from .._core import _outcome
from .._core._mailbox import Failure, Finding, Mailbox, Pop3Settings, Reason
from .._core._outcome import Outcome
from .._core._plan import Change
from .._errors import ExchangeError, SessionLost
from .._gateway._cas_mailbox import CasMailboxes
from .._gateway._reading import ONE_BY_ONE, batches_of
from .._session._protocol import Session
from ._exchange import Exchange

ENDED = "the run ended before its turn."

_BATCH = 100
"""Changes in one pipeline at most: what a session that breaks can leave unconfirmed."""

PATIENCE = (0.5, 1.5)
"""Seconds to wait before each further look at what was changed: what is not there at the first may still replicate."""

ANSWERED_BEFORE_CHANGING = frozenset({Reason.NOT_FOUND, Reason.AMBIGUOUS, Reason.ACCESS_DENIED})
"""Errors of a Set- cmdlet that prove that nothing was changed. Others, a directory's time-out for one, do not."""

_OTHER_SESSION = (
    "the session that made the change broke, and the one that looked may have another domain controller, which does "
    "not have it yet. See the option domain_controller."
)

Changes = Sequence[Change]


class Changing:
    """Makes changes over an open connection, and puts what became of each into ``outcomes``, by the mailbox's GUID."""

    def __init__(self, exchange: Exchange, outcomes: dict[UUID, Outcome[Pop3Settings]]) -> None:
        self._exchange = exchange
        self._outcomes = outcomes
        self._unanswered: set[UUID] = set()
        """Changes that were sent in a session that broke: whatever comes later, they may have taken effect."""
        self._accepted_in: dict[UUID, int] = {}
        """The opening of the session that accepted a change. Opened anew, it may have another domain controller."""

    def make(self, changes: Changes) -> None:
        """Make the changes and read them back."""
        sessions = self._exchange.sessions_for_changes(len(changes))
        self._exchange.progress.begin("changed and read back", len(changes))
        batches = [batch for alike in _alike(changes) for batch in batches_of(alike, _BATCH, sessions)]
        self._exchange.sessions.share(self._work, batches, sessions)

    def _work(self, session: Session, batches: Iterator[Changes]) -> None:
        mailboxes = self._exchange.cas(session)
        pending: list[Change] = []
        for batch in batches:
            pending += self._not_as_wanted(self._send_surely(batch, mailboxes), mailboxes)
            self._exchange.progress.advance(len(batch))
        for seconds in PATIENCE:
            if not pending:
                return
            time.sleep(seconds)
            pending = self._not_as_wanted(pending, mailboxes)

    def _send_surely(self, batch: Changes, mailboxes: CasMailboxes) -> list[Change]:
        """Send the changes; if the session breaks over it, look what came of them, and send once more what did not."""
        try:
            return self._send(batch, mailboxes)
        except SessionLost as lost:
            sent = (change.mailbox.guid for change in batch)
            self._unanswered.update(guid for guid in sent if self._outcomes.get(guid) == _outcome.unanswered())
            try:
                left = self._left(batch, mailboxes)
            except ExchangeError as exc:
                raise SessionLost(f"{lost} {exc}") from exc
        # To send a declared setting to a mailbox that does not have it is the same the second time.
        return self._send(left, mailboxes)

    def _left(self, batch: Changes, mailboxes: CasMailboxes) -> list[Change]:
        """Look at changes of which it is not known whether they were accepted. Note those that are as wanted, and
        return the others, of which nothing more is known than before."""
        found = _found(batch, mailboxes)
        left = []
        for change in batch:
            finding = found[change.mailbox.guid]
            if isinstance(finding, Mailbox) and not change.wanted.missing_in(finding.settings):
                self._note([change], _outcome.read_back(change, finding.settings))
                continue
            if isinstance(finding, Failure):
                self._unanswered.add(change.mailbox.guid)  # what it has now cannot be seen
            left.append(change)
        return left

    def _send(self, batch: Changes, mailboxes: CasMailboxes) -> list[Change]:
        """Send the changes, and return those that Exchange accepted and that have to be read back."""
        if mailboxes.are_few(len(batch), ONE_BY_ONE) or not mailboxes.takes_pipeline_input:
            return self._send_one_by_one(batch, mailboxes)
        self._note(batch, _outcome.unanswered())
        errors = mailboxes.set_each(batch)
        if not errors:
            self._accept(batch, mailboxes)
            return list(batch)
        # An error in a pipeline does not say for certain whom it is about. Who is as declared now needs no second try;
        # for everybody else a change is asked for alone, which can be repeated and has an answer of its own.
        return self._send_one_by_one(self._left(batch, mailboxes), mailboxes)

    def _send_one_by_one(self, changes: Changes, mailboxes: CasMailboxes) -> list[Change]:
        accepted = []
        for change in changes:
            self._note([change], _outcome.unanswered())
            failure = mailboxes.set(change)
            if failure is None:
                self._accept([change], mailboxes)
                accepted.append(change)
            elif failure.reason in ANSWERED_BEFORE_CHANGING:
                self._note([change], _outcome.refused(change, failure))
            else:
                self._look_after_error(change, failure, mailboxes)
        return accepted

    def _accept(self, changes: Changes, mailboxes: CasMailboxes) -> None:
        self._note(changes, _outcome.not_read_back(ENDED))
        self._accepted_in.update(dict.fromkeys((change.mailbox.guid for change in changes), mailboxes.openings))

    def _look_after_error(self, change: Change, failure: Failure, mailboxes: CasMailboxes) -> None:
        """An error does not prove that nothing was changed: look."""
        finding = mailboxes.find_by_guid(change.mailbox.guid)
        if isinstance(finding, Mailbox):
            self._note([change], _outcome.failed(change, failure, finding.settings))

    def _not_as_wanted(self, changes: Changes, mailboxes: CasMailboxes) -> list[Change]:
        """Look at what was changed, note what is there, and return what is not, or not yet, as wanted."""
        found = _found(changes, mailboxes)
        openings = mailboxes.openings
        return [c for c in changes if not self._is_as_wanted(c, found[c.mailbox.guid], openings)]

    def _is_as_wanted(self, change: Change, finding: Finding, openings: int) -> bool:
        if isinstance(finding, Failure):
            self._note([change], _outcome.not_read_back(finding.msg))
            return False
        if not change.wanted.missing_in(finding.settings):
            self._note([change], _outcome.read_back(change, finding.settings))
            return True
        if self._accepted_in.get(change.mailbox.guid) == openings:
            self._note([change], _outcome.read_back(change, finding.settings))
        else:
            self._note([change], _outcome.not_read_back(_OTHER_SESSION))
        return False

    def _note(self, changes: Iterable[Change], outcome: Outcome[Pop3Settings]) -> None:
        for change in changes:
            guid = change.mailbox.guid
            self._outcomes[guid] = _outcome.after_unanswered(outcome) if guid in self._unanswered else outcome


def _alike(changes: Changes) -> list[list[Change]]:
    """Return the changes in groups that send the same settings: one pipeline has one set of parameters."""
    groups: defaultdict[frozenset[tuple[str, object]], list[Change]] = defaultdict(list)
    for change in changes:
        groups[frozenset(change.missing.items())].append(change)
    return list(groups.values())


def _found(changes: Changes, mailboxes: CasMailboxes) -> dict[UUID, Finding]:
    guids = [change.mailbox.guid for change in changes]
    if not mailboxes.are_few(len(guids), ONE_BY_ONE):
        return mailboxes.find_each_by_guid(guids)
    found: dict[UUID, Finding] = {}
    for guid in guids:
        found |= mailboxes.find_each_by_guid([guid])
    return found
