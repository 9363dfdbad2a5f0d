# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module exchange_pop3_settings on the controller: its face for every task that is not sent to a jump host."""

from __future__ import annotations

from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_settings import POP3_SETTINGS
from ansible_collections.mailops.exchange.plugins.plugin_utils._action_face import ExchangeAction


class ActionModule(ExchangeAction):
    definition = POP3_SETTINGS
