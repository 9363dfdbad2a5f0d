# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""POP3 reports of made-up mailboxes, without Exchange and without Ansible: data, page, CSV."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.mailops.exchange.plugins.filter.pop3_report import pop3_report
from ansible_collections.mailops.exchange.plugins.filter.pop3_report_html import pop3_report_html

FILES = Path(__file__).parents[2] / "roles" / "pop3_report" / "files"
MADE_AT = "2026-11-24T21:30:00Z"
Line = dict[str, Any]


def mailbox(name: str, *, on: bool = False, **given: Any) -> Line:
    """What exchange_pop3_access_info says of a mailbox. The same name has the same GUID."""
    mail = given.pop("mail", f"{name.lower().replace(' ', '.')}@contoso.com")
    return {
        "identity": mail,
        "name": name,
        "guid": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "primary_smtp_address": mail,
        "server": "MBX01",
        "organizational_unit": "contoso.com/Sales",
        "pop_enabled": on,
        "pop_use_protocol_defaults": True,
        "pop_messages_retrieval_mime_format": "BestBodyFormat",
        "pop_enable_exact_rfc822_size": False,
        "pop_suppress_read_receipt": False,
        "pop_force_ical_for_calendar_retrieval_option": False,
        **given,
    }


def many(number: int) -> list[Line]:
    """Mailboxes with names, servers and units in turn; every third has POP3."""
    return [
        mailbox(
            f"Person {index:05}",
            on=index % 3 == 0,
            server=f"MBX{index % 4 + 1:02}",
            organizational_unit=f"contoso.com/{('Sales', 'Sales/Berlin', 'Finance', 'Legal')[index % 4]}",
        )
        for index in range(number)
    ]


def named(line: Line, identity: str) -> Line:
    """What the module says when it is asked for this mailbox by a name."""
    return {**line, "identity": identity}


def failure(identity: str, reason: str = "not_found") -> dict[str, str]:
    return {"identity": identity, "reason": reason, "msg": f"'{identity}': {reason}."}


def report(mailboxes: Sequence[Line], declared: Sequence[Line] | None = None, **given: Any) -> dict[str, Any]:
    """The report as data. ``declared`` are the mailboxes that Exchange found for the list."""
    if declared is not None:
        asked = [line["identity"] for line in declared] + [f["identity"] for f in given.get("failures", [])]
        given = {"declared": asked, "declared_mailboxes": declared, **given}
    return pop3_report(mailboxes, made_at=MADE_AT, **given)


def page(data: dict[str, Any]) -> str:
    """The page as the role makes it."""
    css, js = ((FILES / name).read_text("utf-8") for name in ("report.css", "report.js"))
    return pop3_report_html(data, css=css, js=js)
