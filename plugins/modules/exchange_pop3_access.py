#!/usr/bin/python

# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module exchange_pop3_access: its documentation, and its face for ``delegate_to``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_pop3_access
short_description: Declare who may read mail over POP3 on Microsoft Exchange Server
version_added: 0.1.0
description:
  - Enables or disables POP3 access for mailboxes, as C(Set-CASMailbox -PopEnabled) does, and proves each change by
    reading the mailbox back.
  - By default, talks to Exchange itself, from the controller, over Exchange's remote PowerShell. Nothing is installed
    or run on the Exchange server then, no PowerShell is needed on the controller, and no C(delegate_to) on a Windows
    host. The other way is O(transport=host_shell).
  - Access takes effect only after the services MSExchangePOP3 and MSExchangePOP3BE have been restarted on every
    server that serves POP3. The return value RV(restart_required) says whether that is due.
options:
  identity:
    description:
      - The mailbox, in any form that Exchange accepts, such as name, alias, e-mail address, user principal name,
        C(DOMAIN\user), distinguished name or GUID. The e-mail address is the safest, because names need not be unique.
      - Taken as it is. It is never split at commas and has no wildcards.
      - Has to be text. Quote it if it looks like a number.
      - One of O(identity), O(identities), O(filter) and O(organizational_unit) is required.
    type: str
  identities:
    description:
      - A list of mailboxes, each as in O(identity).
      - One that cannot be found does not stop the others, but for O(exclusive=true).
    type: list
    elements: str
  filter:
    description:
      - Every mailbox that this OPATH filter matches, as for C(Get-CASMailbox -Filter), instead of O(identity) and
        O(identities). Exchange reads it.
      - With O(exclusive=true), the scope in which everybody who is not listed loses access.
    type: str
  organizational_unit:
    description:
      - Every mailbox in this organizational unit and below it, such as V(contoso.com/Sales), instead of O(identity) and
        O(identities). Together with O(filter), what both select.
      - With O(exclusive=true), the scope, as in O(filter).
    type: str
  state:
    description:
      - Whether the mailboxes may be read over POP3.
    type: str
    required: true
    choices:
      enabled: POP3 access is on.
      disabled: POP3 access is off.
  exclusive:
    description:
      - With O(state=enabled), the listed mailboxes have access, and every other mailbox loses it, in the whole
        organisation or in the scope that O(filter) and O(organizational_unit) give.
      - If one of the listed mailboxes cannot be found, nothing is changed. A typo in the list takes access from nobody.
      - RV(mailboxes) has those that are listed, and of all the others those that had access.
    type: bool
    default: false
  allow_empty:
    description:
      - Allows O(identities) to be C([]) with O(exclusive=true), so that everybody in scope loses access.
    type: bool
    default: false
  max_changes:
    description:
      - A brake. If more mailboxes than this would change, none is changed, and the task fails with the plan in
        RV(plan). Check mode shows what would change, and says in RV(msg) and in a warning that a real run would not.
      - The default is 50 with O(exclusive=true), and no limit without it. V(-1) is no limit.
    type: int
  use_protocol_defaults:
    description:
      - Whether the server's settings for POP3 apply to the mailbox (V(true)), or its own (V(false)), which are those
        below. Only with O(state=enabled), as for these.
      - What is not given is left as it is.
    type: bool
  messages_retrieval_mime_format:
    description:
      - How messages are handed out. Only with O(use_protocol_defaults=false).
    type: str
    choices:
      - TextOnly
      - HtmlOnly
      - HtmlAndTextAlternative
      - TextEnrichedOnly
      - TextEnrichedAndTextAlternative
      - BestBodyFormat
      - Tnef
  enable_exact_rfc822_size:
    description:
      - Whether the exact size of messages is worked out, for the few clients that need it. Only with
        O(use_protocol_defaults=false).
    type: bool
  suppress_read_receipt:
    description:
      - Whether read receipts are held back until the user opens the message. Only with O(use_protocol_defaults=false).
    type: bool
  force_ical_for_calendar_retrieval_option:
    description:
      - Whether meeting requests are handed out as iCalendar files instead of links to Outlook on the web. Only with
        O(use_protocol_defaults=false).
    type: bool
extends_documentation_fragment:
  - mailops.exchange.connection
  - mailops.exchange.connection.common
  - mailops.exchange.attributes
seealso:
  - name: Set-CASMailbox
    description: The cmdlet behind this module.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-casmailbox
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: John Smith may read his mail over POP3
  mailops.exchange.exchange_pop3_access:
    identity: john.smith@contoso.com
    state: enabled

- name: The same from localhost, with a ticket that kinit has fetched
  mailops.exchange.exchange_pop3_access:
    connection_uri: http://mbx01.contoso.com/PowerShell/
    identity: John Smith
    state: enabled

- name: Nobody in this list may, and every change is shown
  mailops.exchange.exchange_pop3_access:
    identities:
      - patrick.colon@contoso.com
      - "Smith, Jane"
      - CONTOSO\ali
    state: disabled
  diff: true
  register: pop3

- name: Say who it was
  ansible.builtin.debug:
    msg: "{{ item.name }} ({{ item.primary_smtp_address }})"
  loop: "{{ pop3.mailboxes | selectattr('changed') }}"
  loop_control:
    label: "{{ item.identity }}"

