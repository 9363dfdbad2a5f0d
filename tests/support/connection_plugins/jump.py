# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to a jump host that happens to be this machine: everything but the network between them is real."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: jump
short_description: A jump host on this machine
description: Like P(ansible.builtin.local#connection), under another name, so that Ansible takes it for a remote host.
author: mailops.exchange contributors (@mailops)
extends_documentation_fragment:
  - connection_pipelining
"""


class Connection(LocalConnection):
    transport = "jump"
