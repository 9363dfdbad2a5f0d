# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of a module, the machine it runs on, and what it can answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.windows.files import Files
from simulator.windows.registry import Registry
from simulator.windows.services import ServiceControlManager


class ModuleFailure(Exception):
    """The module fails with this message (``failed: true``)."""

    def __init__(self, message: str, **result: Any) -> None:
        """Further results go next to the message."""
        super().__init__(message)
        self.result = result


@dataclass
class ModuleCall:
    """A module call as the host received it; Ansible's own ``_ansible_*`` arguments are taken out."""

    name: str
    args: dict[str, Any]
    check_mode: bool = False
    diff: bool = False
    no_log: bool = False
    verbosity: int = 0
    become_user: str | None = None
    """Whom the module runs as, where that is not the user of the connection."""
    at: float = field(default_factory=time.time)
    seconds: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_complex_args(
        cls, name: str, complex_args: Mapping[str, Any], become_user: str | None = None
    ) -> ModuleCall:
        """Read the arguments as the controller sends them."""
        private = {key: value for key, value in complex_args.items() if key.startswith("_ansible_")}
        return cls(
            name=name,
            args={key: value for key, value in complex_args.items() if key not in private},
            check_mode=bool(private.get("_ansible_check_mode")),
            diff=bool(private.get("_ansible_diff")),
            no_log=bool(private.get("_ansible_no_log")),
            verbosity=int(private.get("_ansible_verbosity") or 0),
            become_user=become_user,
        )

    @property
    def short_name(self) -> str:
        """The name without its collection."""
        return self.name.rpartition(".")[2]


@dataclass
class Machine:
    """What a module can see of the host it runs on."""

    name: str
    domain: str
    address: str
    services: ServiceControlManager
    registry: Registry
    files: Files
    local_ports: Callable[[], Mapping[int, int]]
    """Where the ports that Exchange documents (110, 995, 1995) really listen on this host."""
    ca_file: Path | None = None
    """Whom the machine trusts."""
    exchange_uri: str | None = None
    """Where its own Exchange really listens."""
    domain_logons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Windows users by their names in lower case, and who they are to Exchange: user and password."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def endpoint(self, host: str, port: int) -> tuple[str, int]:
        """The real address behind a host and port as seen from this machine."""
        own = {"127.0.0.1", "::1", "localhost", self.name.casefold(), self.fqdn.casefold(), self.address}
        if host.casefold() not in own:
            return host, port
        return self.address, self.local_ports().get(port, port)

    @property
    def fqdn(self) -> str:
        """The name with its domain."""
        return f"{self.name}.{self.domain}"


Module = Callable[[ModuleCall, Machine], dict[str, Any]]
"""A module: takes the call, gives its result, or raises ModuleFailure."""
