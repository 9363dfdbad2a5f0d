#!/usr/bin/python

# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module exchange_pop3_access_info: its documentation, and its face for ``delegate_to``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_pop3_access_info
short_description: Say who may read mail over POP3 on Microsoft Exchange Server
version_added: 0.1.0
description:
  - Reads the POP3 settings of mailboxes, of a few or of the whole organisation, as C(Get-CASMailbox) does. There is no
    cut after 1000 mailboxes.
  - Changes nothing.
options:
  identity:
    description:
      - One mailbox, as in M(mailops.exchange.exchange_pop3_access).
      - Without O(identity), O(identities), O(filter) and O(organizational_unit), every mailbox of the organisation.
    type: str
  identities:
    description:
      - A list of mailboxes. If one cannot be read, the task fails, and the others are in its result.
    type: list
    elements: str
  filter:
    description:
      - The mailboxes that this OPATH filter matches, as for C(Get-CASMailbox -Filter).
      - Instead of O(identity) and O(identities).
    type: str
  organizational_unit:
    description:
      - The mailboxes in this organizational unit and below it, such as V(contoso.com/Sales).
      - Instead of O(identity) and O(identities).
    type: str
  state:
    description:
      - Which of them are returned. RV(counts) counts all of them.
    type: str
    default: any
    choices:
      enabled: Those that may be read over POP3.
      disabled: Those that may not.
      any: All of them.
extends_documentation_fragment:
  - mailops.exchange.connection
  - mailops.exchange.connection.common
  - mailops.exchange.attributes
seealso:
  - module: mailops.exchange.exchange_pop3_access
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: Who may read mail over POP3 in the whole organisation?
  mailops.exchange.exchange_pop3_access_info:
    state: enabled
  register: pop3

- name: Say so
  ansible.builtin.debug:
    msg: "{{ pop3.counts.enabled }} of {{ pop3.counts.total }}: {{ pop3.mailboxes | map(attribute='name') | list }}"

- name: How is POP3 set for John Smith?
  mailops.exchange.exchange_pop3_access_info:
    identity: john.smith@contoso.com

- name: And in Sales?
  mailops.exchange.exchange_pop3_access_info:
    organizational_unit: contoso.com/Sales

- name: And of those whose name begins with scan?
  mailops.exchange.exchange_pop3_access_info:
    filter: "Name -like 'scan*'"
"""

RETURN = r"""
connection_uri:
  description:
    - Where Exchange was asked; it may have come from the host's own connection or from the environment.
    - Null with O(transport=host_shell) where it is not given, because the host asks its own Exchange then.
  returned: when the options are valid
  type: str
  sample: http://mbx01.contoso.com/PowerShell/
mailboxes:
  description: The mailboxes that were asked for and have the wanted O(state).
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    identity:
      description: The identity as it was asked for; the e-mail address of a mailbox that was selected.
      type: str
      sample: john.smith@contoso.com
    name:
      description: The mailbox's name.
      type: str
      sample: John Smith
    guid:
      description: The mailbox's GUID.
      type: str
      sample: 2d3f8a52-6c0c-4c1e-9ae5-4a2f8fbb0d1c
    primary_smtp_address:
      description: The mailbox's primary e-mail address.
      type: str
      sample: john.smith@contoso.com
    server:
      description: The server that holds the mailbox.
      type: str
      sample: mbx01
    organizational_unit:
      description: The container of the mailbox in Active Directory, as a canonical name.
      type: str
      sample: contoso.com/Sales
    pop_enabled:
      description: Whether POP3 access is on.
      type: bool
      sample: true
    pop_use_protocol_defaults:
      description: Whether the server's settings apply instead of the following.
      type: bool
    pop_messages_retrieval_mime_format:
      description: How messages are handed out.
      type: str
    pop_enable_exact_rfc822_size:
      description: Whether the exact size of messages is worked out.
      type: bool
    pop_suppress_read_receipt:
      description: Whether read receipts are held back.
      type: bool
    pop_force_ical_for_calendar_retrieval_option:
      description: Whether meeting requests are handed out as iCalendar files.
      type: bool
  sample: []
failures:
  description: One item for each identity that could not be read.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    identity:
      description: The identity as it was asked for.
      type: str
    reason:
      description: As in M(mailops.exchange.exchange_pop3_access), such as V(not_found) or V(ambiguous).
      type: str
    msg:
      description: What happened and what to check, in words.
      type: str
  sample: []
counts:
  description: All the mailboxes that were read, whatever O(state) is wanted.
  returned: when the options are valid
  type: dict
  contains:
    total:
      description: How many were read.
      type: int
    enabled:
      description: How many of them may be read over POP3.
      type: int
    disabled:
      description: How many of them may not.
      type: int
  sample:
    total: 3
    enabled: 1
    disabled: 2
msg:
  description: What went wrong, in words.
  returned: failure
  type: str
"""

from ansible_collections.mailops.exchange.plugins.module_utils._module._module_face import run_as_module
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access_info import POP3_ACCESS_INFO


def main() -> None:
    run_as_module(POP3_ACCESS_INFO)


if __name__ == "__main__":
    main()
