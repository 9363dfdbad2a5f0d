# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module exchange_endpoint_info: its documentation, and its face for ``delegate_to``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_endpoint_info
short_description: Say whether Exchange can be reached from here, as whom, and with which rights
version_added: 0.1.0
description:
  - Goes the way that every task of this collection goes, a step at a time, and says what it sees at each; name, port,
    TLS, path, login, session, rights. Where the way ends, the task fails with that step and what to do about it.
  - Changes nothing, and reads no mailbox. It asks for a mailbox that does not exist, because the answer names the
    server.
  - Credentials are sent only when the steps before have shown that the server is there, is trusted and offers the
    method, and then once. So a wrong password counts once against the account.
options:
  needed_rights:
    description:
      - Which rights the task fails without.
    type: str
    default: change
    choices:
      read: Reading POP3 access, as M(mailops.exchange.exchange_pop3_access_info) needs.
      change: Changing it too, as M(mailops.exchange.exchange_pop3_access) needs.
extends_documentation_fragment:
  - mailops.exchange.connection
  - mailops.exchange.connection.common
  - mailops.exchange.attributes
notes:
  - Which commands and parameters a session shows is asked as C(Import-PSSession) asks it. Where a session does not
    answer that, RV(rights.change) is not known, and the task does not fail for it.
  - The language mode is asked for with one constant script, the only one in this collection. A session without a
    language refuses it, and that is the answer.
  - With a proxy in the environment, the steps V(name) and V(port) are about the proxy, and V(tls) and V(path) are
    left to the session.
seealso:
  - module: mailops.exchange.exchange_pop3_access
  - module: mailops.exchange.exchange_pop3_access_info
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: Does it work from here?
  mailops.exchange.exchange_endpoint_info:
    connection_uri: http://mbx01.contoso.com/PowerShell/
    username: popadmin@CONTOSO.COM
    password: "{{ exchange_password }}"
  register: endpoint

- name: Say so
  ansible.builtin.debug:
    msg: "{{ endpoint.steps | map(attribute='msg') | list }}"

- name: And over TLS, with a certificate authority of our own?
  mailops.exchange.exchange_endpoint_info:
    connection_uri: https://mbx01.contoso.com/PowerShell/
    authentication: basic
    username: popadmin@contoso.com
    password: "{{ exchange_password }}"
    ca_cert: /etc/ssl/certs/contoso.pem

- name: May the auditor read?
  mailops.exchange.exchange_endpoint_info:
    connection_uri: http://mbx01.contoso.com/PowerShell/
    username: auditor@CONTOSO.COM
    password: "{{ auditor_password }}"
    needed_rights: read

- name: Does it work from the jump host, with the Exchange server's own connection variables?
  mailops.exchange.exchange_endpoint_info:
  delegate_to: jump.contoso.com
"""

RETURN = r"""
reachable:
  description: Whether a session with Exchange was opened.
  returned: when the options are valid and, with O(transport=remote_powershell), pypsrp is installed
  type: bool
  sample: true
steps:
  description: Every step in its order.
  returned: when the options are valid and, with O(transport=remote_powershell), pypsrp is installed
  type: list
  elements: dict
  contains:
    step:
      description: >-
        V(name), V(port), V(tls), V(path), V(authentication), V(session), or V(rights).
      type: str
      sample: port
    state:
      description: >-
        V(ok); V(failed), which at most one is; V(not_needed), where this connection has no such step; V(not_tried),
        because a step before it failed.
      type: str
      sample: ok
    msg:
      description: What was seen, in words.
      type: str
      sample: mbx01.contoso.com:80 took the connection, at 192.0.2.11.
    check:
      description: What to do about it; empty where there is nothing to do.
      type: str
    seconds:
      description: How long it took; V(null) where it was not measured alone. Login and session have one time.
      type: float
      sample: 0.004
