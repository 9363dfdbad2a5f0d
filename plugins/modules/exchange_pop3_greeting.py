#!/usr/bin/python

# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module exchange_pop3_greeting: its documentation, and its face for ``delegate_to``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: exchange_pop3_greeting
short_description: Wait until a POP3 service greets
version_added: 0.1.0
description:
  - Connects to a POP3 service as a mail client does, with TLS or without, and waits until it greets with C(+OK). After
    a restart of MSExchangePOP3 that is the proof that the service really serves.
  - Nobody logs in, and nothing but C(QUIT) is sent.
options:
  host:
    description:
      - The name or address of the server. Without it, the address of the host's own connection (C(winrm), C(psrp), or
        C(ssh) with a Windows shell).
    type: str
  port:
    description:
      - The port of the service.
    type: int
    default: 995
  tls:
    description:
      - Whether the service speaks TLS at once. By default every port but 110 does.
    type: bool
  validate_certs:
    description:
      - Whether the server's certificate is checked. As nothing secret is sent, V(false) tells a service that runs with
        a self-signed certificate from one that does not run.
    type: bool
    default: true
  ca_cert:
    description:
      - A PEM file with the certificate authorities to trust instead of the system's.
    type: path
  timeout:
    description:
      - How long, in seconds, to wait for the greeting. It is tried again until then.
    type: int
    default: 60
  stable_for:
    description:
      - How long, in seconds, the service has to go on serving. It has to greet a second time after that. A service can
        start, greet, and stop itself again, as Exchange's do while the server component PopProxy is inactive.
    type: int
    default: 0
extends_documentation_fragment:
  - mailops.exchange.attributes
seealso:
  - module: mailops.exchange.exchange_pop3_access
author:
  - mailops.exchange contributors (@mailops)
"""

EXAMPLES = r"""
- name: POP3 serves on this Exchange server
  mailops.exchange.exchange_pop3_greeting:

- name: It serves without TLS too
  mailops.exchange.exchange_pop3_greeting:
    port: 110

- name: It serves with a certificate of our own authority, under the name that mail clients use
  mailops.exchange.exchange_pop3_greeting:
    host: pop.contoso.com
    ca_cert: /etc/ssl/certs/contoso-ca.pem
    timeout: 10

- name: It serves, whatever its certificate
  mailops.exchange.exchange_pop3_greeting:
    validate_certs: false
"""

RETURN = r"""
greeting:
  description: What the service said after C(+OK); V(null) if it did not greet.
  returned: when the options are valid
  type: str
  sample: The Microsoft Exchange POP3 service is ready.
host:
  description: Where it was looked for.
  returned: when the options are valid
  type: str
  sample: mbx01.contoso.com
port:
  description: The port.
  returned: when the options are valid
  type: int
  sample: 995
tls:
  description: Whether TLS was used.
  returned: when the options are valid
  type: bool
  sample: true
elapsed:
  description: How long it took, in seconds.
  returned: success
  type: float
  sample: 0.2
msg:
  description: What was tried and what the last attempt met.
  returned: failure
  type: str
"""

from ansible_collections.mailops.exchange.plugins.module_utils._module._module_face import run_as_module
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_greeting import POP3_GREETING


def main() -> None:
    run_as_module(POP3_GREETING)


if __name__ == "__main__":
    main()
