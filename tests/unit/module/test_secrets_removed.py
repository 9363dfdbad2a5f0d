# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret that comes back, wherever in a result and however it is written, is taken out; nothing else is touched."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._module._definition import Say
from ansible_collections.mailops.exchange.plugins.module_utils._module._pop3_access import POP3_ACCESS
from ansible_collections.mailops.exchange.plugins.module_utils._module._secrets import discreet, secrets_in, without

USER, PASSWORD = "popadmin@contoso.com", "Pä$$ w0rd'\\"
SECRETS = secrets_in(POP3_ACCESS, {"username": USER, "password": PASSWORD, "client_key_password": None})

SPELLINGS = [
    PASSWORD,
    json.dumps(PASSWORD)[1:-1],
    repr(PASSWORD)[1:-1],
    quote(PASSWORD, safe=""),
    base64.b64encode(PASSWORD.encode()).decode(),
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    base64.b64encode(PASSWORD.encode("utf-16-le")).decode(),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("place", ["msg", "list", "deep"])
def test_a_spelling_anywhere(spelling: str, place: str) -> None:
    said = f"before {spelling} behind"
    result: dict[str, Any] = {"msg": "", "list": ["a", 1, None, True], "deep": {"a": [{"b": ""}]}}
    if place == "msg":
        result["msg"] = said
    elif place == "list":
        result["list"].append(said)
    else:
        result["deep"]["a"][0]["b"] = said
    clean = without(result, SECRETS)
    assert spelling not in str(clean)
    assert "before ********" in str(clean)


@pytest.mark.parametrize("kept", range(3, len(PASSWORD)))
def test_the_beginning_that_a_cut_quotation_leaves(kept: int) -> None:
    cleaned = without({"msg": f"It said {PASSWORD[:kept]}… and 'a…'."}, SECRETS)
    assert cleaned == {"msg": "It said ********… and 'a…'."}


def test_white_space_that_a_quotation_makes_one_blank() -> None:
    secrets = secrets_in(POP3_ACCESS, {"username": USER, "password": "two  blanks\there"})
    assert without({"msg": "It said two blanks here."}, secrets) == {"msg": "It said ********."}


def test_what_holds_no_secret_is_left_as_it_is() -> None:
    result = {"msg": "1 of 2", "mailboxes": [{"identity": "a", "changed": True, "before": None}], "count": 7}
    assert without(result, SECRETS) is result
    assert without(result, frozenset()) is result


def test_a_warning_holds_none_either() -> None:
    heard: list[str] = []
    say = discreet(Say(heard.append, heard.append, heard.append), SECRETS)
    for speak in (say.warn, say.progress, say.note):
        speak(f"It came with {PASSWORD}.")
    assert heard == ["It came with ********."] * 3


def test_spellings_of_a_short_secret_are_not_looked_for() -> None:
    """They would be found in what has nothing to do with it; the secret itself is, as Ansible does it."""
    assert secrets_in(POP3_ACCESS, {"username": "", "password": "ab", "client_key_password": ""}) == {"ab"}


@given(password=st.text(st.characters(exclude_characters="*"), min_size=1), before=st.text(), behind=st.text())
def test_any_password(password: str, before: str, behind: str) -> None:
    secrets = secrets_in(POP3_ACCESS, {"username": USER, "password": password, "client_key_password": None})
    clean = without({"msg": f"{before}{password}{behind}"}, secrets)
    assert password not in clean["msg"]
