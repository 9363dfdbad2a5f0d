# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test of this folder runs over both transports, or is in the list that says why not."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from support.transports import COLLECTED, ONE_TRANSPORT, REMOTE_POWERSHELL, TRANSPORTS, why_one_transport

HERE = Path(__file__).parent


def transports_of(items: list[pytest.Item]) -> dict[tuple[str, str], set[str]]:
    """The transports over which each test runs, by its file and its name."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in items:
        if isinstance(item, pytest.Function) and HERE in item.path.parents:
            params = item.callspec.params if hasattr(item, "callspec") else {}
            found[item.path.stem, item.function.__name__].add(params.get("transport", REMOTE_POWERSHELL))
    return found


def test_every_test_runs_over_both_or_says_why_not(request: pytest.FixtureRequest) -> None:
    """Of those that were collected: all of them, where the whole folder is run."""
    found = transports_of(request.config.stash[COLLECTED])
    assert found
    silent = {test for test, over in found.items() if over != set(TRANSPORTS) and not why_one_transport(*test)}
    assert sorted(silent) == [], "make it run over both, or list it in tests/support/transports.py"


def test_the_list_has_nothing_that_is_not_there() -> None:
    listed = [one for which in ONE_TRANSPORT.values() for one in which]
    assert len(listed) == len(set(listed)), "each once"
    for file, _colons, test in (one.partition("::") for one in listed):
        source = (HERE / f"{file}.py").read_text("utf-8")
        assert not test or re.search(rf"^def {test}\(", source, re.MULTILINE), f"{file} has no {test}"
        assert not test or file not in listed, f"{file} is listed as a whole"


def test_none_of_them_is_one_that_runs_over_both(request: pytest.FixtureRequest) -> None:
    """What is listed by name has no other transport; a reason that is none any more is to go."""
    for (file, test), over in transports_of(request.config.stash[COLLECTED]).items():
        assert len(over) == 1 or not any(f"{file}::{test}" in which for which in ONE_TRANSPORT.values())
