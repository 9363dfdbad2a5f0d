# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of modules and of the inventory; their spec is in module_utils/_module/_connection.py."""

from __future__ import annotations


class ModuleDocFragment:
    # mailops.exchange.connection: what a task can say, beside what is in COMMON.
    DOCUMENTATION = r"""
options:
  transport:
    description:
      - How the cmdlets travel to Exchange. What comes of them is the same.
    type: str
    default: remote_powershell
    choices:
      remote_powershell: The controller (with C(delegate_to), a jump host) opens a session with Exchange itself.
      host_shell: >-
        The task's own Windows host opens it and runs the cmdlets, by way of M(ansible.windows.win_powershell) over the
        host's own connection (C(winrm), C(psrp) or C(ssh)), with C(become) if the task has it. For sites where nothing
        but that connection is open. Needs nothing of what is listed under requirements.
  connection_uri:
    description:
      - The address of Exchange's remote PowerShell, such as V(http://mbx01.contoso.com/PowerShell/). Use the full name
        of one server; Kerberos has no ticket for an IP address.
      - Without it, the address of the host's own connection is used, as C(http://<address>/PowerShell/). That is what
        a play on the Exchange servers of an inventory (C(winrm), C(psrp) or C(ssh)) needs, and nothing more.
      - Then the environment variable E(EXCHANGE_CONNECTION_URI) of the controller is used.
      - With O(transport=host_shell), it is the address as the host sees it, and the default is the host's own full
        name.
    type: str
  username:
    description:
      - The user, for V(kerberos) as V(name@CONTOSO.COM) with the realm in capitals.
      - Without it, the user of the host's own connection, then the environment variable E(EXCHANGE_USERNAME).
      - With O(transport=host_shell) the user of the connection counts only if its password is known and the task does
        not use C(become). Without any user, the session is opened as the user that the script runs as.
    type: str
  password:
    description:
      - The password of O(username).
      - Without it, the password of the host's own connection, if the user is that of the connection too, then the
        environment variable E(EXCHANGE_PASSWORD), if E(EXCHANGE_USERNAME) is that user or is not set.
    type: str
  parallel_sessions:
    description:
      - How many sessions with Exchange may work at the same time where there is much to look up or to change, from 1 to
        18.
      - By default 1, and 4 where 100 or more mailboxes have to be changed or 1000 or more to be looked up.
      - Exchange allows a user 18 sessions by default
        (C(PowerShellMaxConcurrency)); where it allows fewer than are asked for, fewer do the work.
      - With O(transport=host_shell) it is always 1.
    type: int
  authentication:
    description:
      - How the user logs in to the endpoint. Exchange has Kerberos on by default; the other methods work where an
        administrator has turned them on for the virtual directory.
      - V(kerberos), V(negotiate) and V(ntlm) encrypt what they send over C(http://) too.
    type: str
    default: kerberos
    choices:
      kerberos: >-
        With O(password), or without it with a ticket that C(kinit) has fetched or a keytab that E(KRB5_CLIENT_KTNAME)
        names. Needs C(pypsrp[kerberos]).
      negotiate: Kerberos if possible, otherwise NTLM.
      ntlm: NTLM only. With O(transport=host_shell) the same as V(negotiate), because PowerShell has no word for it.
      basic: User name and password as they are, so only over C(https://).
      certificate: A client certificate (O(client_cert)), only over C(https://) and O(transport=remote_powershell).
  ca_cert:
    description:
      - A PEM file on the machine that connects, with the certificate authorities to trust.
      - Without it, those in the file that E(REQUESTS_CA_BUNDLE) names, or else those that the Python library requests
        brings. The operating system's own store does not count by itself.
      - Not used with O(transport=host_shell), where Windows' own store counts.
    type: path
  spn_hostname:
    description:
      - The host part of the service principal name that a Kerberos ticket is asked for, where it is not the host name
        in O(connection_uri). A load-balanced name or an alias usually has no service principal name; the server behind
        it has one.
      - Not possible with O(transport=host_shell), nor is another O(spn_service) than V(http).
    type: str
attributes:
  action_group:
    description: >-
      Use C(group/mailops.exchange.exchange) in C(module_defaults) to set the connection options of all modules at
      once.
    support: full
    membership:
      - mailops.exchange.exchange
requirements:
  - for O(transport=remote_powershell), pypsrp >= 0.9.0, on the controller (with C(delegate_to), on that host)
  - pypsrp[kerberos] for O(authentication=kerberos), with the system's Kerberos libraries
"""

    # mailops.exchange.connection.inventory: there is no task and no host whose own connection could say more, and no
    # transport to choose.
    INVENTORY = r"""
options:
  connection_uri:
    description:
      - The address of Exchange's remote PowerShell, such as V(http://mbx01.contoso.com/PowerShell/). Use the full name
        of one server; Kerberos has no ticket for an IP address. Any server of the organisation knows all of them.
    type: str
    env:
      - name: EXCHANGE_CONNECTION_URI
  username:
    description:
      - The user, for V(kerberos) as V(name@CONTOSO.COM) with the realm in capitals.
    type: str
    env:
      - name: EXCHANGE_USERNAME
  password:
    description:
      - The password of O(username). Keep it in a vault, or out of the file.
      - The one of the environment belongs to the user of the environment, and is not sent for another one.
    type: str
    env:
      - name: EXCHANGE_PASSWORD
  authentication:
    description:
      - How the user logs in to the endpoint. Exchange has Kerberos on by default; the other methods work where an
        administrator has turned them on for the virtual directory.
      - V(kerberos), V(negotiate) and V(ntlm) encrypt what they send over C(http://) too.
    type: str
    default: kerberos
    choices:
      kerberos: >-
        With O(password), or without it with a ticket that C(kinit) has fetched or a keytab that E(KRB5_CLIENT_KTNAME)
        names. Needs C(pypsrp[kerberos]).
      negotiate: Kerberos if possible, otherwise NTLM.
      ntlm: NTLM only.
      basic: User name and password as they are, so only over C(https://).
      certificate: A client certificate (O(client_cert)), only over C(https://).
  ca_cert:
    description:
      - A PEM file on the machine that connects, with the certificate authorities to trust.
      - Without it, those in the file that E(REQUESTS_CA_BUNDLE) names, or else those that the Python library requests
        brings. The operating system's own store does not count by itself.
    type: path
  spn_hostname:
    description:
      - The host part of the service principal name that a Kerberos ticket is asked for, where it is not the host name
        in O(connection_uri). A load-balanced name or an alias usually has no service principal name; the server behind
        it has one.
    type: str
requirements:
  - pypsrp >= 0.9.0, on the controller
  - pypsrp[kerberos] for O(authentication=kerberos), with the system's Kerberos libraries
"""

    # mailops.exchange.connection.common: what a task and an inventory file say in the same way.
    COMMON = r"""
options:
  validate_certs:
    description:
      - Whether the server's certificate is checked. Set it to V(false) in tests only.
    type: bool
    default: true
  client_cert:
    description:
      - A PEM file with the client certificate for O(authentication=certificate), and its key if O(client_key) is not
        given.
    type: path
  client_key:
    description:
      - A PEM file with the key of O(client_cert).
    type: path
  client_key_password:
    description:
      - The password of an encrypted O(client_key).
    type: str
  allow_unencrypted:
    description:
      - Allows what anybody on the network could read, namely O(authentication=basic) over C(http://). Refused without
        this, before anything is sent.
    type: bool
    default: false
  configuration_name:
    description:
      - The name of the session configuration on the server.
    type: str
    default: Microsoft.Exchange
  spn_service:
    description:
      - The service part of the Kerberos service principal name that is asked for, as in C(http/mbx01.contoso.com).
    type: str
    default: http
  domain_controller:
    description:
      - The domain controller that Exchange reads from and writes to, by its full name. Give it where several answer and
        replication between them is slow, so that what was written is what is read back.
    type: str
  connection_timeout:
    description:
      - How long, in seconds, to wait for a connection.
    type: int
    default: 30
  operation_timeout:
    description:
      - How long, in seconds, Exchange may be silent while it opens a session or runs a cmdlet. The default is that of
        PowerShell's own sessions; Exchange itself ends an operation after 900 seconds.
    type: int
    default: 180
"""
