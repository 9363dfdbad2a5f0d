# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated Windows hosts that run the POP3 services of Exchange, for Ansible's winrm connection and for POP3 clients.

``WindowsHost`` puts a host together. Imports point downwards: ``host`` knows ``winrm``, the shells behind it and
``pop3``; the shells know ``interpreter``, which knows ``modules``; those know ``services``, ``registry`` and ``files``.
"""

from __future__ import annotations

from simulator.windows.host import HostPorts, Pop3Services, WindowsHost
from simulator.windows.pop3 import Directory, LoginType, Logon
from simulator.windows.services import ServiceState, StartFailure, StartMode, Win32Error

__all__ = [
    "Directory",
    "HostPorts",
    "LoginType",
    "Logon",
    "Pop3Services",
    "ServiceState",
    "StartFailure",
    "StartMode",
    "Win32Error",
    "WindowsHost",
]
