# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of exchange_pop3_settings: observe, plan, change, read back, report."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from .._core import _outcome
from .._core._mailbox import Failure, Reason
from .._core._pop_report import PopOutcome, report
from .._core._pop_settings import (
    SETTINGS,
    PopChange,
    PopFinding,
    PopPlan,
    PopServer,
    PopSettings,
    Wanted,
    plan,
    told_and_not_served,
    wanted_from,
)
from .._core._pop_values import BadValue
from .._errors import ExchangeError, OptionError
from .._gateway._pop_settings import PopServers
from .._session._host import HostShell
from .._session._interrupt import TimedOut
from ._changing import ENDED, Changing
from ._definition import Result, Say
from ._exchange import connection_from, exchange_module
from ._servers import SERVER_ARGUMENTS, check_servers, servers_from
from ._text import plain_text, sendable


def run(params: Mapping[str, Any], *, check_mode: bool, say: Say, host: HostShell | None = None) -> Result:
    """Have the POP3 settings of the servers as declared, and account for every one of them."""
    work = _Run(_targets(params), _declared(params))
    connection = connection_from(params, host)
    try:
        with connection.open(say) as exchange:
            servers = exchange.servers
            work.observe(servers, say)
            if check_mode:
                work.foresee()
            else:
                work.apply(servers)
    except (ExchangeError, TimedOut) as exc:
        return work.report(stopped=str(exc))
    return work.report()


class _Run:
    """One run. At every moment it knows what is known so far, so that an error loses nothing."""

    def __init__(self, names: list[str] | None, wanted: Wanted) -> None:
        self._names = names
        self._wanted = wanted
        self._findings: dict[str, PopFinding] = {}
        self._outcomes: dict[UUID, PopOutcome] = {}
        self._foreseen = False

    @property
    def _plan(self) -> PopPlan:
        unseen = Failure(Reason.ERROR, f"Not looked at: {ENDED}")
        return plan([(name, self._findings.get(name, unseen)) for name in self._names or []], self._wanted)

    def observe(self, servers: PopServers, say: Say) -> None:
        """Look at every server; a name that is listed twice is looked for once."""
        if self._names is None:
            self._names = servers.names()
        for name in dict.fromkeys(self._names):
            self._findings[name] = servers.find(name)
        for change in self._plan.changes:
            for told in told_and_not_served(change.after, self._wanted):
                say.warn(f"{change.server.name} would tell clients {told}, and has no binding with that port for it.")

    def foresee(self) -> None:
        """Check mode: say what would be done, and send nothing."""
        self._foreseen = True
        self._outcomes = {change.server.guid: _outcome.would_change(change) for change in self._plan.changes}

    def apply(self, servers: PopServers) -> None:
        """Make the changes one by one, and prove each by reading it back before the next one is made."""
        changing = Changing(servers, functools.partial(_look, servers), self._outcomes)
        for _one in changing.make([change] for change in self._plan.changes):
            pass  # servers are few: nobody waits for a word on each

    def report(self, stopped: str | None = None) -> Result:
        return report(self._plan, self._outcomes, stopped, foreseen=self._foreseen)


def _look(servers: PopServers, changes: Sequence[PopChange]) -> dict[UUID, PopSettings | Failure]:
    found = {change.guid: servers.find_again(change.server) for change in changes}
    return {guid: server.settings if isinstance(server, PopServer) else server for guid, server in found.items()}


def _declared(params: Mapping[str, Any]) -> Wanted:
    """Return what is declared, as plain text where it is text. Raises OptionError."""
    try:
        wanted = wanted_from({name: _plain(name, params[name]) for name in SETTINGS})
    except BadValue as exc:
        raise OptionError(f"{exc} Nothing was sent to Exchange.") from None
    if not wanted:
        raise OptionError(f"No setting is declared: give at least one of {', '.join(SETTINGS)}.")
    return wanted


def _plain(name: str, value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain(name, item) for item in value]
    if not isinstance(value, str):
        return value
    text = plain_text(value)
    if not sendable(text):
        raise OptionError(f"{name} has a character that cannot be sent. Is it text in another encoding than UTF-8?")
    return text


def _targets(params: Mapping[str, Any]) -> list[str] | None:
    """Return the servers, ``None`` for all. Nobody gets all of them without having said so. Raises OptionError."""
    names = servers_from(params)
    if names is None and params["all_servers"] is not True:
        raise OptionError("server, servers or all_servers: true is needed: without one, no server is changed.")
    return names


def _check_params(params: Mapping[str, Any]) -> None:
    _targets(params)
    _declared(params)


POP3_SETTINGS = exchange_module(
    {
        **SERVER_ARGUMENTS,
        "all_servers": {"type": "bool"},
        **{name: dict(setting.kind.argument) for name, setting in SETTINGS.items()},
    },
    run,
    _check_params,
    check_arguments=check_servers,
    mutually_exclusive=[("server", "servers", "all_servers")],
    required_one_of=[("server", "servers", "all_servers")],
)
