# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mailboxes a task is about, and the options for their settings: contradictions are errors before connecting."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mailops.exchange.plugins.module_utils._core._mailbox import MimeFormat, WantedSettings
from ansible_collections.mailops.exchange.plugins.module_utils._errors import OptionError
from ansible_collections.mailops.exchange.plugins.module_utils._module._settings import SETTINGS_ARGUMENTS, wanted_from
from ansible_collections.mailops.exchange.plugins.module_utils._module._targets import (
    Selection,
    Targets,
    targets_from,
)

NOTHING: dict[str, Any] = {
    "identity": None,
    "identities": None,
    "filter": None,
    "organizational_unit": None,
    "state": "enabled",
    "exclusive": False,
    "allow_empty": False,
    "max_changes": None,
    **dict.fromkeys(SETTINGS_ARGUMENTS),
}


@pytest.mark.parametrize(
    ("given", "targets"),
    [
        ({"identity": "a"}, Targets(("a",), None, exclusive=False, max_changes=None)),
        ({"identities": ["a", "b"], "max_changes": 1}, Targets(("a", "b"), None, exclusive=False, max_changes=1)),
        ({"filter": "f"}, Targets((), Selection("f", None), exclusive=False, max_changes=None)),
        ({"organizational_unit": "o"}, Targets((), Selection(None, "o"), exclusive=False, max_changes=None)),
        ({"identities": ["a"], "exclusive": True}, Targets(("a",), Selection(), exclusive=True, max_changes=50)),
        (
            {"identities": [], "exclusive": True, "allow_empty": True, "filter": "f", "max_changes": -1},
            Targets((), Selection("f", None), exclusive=True, max_changes=None),
        ),
    ],
)
def test_what_a_task_is_about(given: dict[str, Any], targets: Targets) -> None:
    assert targets_from({**NOTHING, **given}) == targets


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "identity, identities, filter or organizational_unit is needed"),
        ({"identity": "a", "filter": "f"}, "select mailboxes instead of identity"),
        ({"identities": []}, "identities is an empty list: there is no mailbox"),
        ({"identities": [], "exclusive": True}, "add allow_empty: true"),
        ({"identities": [], "allow_empty": True}, "allow_empty goes with exclusive: true"),
        ({"identities": ["a"], "exclusive": True, "state": "disabled"}, "exclusive goes with state: enabled"),
        ({"filter": "f", "exclusive": True}, "exclusive needs the list"),
        ({"identity": "a", "max_changes": -2}, "max_changes is a number"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        targets_from({**NOTHING, **given})


def test_settings_that_fit_together() -> None:
    given = {
        "use_protocol_defaults": False,
        "messages_retrieval_mime_format": "TextOnly",
        "suppress_read_receipt": True,
    }
    assert wanted_from({**NOTHING, **given}) == WantedSettings(
        pop_enabled=True,
        pop_use_protocol_defaults=False,
        pop_messages_retrieval_mime_format=MimeFormat.TEXT_ONLY,
        pop_suppress_read_receipt=True,
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"messages_retrieval_mime_format": "Tnef"}, "only together with use_protocol_defaults: false"),
        ({"suppress_read_receipt": False, "use_protocol_defaults": True}, "only together with use_protocol_defaults"),
        ({"use_protocol_defaults": False, "state": "disabled"}, "Exchange ignores these while POP3 access is off"),
    ],
)
def test_settings_that_exchange_would_take_and_not_use_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wanted_from({**NOTHING, **given})
