# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_access: observe, plan, apply, read back, report. Both faces call ``run``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from .._core import _outcome
from .._core._mailbox import Failure, Finding, Mailbox, Reason, WantedSettings
from .._core._outcome import Outcome
from .._core._plan import Change, Observation, Plan, plan
from .._core._report import report, report_held_back
from .._errors import ExchangeError, SelectionFailed
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
from ._definition import ModuleDefinition, Result, Warn
from ._identities import check_identities
from ._settings import SETTINGS_ARGUMENTS, wanted_from
from ._targets import Targets, targets_from
from ._warnings import once_each

_PATIENCE = (0.0, 0.5, 1.5)
"""Seconds to wait before each look at a changed mailbox: what is not there at the first look may still replicate."""

_HAS_ACCESS = "PopEnabled -eq $true"
"""An OPATH filter (Microsoft's page on Get-CASMailbox). Exchange reads it; no shell sees it."""

_ENDED = "the run ended before its turn."

_ANSWERED_BEFORE_CHANGING = frozenset({Reason.NOT_FOUND, Reason.AMBIGUOUS, Reason.ACCESS_DENIED})
"""Errors of Set-CASMailbox that prove that nothing was changed. Others, a directory's time-out for one, do not."""


def run(params: Mapping[str, Any], *, check_mode: bool, warn: Warn) -> Result:
    """Make the POP3 access of the mailboxes as declared, and account for every one of them."""
    targets = targets_from(params)
    work = _Run(targets, wanted_from(params))
    endpoint = endpoint_from(params)
    domain_controller = domain_controller_from(params)
    try:
        with closing_on_signals(), open_session(endpoint) as session:
            mailboxes = CasMailboxes(session, domain_controller, once_each(warn))
            work.observe(mailboxes)
            brake = work.brake()
            if check_mode:
                work.foresee()
                if brake:
                    warn(f"A real run would change nothing. {brake}")
            elif brake:
                return work.report_held_back(brake)
            else:
                work.apply(mailboxes)
                work.read_back(mailboxes)
    except (ExchangeError, TimedOut) as exc:
        return work.report(stopped=str(exc))
    return work.report()


class _Run:
    """One run. At every moment it knows what is known so far, so that an error loses nothing."""

    def __init__(self, targets: Targets, wanted: WantedSettings) -> None:
        self._targets = targets
        self._wanted = wanted
        self._findings: dict[str, Finding] = {}
        self._selected: list[Mailbox] = []
        self._outcomes: dict[UUID, Outcome] = {}
        self._accepted: list[Change] = []
        self._foreseen = False

    @property
    def _plan(self) -> Plan:
        unseen = Failure(Reason.ERROR, f"Not looked at: {_ENDED}")
        listed = [Observation(i, self._findings.get(i, unseen), self._wanted) for i in self._targets.listed]
        named = {o.finding.guid for o in listed if isinstance(o.finding, Mailbox)}
        wanted = WantedSettings(pop_enabled=False) if self._targets.exclusive else self._wanted
        others = (m for m in self._selected if m.guid not in named)
        return plan([*listed, *(Observation(m.primary_smtp_address or str(m.guid), m, wanted) for m in others)])

    def observe(self, mailboxes: CasMailboxes) -> None:
        """Look at every mailbox; an identity that is listed twice is looked for once."""
        for identity in dict.fromkeys(self._targets.listed):
            self._findings[identity] = mailboxes.find(identity)
        selection = self._targets.selection
        if selection is None:
            return
        if not self._targets.exclusive:
            self._selected = mailboxes.select(selection.filter, selection.organizational_unit)
            return
        self._refuse_unknown()
        # Of thousands who are not listed, only those who have access are of interest. A filter of the user's own is not
        # put together with another one: what it means must not depend on how it is written.
        selected = mailboxes.select(selection.filter or _HAS_ACCESS, selection.organizational_unit)
        self._selected = [mailbox for mailbox in selected if mailbox.settings.pop_enabled]

    def _refuse_unknown(self) -> None:
        """Whoever is listed and not found could be among those who are about to lose access."""
        unknown = [identity for identity, finding in self._findings.items() if isinstance(finding, Failure)]
        if unknown:
            raise SelectionFailed(
                f"Nothing was changed: with exclusive, every listed mailbox has to be found first, and "
                f"{len(unknown)} of {len(self._findings)} was not: {', '.join(unknown[:3])}"
                f"{' …' if len(unknown) > 3 else '.'}"
            )

    def brake(self) -> str | None:
        """Say why the plan is not carried out, if it has more changes than are allowed."""
        number, limit = len(self._plan.changes), self._targets.max_changes
        if limit is None or number <= limit:
            return None
        return (
            f"The plan has {number} changes, and max_changes is {limit}. Look at them in check mode with --diff; if "
            "they are meant, raise max_changes, or set it to -1."
        )

    def foresee(self) -> None:
        """Check mode: say what would be done, and send nothing."""
        self._foreseen = True
        self._outcomes = {change.mailbox.guid: _outcome.would_change(change) for change in self._plan.changes}

    def apply(self, mailboxes: CasMailboxes) -> None:
        """Make the changes. Each outcome says what is known if the run should end at that very moment."""
        for change in self._plan.changes:
            guid = change.mailbox.guid
            self._outcomes[guid] = _outcome.unanswered()
            failure = mailboxes.set(change)
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
        return not change.wanted.missing_in(finding.settings)

    def report_held_back(self, why: str) -> Result:
        return report_held_back(self._plan, f"Nothing was changed. {why}")

    def report(self, stopped: str | None = None) -> Result:
        return report(self._plan, self._outcomes, stopped, foreseen=self._foreseen)


def _check_params(params: Mapping[str, Any]) -> None:
    targets_from(params)
    wanted_from(params)
    endpoint_from(params)
    domain_controller_from(params)


POP3_ACCESS = ModuleDefinition(
    argument_spec={
        "identity": {"type": "str"},
        "identities": {"type": "list", "elements": "str"},
        "filter": {"type": "str"},
        "organizational_unit": {"type": "str"},
        "state": {"type": "str", "required": True, "choices": ["enabled", "disabled"]},
        "exclusive": {"type": "bool", "default": False},
        "allow_empty": {"type": "bool", "default": False},
        "max_changes": {"type": "int"},
        **SETTINGS_ARGUMENTS,
        **CONNECTION_ARGUMENTS,
    },
    mutually_exclusive=[("identity", "identities")],
    required_one_of=[("identity", "identities", "filter", "organizational_unit")],
    defaults=connection_defaults,
    environment=CONNECTION_ENVIRONMENT,
    check_params=_check_params,
    check_arguments=check_identities,
    run=run,
)
