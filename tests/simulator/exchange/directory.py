# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users of an organisation as its domain knows them: for Kerberos `user@REALM`, for NTLM `DOMAIN\\user` as well."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.exchange.rbac import Users
from simulator.wire.negotiate import Account


class DomainDirectory:
    """A `Directory` for logins with Negotiate; always as the users are now."""

    def __init__(self, users: Users, netbios_name: str, domain: str) -> None:
        """`domain` is what the user principal names end with; its Kerberos realm is the same in capitals."""
        self._users = users
        self._netbios_name = netbios_name
        self._domain = domain

    def accounts(self) -> Iterator[Account]:
        """Every user, as `user@domain` and as `DOMAIN\\user`."""
        for user in self._users:
            yield Account("", user.name, user.password)
            name, _sep, domain = user.name.partition("@")
            if domain.casefold() == self._domain.casefold():
                yield Account(self._netbios_name, name, user.password)

    def user_of(self, principal: str) -> str | None:
        """The user with this Kerberos or NTLM name."""
        domain, backslash, name = principal.rpartition("\\")
        if backslash:
            principal = f"{name}@{self._domain}" if domain.casefold() == self._netbios_name.casefold() else ""
        return self._users[principal].name if principal in self._users else None
