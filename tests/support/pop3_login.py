# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail client's login with TLS or STLS, for tests and, as a script, for a task of a playbook.

python pop3_login.py HOST PORT CA_FILE USER PASSWORD tls|stls|plain
"""

from __future__ import annotations

import poplib
import ssl
import sys

TIMEOUT = 10.0


def log_in(host: str, port: int, ca_file: str, user: str, password: str, how: str) -> bool:
    """Whether the server lets the user in; the certificate is checked. A refused login is False, all else is raised."""
    trust = ssl.create_default_context(cafile=ca_file)
    trust.check_hostname = False
    client = poplib.POP3(host, port, timeout=TIMEOUT) if how != "tls" else None
    client = client or poplib.POP3_SSL(host, port, timeout=TIMEOUT, context=trust)
    try:
        if how == "stls":
            client.stls(trust)
        try:
            client.user(user)
            client.pass_(password)
        except poplib.error_proto:
            return False
        return client.stat()[0] > 0
    finally:
        client.close()


def main() -> None:
    host, port, ca_file, user, password, how = sys.argv[1:]
    sys.exit(not log_in(host, int(port), ca_file, user, password, how))


if __name__ == "__main__":
    main()
