# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing mailboxes: many in one pipeline where that pays, over as many sessions as they are worth."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, MutableMapping, Sequence
from uuid import UUID

from .._core._mailbox import Failure, Mailbox, Pop3Settings
from .._core._outcome import Outcome
from .._core._plan import Change
from .._gateway._cas_mailbox import CasMailboxes
from .._gateway._reading import ONE_BY_ONE, batches_of
from .._session._protocol import Session
from ._changing import Changing
from ._exchange import Exchange

_BATCH = 100
"""Changes in one pipeline at most: what a session that breaks can leave unconfirmed."""

Outcomes = MutableMapping[UUID, Outcome[Pop3Settings]]


def change_mailboxes(exchange: Exchange, changes: Sequence[Change], outcomes: Outcomes) -> None:
    """Make the changes, read them back, and put what became of each into ``outcomes``. Raises ExchangeError."""
    sessions = exchange.sessions_for_changes(len(changes))
    exchange.progress.begin("changed and read back", len(changes))

    def work(session: Session, batches: Iterator[Sequence[Change]]) -> None:
        for number in _ChangingMailboxes(exchange.cas(session), outcomes).make(batches):
            exchange.progress.advance(number)

    batches = [batch for alike in _alike(changes) for batch in batches_of(alike, _BATCH, sessions)]
    exchange.sessions.share(work, batches, sessions)


def _alike(changes: Sequence[Change]) -> list[list[Change]]:
    """Return the changes in groups that send the same settings: one pipeline has one set of parameters."""
    groups: defaultdict[frozenset[tuple[str, object]], list[Change]] = defaultdict(list)
    for change in changes:
        groups[frozenset(change.missing.items())].append(change)
    return list(groups.values())


class _ChangingMailboxes(Changing[Change, Pop3Settings]):
    """Sends many changes in one pipeline, where Exchange takes that and where it pays."""

    def __init__(self, mailboxes: CasMailboxes, outcomes: Outcomes) -> None:
        super().__init__(mailboxes, functools.partial(_look, mailboxes), outcomes)
        self._mailboxes = mailboxes

    def _send(self, batch: Sequence[Change]) -> list[Change]:
        if self._mailboxes.are_few(len(batch), ONE_BY_ONE) or not self._mailboxes.takes_pipeline_input:
            return super()._send(batch)
        with self._sending(batch):
            errors = self._mailboxes.set_each(batch)
        if not errors:
            self._accept(batch)
            return list(batch)
        # An error in a pipeline does not say for certain whom it is about. Who is as declared now needs no second try;
        # for everybody else a change is asked for alone, which can be repeated and has an answer of its own.
        return super()._send(self._left(batch))


def _look(mailboxes: CasMailboxes, changes: Sequence[Change]) -> dict[UUID, Pop3Settings | Failure]:
    guids = [change.guid for change in changes]
    at_once = 1 if mailboxes.are_few(len(guids), ONE_BY_ONE) else len(guids)
    found: dict[UUID, Pop3Settings | Failure] = {}
    for batch in batches_of(guids, at_once):
        for guid, finding in mailboxes.find_each_by_guid(batch).items():
            found[guid] = finding.settings if isinstance(finding, Mailbox) else finding
    return found
