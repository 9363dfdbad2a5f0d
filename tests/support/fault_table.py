# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every fault and writes what came of it into the table of docs/faults.md."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from simulator import MAIL_RECIPIENTS, Simulator
from support.faults import FAULTS, MANY, NAMES, Fault, Seen, run_with
from support.in_process import InProcess
from support.pop3_tasks import ADMIN, PASSWORD, Pop3Tasks

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = "| Fault | What the user sees | What was lost |\n|---|---|---|\n"


def main() -> None:
    rows = []
    for fault in FAULTS:
        rows.append(seen(fault).row())
        print(rows[-1], flush=True)
    page = PAGE.read_text("utf-8")
    table = HEAD + "\n".join(rows) + "\n"
    PAGE.write_text(re.sub(r"\| Fault \|.*\n(\|.*\n)*", lambda _match: table, page), "utf-8")


def seen(fault: Fault) -> Seen:
    """Run one fault on an organisation of its own."""
    with Simulator() as simulator, tempfile.TemporaryDirectory() as folder:
        simulator.users.add(ADMIN, PASSWORD, MAIL_RECIPIENTS)
        for name in MANY[len(NAMES) :]:
            simulator.organisation.add_mailbox(name, pop_enabled=False)
        controller = InProcess(Path(folder))
        try:
            return run_with(fault, Pop3Tasks(simulator, controller, None))
        finally:
            controller.close()


if __name__ == "__main__":
    main()
