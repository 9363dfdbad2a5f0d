# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role and the playbook pop3_report through real Ansible: what they write, and when they must not write."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator import Failure, SessionDrop
from support.controller import ROOT, Run
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks
from support.transports import BOTH

pytestmark = pytest.mark.ansible

HTML, CSV, JSON = "pop3-report.html", "pop3-report.csv", "pop3-report.json"
PLAYBOOK = "mailops.exchange.pop3_report"


@dataclass
class Reports:
    """Has reports made, and reads them."""

    pop3: Pop3Tasks

    def make(self, *arguments: str, play: dict[str, Any] | None = None, **variables: Any) -> Run:
        """Run the role in a play on localhost."""
        plays = [
            {
                "name": "Report",
                "hosts": self.pop3.hosts,
                "gather_facts": False,
                "vars": {**self.connection, **variables},
                "roles": ["mailops.exchange.pop3_report"],
                **(play or {}),
            }
        ]
        return self.pop3.controller.play(plays, *arguments, json_output=False)

    def run_playbook(self, *arguments: str, **variables: Any) -> Run:
        """Run the playbook by its name, as a user does."""
        where = {} if self.pop3.hosts == "localhost" else {"pop3_report_hosts": self.pop3.hosts}
        given = json.dumps({**self.connection, **where, **variables})
        return self.pop3.controller.run_playbook(PLAYBOOK, "-e", given, *arguments)

    @property
    def connection(self) -> dict[str, Any]:
        return {f"pop3_report_{name}": value for name, value in self.pop3.connection.items() if name != "state"}

    @property
    def folder(self) -> Path:
        """Where reports are by default: below the directory that Ansible was started in."""
        return self.pop3.controller.folder / "pop3-report"

    @property
    def data(self) -> Any:
        return json.loads((self.folder / JSON).read_text("utf-8"))

    @property
    def page(self) -> str:
        return (self.folder / HTML).read_text("utf-8")

    @property
    def lines(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((self.folder / CSV).read_text("utf-8-sig"))))

    def names(self, verdict: str) -> set[str]:
        return {mailbox["name"] for mailbox in self.data["mailboxes"] if mailbox["verdict"] == verdict}


@pytest.fixture
def reports(here: Pop3Tasks) -> Reports:
    return Reports(here)


def enabled(reports: Reports) -> set[str]:
    organisation = reports.pop3.simulator.organisation
    return {m.name for m in organisation.mailboxes() if organisation.settings(m).pop_enabled}


def fails_without_a_file(reports: Reports, run: Run, *words: str) -> None:
    assert run.returncode == 2, run.output
    for word in words:
        assert word in " ".join(run.output.split())
    assert not reports.folder.exists()


@BOTH
def test_the_playbook_by_its_name_writes_three_files_that_agree(reports: Reports) -> None:
    organisation = reports.pop3.simulator.organisation
    run = reports.run_playbook()
    assert run.returncode == 0, run.output
    assert sorted(path.name for path in reports.folder.iterdir()) == [CSV, HTML, JSON]
    assert {path.stat().st_mode & 0o777 for path in reports.folder.iterdir()} == {0o640}

    data = reports.data
    assert data["format"] == 1
    assert data["drift"] is None
    assert data["counts"]["total"] == len(organisation)
    assert {m["name"] for m in data["mailboxes"] if m["pop_enabled"]} == enabled(reports)
    assert data["exchange"]["connection_uri"] == reports.pop3.simulator.exchange.https_uri
    assert {line["name"] for line in reports.lines if line["pop_enabled"] == "true"} == enabled(reports)
    assert f"<strong>{len(enabled(reports))}</strong> <span>of {len(organisation)} mailboxes" in reports.page
    assert "Nobody has declared who should." in reports.page
    assert f"{len(enabled(reports))} of {len(organisation)} mailboxes can be read over POP3" in run.stdout
    assert str(reports.folder / HTML) in run.stdout
    assert reports.pop3.sent("Set-CASMailbox") == []


