# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to find the mailboxes of a list, chosen by how many they are; what is found is the same.

A few are asked for one by one. More are streamed into one Get-CASMailbox, which saves the round trips. From some
hundred on, a listing of the organisation answers for most of them, and Exchange is asked for the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from .._core._mailbox import Finding, Mailbox
from .._errors import UnexpectedReply
from .._session._parallel import ParallelSessions
from .._session._protocol import Session
from ._cas_mailbox import CasMailboxes
from ._listing import PROPERTIES, Listing

T = TypeVar("T")

ONE_BY_ONE = 7
"""As many as this are asked for, or changed, one by one: each answer is then known as soon as it is there."""

LISTING_FROM = 200
"""As many as this make a listing worth it."""

_ALONE, _SHARED = 2.0, 1.25
"""How many mailboxes a listing may have for each one that is asked for, where one session or several would look them up
otherwise. To list one takes a quarter of a look-up (the cost model of ``make bench``), so this bounds what a listing
wastes where the organisation is far larger than the list."""

_BATCH = 500
"""Identities in one pipeline at most."""


class Reading:
    """Finds mailboxes over one session or several. ``cas`` gives Get-CASMailbox over a session."""

    def __init__(
        self,
        sessions: ParallelSessions,
        cas: Callable[[Session], CasMailboxes],
        how_many_sessions: Callable[[int], int],
        found: Callable[[int], None],
    ) -> None:
        self._sessions = sessions
        self._cas = cas
        self._how_many_sessions = how_many_sessions
        self._found = found

    def find(
        self, identities: Sequence[str], findings: dict[str, Finding], settled: Callable[[Mailbox], bool] | None
    ) -> None:
        """Put what each identity names into ``findings``, as soon as it is known.

        ``settled`` says of a mailbox whether a listing's word for it is enough: nothing will be done to it. For every
        other one, and if ``settled`` is None, Exchange itself is asked whom the identity names.
        """
        left = list(dict.fromkeys(identities))
        if settled is not None and len(left) >= LISTING_FROM:
            findings |= self._listed(left, settled)
            left = [identity for identity in left if identity not in findings]
        mailboxes = self._cas(self._sessions.first)
        if mailboxes.are_few(len(left), ONE_BY_ONE):
            for identity in left:
                findings[identity] = mailboxes.find(identity)
                self._found(1)
            return

        def look(session: Session, batches: Iterator[Sequence[str]]) -> None:
            mine = self._cas(session)
            for batch in batches:
                findings.update(mine.find_each(batch))
                self._found(len(batch))

        sessions = self._how_many_sessions(len(left))
        self._sessions.share(look, batches_of(left, _BATCH, sessions), sessions)

    def _listed(self, identities: Sequence[str], settled: Callable[[Mailbox], bool]) -> dict[str, Mailbox]:
        listing = Listing(identities)
        several = self._how_many_sessions(len(identities)) > 1
        most = math.ceil(len(identities) * (_SHARED if several else _ALONE))
        try:
            if not self._cas(self._sessions.first).list_some(most, PROPERTIES, listing.show, listing.forget):
                return {}
        except UnexpectedReply:
            return {}  # whom it is about is not known: asked one after the other, it comes out
        certain = listing.findings(whole=listing.seen < most)
        found = {identity: mailbox for identity, mailbox in certain.items() if settled(mailbox)}
        self._found(len(found))
        return found


def batches_of(items: Sequence[T], most: int, sessions: int = 1) -> list[Sequence[T]]:
    """Return the items in batches of at most ``most``, of one size and as many for each session, so that none waits."""
    rounds = -(-len(items) // (most * sessions))
    size = max(1, -(-len(items) // max(1, rounds * sessions)))
    return [items[start : start + size] for start in range(0, len(items), size)]
