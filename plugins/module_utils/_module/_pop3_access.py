# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_access: observe, plan, apply, read back, report. Both faces call ``run``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from .._core import _outcome
from .._core._mailbox import Failure, Finding, Mailbox, Pop3Settings, Reason
from .._core._outcome import Outcome
from .._core._plan import Change, Observation, Plan, plan
from .._core._report import report
from .._errors import ExchangeError
from .._gateway._cas_mailbox import CasMailboxes
from .._session._interrupt import TimedOut, closing_on_signals
from .._transport._open import open_session
from ._connection import (
    CONNECTION_ARGUMENTS,
    CONNECTION_ENVIRONMENT,
    connection_defaults,
    domain_controller_from,
    endpoint_from,
)
from ._definition import ModuleDefinition, Result
from ._identities import identities_from

_Warn = Callable[[str], None]

_PATIENCE = (0.0, 0.5, 1.5)
"""Seconds to wait before each look at a changed mailbox: what is not there at the first look may still replicate."""

_ENDED = "the run ended before its turn."

_ANSWERED_BEFORE_CHANGING = frozenset({Reason.NOT_FOUND, Reason.AMBIGUOUS, Reason.ACCESS_DENIED})
"""Errors of Set-CASMailbox that prove that nothing was changed. Others, a directory's time-out for one, do not."""


def run(params: Mapping[str, Any], *, check_mode: bool, warn: _Warn) -> Result:
    """Make the POP3 access of the mailboxes as declared, and account for every one of them."""
    work = _Run(identities_from(params), Pop3Settings(pop_enabled=params["state"] == "enabled"))
    endpoint = endpoint_from(params)
    domain_controller = domain_controller_from(params)
    try:
        with closing_on_signals(), open_session(endpoint) as session:
            mailboxes = CasMailboxes(session, domain_controller, _once_each(warn))
            work.observe(mailboxes)
            if check_mode:
                work.foresee()
            else:
                work.apply(mailboxes)
                work.read_back(mailboxes)
    except (ExchangeError, TimedOut) as exc:
        return work.report(stopped=str(exc))
    return work.report()


class _Run:
    """One run. At every moment it knows what is known so far, so that an error loses nothing."""

    def __init__(self, identities: Sequence[str], wanted: Pop3Settings) -> None:
        self._identities = identities
        self._wanted = wanted
        self._findings: dict[str, Finding] = {}
        self._outcomes: dict[UUID, Outcome] = {}
        self._accepted: list[Change] = []

    @property
    def _plan(self) -> Plan:
        unseen = Failure(Reason.ERROR, f"Not looked at: {_ENDED}")
        return plan(self._wanted, [Observation(i, self._findings.get(i, unseen)) for i in self._identities])

    def observe(self, mailboxes: CasMailboxes) -> None:
        """Look at every mailbox; an identity that is listed twice is looked for once."""
        for identity in dict.fromkeys(self._identities):
            self._findings[identity] = mailboxes.find(identity)

    def foresee(self) -> None:
        """Check mode: say what would be done, and send nothing."""
        self._outcomes = {change.mailbox.guid: _outcome.would_change(change) for change in self._plan.changes}

    def apply(self, mailboxes: CasMailboxes) -> None:
        """Make the changes. Each outcome says what is known if the run should end at that very moment."""
        for change in self._plan.changes:
            guid = change.mailbox.guid
            self._outcomes[guid] = _outcome.unanswered()
            failure = mailboxes.set(change.mailbox, change.wanted)
            if failure is None:
                self._outcomes[guid] = _outcome.not_read_back(_ENDED)
                self._accepted.append(change)
            elif failure.reason in _ANSWERED_BEFORE_CHANGING:
                self._outcomes[guid] = _outcome.refused(change, failure)
            else:
                self._look_after_error(change, failure, mailboxes)

    def _look_after_error(self, change: Change, failure: Failure, mailboxes: CasMailboxes) -> None:
        """An error does not prove that nothing was changed: look."""
        finding = mailboxes.find_by_guid(change.mailbox.guid)
        if isinstance(finding, Mailbox):
            self._outcomes[change.mailbox.guid] = _outcome.failed(change, failure, finding.settings)

    def read_back(self, mailboxes: CasMailboxes) -> None:
        """Prove the changes that Exchange accepted by looking again; give replication a moment where that differs."""
        pending = self._accepted
        for seconds in _PATIENCE:
            if not pending:
                return
            time.sleep(seconds)
            pending = [change for change in pending if not self._is_as_wanted(change, mailboxes)]

    def _is_as_wanted(self, change: Change, mailboxes: CasMailboxes) -> bool:
        guid = change.mailbox.guid
        finding = mailboxes.find_by_guid(guid)
        if isinstance(finding, Failure):
            self._outcomes[guid] = _outcome.not_read_back(finding.msg)
            return False
        self._outcomes[guid] = _outcome.read_back(change, finding.settings)
        return finding.settings == change.wanted

    def report(self, stopped: str | None = None) -> Result:
        return report(self._plan, self._outcomes, stopped)


def _once_each(warn: _Warn) -> _Warn:
    """Exchange repeats a warning for each mailbox; a user wants to read it once."""
    seen: set[str] = set()

    def warn_once(text: str) -> None:
        if text not in seen:
            seen.add(text)
            warn(f"Exchange warns: {text}")

    return warn_once


def _check_params(params: Mapping[str, Any]) -> None:
    identities_from(params)
    endpoint_from(params)
    domain_controller_from(params)


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    if arguments.get("identity") is None and arguments.get("identities") is None:
        return  # Ansible's own message about required_one_of is clear
    identities_from(arguments)


POP3_ACCESS = ModuleDefinition(
    argument_spec={
        "identity": {"type": "str"},
        "identities": {"type": "list", "elements": "str"},
        "state": {"type": "str", "required": True, "choices": ["enabled", "disabled"]},
        **CONNECTION_ARGUMENTS,
    },
    mutually_exclusive=[("identity", "identities")],
    required_one_of=[("identity", "identities")],
    defaults=connection_defaults,
    environment=CONNECTION_ENVIRONMENT,
    check_params=_check_params,
    check_arguments=_check_arguments,
    run=run,
)