@BOTH
def test_drift_with_a_typo_an_ambiguous_name_and_two_names_for_one_mailbox(reports: Reports) -> None:
    before = enabled(reports)
    declared = ["John Smith", "pcolon@contoso.com", "Patrick Colon", "Patrik Colon", "Alex Meyer"]
    run = reports.make(pop3_report_declared=declared)
    assert run.returncode == 0, run.output

    drift = reports.data["drift"]
    assert not drift["as_declared"]
    reasons = {item["identity"]: item["reason"] for item in drift["unresolved"]}
    assert reasons["Patrik Colon"] == "not_found"
    assert reports.names("should_have_it") == {"John Smith"}
    assert reports.names("should_not_have_it") == before - {"John Smith", "Patrick Colon", *_resolved(reports)}
    (patrick,) = [mailbox for mailbox in reports.data["mailboxes"] if mailbox["name"] == "Patrick Colon"]
    assert patrick["declared_as"] == ["pcolon@contoso.com", "Patrick Colon"]
    assert len(reports.data["mailboxes"]) == len(reports.pop3.simulator.organisation)
    assert [line["verdict"] for line in reports.lines if line["declared_as"] == "Patrik Colon"] == ["not_found"]
    assert "<bdi>Patrik Colon</bdi>" in reports.page
    assert "Not as declared" in run.stdout


def _resolved(reports: Reports) -> set[str]:
    return {m["name"] for m in reports.data["mailboxes"] if "Alex Meyer" in m["declared_as"]}


def test_fail_on_drift_fails_after_the_files_are_written(reports: Reports) -> None:
    run = reports.make(pop3_report_declared=["John Smith"], pop3_report_fail_on_drift=True)
    assert run.returncode == 2
    assert "1 should have it and has not (jsmith@contoso.com)" in " ".join(run.output.split())
    assert reports.names("should_have_it") == {"John Smith"}

    exact = sorted(m["primary_smtp_address"] for m in reports.data["mailboxes"] if m["pop_enabled"])
    run = reports.make(pop3_report_declared=exact, pop3_report_fail_on_drift=True)
    assert run.returncode == 0, run.output
    assert "Exactly as declared" in reports.page


def test_an_empty_list_says_that_nobody_should(reports: Reports) -> None:
    run = reports.make(pop3_report_declared=[])
    assert run.returncode == 0, run.output
    assert reports.names("should_not_have_it") == enabled(reports)
    assert reports.data["drift"]["declared"] == 0


def test_a_declared_mailbox_outside_the_scope_is_a_row(reports: Reports) -> None:
    run = reports.make(
        pop3_report_declared=["John Smith"],
        pop3_report_organizational_unit="contoso.com/Engineering",
        pop3_report_filter="PopEnabled -eq $true",
    )
    assert run.returncode == 0, run.output
    in_scope = {m["name"] for m in reports.data["mailboxes"] if m["in_scope"]}
    organisation = reports.pop3.simulator.organisation
    assert in_scope == {m.name for m in organisation.mailboxes("Engineering")} & enabled(reports)
    assert reports.data["counts"]["total"] == len(in_scope)
    assert reports.names("should_have_it") == {"John Smith"}
    assert "outside the scope" in reports.page


def test_check_mode_reads_and_writes_nothing(reports: Reports) -> None:
    run = reports.make("--check", "--diff", pop3_report_declared=["John Smith"])
    assert run.returncode == 0, run.output
    assert "Check mode: nothing was written" in run.stdout
    assert "1 should have it and has not" in " ".join(run.stdout.split())
    assert "changed=1" in run.stdout
    assert not reports.folder.exists()


def test_another_place_and_title_and_a_second_run(reports: Reports) -> None:
    for _time in range(2):
        run = reports.make(pop3_report_dest="audits/<2026>", pop3_report_title="Audit <b>2026</b>")
        assert run.returncode == 0, run.output
    page = (reports.pop3.controller.folder / "audits" / "<2026>" / HTML).read_text("utf-8")
    assert "Audit &lt;b&gt;2026&lt;/b&gt;" in page
    assert "<b>2026</b>" not in page


def test_hostile_names_come_through_exchange_and_are_escaped(reports: Reports) -> None:
    organisation = reports.pop3.simulator.organisation
    organisation.add_mailbox("<script>alert(1)</script>", alias="evil1")
    organisation.add_mailbox("=HYPERLINK(1)", alias="evil2")
    run = reports.make(pop3_report_declared=[])
    assert run.returncode == 0, run.output
    assert "<script>alert" not in reports.page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in reports.page
    assert "'=HYPERLINK(1)" in {line["name"] for line in reports.lines}
    assert "=HYPERLINK(1)" in {mailbox["name"] for mailbox in reports.data["mailboxes"]}


