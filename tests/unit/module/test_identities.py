# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""identity and identities: taken as text or refused, never split, never guessed at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._errors import OptionError
from ansible_collections.mailops.exchange.plugins.module_utils._module._identities import identities_from


@pytest.mark.parametrize(
    "identity",
    ["Smith, John", "CN=Smith\\, John,OU=Sales,DC=contoso,DC=com", "O'Brien", 'a"b', "a;b$(c)`d", "Ümit", "a\nb", " x"],
)
def test_one_identity_is_taken_as_it_is(identity: str) -> None:
    assert identities_from({"identity": identity}) == [identity]


def test_a_list_keeps_its_order_and_its_doubles() -> None:
    assert identities_from({"identities": ["b", "a", "b"]}) == ["b", "a", "b"]


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "is needed"),
        ({"identity": ""}, "identity is blank"),
        ({"identity": " \t\n"}, "identity is blank"),
        ({"identity": 12345}, "the number 12345"),
        ({"identity": True}, "the Boolean true"),
        ({"identity": ["a"]}, "Use identities for a list"),
        ({"identity": {"a": 1}}, "a dictionary"),
        ({"identity": "a\ud800"}, "cannot be sent"),
        ({"identity": "a\uffff"}, "cannot be sent"),
        ({"identities": []}, "empty list"),
        ({"identities": "Smith, John"}, "text is never split"),
        ({"identities": 7}, "the number 7"),
        ({"identities": {"a": 1}}, "a dictionary"),
        ({"identities": ["a", " "]}, r"identities\[1\] is blank"),
        ({"identities": ["a", None]}, r"identities\[1\] has to be text"),
        ({"identities": [["a"]]}, r"identities\[0\] names one mailbox"),
        ({"identities": ["a", 1.5]}, "the number 1.5"),
    ],
)
def test_what_is_not_a_name_is_refused(params: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        identities_from(params)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)


@given(anything, anything)
def test_whatever_is_given_only_named_mailboxes_come_out(identity: Any, identities: Any) -> None:
    try:
        got = identities_from({"identity": identity, "identities": identities})
    except OptionError:
        return
    assert got
    assert all(type(name) is str and name.strip() for name in got)  # pylint: disable=unidiomatic-typecheck
