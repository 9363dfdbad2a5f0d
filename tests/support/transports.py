# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both transports, for each test: what a test needs to run over either, and the one list of what runs over one only.

A test that uses the fixture ``transport``, or one that is made of it (``pop3``, ``here``, ``in_process``, ``modules``),
runs over both, unless it is in ``ONE_TRANSPORT``. Over host_shell the work is done in this process, with a simulated
host that nobody has to reach; tests with the mark ``ansible`` need Ansible itself, and a host that it connects to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from simulator import Simulator
from simulator.windows import WindowsHost
from support.controller import JUMP, LOCAL, Controller
from support.host_shell import DirectHostShell, HostShellTasks
from support.in_process import InProcess, run_module
from support.pop3_tasks import Pop3Tasks

REMOTE_POWERSHELL, HOST_SHELL = "remote_powershell", "host_shell"
TRANSPORTS = (REMOTE_POWERSHELL, HOST_SHELL)

JUMP_HOST = "jump host"
WAYS = ((REMOTE_POWERSHELL, "controller"), (REMOTE_POWERSHELL, JUMP_HOST), (HOST_SHELL, HOST_SHELL))
"""The transports, and the faces that there are over each: a jump host has no host of its own to use."""

BOTH = pytest.mark.parametrize("transport", TRANSPORTS, indirect=True)
"""For a test that runs over both in a file that is listed below."""

COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""Where the tests of tests/integration are kept as they were collected."""

ONE_TRANSPORT: dict[str, tuple[str, ...]] = {
    "What it costs is just what differs.": (
        "test_bench",
        "test_main_job::test_500_identities_use_one_session_or_a_few",
        "test_main_job::test_one_mailbox_with_nothing_to_do_costs_six_requests",
        "test_many_mailboxes::test_many_need_few_round_trips",
    ),
    "Over host_shell there is one session, and the script does what a Select-Object would.": (
        "test_many_mailboxes::test_a_further_session_that_is_refused_its_login_leaves_the_work_to_the_first",
        "test_many_mailboxes::test_more_sessions_give_the_same_result",
        "test_many_mailboxes::test_one_of_several_sessions_breaks",
        "test_many_mailboxes::test_one_of_several_sessions_breaks_for_good",
        "test_many_mailboxes::test_select_object_is_tried_once",
        "test_many_mailboxes::test_where_exchange_allows_fewer_sessions_fewer_do_the_work",
    ),
    "What is seen of the way depends on who goes it; the way of a host has tests of its own there.": (
        "test_endpoint_info",
    ),
    "It is about pypsrp or requests, or a connection that they made.": (
        "test_connection_errors::test_a_missing_pypsrp_is_named_with_the_place_to_install_it",
        "test_connection_errors::test_a_pypsrp_that_is_too_old_is_named_with_its_version",
        "test_connection_errors::test_without_pypsrp_the_way_there_is_not_looked_at_and_the_same_is_said",
        "test_connection_errors::test_an_opening_whose_answer_was_cut_leaves_no_session",
        "test_connection_errors::test_closing_is_tried_again",
        "test_connection_errors::test_netrc_is_not_sent_with_a_client_certificate",
    ),
    "A role makes something of results that are the same; where its way to them could matter, it runs over both.": (
        "test_pop3_access_role",
        "test_pop3_report",
        "test_pop3_settings_role",
    ),
    "What is there in its stead over host_shell has a test of its own in test_host_shell.": (
        "test_main_job::test_the_time_out_of_a_task_loses_nothing",
        "test_secrets::test_a_run_that_succeeds",
        "test_secrets::test_a_run_in_check_mode",
        "test_many_mailboxes::test_a_password_that_stops_being_right_is_not_tried_again",
    ),
    "It is about the two faces of a module; over host_shell there is one, and the tests of the roles have it.": (
        "test_pop3_settings::test_through_either_face",
    ),
    "It is about host_shell.": (
        "test_connection_errors::test_a_missing_pypsrp_is_not_missed_over_host_shell",
        "test_faults::test_a_change_that_was_not_sent_for_too_many_sessions_is_sent_later",
        "test_faults::test_what_was_certainly_not_sent_is_not_called_unconfirmed",
        "test_host_shell",
    ),
    "What Ansible does with an option or a result, before or after anything is sent.": (
        "test_bad_input::test_a_password_in_another_encoding_is_refused",
        "test_bad_input::test_without_an_address_the_task_says_where_it_looked",
        "test_hostile_input::test_a_name_does_nothing_to_the_terminal",
        "test_secrets::test_what_a_playbook_does_with_the_result",
    ),
    "It is how we log in, or what we read from the wire; over host_shell Windows does both, and hands JSON over, which "
    "tests/unit/transport/test_host_shell.py has in every form.": (
        "test_authentication",
        "test_hostile_server",
        "test_kerberos",
    ),
    "An inventory has no task, and so no host of one.": ("test_inventory",),
    "It is one example from end to end, with the transport that it shows.": ("test_examples", "test_molecule"),
    "Where the controller finds an address and a login, and what closes its sessions; a host does that itself.": (
        "test_interrupt",
        "test_places",
    ),
    "On a Windows host the login of its own connection comes before that of the environment.": (
        "test_secrets::test_from_the_environment_it_goes_nowhere_else",
    ),
    "It opens no session with Exchange.": (
        "test_ansible_doc",
        "test_artifact",
        "test_faults::test_the_page_has_no_other_faults",
        "test_least_privilege::test_the_guide_grants_what_the_code_says_that_it_uses",
        "test_least_privilege::test_the_guide_removes_every_other_cmdlet",
        "test_secrets::test_the_search_finds_what_is_there",
        "test_pop3_services_role",
        "test_release",
        "test_transports",
    ),
}
"""Why, and then the files (``test_file``) and tests (``test_file::test_name``) of tests/integration that it is true of.

