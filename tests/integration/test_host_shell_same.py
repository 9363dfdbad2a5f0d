# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With only ``transport`` changed, the same results and the same failures: the tests of the main job and of whole
organisations, unchanged. The work runs in this process; a simulated host carries out the script's contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import Simulator
from simulator.exchange.organisation import Organisation
from simulator.windows import WindowsHost
from support.host_shell import DirectHostShell, HostShellTasks
from support.in_process import InProcess, run_module

# The tests themselves; their fixtures are those below.
from .test_main_job import *  # noqa: F403 # pylint: disable=wildcard-import,unused-wildcard-import
from .test_organisation import *  # noqa: F403 # pylint: disable=wildcard-import,unused-wildcard-import

# What it costs is just what differs, and a keyword needs Ansible.
del test_one_mailbox_with_nothing_to_do_costs_six_requests  # noqa: F821
del test_500_identities_use_one_session_or_a_few  # noqa: F821
del test_the_time_out_of_a_task_loses_nothing  # noqa: F821


@pytest.fixture
def host(simulator: Simulator) -> Iterator[WindowsHost]:
    """A server of the organisation; nobody has to reach it over the network here."""
    server = WindowsHost("MBX01", simulator, simulator.authority)
    yield server
    server.stop()


@pytest.fixture
def pop3(simulator: Simulator, host: WindowsHost, tmp_path: Path) -> Iterator[HostShellTasks]:
    """Tasks in this process."""
    controller = InProcess(tmp_path, host=DirectHostShell(host))
    yield HostShellTasks(simulator, controller, None)
    controller.close()


@pytest.fixture
def here(pop3: HostShellTasks) -> HostShellTasks:
    """The same."""
    return pop3


def test_the_servers_settings_too() -> None:
    """Lists, time spans and sizes arrive as texts and compare by what they mean; a second run changes nothing."""

    with Simulator(Organisation(servers=("MBX01", "MBX02"))) as simulator:
        server = WindowsHost("MBX01", simulator, simulator.authority)
        options = {
            "transport": "host_shell",
            "connection_uri": simulator.exchange.https_uri,
            "authentication": "basic",
            "username": simulator.administrator.name,
            "password": simulator.password,
        }
        declared = {
            "servers": ["MBX01", "MBX02"],
            "ssl_bindings": ["0.0.0.0:995"],
            "external_connection_settings": ["mail.contoso.com:995:SSL", "mail.contoso.com:110:TLS"],
            "authenticated_connection_timeout": 3600,
            "log_per_file_size_quota": "2000 KB",
            "login_type": "SecureLogin",
        }
        shell = DirectHostShell(server)
        first, second = (
            run_module("exchange_pop3_settings", {**options, **declared}, host=shell) for _turn in range(2)
        )
        assert first["counts"] == {"total": 2, "changed": 2, "unchanged": 0, "failed": 0}
        assert second["counts"] == {"total": 2, "changed": 0, "unchanged": 2, "failed": 0}
        assert len(run_module("exchange_pop3_settings_info", options, host=shell)["servers"]) == 2
        server.stop()
