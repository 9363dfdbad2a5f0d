#!/usr/bin/python

# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module exchange_pop3_settings: its documentation, and its face for ``delegate_to``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_pop3_settings
short_description: Declare the POP3 settings of Microsoft Exchange servers
version_added: 0.1.0
description:
  - Sets how the POP3 services of servers listen, log in, encrypt, time out and log, as C(Set-PopSettings) does, and
    proves each change by reading the server's settings back.
  - What is not given is left as it is. Values are compared by what they mean and not by how they are written.
  - The services MSExchangePOP3 and MSExchangePOP3BE read their settings when they start. RV(restart_required) says
    whether they have to be restarted, in RV(servers) for each server. The role P(mailops.exchange.pop3_services#role)
    does both with C(pop3_services_settings), and remembers a restart that was not made.
options:
  server:
    description:
      - The server, by its name, full name, distinguished name or legacy Exchange DN.
      - One of O(server), O(servers) and O(all_servers=true) is required. None of them has a default, so that no
        server is changed that nobody named.
    type: str
  servers:
    description:
      - A list of servers, each as in O(server). One that fails does not stop the others.
    type: list
    elements: str
  all_servers:
    description:
      - V(true) takes every server of the organisation that serves clients, as C(Get-ExchangeServer) lists them. An Edge
        Transport server is none, nor is an Exchange 2013 without the Client Access role.
    type: bool
  authenticated_connection_timeout:
    description:
      - How long an idle connection of a user who has logged in stays open, as C(hh:mm:ss) or C(d.hh:mm:ss) in quotes,
        or as a number of seconds. From V(00:00:30) through V(1:00:00), and in some versions V(1.00:00:00).
      - Without quotes, YAML itself makes seconds of V(1:00:00), and of V(1:30) too, which is then a minute and a half.
    type: str
  banner:
    description:
      - The text with which the service greets.
    type: str
  calendar_item_retrieval_option:
    description:
      - How meeting requests are handed out, by name in any case or by number, V(iCalendar) (0), V(IntranetUrl) (1),
        V(InternetUrl) (2) or V(Custom) (3).
      - V(Custom) needs O(owa_server_url), here or on the server already.
    type: str
  enable_exact_rfc822_size:
    description:
      - Whether the exact size of messages is worked out, for the few clients that need it. Costs performance.
    type: bool
  enable_gssapi_and_ntlm_auth:
    description:
      - Whether connections without TLS may log in with Integrated Windows authentication (NTLM).
    type: bool
  enforce_certificate_errors:
    description:
      - Whether a connection fails where the certificate is not valid or does not match the server.
    type: bool
  extended_protection_policy:
    description:
      - Whether Extended Protection for Authentication is used, by name in any case, V(None), V(Allow) or V(Require).
    type: str
  external_connection_settings:
    description:
      - What clients outside are told of how to connect, each as V(host:port:SSL), V(host:port:TLS), or V(host:port)
        for an unencrypted connection. The whole list. An empty one tells them nothing.
      - Ports and encryption should be those of O(ssl_bindings) and O(unencrypted_or_tls_bindings); where they are not,
        the task warns.
    type: list
    elements: str
  internal_connection_settings:
    description:
      - What clients inside are told, as in O(external_connection_settings). Servers use it too where they forward a
        connection to another one.
    type: list
    elements: str
  log_file_location:
    description:
      - The folder of the server for the protocol log.
    type: str
  log_file_rollover_settings:
    description:
      - How often the protocol log begins a new file while O(log_per_file_size_quota) is 0, by name in any case or by
        number, V(Hourly) (1), V(Daily) (2), V(Weekly) (3) or V(Monthly) (4).
    type: str
  log_per_file_size_quota:
    description:
      - The largest size of a file of the protocol log, such as V(10 MB), in B, KB, MB, GB or TB, or V(Unlimited).
        V(0) begins a new file by time instead.
      - Give whole kilobytes. Exchange may round what is less, and what it rounded is not as declared.
    type: str
  login_type:
    description:
      - How clients may log in, by name in any case or by number, V(PlainTextLogin) (1), V(PlainTextAuthentication)
        (2) or V(SecureLogin) (3). With V(SecureLogin), a client has to turn on TLS first.
    type: str
  max_command_size:
    description:
      - The longest command in bytes, from 40 through 1024.
    type: int
  max_connection_from_single_ip:
    description:
      - How many connections one address may have, from 1 through 2147483647.
    type: int
  max_connections:
    description:
      - How many connections the server accepts, from 1 through 2147483647.
    type: int
  max_connections_per_user:
    description:
      - How many connections one user may have, from 1 through 2147483647.
    type: int
  message_retrieval_mime_format:
    description:
      - How messages are handed out, by name in any case or by number, V(TextOnly) (0), V(HtmlOnly) (1),
        V(HtmlAndTextAlternative) (2), V(TextEnrichedOnly) (3), V(TextEnrichedAndTextAlternative) (4), V(BestBodyFormat)
        (5) or V(Tnef) (6). It counts for mailboxes that use the protocol's defaults.
    type: str
  message_retrieval_sort_order:
    description:
      - How messages are sorted, by name in any case or by number, V(Ascending) (0) or V(Descending) (1).
    type: str
  owa_server_url:
    description:
      - The address of Outlook on the web for O(calendar_item_retrieval_option=Custom).
    type: str
  pre_authenticated_connection_timeout:
    description:
      - How long an idle connection stays open before anybody has logged in, as in O(authenticated_connection_timeout).
        From V(00:00:30) through V(1:00:00).
    type: str
  protocol_log_enabled:
    description:
      - Whether the protocol is logged.
    type: bool
  proxy_target_port:
    description:
      - The port of the backend service to which the frontend forwards. It is 1995 by default.
    type: int
  ssl_bindings:
    description:
      - The addresses and ports with TLS from the first byte on, each as V(0.0.0.0:995) or, in quotes, V([::]:995).
        The whole list, in any order.
    type: list
    elements: str
  suppress_read_receipt:
    description:
      - Whether a sender gets one read receipt only, when the message is opened, and none when it is downloaded.
    type: bool
  unencrypted_or_tls_bindings:
    description:
      - The addresses and ports without TLS at first, which a client can turn on with STLS, as in O(ssl_bindings).
    type: list
    elements: str
  x509_certificate_name:
    description:
      - The host name in the certificate for TLS. A certificate with one name or several has to be assigned to POP
        too, with C(Enable-ExchangeCertificate); a wildcard certificate has not.
    type: str
extends_documentation_fragment:
  - mailops.exchange.connection
  - mailops.exchange.connection.common
  - mailops.exchange.attributes
notes:
  - Needs the management role C(POP3 And IMAP4 Protocols), which the role groups Organization Management and Server
    Management have.
seealso:
  - name: Set-PopSettings
    description: The cmdlet behind this module.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-popsettings
  - module: mailops.exchange.exchange_pop3_settings_info
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: POP3 on mbx01 is encrypted, and clients are told so
  mailops.exchange.exchange_pop3_settings:
    server: mbx01.contoso.com
    login_type: SecureLogin
    x509_certificate_name: mail.contoso.com
    external_connection_settings:
      - mail.contoso.com:995:SSL
      - mail.contoso.com:110:TLS
  diff: true
  register: pop3

- name: Restart the services where that is due
  ansible.builtin.include_role:
    name: mailops.exchange.pop3_services
  when: pop3.restart_required

- name: Where it listens; addresses of IPv6 are in quotes
  mailops.exchange.exchange_pop3_settings:
    servers:
      - mbx01
      - mbx02
    ssl_bindings:
      - "[::]:995"
      - 0.0.0.0:995
    unencrypted_or_tls_bindings: []

- name: How long idle connections stay open, on every server; see first what would change, with --check --diff
  mailops.exchange.exchange_pop3_settings:
    all_servers: true
    authenticated_connection_timeout: "00:30:00"
    pre_authenticated_connection_timeout: 60

- name: A protocol log in files of ten megabytes
  mailops.exchange.exchange_pop3_settings:
    server: mbx01
    protocol_log_enabled: true
    log_file_location: D:\Pop3Logging
    log_per_file_size_quota: 10 MB
"""

RETURN = r"""
changed:
  description: Whether any server was changed, or in check mode would be.
  returned: always
  type: bool
  sample: true
restart_required:
  description:
    - Whether the POP3 services of any server have to be restarted for the change to take effect.
    - Also true where a change was sent and its answer never came.
    - In check mode, whether a real run would make it so.
  returned: when the options are valid
  type: bool
  sample: true
servers:
  description:
    - One item for each server asked for, in that order; with O(all_servers=true), for each server that was found.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    server:
      description: The server as it was asked for.
      type: str
      sample: mbx01.contoso.com
    name:
      description: The server's name; V(null) if it was not found.
      type: str
      sample: MBX01
    changed:
      description: Whether this server was changed, or in check mode would be.
      type: bool
      sample: true
    restart_required:
      description: Whether the POP3 services of this server have to be restarted.
      type: bool
      sample: true
    before:
      description:
        - All settings that were found, under the names of the options; V(null) if the server was not found.
        - A setting that the server's version does not have is missing, and one that is not set is V(null).
      type: dict
      sample:
        banner: The Microsoft Exchange POP3 service is ready.
        authenticated_connection_timeout: "00:30:00"
    after:
      description:
        - All settings that were read back, or in check mode those that would be.
        - V(null) if that is not known.
      type: dict
      sample:
        banner: The Microsoft Exchange POP3 service is ready.
        authenticated_connection_timeout: "01:00:00"
failures:
  description: One item for each server that is not as declared. If there is any, the task has failed.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    server:
      description: The server as it was asked for.
      type: str
      sample: mbx10
    reason:
      description:
        - V(not_found), no server has this name, or it has no POP3 settings; V(ambiguous), several have it.
        - V(access_denied), this user may not read or change it.
        - V(not_kept), Exchange accepted the change, and the server still is not as declared.
        - V(unconfirmed), the change was sent, and what became of it is not known.
        - V(error), anything else; see C(msg).
      type: str
      sample: not_found
    msg:
      description: What happened and what to check, in words.
      type: str
  sample: []
counts:
  description: Every server asked for is counted once.
  returned: when the options are valid
  type: dict
  contains:
    total:
      description: How many servers were asked for.
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
  description: How many of how many failed and why, in words.
  returned: failure
  type: str
  sample: "1 of 3 servers failed: 1 not found. Of the others, 1 changed and 1 were as declared. ..."
"""

from ansible_collections.mailops.exchange.plugins.module_utils._module._module_face import run_as_module
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_settings import POP3_SETTINGS


def main() -> None:
    run_as_module(POP3_SETTINGS)


if __name__ == "__main__":
    main()
