# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/least-privilege.md grants what this collection sends, and no more: the guide's own commands are played.

The simulated user has the role entries that the guide leaves, so a parameter that is not granted does not exist.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._gateway._rights import USED
from simulator import MAIL_RECIPIENTS, Simulator
from support.controller import ROOT
from support.pop3_tasks import PASSWORD
from support.transports import HOST_SHELL, REMOTE_POWERSHELL, Modules

GUIDE = (ROOT / "docs" / "least-privilege.md").read_text("utf-8")
USER = "popadmin@contoso.com"
Granted = dict[str, frozenset[str]]


def granted_by_the_guide() -> Granted:
    """The cmdlets and parameters that its Set-ManagementRoleEntry commands leave."""
    found = re.findall(r'Set-ManagementRoleEntry "POP3 Access\\([\w-]+)" -Parameters ([\w, ]+)', GUIDE)
    return {cmdlet: frozenset(parameters.replace(" ", "").split(",")) for cmdlet, parameters in found}


def test_the_guide_grants_what_the_code_says_that_it_uses() -> None:
    assert granted_by_the_guide() == {cmdlet: frozenset(parameters) for cmdlet, parameters in USED.items()}


def test_the_guide_removes_every_other_cmdlet() -> None:
    kept = set(re.findall(r'\$_\.Name -ne "([\w-]+)"', GUIDE))
    assert kept == set(granted_by_the_guide())


@pytest.fixture
def restricted(simulator: Simulator) -> dict[str, Any]:
    """The connection of the guide's user, whose role is as the guide makes it, and whose scope is Sales."""
    user = simulator.users.add(USER, PASSWORD, MAIL_RECIPIENTS, write_scope=("Sales",))
    user.entries = granted_by_the_guide()
    for number in range(60):
        simulator.organisation.add_mailbox(
            f"Seller {number}", organizational_unit="Sales", pop_enabled=bool(number % 2)
        )
    return {
        "connection_uri": simulator.exchange.https_uri,
        "ca_cert": str(simulator.ca_file),
        "authentication": "basic",
        "username": USER,
        "password": PASSWORD,
    }


def sellers(simulator: Simulator) -> list[str]:
    return [mailbox.primary_smtp_address for mailbox in simulator.organisation.mailboxes("Sales")]


ALL_SETTINGS = {
    "state": "enabled",
    "use_protocol_defaults": False,
    "messages_retrieval_mime_format": "TextOnly",
    "enable_exact_rfc822_size": True,
    "suppress_read_receipt": True,
    "force_ical_for_calendar_retrieval_option": True,
}


@pytest.mark.parametrize(
    ("transport", "select_object", "pipeline_input"),
    [
        *((REMOTE_POWERSHELL, select, pipe) for select in (True, False) for pipe in (True, False)),
        # Which never asks for Select-Object; where input does not bind, it comes to the same as with the other one.
        (HOST_SHELL, False, True),
    ],
    indirect=["transport"],
)
def test_everything_works_with_what_the_guide_grants(
    simulator: Simulator, modules: Modules, restricted: dict[str, Any], select_object: bool, pipeline_input: bool
) -> None:
    """Every way in which mailboxes are looked up and changed here, and nothing outside of the grant is sent."""
    behaviour = simulator.exchange.behaviour
    behaviour.select_object_visible, behaviour.pipeline_input_binds = select_object, pipeline_input
    everybody = sellers(simulator)
    controller = simulator.organisation.domain_controllers[0].fqdn

    def change(**options: Any) -> dict[str, Any]:
        return modules("exchange_pop3_access", {**restricted, "domain_controller": controller, **options})

    results = [
        change(identity=everybody[0], state="enabled"),
        change(identities=everybody[:30], **ALL_SETTINGS),
        change(organizational_unit="contoso.com/Sales", state="disabled"),
        change(filter="Name -like 'Seller 1*'", state="enabled"),
        change(identities=everybody[:3], organizational_unit="contoso.com/Sales", exclusive=True, state="enabled"),
        change(identities=everybody * 5, state="disabled"),
        modules("exchange_pop3_access_info", restricted),
        modules("exchange_pop3_access_info", {**restricted, "identities": everybody * 4}),
        modules("exchange_endpoint_info", restricted),
    ]
    assert [result.get("msg") for result in results if result.get("failed")] == []
    assert any(result["changed"] for result in results)

    sent: dict[str, set[str]] = defaultdict(set)
    for call in simulator.exchange.calls:
        if not call.is_script:
            sent[call.name] |= set(call.parameters) | ({"Identity"} if call.pipeline_input else set())
    sent.pop("Select-Object", None)
    assert {cmdlet: frozenset(parameters) for cmdlet, parameters in sent.items()} == granted_by_the_guide()


def test_the_endpoint_is_seen_as_the_guide_says(modules: Modules, restricted: dict[str, Any]) -> None:
    found = modules("exchange_endpoint_info", restricted)
    if modules.transport == HOST_SHELL:
        # Nobody on the host asks what the session shows, so only what was tried is known.
        assert found["rights"] == {"read": True, "change": None, "missing": []}
        return
    assert found["rights"] == {"read": True, "change": True, "missing": []}
    assert '"endpoint.rights": { "change": true, "missing": [], "read": true }' in GUIDE
    assert {command["name"] for command in found["commands"]} == set(USED)


def test_outside_of_the_scope_nothing_changes(
    simulator: Simulator, modules: Modules, restricted: dict[str, Any]
) -> None:
    before = simulator.organisation.settings(simulator.organisation.mailbox("John Smith"))
    found = modules("exchange_pop3_access", {**restricted, "identity": "John Smith", "state": "enabled"})
    assert found["failed"]
    assert "scope" in found["msg"]
    assert simulator.organisation.settings(simulator.organisation.mailbox("John Smith")) == before


@pytest.mark.parametrize(
    ("without", "options"),
    [
        ("PopSuppressReadReceipt", ALL_SETTINGS),
        ("PopEnabled", {"state": "enabled"}),
    ],
)
def test_what_is_not_granted_is_an_error_and_not_a_guess(
    simulator: Simulator, modules: Modules, restricted: dict[str, Any], without: str, options: dict[str, Any]
) -> None:
    entries = granted_by_the_guide()
    simulator.users[USER].entries = entries | {"Set-CASMailbox": entries["Set-CASMailbox"] - {without}}
    found = modules("exchange_pop3_access", {**restricted, "identity": "Seller 0", **options})
    assert found["failed"]
    assert without in found["msg"]
    if modules.transport == HOST_SHELL:
        return
    look = modules("exchange_endpoint_info", restricted)
    assert f"Set-CASMailbox -{without}" in look["rights"]["missing"]
    assert look["rights"]["change"] == (without != "PopEnabled")
