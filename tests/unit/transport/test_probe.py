# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes go the way that the session will go: through the same proxy, or none."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._transport._endpoint import ConnectionUri, Endpoint
from ansible_collections.mailops.exchange.plugins.module_utils._transport._probe import _proxy_for


@pytest.mark.parametrize(
    ("no_proxy", "proxy"),
    [
        ("", ("proxy.contoso.com", 3128)),
        ("10.1.0.0/16", None),
        ("contoso.com", ("proxy.contoso.com", 3128)),
        ("*", None),
    ],
)
def test_a_network_can_be_left_out_as_requests_reads_it(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, proxy: object
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.contoso.com:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert _proxy_for(Endpoint(ConnectionUri.parse("http://10.1.2.3/PowerShell/"))) == proxy
