# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured besides Ansible, each in a process of its own: `python -m bench.clients NAME < options.json`.

- `round_trips`: what a careful script without the collection does: one session, one cmdlet at a time for each mailbox.
- `bulk_read`: exchange_pop3_access_info of a whole organisation without Ansible around it, and pypsrp's own way to read
  the same records, in processor time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

PROPERTIES = [
    "Guid",
    "Name",
    "PrimarySmtpAddress",
    "ServerName",
    "Identity",
    "PopEnabled",
    "PopUseProtocolDefaults",
    "PopMessagesRetrievalMimeFormat",
    "PopEnableExactRFC822Size",
    "PopSuppressReadReceipt",
    "PopForceICalForCalendarRetrievalOption",
]
"""What the collection needs of a mailbox."""


def round_trips(options: Mapping[str, Any]) -> dict[str, float]:
    """Switch POP3 on for each mailbox that does not have it, and look again."""
    began, began_cpu = time.monotonic(), time.process_time()
    with _wsman(options["connection"]) as wsman, RunspacePool(wsman, configuration_name="Microsoft.Exchange") as pool:
        for identity in options["identities"]:
            if not _has_access(pool, identity):
                _run(pool, "Set-CASMailbox", Identity=identity, PopEnabled=True)
                if not _has_access(pool, identity):
                    raise RuntimeError(f"{identity} did not get access")
    return {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - began_cpu}


def bulk_read(options: Mapping[str, Any]) -> dict[str, float]:
    """Processor seconds for a mailbox: the collection's, and pypsrp's."""
    from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import Say
    from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access_info import POP3_ACCESS_INFO

    unheard = Say(lambda _: None)
    params = {name: entry.get("default") for name, entry in POP3_ACCESS_INFO.argument_spec.items()}
    params |= options["connection"]
    results: list[Mapping[str, Any]] = []

    def ours() -> int:
        results[:] = [POP3_ACCESS_INFO.run(params, check_mode=False, say=unheard)]
        return len(results[0]["mailboxes"])

    def general() -> int:
        with (
            _wsman(options["connection"]) as wsman,
            RunspacePool(wsman, configuration_name="Microsoft.Exchange") as pool,
        ):
            shell = PowerShell(pool).add_cmdlet("Get-CASMailbox").add_parameter("ResultSize", options["sample"])
            if options["select_object"]:
                shell.add_cmdlet("Select-Object").add_parameter("Property", PROPERTIES)
            return len(shell.invoke())

    # Imports and the first TLS context are not what a mailbox costs; the case `one` has them.
    POP3_ACCESS_INFO.run(params | {"identity": options["identity"]}, check_mode=False, say=unheard)
    if options["profile"]:
        _profile(ours)
    taken = [_processor_time(ours) for _turn in range(options["repeat"])]
    number = len(results[0]["mailboxes"])
    if results[0].get("failed") or number != options["mailboxes"]:
        raise RuntimeError(f"{number} of {options['mailboxes']} were read: {results[0].get('msg')}")
    return {"ours": min(taken), "general": _processor_time(general), "mailboxes": number}


def _processor_time(work: Callable[[], int]) -> float:
    began = time.process_time()
    number = work()
    return (time.process_time() - began) / max(number, 1)


def _profile(work: Callable[[], int]) -> None:
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(work)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)


def _wsman(connection: Mapping[str, str]) -> WSMan:
    uri = urlsplit(connection["connection_uri"])
    ca_file: Any = connection["ca_cert"]  # pypsrp hands it on to requests, which takes a path as well
    return WSMan(
        uri.hostname or "",
        port=uri.port or 443,
        ssl=True,
        auth="basic",
        path=uri.path.lstrip("/"),
        username=connection["username"],
        password=connection["password"],
        cert_validation=ca_file,
    )


def _run(pool: RunspacePool, cmdlet: str, **parameters: object) -> list[Any]:
    shell = PowerShell(pool).add_cmdlet(cmdlet).add_parameters(parameters)
    output = shell.invoke()
    shell.close()
    if shell.streams.error:
        raise RuntimeError(str(shell.streams.error[0]))
    return list(output)


def _has_access(pool: RunspacePool, identity: str) -> bool:
    found = _run(pool, "Get-CASMailbox", Identity=identity)[0]
    return bool(found.adapted_properties["PopEnabled"])


_CLIENTS = {"round_trips": round_trips, "bulk_read": bulk_read}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(_CLIENTS[sys.argv[1]](json.load(sys.stdin))))
