# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter pop3_report_text: a report becomes one or two sentences."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pop3_report_text
short_description: Say in one or two sentences what a POP3 report found
version_added: 0.1.0
description:
  - How many mailboxes can be read over POP3, and what is not as declared, with the first names of each kind.
  - For a message in the terminal, in a mail or in a chat.
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
- name: Say what was found
  ansible.builtin.debug:
    msg: "{{ report | mailops.exchange.pop3_report_text }}"
"""

RETURN = r"""
_value:
  description: The sentences.
  type: str
  sample: 23 of 5,000 mailboxes can be read over POP3. Exactly as declared.
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._data import from_data
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._model import ReportError
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._words import headline, verdict


def pop3_report_text(report: object) -> str:
    """See the documentation above."""
    try:
        known = from_data(report)
    except ReportError as exc:
        raise AnsibleFilterError(f"pop3_report_text: {exc}") from exc
    return f"{' '.join(headline(known))}. {verdict(known)}"


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"pop3_report_text": pop3_report_text}
