# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every simulated host needs on the wire: HTTP, TLS, WSMan and faults on demand.

Imports point downwards: `certificates` and `wsman` know only the standard library (and `cryptography`), `faults` knows
`wsman`, `http` knows `faults`. Nothing here knows of Exchange, PowerShell or Windows.
"""

from __future__ import annotations