def test_on_windows_hosts_it_reads_once_and_writes_on_the_controller(reports: Reports) -> None:
    """The hosts are never connected to: nothing listens there."""
    windows = {"ansible_connection": "winrm", "ansible_host": "127.0.0.99", "ansible_port": 1}
    inventory = reports.pop3.controller.inventory["all"]
    inventory["children"] = {"exchange": {"hosts": {"mbx01": windows, "mbx02": windows}}}
    become = {"ansible_become": True, "ansible_become_method": "runas", "ansible_become_user": "SYSTEM"}
    inventory["vars"] = {"ansible_connection": "winrm", **become}
    del inventory["hosts"]["localhost"]  # Ansible's own localhost has the variables of the group all, too
    run = reports.make(play={"hosts": "exchange"}, pop3_report_declared=["John Smith"])
    assert run.returncode == 0, run.output
    assert reports.data["counts"]["total"] == len(reports.pop3.simulator.organisation)
    assert len(reports.pop3.simulator.exchange.shells) == 2

    run = reports.run_playbook(pop3_report_hosts="exchange")
    assert run.returncode == 0, run.output
    assert reports.data["drift"] is None


def test_a_pattern_without_hosts_is_not_silently_green(reports: Reports) -> None:
    fails_without_a_file(reports, reports.run_playbook(pop3_report_hosts="exchnage"), "'exchnage'", "no host")


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"pop3_report_declraed": ["John Smith"]}, "Not a variable of this role: pop3_report_declraed"),
        ({"pop3_report_declared": "John Smith"}, "pop3_report_declared is a list"),
        ({"pop3_report_declared": None}, "pop3_report_declared is a list"),
        ({"pop3_report_declared": {"John Smith": True}}, "list"),
        ({"pop3_report_declared": ["John Smith", " "]}, "is blank"),
        ({"pop3_report_fail_on_drift": True}, "nothing to compare with"),
        ({"pop3_report_organizational_unit": "contoso.com/Nowhere"}, "could not be selected"),
        ({"pop3_report_password": "wrong"}, "The login was not accepted"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(reports: Reports, variables: dict[str, Any], says: str) -> None:
    fails_without_a_file(reports, reports.make(play={"ignore_errors": True}, **variables), says)


@BOTH
def test_half_of_the_answers_make_no_report(reports: Reports) -> None:
    """Whoever could not be read must not be taken for somebody who is not declared."""
    behaviour = reports.pop3.simulator.exchange.behaviour
    behaviour.session_drops += [SessionDrop("Get-CASMailbox", nth=number) for number in range(4, 20)]
    fails_without_a_file(reports, reports.make(pop3_report_declared=["John Smith", "Patrick Colon", "jane"]))

    behaviour.session_drops.clear()
    behaviour.failing_reads["Patrick Colon"] = Failure(
        "The server is busy.", "Microsoft.Exchange.Data.Directory.ADTransientException"
    )
    fails_without_a_file(
        reports,
        reports.make(pop3_report_declared=["John Smith", "Patrick Colon", "Jhon Smith"]),
        "2 of 3",
        "Patrick Colon",
    )


def test_the_examples_of_the_guide(reports: Reports) -> None:
    """The file of variables for the playbook by its name, and the play for pipelines, as they stand there."""
    controller, simulator = reports.pop3.controller, reports.pop3.simulator
    guide = (ROOT / "docs" / "report.md").read_text("utf-8")
    variables, play = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    controller.environment |= {"EXCHANGE_USERNAME": ADMIN, "EXCHANGE_PASSWORD": PASSWORD}
    login = {name: reports.connection[f"pop3_report_{name}"] for name in ("ca_cert", "authentication")}
    extra = json.dumps({f"pop3_report_{name}": value for name, value in login.items()})
    (controller.folder / "pop3-report.yml").write_text(
        variables.replace("http://mbx01.contoso.com/PowerShell/", simulator.exchange.https_uri)
    )
    run = controller.run_playbook(PLAYBOOK, "-e", "@pop3-report.yml", "-e", extra)
    assert run.returncode == 0, run.output
    assert reports.data["drift"]["declared"] == 2

    controller.environment["EXCHANGE_CONNECTION_URI"] = simulator.exchange.https_uri
    (controller.folder / "pop3-users.txt").write_text("John Smith\n\n")
    run = controller.play(play, "-e", extra, json_output=False)
    assert run.returncode == 2
    assert "1 should have it and has not (jsmith@contoso.com)" in " ".join(run.output.split())
    assert (controller.folder / "public" / HTML).exists()


def test_the_page_asks_for_nothing(reports: Reports) -> None:
    reports.make()
    assert re.findall(r'(?:src|href)="(?!#|pop3-report\.)([^"]*)"', reports.page) == []
    assert "url(http" not in reports.page
