# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``remote_powershell`` takes from pypsrp and from the libraries under it; stand-ins where they are missing.

Ansible loads a module to document it or to check its arguments, also where no library is installed. So every file here
can be imported there, and ``_dependency.require_pypsrp`` says what is missing before any of this is used.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationError",
    "CommandType",
    "Fragmenter",
    "GenericComplexObject",
    "GetCommandMetadata",
    "HTTPNegotiateAuth",
    "Message",
    "MessageType",
    "PSInvocationState",
    "PowerShell",
    "RunspacePool",
    "SelectorSet",
    "WSMan",
    "WSManFaultError",
    "WinRMError",
    "WinRMTransportError",
    "requests",
    "spnego",
    "urllib3",
]

try:
    import requests
    import requests.utils
    import spnego.exceptions
    import urllib3.exceptions
    from pypsrp.complex_objects import CommandType, GenericComplexObject, PSInvocationState
    from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
    from pypsrp.messages import GetCommandMetadata, Message, MessageType
    from pypsrp.negotiate import HTTPNegotiateAuth
    from pypsrp.powershell import Fragmenter, PowerShell, RunspacePool
    from pypsrp.wsman import SelectorSet, WSMan
except ImportError:

    class _AnyName(type):
        def __getattr__(cls, name: str) -> type[_Missing]:
            if name.startswith("__"):
                raise AttributeError(name)
            return _Missing

    class _Missing(Exception, metaclass=_AnyName):
        """Stands for a library, and for all that is in it: it can be named and inherited from, and is never raised."""

    globals().update(dict.fromkeys(__all__, _Missing))
