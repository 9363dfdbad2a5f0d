# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""May this user read and change POP3 access? Found out without reading a mailbox, and without any change.

What RBAC shows to a user, cmdlets and their parameters, is what the user may use. A session can say so; where it does
not, only reading can be tried, and whether changing is allowed stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

from .._session._protocol import Cmdlet, Command, ErrorRecord, Pipeline, SelfDescribing, Session, Value
from ._cas_mailbox import GET, SET
from ._reasons import is_denied, is_hidden, is_not_found

NEEDED_TO_READ = ("Identity",)
NEEDED_TO_CHANGE = ("Identity", "PopEnabled")

USED: dict[str, tuple[str, ...]] = {
    GET: ("Identity", "Filter", "OrganizationalUnit", "ResultSize", "DomainController"),
    SET: (
        "Identity",
        "PopEnabled",
        "PopUseProtocolDefaults",
        "PopMessagesRetrievalMimeFormat",
        "PopEnableExactRFC822Size",
        "PopSuppressReadReceipt",
        "PopForceICalForCalendarRetrievalOption",
        "DomainController",
    ),
}
"""Every cmdlet and parameter that is ever sent to Exchange about mailboxes; docs/least-privilege.md grants these.

Servers' settings need another role, which an account for mailboxes alone is not missing."""

_PATTERNS = ("*-CASMailbox", "Select-Objec*")
"""Asked for by patterns: a name that is hidden would be an error, a pattern that matches nothing is not."""


@dataclass(frozen=True, slots=True)
class Rights:
    """``None`` is "not known". ``missing`` names what some option of the modules would need: cmdlets, parameters."""

    read: bool | None
    change: bool | None
    missing: tuple[str, ...] = ()
    said: str = ""
    """Exchange's own words, where reading did not work."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found out about a session: the rights, the visible commands (None: not known), and who answered."""

    rights: Rights
    commands: tuple[Command, ...] | None
    server: str | None


def look_at(session: Session, domain_controller: str | None) -> Look:
    """Find out what the user of this session may do."""
    commands = session.commands(_PATTERNS) if isinstance(session, SelfDescribing) else None
    error = _answer_about_nobody(session, domain_controller)
    return Look(_judged(commands, error), commands, error.server if error else None)


def _answer_about_nobody(session: Session, domain_controller: str | None) -> ErrorRecord | None:
    """Ask for a mailbox that does not exist. The error names the server that answers, and holds nothing of anybody."""
    parameters: dict[str, Value] = {"Identity": str(uuid4())}
    if domain_controller:
        parameters["DomainController"] = domain_controller
    reply = session.invoke(Pipeline((Cmdlet(GET, parameters),)))
    return reply.errors[0] if reply.errors else None


def _judged(commands: tuple[Command, ...] | None, error: ErrorRecord | None) -> Rights:
    may = _may_read(error)
    said = error.message.strip() if error is not None and not may else ""
    if commands is None:
        return Rights(read=may, change=None, missing=(GET,) if may is False else (), said=said)
    visible = {command.name.lower(): {name.lower() for name in command.parameters} for command in commands}
    return Rights(
        read=may and _has(visible, GET, NEEDED_TO_READ),
        change=_has(visible, SET, NEEDED_TO_CHANGE),
        missing=tuple(_missing(visible)),
        said=said,
    )


def _may_read(error: ErrorRecord | None) -> bool | None:
    """What the answer about nobody means: that there is no such mailbox can only say who may look."""
    if error is None or is_not_found(error):
        return True
    return False if is_hidden(error) or is_denied(error) else None


def _has(visible: dict[str, set[str]], cmdlet: str, parameters: Iterable[str]) -> bool:
    shown = visible.get(cmdlet.lower())
    return shown is not None and all(name.lower() in shown for name in parameters)


def _missing(visible: dict[str, set[str]]) -> Iterable[str]:
    for cmdlet, parameters in USED.items():
        if cmdlet.lower() not in visible:
            yield cmdlet
            continue
        yield from (f"{cmdlet} -{name}" for name in parameters if not _has(visible, cmdlet, [name]))
