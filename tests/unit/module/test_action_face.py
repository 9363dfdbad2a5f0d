# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The face on the controller: where what it says goes to."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.exchange.plugins.plugin_utils._action_face import _say


def test_progress_is_never_where_a_callback_writes_json(capfd: pytest.CaptureFixture[str]) -> None:
    _say().progress("POP3 access: 5,000 of 10,000 mailboxes looked up")
    stdout, stderr = capfd.readouterr()
    assert stdout == ""
    assert "5,000 of 10,000" in stderr
