# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was started has ended: for tests that look for threads left behind."""

from __future__ import annotations

import threading
from collections.abc import Set

PATIENCE = 10.0
"""Seconds for a thread that has done its work and is on its last lines."""


def threads_left(before: Set[threading.Thread]) -> set[threading.Thread]:
    """Return the threads that were not there before and do not end."""
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
    return set(threading.enumerate()) - before
