# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter pop3_report: mailboxes, and who is meant to have POP3, become a report as plain data."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pop3_report
short_description: Say who can read mail over POP3, and who should, as plain data
version_added: 0.1.0
description:
  - Makes one report of what M(mailops.exchange.exchange_pop3_access_info) returned. Each mailbox is in it once,
    known by its GUID.
  - With O(declared), each mailbox has a verdict, and the drift is counted.
  - The role P(mailops.exchange.pop3_report#role) reads the mailboxes and writes the report as a page, CSV and JSON.
positional: _input
options:
  _input:
    description: The RV(mailops.exchange.exchange_pop3_access_info#module:mailboxes) of the scope, with all states.
    type: list
    elements: dict
    required: true
  made_at:
    description: When the mailboxes were read, as in V(2026-11-24T21:30:00Z).
    type: str
    required: true
  title:
    description: The title of the report.
    type: str
    default: POP3 access
  declared:
    description:
      - The identities that are meant to have POP3. An empty list says that nobody is.
      - Without it, nothing is compared.
    type: list
    elements: str
  declared_mailboxes:
    description:
      - What the module returned as RV(mailops.exchange.exchange_pop3_access_info#module:mailboxes) when it was
        asked for the identities in O(declared).
    type: list
    elements: dict
    default: []
  failures:
    description:
      - What it then returned as RV(mailops.exchange.exchange_pop3_access_info#module:failures).
      - V(not_found) and V(ambiguous) are part of the drift. With any other reason, or if an identity has no answer,
        there is no report.
    type: list
    elements: dict
    default: []
  connection_uri:
    description: Which Exchange was asked. For the reader only.
    type: str
  inventory_hostname:
    description: Through which host of the inventory, where the address is not known. For the reader only.
    type: str
  domain_controller:
    description: Which domain controller was asked. For the reader only.
    type: str
  filter:
    description: The OPATH filter of the scope. For the reader only; nothing is filtered here.
    type: str
  organizational_unit:
    description: The organizational unit of the scope. For the reader only.
    type: str
seealso:
  - plugin: mailops.exchange.pop3_report_html
    plugin_type: filter
  - plugin: mailops.exchange.pop3_report_csv
    plugin_type: filter
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: Read all mailboxes
  mailops.exchange.exchange_pop3_access_info:
  register: everybody

- name: How many can be read over POP3?
  ansible.builtin.debug:
    msg: "{{ (everybody.mailboxes | mailops.exchange.pop3_report(made_at=now(utc=true).isoformat() ~ 'Z')).counts }}"

- name: Nobody should have it. Who has?
  ansible.builtin.debug:
    msg: "{{ report.mailboxes | selectattr('verdict', 'eq', 'should_not_have_it') | map(attribute='name') | list }}"
  vars:
    report: "{{ everybody.mailboxes | mailops.exchange.pop3_report(made_at='2026-11-24T21:30:00Z', declared=[]) }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
  contains:
    format:
      description: The version of this format. It rises when a key changes or goes.
      type: int
      sample: 1
    title:
      description: The title.
      type: str
    made_at:
      description: When the mailboxes were read.
      type: str
    exchange:
      description: Which Exchange was asked, with C(connection_uri), C(inventory_hostname) and C(domain_controller).
      type: dict
    scope:
      description: C(filter) and C(organizational_unit).
      type: dict
    counts:
      description: C(total), C(enabled) and C(disabled) mailboxes in the scope.
      type: dict
    drift:
      description:
        - What is not as declared; null without O(declared).
        - C(as_declared) is the verdict. C(counts) has C(should_not_have_it), C(should_have_it) and C(unresolved).
          C(unresolved) has each identity that names no mailbox or more than one, with C(reason) and C(msg).
      type: dict
    by_server:
      description: For each server its C(name), and its mailboxes, C(total), C(enabled) and C(should_not_have_it).
      type: list
      elements: dict
    by_organizational_unit:
      description: The same for each organizational unit.
      type: list
      elements: dict
    mailboxes:
      description:
        - Each mailbox with what M(mailops.exchange.exchange_pop3_access_info) says of it, and besides C(in_scope),
          C(declared), C(declared_as), the names that the list has for it, and C(verdict), one of V(should_not_have_it),
          V(should_have_it) and V(as_declared).
      type: list
      elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._build import build
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._data import to_data
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._model import About, ReportError
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._plain import optional_text
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._words import moment


def pop3_report(
    mailboxes: object,
    made_at: str,
    title: str = "POP3 access",
    declared: object = None,
    declared_mailboxes: object = (),
    failures: object = (),
    connection_uri: str | None = None,
    inventory_hostname: str | None = None,
    domain_controller: str | None = None,
    filter: str | None = None,  # noqa: A002 - the name that the option has everywhere
    organizational_unit: str | None = None,
) -> dict[str, Any]:
    """See the documentation above."""
    about = About(
        title="".join(title),
        made_at="".join(made_at),
        connection_uri=optional_text(connection_uri),
        inventory_hostname=optional_text(inventory_hostname),
        domain_controller=optional_text(domain_controller),
        filter=optional_text(filter),
        organizational_unit=optional_text(organizational_unit),
    )
    try:
        moment(about.made_at)
        return to_data(
            build(mailboxes, about, declared=declared, declared_mailboxes=declared_mailboxes, failures=failures)
        )
    except ReportError as exc:
        raise AnsibleFilterError(f"pop3_report: {exc}") from exc


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"pop3_report": pop3_report}
