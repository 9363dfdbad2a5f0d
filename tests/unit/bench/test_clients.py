# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection is measured against asks Exchange for the same."""

from __future__ import annotations

from ansible_collections.mailops.exchange.plugins.module_utils._gateway._cas_mailbox import NEEDED
from bench.clients import PROPERTIES


def test_pypsrp_alone_is_sent_what_the_collection_is_sent() -> None:
    assert list(NEEDED) == PROPERTIES
