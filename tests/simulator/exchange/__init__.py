# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Exchange organisation and its remote PowerShell endpoint.

From the bottom up: `mailbox`, `identity`, `organisation`, `opath` (pure data, no PowerShell); `values`, `texts`,
`errors`, `rbac`, `behaviour`, `parameters`, `cmdlets`, `cas_mailbox` (cmdlets, no protocol); `clixml`, `runspace`
(PSRP, no HTTP); `endpoint` (WSMan over HTTP). Each imports only what stands before it.
"""

from __future__ import annotations