- name: Nobody but these two may, in the whole organisation; see who would lose access first, with --check --diff
  mailops.exchange.exchange_pop3_access:
    identities:
      - john.smith@contoso.com
      - scanner@contoso.com
    state: enabled
    exclusive: true
    max_changes: 200

- name: Nobody in Sales may
  mailops.exchange.exchange_pop3_access:
    organizational_unit: contoso.com/Sales
    state: disabled

- name: The scanner gets plain text
  mailops.exchange.exchange_pop3_access:
    identity: scanner@contoso.com
    state: enabled
    use_protocol_defaults: false
    messages_retrieval_mime_format: TextOnly

- name: Connection options once for all tasks of a play
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/mailops.exchange.exchange:
      connection_uri: https://mbx01.contoso.com/PowerShell/
      authentication: basic
      username: popadmin@contoso.com
      password: "{{ vault_popadmin_password }}"
      ca_cert: /etc/ssl/certs/contoso-ca.pem
  tasks:
    - name: John Smith may not read his mail over POP3
      mailops.exchange.exchange_pop3_access:
        identity: john.smith@contoso.com
        state: disabled

- name: Through a jump host, where only that reaches Exchange
  mailops.exchange.exchange_pop3_access:
    identity: john.smith@contoso.com
    state: enabled
  delegate_to: jump.contoso.com
"""

RETURN = r"""
changed:
  description: Whether any mailbox was changed, or in check mode would be.
  returned: always
  type: bool
  sample: true
restart_required:
  description:
    - Whether the POP3 services have to be restarted for the change to take effect.
    - Also true where a change was sent and its answer never came.
    - In check mode, whether a real run would make it so.
  returned: when the options are valid
  type: bool
  sample: true
mailboxes:
  description:
    - One item for each identity asked for, in that order.
    - Then one for each other mailbox that O(filter) and O(organizational_unit) select; with O(exclusive=true), for each
      other one that had access.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    identity:
      description: The identity as it was asked for; the e-mail address of a mailbox that was selected.
      type: str
      sample: john.smith@contoso.com
    name:
      description: The mailbox's name; V(null) if it was not found.
      type: str
      sample: John Smith
    guid:
      description: The mailbox's GUID; V(null) if it was not found. Two identities with one GUID are one mailbox.
      type: str
      sample: 2d3f8a52-6c0c-4c1e-9ae5-4a2f8fbb0d1c
    primary_smtp_address:
      description: The mailbox's primary e-mail address; V(null) if it was not found.
      type: str
      sample: john.smith@contoso.com
    server:
      description: The server that holds the mailbox; V(null) if it was not found.
      type: str
      sample: mbx01
    changed:
      description: Whether this mailbox was changed, or in check mode would be.
      type: bool
      sample: true
    before:
      description: The POP3 settings that were found; V(null) if the mailbox was not found.
      type: dict
      contains:
        pop_enabled:
          description: Whether POP3 access was on.
          type: bool
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
      sample:
        pop_enabled: false
    after:
      description:
        - The POP3 settings that were read back, or in check mode those that would be.
        - V(null) if that is not known.
      type: dict
      contains:
        pop_enabled:
          description: Whether POP3 access is on.
          type: bool
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
      sample:
        pop_enabled: true
failures:
  description: One item for each identity that is not as declared. If there is any, the task has failed.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    identity:
      description: The identity as it was asked for.
      type: str
      sample: Jon Smith
    reason:
      description:
        - V(not_found), no mailbox has this identity; V(ambiguous), several have it.
        - V(access_denied), this user may not read or change it.
        - V(not_kept), Exchange accepted the change, and the mailbox still is not as declared.
        - V(unconfirmed), the change was sent, and what became of it is not known.
        - V(error), anything else; see C(msg).
      type: str
      sample: not_found
    msg:
      description: What happened and what to check, in words.
      type: str
  sample: []
plan:
  description:
    - What would be changed; items as in RV(mailboxes), with only those settings in C(before) and C(after) that differ.
    - RV(mailboxes) has the others then, and RV(failures) those that could not be found.
  returned: when nothing was changed because there are more changes than O(max_changes)
  type: list
  elements: dict
counts:
  description: Every identity asked for is counted once.
  returned: when the options are valid
  type: dict
  contains:
    total:
      description: How many identities were asked for.
      type: int
    changed:
      description: How many were changed, or in check mode would be.
      type: int
    unchanged:
      description: How many were as declared already.
      type: int
    failed:
      description: How many are in RV(failures).
      type: int
  sample:
    total: 3
    changed: 1
    unchanged: 2
    failed: 0
msg:
  description: How many of how many failed and why, in words; in check mode also that a real run would change nothing.
  returned: failure, or check mode with more changes than O(max_changes)
  type: str
  sample: "1 of 3 mailboxes failed: 1 not found. Of the others, 1 changed and 1 were as declared. ..."
"""

from ansible_collections.mailops.exchange.plugins.module_utils._module._module_face import run_as_module
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access import POP3_ACCESS


def main() -> None:
    run_as_module(POP3_ACCESS)


if __name__ == "__main__":
    main()
