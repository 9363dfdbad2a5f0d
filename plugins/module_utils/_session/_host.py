# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a face may be able to do on the task's own host: run PowerShell there, over the host's own connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Credential:
    """A user and the password, which travels apart from what may be shown."""

    username: str
    password: str = field(repr=False)


class HostShell(Protocol):
    """PowerShell on the task's own Windows host."""

    def run(self, script: str, parameters: Mapping[str, object], credential: Credential | None) -> str:
        """Run a script to its end and return the one text that it wrote.

        ``parameters`` are bound to the script's own, as data, and so is ``credential`` to the one of that name.
        Raises SessionLost where the connection to the host broke, so that it is not known how far the script came, and
        UnexpectedReply where the host did not run it.
        """
