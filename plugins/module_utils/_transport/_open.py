# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from checked options to a session: the one place that chooses a transport."""

from __future__ import annotations

from enum import StrEnum

from .._errors import OptionError
from .._session._host import HostShell
from .._session._protocol import Session
from ._dependency import require_kerberos, require_pypsrp
from ._endpoint import Authentication, Endpoint
from ._host_endpoint import HostEndpoint


class Transport(StrEnum):
    """How cmdlets travel; the values of the option ``transport``."""

    REMOTE_POWERSHELL = "remote_powershell"
    HOST_SHELL = "host_shell"


def open_session(endpoint: Endpoint | HostEndpoint, host: HostShell | None = None) -> Session:
    """Return a session that its context manager opens.

    Raises DependencyError if a library is missing, and OptionError if there is no host that is needed.
    """
    if isinstance(endpoint, HostEndpoint):
        from ._host_shell import HostShellSession  # only now: one mailbox should cost no more than it needs

        return HostShellSession(endpoint, require_host(host))
    return _remote_powershell(endpoint)


def require_host(host: HostShell | None) -> HostShell:
    """Return the host. Raises OptionError if the task has none that can run PowerShell."""
    if host is None:
        raise OptionError(
            "transport: host_shell runs the cmdlets on the task's own Windows host, and this task has none: it runs "
            "on, or is delegated to, a host whose connection is not winrm, psrp, or ssh with ansible_shell_type "
            "powershell. Run it in a play on the Exchange servers, or use transport: remote_powershell."
        )
    return host


def _remote_powershell(endpoint: Endpoint) -> Session:
    endpoint.check_files()
    require_pypsrp()
    if endpoint.authentication is Authentication.KERBEROS:
        require_kerberos()
    # Imported only now: documentation and argument checks have to work where pypsrp is not installed.
    from ._remote_powershell import RemotePowerShell

    return RemotePowerShell(endpoint)