endpoint:
  description: The way, and what was seen of it.
  returned: when the options are valid and, with O(transport=remote_powershell), pypsrp is installed
  type: dict
  contains:
    uri:
      description: The connection URI.
      type: str
      sample: http://mbx01.contoso.com/PowerShell/
    authentication:
      description: The method.
      type: str
      sample: kerberos
    username:
      description: The user that was given; V(null) for the user of a ticket or a certificate.
      type: str
    encrypted_by:
      description: What encrypts what is sent; V(tls), the method, or V(nothing).
      type: str
      sample: kerberos
    addresses:
      description: The addresses of the name.
      type: list
      elements: str
      sample: [192.0.2.11]
    proxy:
      description: The proxy of the environment that is used, without its credentials.
      type: str
    tls:
      description: What the TLS handshake agreed on; V(null) where there was none.
      type: dict
      contains:
        version:
          description: The version of TLS.
          type: str
          sample: TLSv1.3
        cipher:
          description: The cipher suite.
          type: str
        trusted:
          description: Whether the certificate was checked; V(false) with O(validate_certs=false).
          type: bool
        certificate:
          description: What the certificate says; V(null) where the Python library cryptography is missing.
          type: dict
          contains:
            subject:
              description: Whose it is.
              type: str
            issuer:
              description: Who issued it.
              type: str
            names:
              description: The names that it is good for.
              type: list
              elements: str
            not_before:
              description: The day from which it is valid.
              type: str
            not_after:
              description: The day on which it ends.
              type: str
            days_left:
              description: Days until then.
              type: int
    http_status:
      description: How the path answered a request without a login. Exchange answers 401.
      type: int
      sample: 401
    http_server:
      description: What calls itself the server.
      type: str
      sample: Microsoft-IIS/10.0
    offers:
      description: The methods that the path offers.
      type: list
      elements: str
      sample: [Negotiate]
session:
  description: Where we landed. Each is V(null) where it is not known.
  returned: when the options are valid and, with O(transport=remote_powershell), pypsrp is installed
  type: dict
  contains:
    user:
      description: The user, as the server calls them.
      type: str
    server:
      description: The Exchange server that answers.
      type: str
      sample: MBX01
    configuration_name:
      description: The session configuration that was asked for.
      type: str
      sample: Microsoft.Exchange
    powershell_version:
      description: The version of PowerShell on the server.
      type: str
      sample: 5.1.20348.2849
    protocol_version:
      description: The version of the remoting protocol.
      type: str
      sample: "2.3"
    language_mode:
      description: The language mode. Exchange's is V(NoLanguage), and V(RestrictedLanguage) before KB5001779.
      type: str
      sample: NoLanguage
commands:
  description: >-
    The commands that matter here and that RBAC shows to the user, with the parameters that it shows; V(null) where the
    session does not say.
  returned: when the options are valid and, with O(transport=remote_powershell), pypsrp is installed
  type: list
  elements: dict
  contains:
    name:
      description: The command.
      type: str
      sample: Get-CASMailbox
    parameters:
      description: Its parameters.
      type: list
      elements: str
rights:
  description: What the user may do. V(null) is "not known".
  returned: when the options are valid and, with O(transport=remote_powershell), pypsrp is installed
  type: dict
  contains:
    read:
      description: Whether POP3 access can be read.
      type: bool
      sample: true
    change:
      description: Whether it can be changed, somewhere. In which organizational units is only known when it is tried.
      type: bool
      sample: true
    missing:
      description: >-
        The cmdlets and parameters that some option of the modules would need and that the user does not have.
      type: list
      elements: str
      sample: [Set-CASMailbox]
msg:
  description: The first step that failed, and what to do.
  returned: failure
  type: str
"""

from ansible_collections.mailops.exchange.plugins.module_utils._module._endpoint_info import ENDPOINT_INFO
from ansible_collections.mailops.exchange.plugins.module_utils._module._module_face import run_as_module


def main() -> None:
    run_as_module(ENDPOINT_INFO)


if __name__ == "__main__":
    main()
