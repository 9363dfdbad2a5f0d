# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For ansible-test, which knows nothing of pyproject.toml: where the tests find the simulator and their support."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TESTS = str(Path(__file__).parents[1])

if TESTS not in sys.path:
    sys.path.insert(0, TESTS)


@pytest.fixture(scope="session")
def own_environment() -> None:
    """Skip what starts Ansible's own programs: ansible-test has neither them nor ansible.windows in its environment."""
    if "ANSIBLE_TEST_CONTENT_ROOT" in os.environ:
        pytest.skip("starts Ansible's own programs, which the environment of ansible-test has not")
