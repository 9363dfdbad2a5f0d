# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an open session says of itself: its user, its versions, its language, the commands that it shows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from .._session._protocol import Answer, Cmdlet, Command, ErrorRecord, Pipeline, SessionFacts
from ._libraries import CommandType, GetCommandMetadata, PowerShell, PSInvocationState, RunspacePool

Run = Callable[[PowerShell, Callable[[], None]], list[Answer]]
"""Starts a pipeline and takes all that it gives. Raises SessionLost, and UnexpectedReply for too much."""

ABOUT = Pipeline((Cmdlet("A question about the session", {}),))
"""How messages call what is asked here."""

MOST = 1000
"""Answers to one question at most; asked is about a few commands."""

_LANGUAGE = "$ExecutionContext.SessionState.LanguageMode"
"""The only script text that this transport sends: constant, for exchange_endpoint_info alone, and mostly answered with
the error that says what is wanted: without a language no script is even read (about_Language_Modes)."""


def commands(run: Run, pool: RunspacePool, patterns: tuple[str, ...]) -> tuple[Command, ...] | None:
    """Ask as Import-PSSession does, by [MS-PSRP] 2.2.2.14. ``None`` where the session does not answer that."""
    remote = PowerShell(pool)
    answers = run(remote, lambda: remote._invoke(GetCommandMetadata(list(patterns), CommandType.ALL, None, None)))
    records = [answer for answer in answers if not isinstance(answer, ErrorRecord)]
    # The first record is the number of the others: an empty answer without it is no answer.
    if remote.state != PSInvocationState.COMPLETED or not records:
        return None
    return tuple(
        Command(str(record["Name"]), _names(record.get("Parameters"))) for record in records if record.get("Name")
    )


def facts(run: Run, pool: RunspacePool) -> SessionFacts:
    """Collect what the server said when the session was opened, and ask for the language."""
    table = _versions(pool)
    return SessionFacts(
        user=getattr(pool.shell, "owner", None),
        powershell_version=_text(table.get("PSVersion")),
        protocol_version=_text(pool.protocol_version),
        language_mode=_language_mode(run, pool),
    )


def _language_mode(run: Run, pool: RunspacePool) -> str | None:
    remote = PowerShell(pool).add_script(_LANGUAGE)
    for answer in run(remote, lambda: remote.begin_invoke(None, remote_stream_options=0)):
        if not isinstance(answer, ErrorRecord):
            return next((_text(value) for value in answer.values()), None)
        if answer.fully_qualified_error_id.startswith("ScriptsNotAllowed"):
            return "NoLanguage"
        if "NotSupportedInDataSection" in answer.fully_qualified_error_id:
            return "RestrictedLanguage"
    return None


def _versions(pool: RunspacePool) -> dict[str, Any]:
    """PSVersionTable of the server ([MS-PSRP] 2.2.2.13); sent by PowerShell, and nothing relies on it."""
    with contextlib.suppress(Exception):
        data = pool.application_private_data
        table = (data.data if data else {}).get("PSVersionTable")
        return {str(name): value for name, value in table.items()} if table else {}
    return {}


def _names(parameters: object) -> tuple[str, ...]:
    return tuple(sorted(parameters)) if isinstance(parameters, dict) else ()


def _text(value: object) -> str | None:
    return str(value) if value else None
