# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter pop3_report_csv: a report becomes CSV."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pop3_report_csv
short_description: Make CSV of a POP3 report
version_added: 0.1.0
description:
  - UTF-8 with a byte order mark, as RFC 4180 wants it, a line for each mailbox, and then one for each declared name
    that names no mailbox or more than one.
  - A cell that a spreadsheet would run as a formula, because it begins with C(=), C(+), C(-), C(@), a tab or a carriage
    return, has an apostrophe before it. Take the JSON where the exact text matters.
positional: _input
options:
  _input:
    description: What P(mailops.exchange.pop3_report#filter) returned.
    type: dict
    required: true
seealso:
  - plugin: mailops.exchange.pop3_report
    plugin_type: filter
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: Write the CSV
  ansible.builtin.copy:
    content: "{{ report | mailops.exchange.pop3_report_csv }}"
    dest: pop3-report.csv
    mode: "0640"
"""

RETURN = r"""
_value:
  description: The CSV.
  type: str
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._csv import to_csv
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._data import from_data
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._model import ReportError


def pop3_report_csv(report: object) -> str:
    """See the documentation above."""
    try:
        return to_csv(from_data(report))
    except ReportError as exc:
        raise AnsibleFilterError(f"pop3_report_csv: {exc}") from exc


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"pop3_report_csv": pop3_report_csv}
