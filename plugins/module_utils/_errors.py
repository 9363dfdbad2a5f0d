# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between a task and Exchange, each as a sentence that a user can act on.

Raised below, turned into a failed task in one place above: the faces. ``str(error)`` is the whole message; a class
says only what the code above has to tell apart.
"""

from __future__ import annotations


class ExchangeError(Exception):
    """Anything that a user, a server or a network can cause. Never shown as a traceback."""


class OptionError(ExchangeError):
    """An option is missing, wrong or contradicts another one. Nothing was sent to Exchange."""


class DependencyError(ExchangeError):
    """A Python library that the work needs is missing or too old."""


class ConnectionFailed(ExchangeError):
    """No session with Exchange could be opened. No cmdlet was run.

    ``check`` is the part of the words that says what to do. ``may_pass``: the cause may be gone in a moment, so that
    trying again is worth it. A refused login never is: enough of them lock an account.
    """

    def __init__(self, msg: str, check: str = "", *, may_pass: bool = False) -> None:
        super().__init__(f"{msg} {check}".strip())
        self.came_back, self.check = msg, check
        self.may_pass = may_pass


class LoginFailed(ConnectionFailed):
    """The server did not accept who we say we are, or that could not be said at all."""


class SessionRefused(ConnectionFailed):
    """The server accepted the login, and opened no session."""


class SessionLost(ExchangeError):
    """An open session broke, or a cmdlet did not answer in time: whether the last cmdlet took effect is unknown.

    ``was_silent``: it was the time that ran out, and a repetition would take as long again.
    """

    def __init__(self, msg: str, *, was_silent: bool = False) -> None:
        super().__init__(msg)
        self.was_silent = was_silent


class NotRun(SessionLost):
    """There is no session any more, and the last cmdlet was certainly not run: it was not sent."""


class UnexpectedReply(ExchangeError):
    """Exchange answered with something that this code does not understand. It was not acted upon."""


class SelectionFailed(ExchangeError):
    """It is not known whom a filter, an organizational unit or an exclusive list selects. Nothing was changed."""


class ListingFailed(ExchangeError):
    """Exchange could not say which servers there are."""


def quoted(words: str, most: int = 300) -> str:
    """Return another one's words on one line, without control characters, and not without end."""
    line = " ".join("".join(ch if ch.isprintable() else " " for ch in words).split())
    return line if len(line) <= most else line[: most - 1] + "…"
