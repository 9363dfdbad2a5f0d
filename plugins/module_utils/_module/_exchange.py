# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open connection to Exchange, as the modules that have the connection options use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import OptionError
from .._gateway._cas_mailbox import Abilities, CasMailboxes
from .._gateway._reading import Reading
from .._session._host import HostShell
from .._session._interrupt import closing_on_signals
from .._session._parallel import ParallelSessions
from .._session._protocol import Session
from .._session._reconnecting import WAITS, ReconnectingSession
from .._transport._endpoint import Endpoint
from .._transport._host_endpoint import HostEndpoint
from .._transport._open import open_session, require_host
from ._connection import (
    CONNECTION_ARGUMENTS,
    CONNECTION_ENVIRONMENT,
    connection_defaults,
    domain_controller_from,
    endpoint_from,
)
from ._definition import ModuleDefinition, Say, Work
from ._numbers import check_numbers
from ._progress import Progress
from ._warnings import once_each

if TYPE_CHECKING:
    from .._gateway._pop_settings import PopServers

_SEVERAL = 4
"""Sessions at most where the user does not say; Exchange allows a user 18 by default (PowerShellMaxConcurrency)."""

_MOST = 18
"""More than Exchange allows a user by default would only be refused."""

_LOOK_UPS_WORTH_SEVERAL = 1000
_CHANGES_WORTH_SEVERAL = 100
"""From so many on, opening more sessions takes less time than it saves. A change takes some ten times a look-up."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An open connection: the first session, and as many more as the work is worth."""

    sessions: ParallelSessions
    progress: Progress
    cas: Callable[[Session], CasMailboxes]
    pop: Callable[[Session], PopServers]
    asked_sessions: int | None

    @property
    def mailboxes(self) -> CasMailboxes:
        """The mailboxes over the first session."""
        return self.cas(self.sessions.first)

    @property
    def servers(self) -> PopServers:
        """The POP3 settings of servers over the first session: servers are few, and one session is enough."""
        return self.pop(self.sessions.first)

    @property
    def reading(self) -> Reading:
        """Looking up the mailboxes of a list."""
        return Reading(self.sessions, self.cas, self.sessions_for_look_ups, self.progress.advance)

    def sessions_for_look_ups(self, number: int) -> int:
        """Return how many sessions so many look-ups are worth."""
        return self.asked_sessions or (_SEVERAL if number >= _LOOK_UPS_WORTH_SEVERAL else 1)

    def sessions_for_changes(self, number: int) -> int:
        """Return how many sessions so many changes are worth."""
        return self.asked_sessions or (_SEVERAL if number >= _CHANGES_WORTH_SEVERAL else 1)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to connect; from options that fit together, before anything is sent."""

    endpoint: Endpoint | HostEndpoint
    domain_controller: str | None
    parallel_sessions: int | None
    host: HostShell | None = None

    @contextmanager
    def open(self, say: Say) -> Iterator[Exchange]:
        """Open a session, and close what was opened on every way out. Raises ConnectionFailed, DependencyError."""
        self.check_host()
        abilities, warn = Abilities(calls_are_dear=self._goes_through_the_host), once_each(say.warn)

        def cas(session: Session) -> CasMailboxes:
            return CasMailboxes(session, abilities, self.domain_controller, warn)

        def pop(session: Session) -> PopServers:
            from .._gateway._pop_settings import PopServers  # only now: most modules do without

            return PopServers(session, self.domain_controller, warn)

        # A host's connection runs one script at a time.
        asked = 1 if self._goes_through_the_host else self.parallel_sessions
        with (
            closing_on_signals(),
            ParallelSessions(
                self._session(say, WAITS), self._session(say, ()), asked or _SEVERAL, say.note
            ) as sessions,
        ):
            yield Exchange(sessions, Progress(say.progress), cas, pop, asked)

    @contextmanager
    def open_once(self) -> Iterator[Session]:
        """Open one session in one attempt, and run nothing again where it breaks: for finding out how it is."""
        with closing_on_signals(), open_session(self.endpoint, self.host) as session:
            yield session

    def _session(self, say: Say, waits: Sequence[float]) -> Callable[[], Session]:
        return lambda: ReconnectingSession(lambda: open_session(self.endpoint, self.host), say.note, waits)

    def check_host(self) -> None:
        """Raise OptionError if the work is to be done through a host that cannot do it."""
        if self._goes_through_the_host:
            require_host(self.host)

    @property
    def _goes_through_the_host(self) -> bool:
        return isinstance(self.endpoint, HostEndpoint)


def connection_from(params: Mapping[str, Any], host: HostShell | None = None) -> Connection:
    """Return how to connect. ``host`` is the task's own, where it can run PowerShell. Raises OptionError."""
    sessions = params["parallel_sessions"]
    if sessions is not None and not 1 <= sessions <= _MOST:
        raise OptionError(f"parallel_sessions is a number of sessions, from 1 to {_MOST}.")
    return Connection(endpoint_from(params), domain_controller_from(params), sessions, host)


def exchange_module(
    arguments: Mapping[str, Any],
    run: Work,
    check_params: Callable[[Mapping[str, Any]], None],
    check_arguments: Callable[[Mapping[str, Any]], None] | None = None,
    **more: Any,
) -> ModuleDefinition:
    """Return the definition of a module that has the connection options beside its own arguments."""
    spec = {**arguments, **CONNECTION_ARGUMENTS}

    def check_as_written(given: Mapping[str, Any]) -> None:
        check_numbers(spec, given)
        if check_arguments:
            check_arguments(given)

    def check(params: Mapping[str, Any]) -> None:
        check_params(params)
        connection_from(params).check_host()

    return ModuleDefinition(
        argument_spec=spec,
        defaults=connection_defaults,
        environment=CONNECTION_ENVIRONMENT,
        check_arguments=check_as_written,
        check_params=check,
        run=run,
        **more,
    )
