# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from checked options to a session: the one place that chooses a transport."""

from __future__ import annotations

from .._session._protocol import Session
from ._dependency import require_kerberos, require_pypsrp
from ._endpoint import Authentication, Endpoint


def open_session(endpoint: Endpoint) -> Session:
    """Return a session that its context manager opens. Raises DependencyError if a library is missing."""
    endpoint.check_files()
    require_pypsrp()
    if endpoint.authentication is Authentication.KERBEROS:
        require_kerberos()
    # Imported only now: documentation and argument checks have to work where pypsrp is not installed.
    from ._remote_powershell import RemotePowerShell

    return RemotePowerShell(endpoint)
