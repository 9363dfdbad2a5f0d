# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Five thousand mailboxes and a list of twenty, through real Ansible: POP3 for the twenty, and for nobody else.

Over host_shell it is done in this process, for three hundred: the script pipes each mailbox into a cmdlet of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import MAIL_RECIPIENTS, Simulator
from simulator.exchange.organisation import large_organisation
from support.controller import Controller
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks
from support.transports import HOST_SHELL, tasks_over

SET = "Set-CASMailbox"


@pytest.fixture
def organisation(transport: str, controller: Controller, tmp_path: Path) -> Iterator[Pop3Tasks]:
    """So many mailboxes, half of them with POP3."""
    with Simulator(large_organisation(300 if transport == HOST_SHELL else 5000)) as simulator:
        simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        if transport == HOST_SHELL:
            with tasks_over(transport, simulator, tmp_path) as tasks:
                yield tasks
        else:
            yield Pop3Tasks(simulator, controller, None)


def enabled(pop3: Pop3Tasks) -> set[str]:
    """Whose address has POP3 now."""
    organisation = pop3.simulator.organisation
    return {m.primary_smtp_address for m in organisation.mailboxes() if organisation.settings(m).pop_enabled}


def test_nobody_but_a_list_of_twenty(organisation: Pop3Tasks) -> None:
    before = enabled(organisation)
    everybody = sorted(m.primary_smtp_address for m in organisation.simulator.organisation.mailboxes())
    assert len(before) == len(everybody) / 2
    listed = everybody[:: len(everybody) // 20]
    assert len(listed) == 20
    declared = {"identities": listed, "exclusive": True}

    dry = organisation("--check", "--diff", **declared, max_changes=-1).result
    planned = {
        line["primary_smtp_address"]: line["after"]["pop_enabled"] for line in dry["mailboxes"] if line["changed"]
    }
    assert {address for address, after in planned.items() if not after} == before - set(listed)
    assert {address for address, after in planned.items() if after} == set(listed) - before
    assert len((dry["diff"]["before"] + dry["diff"]["after"]).splitlines()) == len(planned)
    assert enabled(organisation) == before

    held = organisation(**declared).result
    assert "max_changes is 50" in held["msg"]
    assert {line["primary_smtp_address"] for line in held["plan"]} == set(planned)
    assert len(json.dumps(held)) < 400 * len(planned), "shown whole on a terminal"
    assert enabled(organisation) == before
    assert organisation.sent(SET) == []

    typo = organisation(identities=[*listed[1:], f"x{listed[0]}"], exclusive=True, max_changes=-1).result
    assert "every listed mailbox has to be found first" in typo["msg"]
    assert enabled(organisation) == before
    assert organisation.sent(SET) == []

    real = organisation(**declared, max_changes=-1).result
    assert real["counts"]["changed"] == len(planned)
    assert enabled(organisation) == set(listed)

    second = organisation(**declared, max_changes=-1).result
    assert not second["changed"]
    assert not second["restart_required"]
