# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One loopback address for each simulated host, also where several simulators run on one machine.

An address is claimed by holding a UDP port on it, which the kernel gives away only once and takes back when the process
ends, however it ends.
"""

from __future__ import annotations

import itertools
import socket

_CLAIM_PORT = 40110


class LoopbackAddress:
    """A loopback address that no other simulated host has, from 127.0.0.11 up."""

    def __init__(self) -> None:
        """Claim the first address that is free; OSError when there is none."""
        self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for third, last in itertools.product(range(4), range(11, 255)):
            self.address = f"127.0.{third}.{last}"
            try:
                self._claim.bind((self.address, _CLAIM_PORT))
            except OSError:
                continue
            return
        self._claim.close()
        raise OSError("no loopback address is free for a simulated Windows host")

    def release(self) -> None:
        """Give the address back."""
        self._claim.close()
