# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each planned change: kept, not kept, refused, or not known. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from ._mailbox import Failure, Pop3Settings, Reason
from ._plan import Change


@dataclass(frozen=True, slots=True)
class Outcome:
    """One change, tried or not.

    ``after`` is what the mailbox has now, ``None`` where that is not known. ``changed`` is true only where Exchange
    said so (it accepted the change, or the mailbox reads differently from before). ``may_have_changed`` is also true
    where the answer never came: the services have to be restarted then too.
    """

    after: Pop3Settings | None
    changed: bool
    may_have_changed: bool
    failure: Failure | None = None


def would_change(change: Change) -> Outcome:
    """Check mode: nothing was sent, this is what a real run would do."""
    return Outcome(change.after, changed=True, may_have_changed=True)


def refused(change: Change, failure: Failure) -> Outcome:
    """Exchange answered the change with an error: the mailbox is as it was."""
    return Outcome(change.mailbox.settings, changed=False, may_have_changed=False, failure=failure)


def failed(change: Change, failure: Failure, after: Pop3Settings) -> Outcome:
    """Exchange answered the change with an error, and this is what the mailbox has now: an error may come late."""
    differs = after != change.mailbox.settings
    return Outcome(after, changed=differs, may_have_changed=differs, failure=failure)


def held_back(change: Change) -> Outcome:
    """The plan has more changes than max_changes allows: none of them is made."""
    return refused(change, Failure(Reason.HELD_BACK, "Not changed: the plan has more changes than max_changes."))


def not_tried(change: Change) -> Outcome:
    """The run ended before this change was sent."""
    return refused(change, Failure(Reason.ERROR, "Not changed: the run ended before its turn."))


def unanswered() -> Outcome:
    """The change was sent and no answer came: it may or may not have taken effect."""
    msg = "The change was sent and its answer never came, so it is not known whether it took effect."
    return Outcome(None, changed=False, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def after_unanswered(outcome: Outcome) -> Outcome:
    """What came of a second try at a change whose first answer never came: an error of the second says nothing of the
    first, which may take effect yet, or have done so on another domain controller."""
    if not outcome.failure or outcome.may_have_changed:
        return outcome
    msg = f"The change was sent and its answer never came, and when it was sent again: {outcome.failure.msg}"
    return Outcome(None, changed=False, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def not_read_back(why: str) -> Outcome:
    """Exchange accepted the change, but the mailbox could not be looked at again."""
    msg = f"Exchange accepted the change, but the mailbox could not be read back to prove it: {why}"
    return Outcome(None, changed=True, may_have_changed=True, failure=Failure(Reason.UNCONFIRMED, msg))


def read_back(change: Change, after: Pop3Settings) -> Outcome:
    """Exchange accepted the change, and this is what the mailbox has now: as wanted, or not kept."""
    differs = after != change.mailbox.settings
    if not change.wanted.missing_in(after):
        return Outcome(after, changed=True, may_have_changed=True)
    msg = (
        "Exchange accepted the change and did not keep it: read back, the mailbox still is not as declared. Another "
        "administrator, a policy or a script may have set it back, or another domain controller answered: see the "
        "option domain_controller."
    )
    return Outcome(after, changed=differs, may_have_changed=True, failure=Failure(Reason.NOT_KEPT, msg))
