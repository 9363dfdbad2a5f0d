# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests have in common: where hypothesis keeps what it learned, and how many of them run at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import configuration, settings

configuration.set_hypothesis_home_dir(str(Path(__file__).parents[1] / ".dev" / "cache" / "hypothesis"))
# Machines are shared and noisy: how long one example took says nothing about the code. And continuous integration gives
# a verdict on a change: new examples are looked for by people. (ansible-test runs in a copy, and hands on no variable.)
is_verdict = "CI" in os.environ or "ansible_collections" in Path(__file__).parts
settings.register_profile("project", deadline=None, derandomize=is_verdict)
settings.load_profile("project")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For ``-n auto``: three for two processors, because a third of what these tests do is waiting."""
    return max(2, len(os.sched_getaffinity(0)) * 3 // 2)
