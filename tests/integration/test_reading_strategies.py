# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""However mailboxes are looked up, the result is the same: the tests of the main job and of whole organisations,
unchanged, with each way of reading forced on lists of any length. The work runs in this process."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._gateway import _cas_mailbox, _reading
from simulator import Simulator
from support.pop3_tasks import Pop3Tasks
from support.transports import HOST_SHELL, REMOTE_POWERSHELL

# The tests themselves; their fixtures are those below.
from .test_main_job import *  # noqa: F403 # pylint: disable=wildcard-import,unused-wildcard-import
from .test_organisation import *  # noqa: F403 # pylint: disable=wildcard-import,unused-wildcard-import

# What it costs is just what differs, and a keyword needs Ansible.
del test_one_mailbox_with_nothing_to_do_costs_six_requests  # noqa: F821
del test_500_identities_use_one_session_or_a_few  # noqa: F821
del test_the_time_out_of_a_task_loses_nothing  # noqa: F821

NEVER = 10**9
WAYS = {
    "one by one": {"ONE_BY_ONE": NEVER, "LISTING_FROM": NEVER},
    "streamed": {"ONE_BY_ONE": 0, "LISTING_FROM": NEVER},
    "listed": {"ONE_BY_ONE": 0, "LISTING_FROM": 1},
}


PARAMETERS = [
    "one by one",
    "streamed",
    "streamed, Select-Object",
    "streamed, nothing binds",
    "listed",
    "listed, Select-Object",
]


# Over host_shell the script pipes each value in alone and has a Select-Object of its own; "streamed" is how the tests
# themselves run over it.
pytestmark = pytest.mark.parametrize(
    ("transport", "way"),
    [
        *((REMOTE_POWERSHELL, way) for way in PARAMETERS),
        *((HOST_SHELL, way) for way in ("one by one", "listed")),
    ],
    indirect=True,
)


@pytest.fixture
def way(request: pytest.FixtureRequest, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """Force one way of reading, on an Exchange that has Select-Object or not, and takes pipeline input or not."""
    name, _comma, server = request.param.partition(", ")
    for constant, value in WAYS[name].items():
        monkeypatch.setattr(_reading, constant, value)
    monkeypatch.setattr(_cas_mailbox, "_WORTH_A_PROBE", 0)
    simulator.exchange.behaviour.select_object_visible = server == "Select-Object"
    simulator.exchange.behaviour.pipeline_input_binds = server != "nothing binds"
    return str(request.param)


@pytest.fixture
def pop3(way: str, in_process: Pop3Tasks) -> Pop3Tasks:
    """Tasks in this process."""
    assert way
    return in_process


@pytest.fixture
def here(pop3: Pop3Tasks) -> Pop3Tasks:
    """The same."""
    return pop3
