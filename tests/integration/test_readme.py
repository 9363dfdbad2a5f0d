# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's own playbook for pipelines does what the README says: exit code, diff, and words."""

from __future__ import annotations

import re

import pytest

from support.controller import ROOT
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks


@pytest.fixture
def drift(here: Pop3Tasks) -> str:
    """The playbook from the README, with the login that the simulator has."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (playbook,) = [block for block in blocks if "POP3 access is as declared" in block]
    here.controller.environment |= {
        "EXCHANGE_CONNECTION_URI": here.simulator.exchange.https_uri,
        "EXCHANGE_USERNAME": ADMIN,
        "EXCHANGE_PASSWORD": PASSWORD,
        "REQUESTS_CA_BUNDLE": str(here.simulator.ca_file),
    }
    return str(playbook).replace("state: enabled\n", "state: enabled\n        authentication: basic\n")


@pytest.mark.parametrize(
    ("listed", "code", "says"),
    [
        (["Patrick Colon", ""], 0, "failed=0"),
        (["Patrick Colon", "John Smith"], 2, "Not as declared: John Smith."),
        (["John Smith", "Jhon Smith"], 2, "Not as declared: John Smith. 1 of 2 mailboxes failed: 1 not found."),
    ],
)
def test_the_drift_test_of_the_readme(here: Pop3Tasks, drift: str, listed: list[str], code: int, says: str) -> None:
    (here.controller.folder / "pop3-users.txt").write_text("\n".join(listed) + "\n")
    run = here.controller.play(drift, json_output=False)
    assert run.returncode == code, run.output
    assert says in run.output
    assert ("+John Smith <jsmith@contoso.com>: pop_enabled: true" in run.stdout) == ("John Smith" in listed)
    assert here.sent("Set-CASMailbox") == []


def test_the_drift_test_fails_where_nothing_could_be_looked_at(here: Pop3Tasks, drift: str) -> None:
    (here.controller.folder / "pop3-users.txt").write_text("John Smith\n")
    here.controller.environment["EXCHANGE_PASSWORD"] = "wrong"
    run = here.controller.play(drift, json_output=False)
    assert run.returncode == 2
    assert "The login was not accepted" in run.output
