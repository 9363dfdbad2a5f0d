# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter pop3_report_html: a report becomes one HTML page."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pop3_report_html
short_description: Make one self-contained HTML page of a POP3 report
version_added: 0.1.0
description:
  - The page loads nothing from anywhere, and a Content-Security-Policy lets nothing run in it but its own script.
  - Everything that came from Exchange is escaped.
positional: _input
options:
  _input:
    description: What P(mailops.exchange.pop3_report#filter) returned.
    type: dict
    required: true
  css:
    description: The style sheet. The role P(mailops.exchange.pop3_report#role) has one among its files.
    type: str
    required: true
  js:
    description: The script that fills, sorts and filters the table. The role has it too.
    type: str
    required: true
  csv_name:
    description: The file beside the page that has the same as CSV.
    type: str
    default: pop3-report.csv
  json_name:
    description: The file beside the page that has the same as JSON.
    type: str
    default: pop3-report.json
seealso:
  - plugin: mailops.exchange.pop3_report
    plugin_type: filter
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: Write the page
  ansible.builtin.copy:
    content: "{{ report | mailops.exchange.pop3_report_html(css=lookup('file', 'a.css'), js=lookup('file', 'a.js')) }}"
    dest: pop3-report.html
    mode: "0640"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._data import from_data
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._model import ReportError
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._page import page


def pop3_report_html(
    report: object,
    css: str,
    js: str,
    csv_name: str = "pop3-report.csv",
    json_name: str = "pop3-report.json",
) -> str:
    """See the documentation above."""
    try:
        return page(from_data(report), css=css, js=js, csv_name=csv_name, json_name=json_name)
    except ReportError as exc:
        raise AnsibleFilterError(f"pop3_report_html: {exc}") from exc


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"pop3_report_html": pop3_report_html}
