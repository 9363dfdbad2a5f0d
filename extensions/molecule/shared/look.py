# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say as JSON how the servers are, what has happened to them since the records were cleared, and who can log in.

Usage: look.py MAILBOX …    (the names of the mailboxes that try to log in on every server)

    logins         server > mailbox > how a POP3 login ended, see pop3_login.py
    services       server > frontend, backend > state
    restarts       server > frontend, backend > how often it was stopped and started again, or the numbers of both where
                   they differ
    marks          server > names of the values under HKLM:\\SOFTWARE\\mailops.exchange
    writes         server > how often something was written to its registry
    cmdlets        cmdlet > how often Exchange was asked for it
    open_sessions  how many sessions Exchange has open
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from pop3_login import pop3_login
from simulated import control, read_state_file

SERVICES = {"frontend": "MSExchangePOP3", "backend": "MSExchangePOP3BE"}


def main(mailboxes: Sequence[str]) -> None:
    """Look, and say it."""
    places = read_state_file()
    state = control(places).state()
    hosts: dict[str, Any] = state["hosts"]
    found = {
        "services": {name: of_services(host, lambda service: service["state"]) for name, host in hosts.items()},
        "restarts": {name: of_services(host, restarts) for name, host in hosts.items()},
        "marks": {name: sorted(host["registry"]["values"]) for name, host in hosts.items()},
        "writes": {name: host["registry"]["writes"] for name, host in hosts.items()},
        "cmdlets": state["exchange"]["calls"],
        "open_sessions": state["exchange"]["open_shells"],
        "logins": logins(places, state["mailboxes"], mailboxes),
    }
    print(json.dumps(found, indent=2, ensure_ascii=False))


def of_services(host: dict[str, Any], say: Callable[[dict[str, Any]], object]) -> dict[str, object]:
    """What there is to say of each POP3 service of a host."""
    return {role: say(host["services"][name]) for role, name in SERVICES.items() if name in host["services"]}


def restarts(service: dict[str, Any]) -> int | str:
    """A number only if every stop was followed by a start, and nothing else happened."""
    stops, starts, failed = service["stops"], service["starts"], service["failed_starts"]
    if stops == starts == service["restarts"] and not failed:
        return int(stops)
    return f"{stops} stops, {starts} starts, {failed} failed"


def logins(places: dict[str, Any], known: dict[str, Any], mailboxes: Sequence[str]) -> dict[str, dict[str, str]]:
    """Every mailbox on every server."""
    address_of = {mailbox["name"]: address for address, mailbox in known.items()}
    return {
        name: {
            mailbox: pop3_login(
                host["address"], host["pop3s_port"], places["ca_file"], address_of[mailbox], places["pop3_password"]
            )
            for mailbox in mailboxes
        }
        for name, host in places["hosts"].items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
