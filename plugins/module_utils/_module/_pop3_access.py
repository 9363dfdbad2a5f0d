# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_access: observe, plan, apply, read back, report. Both faces call ``run``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from .._core import _outcome
from .._core._mailbox import Failure, Finding, Mailbox, Pop3Settings, Reason, WantedSettings
from .._core._outcome import Outcome
from .._core._plan import Observation, Plan, plan
from .._core._report import gains_and_losses, report, report_held_back
from .._errors import ExchangeError, SelectionFailed
from .._session._host import HostShell
from .._session._interrupt import TimedOut
from ._changing import ENDED
from ._changing_mailboxes import change_mailboxes
from ._definition import Result, Say
from ._exchange import Exchange, connection_from, exchange_module
from ._identities import check_identities
from ._settings import SETTINGS_ARGUMENTS, wanted_from
from ._targets import Targets, targets_from

_HAS_ACCESS = "PopEnabled -eq $true"
"""An OPATH filter (Microsoft's page on Get-CASMailbox). Exchange reads it; no shell sees it."""


def run(params: Mapping[str, Any], *, check_mode: bool, say: Say, host: HostShell | None = None) -> Result:
    """Make the POP3 access of the mailboxes as declared, and account for every one of them."""
    work = _Run(targets_from(params), wanted_from(params))
    connection = connection_from(params, host)
    try:
        with connection.open(say) as exchange:
            work.observe(exchange)
            brake = work.brake()
            if check_mode:
                return work.foreseen(brake, say)
            if brake:
                return work.report_held_back(brake)
            work.apply(exchange)
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
        self._outcomes: dict[UUID, Outcome[Pop3Settings]] = {}
        self._foreseen = False

    @property
    def _plan(self) -> Plan:
        unseen = Failure(Reason.ERROR, f"Not looked at: {ENDED}")
        listed = [Observation(i, self._findings.get(i, unseen), self._wanted) for i in self._targets.listed]
        named = {o.finding.guid for o in listed if isinstance(o.finding, Mailbox)}
        wanted = WantedSettings(pop_enabled=False) if self._targets.exclusive else self._wanted
        others = (m for m in self._selected if m.guid not in named)
        return plan([*listed, *(Observation(m.primary_smtp_address or str(m.guid), m, wanted) for m in others)])

    def observe(self, exchange: Exchange) -> None:
        """Look at every mailbox; an identity that is listed twice is looked for once."""
        targets = self._targets
        exchange.progress.begin("looked up", len(targets.listed))
        exchange.reading.find(targets.listed, self._findings, None if targets.exclusive else self._is_as_declared)
        if targets.exclusive:
            self._refuse_unknown()
        if targets.selection is None:
            return
        # Of thousands who are not listed, only those who have access are of interest. A filter of the user's own is not
        # put together with another one: what it means must not depend on how it is written.
        filter_ = targets.selection.filter or (_HAS_ACCESS if targets.exclusive else None)
        exchange.progress.begin("read", None)

        def take(mailbox: Mailbox) -> None:
            if mailbox.settings.pop_enabled or not targets.exclusive:
                self._selected.append(mailbox)
            exchange.progress.advance()

        try:
            exchange.mailboxes.select(filter_, targets.selection.organizational_unit, take, self._selected.clear)
        except BaseException:
            self._selected.clear()  # a part of a selection is none
            raise

    def _is_as_declared(self, mailbox: Mailbox) -> bool:
        return not self._wanted.missing_in(mailbox.settings)

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

    def foreseen(self, brake: str | None, say: Say) -> Result:
        """Check mode: say what would be done, and send nothing."""
        self._foreseen = True
        self._outcomes = {change.mailbox.guid: _outcome.would_change(change) for change in self._plan.changes}
        result = self.report()
        if brake is None:
            return result
        # What the list asks for is shown, and that a real run would not do it. So nothing would have to be restarted.
        msg = f"Nothing would be changed. {brake} {gains_and_losses(self._plan)}"
        say.warn(msg)
        return result | {"restart_required": False, "msg": " ".join([msg, *filter(None, [result.get("msg")])])}

    def apply(self, exchange: Exchange) -> None:
        """Make the changes, and prove each by reading it back."""
        change_mailboxes(exchange, self._plan.changes, self._outcomes)

    def report_held_back(self, why: str) -> Result:
        return report_held_back(self._plan, why)

    def report(self, stopped: str | None = None) -> Result:
        return report(self._plan, self._outcomes, stopped, foreseen=self._foreseen)


def _check_params(params: Mapping[str, Any]) -> None:
    targets_from(params)
    wanted_from(params)


POP3_ACCESS = exchange_module(
    {
        "identity": {"type": "str"},
        "identities": {"type": "list", "elements": "str"},
        "filter": {"type": "str"},
        "organizational_unit": {"type": "str"},
        "state": {"type": "str", "required": True, "choices": ["enabled", "disabled"]},
        "exclusive": {"type": "bool", "default": False},
        "allow_empty": {"type": "bool", "default": False},
        "max_changes": {"type": "int"},
        **SETTINGS_ARGUMENTS,
    },
    run,
    _check_params,
    check_arguments=check_identities,
    mutually_exclusive=[("identity", "identities")],
    required_one_of=[("identity", "identities", "filter", "organizational_unit")],
)
