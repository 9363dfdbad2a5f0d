# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The threads in which a host runs commands, so that requests can wait for them, give up, and ask again."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Workers:
    """Threads that are all waited for in the end, and the one condition on which requests wait for their results."""

    def __init__(self) -> None:
        """Begin without any."""
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._closing = False

    def run(self, work: Callable[[], None]) -> None:
        """Do some work in a thread of its own; whoever waits looks again when it is done."""

        def target() -> None:
            try:
                work()
            finally:
                with self._changed:
                    self._threads.discard(threading.current_thread())
                    self._changed.notify_all()

        thread = threading.Thread(target=target, name="winrm-command", daemon=True)
        with self._changed:
            self._threads.add(thread)
        thread.start()

    def wait_for(self, done: Callable[[], bool], timeout: float) -> bool:
        """Wait until some work has made this true; whether it is. Ends early when the host shuts down."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or done(), timeout)
            return done()

    @property
    def closing(self) -> bool:
        """Whether the host shuts down."""
        return self._closing

    def wake(self) -> None:
        """End all waiting."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for all threads."""
        with self._changed:
            threads = list(self._threads)
        for thread in threads:
            thread.join()