A test of such a file that names the parameter ``transport`` itself runs over what it says there."""


def why_one_transport(file: str, test: str) -> str | None:
    """Return why a test runs over one transport only; None where it is to run over both."""
    return next((why for why, which in ONE_TRANSPORT.items() if file in which or f"{file}::{test}" in which), None)


@contextmanager
def host_of(simulator: Simulator) -> Iterator[WindowsHost]:
    """A server of the organisation on which modules can be run without a connection to it."""
    host = WindowsHost("MBX01", simulator, simulator.authority)
    try:
        yield host
    finally:
        host.stop()


@contextmanager
def shell_of(transport: str, simulator: Simulator) -> Iterator[DirectHostShell | None]:
    """What runs PowerShell on a server, where the transport needs that."""
    if transport == REMOTE_POWERSHELL:
        yield None
        return
    with host_of(simulator) as host:
        yield DirectHostShell(host)


@contextmanager
def tasks_over(transport: str, simulator: Simulator, folder: Path) -> Iterator[Pop3Tasks]:
    """Tasks in this process."""
    with shell_of(transport, simulator) as shell:  # pylint: disable=contextmanager-generator-missing-cleanup
        controller = InProcess(folder, host=shell)
        try:
            yield (HostShellTasks if shell else Pop3Tasks)(simulator, controller, None)
        finally:
            controller.close()


@contextmanager
def tasks_on_a_host(simulator: Simulator, controller: Controller) -> Iterator[Pop3Tasks]:
    """Tasks of Ansible itself, over the real connection to a server."""
    with host_of(simulator) as host:
        host.start()
        hosts = {"localhost": LOCAL, "jump": JUMP, "mbx01": host.inventory_vars()}
        controller.inventory = {"all": {"hosts": hosts}}
        yield HostShellTasks(simulator, controller, None, "mbx01")


@dataclass(frozen=True)
class Modules:
    """Runs modules in this process, over one transport."""

    transport: str
    shell: DirectHostShell | None = None

    def __call__(
        self,
        name: str,
        options: Mapping[str, Any],
        *,
        check_mode: bool = False,
        note: Callable[[str], None] = print,
    ) -> dict[str, Any]:
        """Return the result of a module as Ansible would have it."""
        shell = replace(self.shell, check_mode=check_mode) if self.shell else None
        given = {**options, "transport": self.transport}
        return run_module(name, given, check_mode=check_mode, note=note, host=shell)


@contextmanager
def modules_over(transport: str, simulator: Simulator) -> Iterator[Modules]:
    """Modules in this process."""
    with shell_of(transport, simulator) as shell:  # pylint: disable=contextmanager-generator-missing-cleanup
        yield Modules(transport, shell)
