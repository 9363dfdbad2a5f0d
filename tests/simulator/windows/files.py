# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few files that a simulated Windows host keeps, in memory: what a controller copied there, or a test put there."""

from __future__ import annotations

import ntpath
import threading


class Files:
    """Files by their full path; names keep their case and are compared without it."""

    def __init__(self) -> None:
        """Begin with an empty disk."""
        self._contents: dict[str, bytes] = {}
        self._folders: set[str] = set()
        self._lock = threading.Lock()

    def write(self, path: str, content: bytes) -> None:
        """Create or replace a file."""
        with self._lock:
            self._contents[_folded(path)] = content

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None."""
        return self._contents.get(_folded(path))

    def contents(self) -> list[bytes]:
        """What is in all files."""
        with self._lock:
            return list(self._contents.values())

    def make_folder(self, path: str) -> None:
        """Create a folder."""
        with self._lock:
            self._folders.add(_folded(path))

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder, made as such or by the files in it."""
        folded = _folded(path)
        return folded in self._folders or any(one.startswith(folded + "\\") for one in self._contents)

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return self.read(path) is not None or self.is_folder(path)

    def remove(self, path: str) -> None:
        """Take away a file, or a folder with all that is in it."""
        folded = _folded(path)
        with self._lock:
            for one in [one for one in self._contents if one == folded or one.startswith(folded + "\\")]:
                del self._contents[one]
            self._folders = {one for one in self._folders if one != folded and not one.startswith(folded + "\\")}


def _folded(path: str) -> str:
    return ntpath.normpath(path.strip("\"'")).casefold()
