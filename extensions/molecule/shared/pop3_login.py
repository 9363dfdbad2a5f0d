# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail client's login: POP3 over TLS, with the certificate checked, as far as the size of the mailbox."""

from __future__ import annotations

import poplib
import ssl

TIMEOUT = 20.0
REFUSED = "Logon failure"


def pop3_login(host: str, port: int, ca_file: str, user: str, password: str) -> str:
    """How it ended: "accepted", "refused", "no connection", or what the server said instead."""
    trust = ssl.create_default_context(cafile=ca_file)
    try:
        client = poplib.POP3_SSL(host, port, timeout=TIMEOUT, context=trust)
    except ConnectionRefusedError:
        return "no connection"
    try:
        client.user(user)
        client.pass_(password)
        messages, _size = client.stat()
    except poplib.error_proto as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        return "refused" if REFUSED in said else said
    finally:
        client.close()
    return "accepted" if messages else "accepted, but the mailbox is empty"
