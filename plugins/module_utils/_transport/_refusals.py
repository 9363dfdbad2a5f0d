# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Exchange itself refuses a session for, whoever carries it: by what it can be told, and what a user can do.

It says both with the code of a denied access, in words that are localized around a name that is not.
"""

from __future__ import annotations

LIMIT_OF_SESSIONS = "MaxConcurrency"
"""The name of the limit in Exchange's words, which can be long: look for it in the whole text."""

CLOSE_SOME = (
    "This user has as many sessions open as PowerShellMaxConcurrency allows (18 by default). Close some, wait for the "
    "idle time-out of 15 minutes, or use another user."
)

ALLOW_REMOTE_POWERSHELL = (
    "The login was accepted and remote PowerShell is not allowed to this user: see "
    "'Get-User <user> | Format-List RemotePowerShellEnabled'."
)
