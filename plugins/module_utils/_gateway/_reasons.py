# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Exchange's error records to the reason and the words that a task reports.

Error messages are localized, so only the ``FailureCategory`` in the FullyQualifiedErrorId decides (reported by users
of Exchange 2013 to 2019; see docs/architecture.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from .._core._mailbox import Failure, Reason
from .._session._protocol import ErrorRecord

_NOT_FOUND = "Cmdlet-ManagementObjectNotFoundException"
_AMBIGUOUS = "Cmdlet-ManagementObjectAmbiguousException"
_AUTHORIZATION = "AuthZ-"

_LONGEST = 200
"""Characters of an identity that are quoted at most."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a cmdlet is about, in the words of the messages."""

    noun: str
    how_to_name_it: str
    """How one is named so that no other one is meant."""
    role_hint: str


MAILBOX = Subject(
    noun="mailbox",
    how_to_name_it="name it by its e-mail address, user principal name, distinguished name or GUID",
    role_hint=(
        "The management role 'Mail Recipients' is needed, which the role groups Organization Management and Recipient "
        "Management have; see Get-ManagementRoleAssignment."
    ),
)


def is_hidden(error: ErrorRecord) -> bool:
    """RBAC hides the cmdlet from this user: no other call of it can fare better."""
    return error.is_command_not_found


def is_not_found(error: ErrorRecord) -> bool:
    """Exchange looked, and nobody has this name."""
    return error.failure_category == _NOT_FOUND


def is_denied(error: ErrorRecord) -> bool:
    """Exchange shows the cmdlet to this user and does not allow it."""
    return error.failure_category.startswith(_AUTHORIZATION)


def failure_for(cmdlet: str, identity: str, error: ErrorRecord, subject: Subject = MAILBOX) -> Failure:
    """Say why ``cmdlet`` could not do its work on ``identity``."""
    identity = identity if len(identity) <= _LONGEST else f"{identity[:_LONGEST]}…"
    category = error.failure_category
    answered = f"Exchange answered: {error.message.strip()}"
    if category == _NOT_FOUND and cmdlet.startswith("Set-"):
        gone = f"The {subject.noun} '{identity}' is not there any more, or this user may not see it."
        return Failure(Reason.NOT_FOUND, f"{gone} {answered}")
    if category == _NOT_FOUND:
        return Failure(Reason.NOT_FOUND, f"No {subject.noun} is named '{identity}': check the spelling. {answered}")
    if category == _AMBIGUOUS:
        hint = subject.how_to_name_it
        return Failure(Reason.AMBIGUOUS, f"'{identity}' names more than one {subject.noun}: {hint}. {answered}")
    if is_hidden(error):
        return Failure(Reason.ACCESS_DENIED, no_such_cmdlet(cmdlet, subject.role_hint, error))
    if error.is_parameter_not_found:
        return Failure(
            Reason.ACCESS_DENIED,
            f"{cmdlet} was not run for '{identity}': it has a parameter less for this user than was sent. A management "
            "role of an organisation's own may leave parameters out, and not every version of Exchange has all of "
            f"them. {subject.role_hint} {answered}",
        )
    if is_denied(error):
        return Failure(
            Reason.ACCESS_DENIED,
            f"{cmdlet} is not allowed to this user for '{identity}'. {subject.role_hint} {answered}",
        )
    return Failure(Reason.ERROR, f"{cmdlet} failed for '{identity}'. {answered}")


def no_such_cmdlet(cmdlet: str, role_hint: str, error: ErrorRecord) -> str:
    """Say that this user has no such cmdlet at all."""
    return (
        f"This user's session has no cmdlet {cmdlet}: Exchange shows a user only the cmdlets that a management role "
        f"grants. {role_hint} Exchange answered: {error.message.strip()}"
    )
