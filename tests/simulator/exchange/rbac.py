# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role based access control: users, their roles, and what these let them see and change."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

MAIL_RECIPIENTS = "Mail Recipients"
VIEW_ONLY_RECIPIENTS = "View-Only Recipients"
POP3_AND_IMAP4_PROTOCOLS = "POP3 And IMAP4 Protocols"
"""A built-in role of Organization Management and Server Management (Microsoft docs: built-in management roles)."""
VIEW_ONLY_CONFIGURATION = "View-Only Configuration"


@dataclass(slots=True)
class User:
    """Somebody who may open a session."""

    name: str
    password: str
    roles: frozenset[str] = frozenset({MAIL_RECIPIENTS})
    write_scope: tuple[str, ...] | None = None
    """Organizational units in which, and below which, changes are allowed; None: everywhere."""
    entries: dict[str, frozenset[str]] | None = None
    """The role entries of a custom role: cmdlets, and the parameters of each that the role leaves (Microsoft docs: a
    user has neither a cmdlet nor a parameter that no role entry has). None: all that the roles have."""
    denied_cmdlets: set[str] = field(default_factory=set)
    """Cmdlets that are visible but answer `AuthZ-CmdletAccessDeniedException`."""
    hidden_cmdlets: set[str] = field(default_factory=set)
    """Cmdlets that a role of the organisation's own leaves out of one of Microsoft's."""

    def may_write_to(self, organizational_unit: str) -> bool:
        """True when the write scope covers the organizational unit."""
        if self.write_scope is None:
            return True
        return any(
            organizational_unit == unit or organizational_unit.startswith(unit + "/") for unit in self.write_scope
        )

    def sees(self, cmdlet: str, roles: frozenset[str]) -> bool:
        """True when one of these roles is the user's, and shows the cmdlet."""
        name = cmdlet.lower()
        left_out = name in {hidden.lower() for hidden in self.hidden_cmdlets}
        has_entry = self.entries is None or name in {entry.lower() for entry in self.entries}
        return bool(roles & self.roles) and has_entry and not left_out

    def may_give(self, cmdlet: str, parameter: str) -> bool:
        """True when the role entries leave this parameter of the cmdlet."""
        if self.entries is None:
            return True
        names = next((names for name, names in self.entries.items() if name.lower() == cmdlet.lower()), frozenset())
        return parameter.lower() in {name.lower() for name in names}

    def is_denied(self, cmdlet: str) -> bool:
        """True when this cmdlet is denied."""
        return cmdlet.lower() in {name.lower() for name in self.denied_cmdlets}


class Users:
    """All who may open a session, by name in any case."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}

    def add(
        self,
        name: str,
        password: str,
        *roles: str,
        write_scope: tuple[str, ...] | None = None,
    ) -> User:
        """A user with these roles; without any, the user can open a session and sees no Exchange cmdlet."""
        user = User(name, password, frozenset(roles), write_scope)
        self._users[name.casefold()] = user
        return user

    def __getitem__(self, name: str) -> User:
        return self._users[name.casefold()]

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._users

    def __iter__(self) -> Iterator[User]:
        return iter(list(self._users.values()))

    def check(self, name: str, password: str) -> bool:
        """True for the right password."""
        user = self._users.get(name.casefold())
        return user is not None and hmac.compare_digest(user.password.encode(), password.encode())
