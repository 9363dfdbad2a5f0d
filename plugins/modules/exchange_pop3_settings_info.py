#!/usr/bin/python

# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module exchange_pop3_settings_info: its documentation, and its face for ``delegate_to``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_pop3_settings_info
short_description: Say how POP3 is set on Microsoft Exchange servers
version_added: 0.1.0
description:
  - Reads the POP3 settings of servers, of a few or of all, as C(Get-PopSettings) does.
  - They are what the services read when they next start. What the running ones follow may be older.
  - Changes nothing.
options:
  server:
    description:
      - One server, as in M(mailops.exchange.exchange_pop3_settings).
      - Without O(server) and O(servers), every server of the organisation that serves clients.
    type: str
  servers:
    description:
      - A list of servers. If one cannot be read, the task fails, and the others are in its result.
    type: list
    elements: str
extends_documentation_fragment:
  - mailops.exchange.connection
  - mailops.exchange.connection.common
  - mailops.exchange.attributes
seealso:
  - module: mailops.exchange.exchange_pop3_settings
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: How is POP3 set on every server?
  mailops.exchange.exchange_pop3_settings_info:
  register: pop3

- name: Say where a password may cross the network in the clear
  ansible.builtin.debug:
    msg: "{{ pop3.servers | selectattr('login_type', 'eq', 'PlainTextLogin') | map(attribute='name') | list }}"

- name: And on mbx01?
  mailops.exchange.exchange_pop3_settings_info:
    server: mbx01.contoso.com

- name: And on these two, from localhost?
  mailops.exchange.exchange_pop3_settings_info:
    connection_uri: http://mbx01.contoso.com/PowerShell/
    servers:
      - mbx01
      - mbx02

- name: Through a jump host, where only that reaches Exchange
  mailops.exchange.exchange_pop3_settings_info:
    server: mbx01
  delegate_to: jump.contoso.com
"""

RETURN = r"""
connection_uri:
  description:
    - Where Exchange was asked; it may have come from the host's own connection or from the environment.
    - Null with O(transport=host_shell) where it is not given, because the host asks its own Exchange then.
  returned: when the options are valid
  type: str
  sample: http://mbx01.contoso.com/PowerShell/
servers:
  description:
    - The servers that were asked for and could be read, in that order.
    - A setting that the server's version does not have is missing, and one that is not set is V(null).
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    server:
      description: The server as it was asked for.
      type: str
      sample: mbx01.contoso.com
    name:
      description: The server's name.
      type: str
      sample: MBX01
    authenticated_connection_timeout:
      description: How long an idle connection of a user who has logged in stays open, as C(hh:mm:ss).
      type: str
    banner:
      description: The text with which the service greets.
      type: str
    calendar_item_retrieval_option:
      description: How meeting requests are handed out.
      type: str
    enable_exact_rfc822_size:
      description: Whether the exact size of messages is worked out.
      type: bool
    enable_gssapi_and_ntlm_auth:
      description: Whether connections without TLS may log in with NTLM.
      type: bool
    enforce_certificate_errors:
      description: Whether a connection fails where the certificate is not valid.
      type: bool
    extended_protection_policy:
      description: Whether Extended Protection for Authentication is used.
      type: str
    external_connection_settings:
      description: What clients outside are told of how to connect.
      type: list
      elements: str
    internal_connection_settings:
      description: What clients inside are told of how to connect.
      type: list
      elements: str
    log_file_location:
      description: The folder of the server for the protocol log.
      type: str
    log_file_rollover_settings:
      description: How often the protocol log begins a new file.
      type: str
    log_per_file_size_quota:
      description: The largest size of a file of the protocol log.
      type: str
    login_type:
      description: How clients may log in.
      type: str
    max_command_size:
      description: The longest command in bytes.
      type: int
    max_connection_from_single_ip:
      description: How many connections one address may have.
      type: int
    max_connections:
      description: How many connections the server accepts.
      type: int
    max_connections_per_user:
      description: How many connections one user may have.
      type: int
    message_retrieval_mime_format:
      description: How messages are handed out.
      type: str
    message_retrieval_sort_order:
      description: How messages are sorted.
      type: str
    owa_server_url:
      description: The address of Outlook on the web for meeting requests.
      type: str
    pre_authenticated_connection_timeout:
      description: How long an idle connection stays open before anybody has logged in.
      type: str
    protocol_log_enabled:
      description: Whether the protocol is logged.
      type: bool
    proxy_target_port:
      description: The port of the backend service.
      type: int
    ssl_bindings:
      description: The addresses and ports with TLS from the first byte on.
      type: list
      elements: str
    suppress_read_receipt:
      description: Whether a sender gets one read receipt only.
      type: bool
    unencrypted_or_tls_bindings:
      description: The addresses and ports without TLS at first.
      type: list
      elements: str
    x509_certificate_name:
      description: The host name in the certificate for TLS.
      type: str
  sample: []
failures:
  description: One item for each server that could not be read.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    server:
      description: The server as it was asked for.
      type: str
    reason:
      description: As in M(mailops.exchange.exchange_pop3_settings), such as V(not_found) or V(access_denied).
      type: str
    msg:
      description: What happened and what to check, in words.
      type: str
  sample: []
msg:
  description: What went wrong, in words.
  returned: failure
  type: str
"""

from ansible_collections.mailops.exchange.plugins.module_utils._module._module_face import run_as_module
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_settings_info import POP3_SETTINGS_INFO


def main() -> None:
    run_as_module(POP3_SETTINGS_INFO)


if __name__ == "__main__":
    main()
