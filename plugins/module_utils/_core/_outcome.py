# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each planned change: kept, not kept, refused, or not known. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from ._mailbox import Failure, Reason

S = TypeVar("S")
"""Settings: of a mailbox, or of a server."""


class Planned(Protocol[S]):
    """A change that a plan has: from what was found to what is declared."""

    @property
    def guid(self) -> UUID:
        """Who is changed."""

    @property
    def noun(self) -> str:
        """What is changed, in a word."""

    @property
    def before(self) -> S:
        """The settings that were found."""

    @property
    def after(self) -> S:
        """The settings when the change is made."""

    def is_met_by(self, settings: S) -> bool:
        """Whether these settings are as declared."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[S]):
    """One change, tried or not.

    ``after`` is what there is now, ``None`` where that is not known. ``changed`` is true only where Exchange said so
    (it accepted the change, or it reads differently from before). ``may_have_changed`` is also true where the answer
    never came: the services have to be restarted then too.
    """

    after: S | None
    changed: bool
    may_have_changed: bool
    failure: Failure | None = None


def would_change(change: Planned[S]) -> Outcome[S]:
    """Check mode: nothing was sent, this is what a real run would do."""
    return Outcome(change.after, changed=True, may_have_changed=True)


def refused(change: Planned[S], failure: Failure) -> Outcome[S]:
    """Exchange answered the change with an error: everything is as it was."""
    return Outcome(change.before, changed=False, may_have_changed=False, failure=failure)


def failed(change: Planned[S], failure: Failure, after: S) -> Outcome[S]:
    """Exchange answered the change with an error, and this is what there is now: an error may come late."""
    differs = after != change.before
    return Outcome(after, changed=differs, may_have_changed=differs, failure=failure)


def not_tried(change: Planned[S]) -> Outcome[S]:
    """The run ended before this change was sent."""
    return refused(change, Failure(Reason.ERROR, "Not changed: the run ended before its turn."))


def unanswered() -> Outcome[Any]:
    """The change was sent and no answer came: it may or may not have taken effect."""
    msg = "The change was sent and its answer never came, so it is not known whether it took effect."
    return Outcome(None, changed=False, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def after_unanswered(outcome: Outcome[S]) -> Outcome[S]:
    """What came of a second try at a change whose first answer never came: an error of the second says nothing of the
    first, which may take effect yet, or have done so on another domain controller."""
    if not outcome.failure or outcome.may_have_changed:
        return outcome
    msg = f"The change was sent and its answer never came, and when it was sent again: {outcome.failure.msg}"
    return Outcome(None, changed=False, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def after_accepted(outcome: Outcome[S]) -> Outcome[S]:
    """What came of a second try at a change that Exchange had accepted, in a session that broke before it was read
    back: no answer to the second takes the first away, but reading it."""
    if not outcome.failure or outcome.changed or outcome.failure.reason is Reason.NOT_KEPT:
        return outcome
    msg = f"Exchange accepted the change, the session broke, and when it was sent again: {outcome.failure.msg}"
    return Outcome(None, changed=True, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def not_seen_after_error(failure: Failure, unseen: Failure) -> Outcome[Any]:
    """Exchange answered the change with an error that does not prove that nothing happened, and looking failed too."""
    msg = f"{failure.msg} Whether the change took effect all the same could not be seen: {unseen.msg}"
    return Outcome(None, changed=False, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def not_read_back(why: str, noun: str = "mailbox") -> Outcome[Any]:
    """Exchange accepted the change, but it could not be looked at again."""
    msg = f"Exchange accepted the change, but the {noun} could not be read back to prove it: {why}"
    return Outcome(None, changed=True, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def read_back(change: Planned[S], after: S) -> Outcome[S]:
    """Exchange accepted the change, and this is what there is now: as wanted, or not kept."""
    differs = after != change.before
    if change.is_met_by(after):
        return Outcome(after, changed=True, may_have_changed=True)
    msg = (
        f"Exchange accepted the change and did not keep it: read back, the {change.noun} still is not as declared. "
        "Another administrator, a policy or a script may have set it back, or another domain controller answered: see "
        "the option domain_controller."
    )
    return Outcome(after, changed=differs, may_have_changed=True, failure=Failure(Reason.NOT_KEPT, msg))
