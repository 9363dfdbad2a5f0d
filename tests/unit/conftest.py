# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For ansible-test, which knows nothing of pyproject.toml: where the tests find the simulator and their support."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = str(Path(__file__).parents[1])

if TESTS not in sys.path:
    sys.path.insert(0, TESTS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip under ansible-test what starts Ansible's own programs, which its environment has not, or reads the whole
    repository, among which it puts that environment."""
    if (Path(TESTS).parent / ".dev" / "ready").is_file():
        return
    reason = "needs the project's own environment: make test-unit"
    for item in items:
        if "docs" in item.path.parts[-2:] or item.get_closest_marker("own_environment"):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known here too, where pyproject.toml is not read."""
    config.addinivalue_line("markers", "own_environment: starts Ansible's own programs")
