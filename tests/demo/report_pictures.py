# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make report-pictures`: the pictures of the report in docs/images, of an organisation of 5,000, by the real playbook.

Nothing in them is typed in: ``ansible-playbook mailops.exchange.pop3_report`` reads a simulated Exchange, and Chromium
opens what that wrote.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from simulator import Farm, Organisation, Simulator
from simulator.exchange.organisation import large_organisation
from support.browser import chromium, opened
from support.controller import ROOT, Controller

PICTURES = ROOT / "docs" / "images"
UNITS = (
    *("Sales", "Sales/Berlin", "Sales/London", "Sales/Paris", "Engineering", "Engineering/Platform", "Finance"),
    *("Finance/Payroll", "Human Resources", "Legal", "Marketing", "Operations", "Operations/Warehouse", "Support"),
)
SERVERS = ("MBX01", "MBX02", "MBX03", "MBX04")
DEVICES = ("Scanner", "Label printer", "Ticket intake", "Fax gateway", "Alarm panel")
ROOMS = ("Berlin", "London", "Paris", "Warehouse")


def main() -> int:
    organisation, declared = contoso()
    with Simulator(organisation) as exchange, tempfile.TemporaryDirectory(prefix="report-pictures-") as folder:
        controller = Controller(Path(folder))
        try:
            write_report(controller, exchange, declared)
        finally:
            controller.close()
        take_pictures((Path(folder) / "pop3-report" / "pop3-report.html").read_text("utf-8"), Path(folder))
    return 0


def contoso() -> tuple[Organisation, list[str]]:
    """5,000 mailboxes, and who is meant to have POP3: devices. A few people have it too, as happens."""
    devices = [f"{device} {room}" for device in DEVICES for room in ROOMS]
    people = large_organisation(5000 - len(devices), organizational_units=UNITS, servers=SERVERS, pop_enabled=0)
    people.add_organizational_unit("Service accounts")
    for number, device in enumerate(devices):
        people.add_mailbox(
            device,
            alias=device.lower().replace(" ", "-"),
            organizational_unit="Service accounts" if number % 3 else UNITS[number % len(UNITS)],
            server=SERVERS[number % len(SERVERS)],
            pop_enabled=number != 7,
        )
    for person in list(people.mailboxes())[40:1240:400]:
        people.change_settings(person, {"PopEnabled": True})
    listed = [device.lower().replace(" ", "-") + "@contoso.com" for device in devices]
    return people, [*listed, "scaner-berlin@contoso.com"]


def write_report(controller: Controller, exchange: Farm, declared: list[str]) -> None:
    """Run the playbook as a user does."""
    variables = {
        "pop3_report_connection_uri": exchange.exchange.https_uri,
        "pop3_report_ca_cert": str(exchange.ca_file),
        "pop3_report_authentication": "basic",
        "pop3_report_username": exchange.administrator.name,
        "pop3_report_password": exchange.password,
        "pop3_report_declared": declared,
    }
    start = time.perf_counter()
    run = controller.run_playbook("mailops.exchange.pop3_report", "-e", json.dumps(variables))
    print(run.output)
    print(f"{time.perf_counter() - start:.1f} s for the whole of ansible-playbook")
    if run.returncode:
        sys.exit(run.returncode)


def take_pictures(html: str, folder: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    with chromium() as browser:
        for name, scheme in (("pop3_report.png", "light"), ("pop3_report_dark.png", "dark")):
            with opened(browser, folder, html, color_scheme=scheme, viewport={"width": 1280, "height": 800}) as seen:
                seen.page.screenshot(path=PICTURES / name, full_page=scheme == "light")
                print(PICTURES / name, (PICTURES / name).stat().st_size, "bytes")


if __name__ == "__main__":
    sys.exit(main())
