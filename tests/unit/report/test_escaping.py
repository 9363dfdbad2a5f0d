# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever text comes from Exchange: the page, its JSON block and the CSV stay what they are, and say what it says."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.filter.pop3_report_csv import pop3_report_csv
from ansible_collections.mailops.exchange.plugins.filter.pop3_report_html import pop3_report_html
from ansible_collections.mailops.exchange.plugins.plugin_utils._pop3_report._escape import csv_cell, escaped, json_block
from support.reports import failure, mailbox, named, page, report

ANY_TEXT = st.text(st.characters(exclude_categories=()))
SENDABLE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"))


class Skeleton(HTMLParser):
    """The elements and attributes of a page without its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _value in attrs)))


def skeleton(html: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = Skeleton()
    parser.feed(html)
    return parser.tags


def page_of(text: str) -> str:
    """A page that has a text wherever a text can be."""
    person = mailbox("x", on=True) | {"name": text, "primary_smtp_address": text, "server": text}
    person |= {
        "organizational_unit": text,
        "pop_messages_retrieval_mime_format": text,
        "pop_use_protocol_defaults": False,
    }
    known = {
        "title": text,
        "connection_uri": text,
        "domain_controller": text,
        "filter": text,
        "organizational_unit": text,
    }
    other = named(mailbox("other"), text or "?")
    return page(report([person], [other], failures=[failure(text)], **known))


@given(ANY_TEXT)
@example("</script><script>")
@example("<!--<script>")
@example("\ud800")
def test_no_text_adds_an_element_or_an_attribute(text: str) -> None:
    html = page_of(f"x{text}")  # what is empty, or the name of a domain that is, is left out of the page
    # A slash adds a place where a line may be broken, and nothing else.
    without = [tag for tag in skeleton(html) if tag[0] != "wbr"]
    assert without == [tag for tag in skeleton(page_of("plain text")) if tag[0] != "wbr"]
    html.encode()


@given(ANY_TEXT)
def test_escaped_text_has_nothing_that_means_something(text: str) -> None:
    assert not set(escaped(text)) & set("<>\"'\0")
    assert re.sub(r"&(amp|lt|gt|quot|#x27);", "", escaped(text)).count("&") == 0


@given(st.recursive(SENDABLE, lambda inner: st.lists(inner) | st.dictionaries(SENDABLE, inner)))
@example("</script>")
@example("<!--<script>")
@example("\u2028\u2029&")
def test_the_json_block_cannot_be_closed_early_and_is_exact(value: object) -> None:
    block = json_block(value)
    assert not set(block) & set("<>&\u2028\u2029")
    assert json.loads(block) == value


@given(ANY_TEXT)
@example("=1+1")
@example("\t=1")
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert not csv_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_formula_gets_an_apostrophe_and_nothing_else_changes(text: str) -> None:
    assert csv_cell(text) == f"'{text}"
    assert csv_cell(f" {text}") == f" {text}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('x;=HYPERLINK("http://x")', """x;'=HYPERLINK("http://x")"""),
        ("a;b", "a;b"),
        ("a-b;c+d", "a-b;c+d"),
        ("\uff1d1", "'\uff1d1"),
        ('x;"=1"', """x;"'=1\""""),
        ("\n=1", "'\n'=1"),
    ],
)
def test_a_formula_behind_a_separator_of_other_locales_gets_one_too(text: str, cell: str) -> None:
    assert csv_cell(text) == cell


@given(st.lists(SENDABLE, min_size=1, max_size=4, unique=True))
def test_the_csv_has_a_line_for_each_mailbox_whatever_is_in_it(names: list[str]) -> None:
    text = pop3_report_csv(report([mailbox(name, on=True) for name in names], [], failures=[failure(names[0])]))
    assert text.startswith("\ufeffname,")
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [line["name"] for line in lines] == [*map(csv_cell, names), ""]
    assert [line["verdict"] for line in lines] == ["should_not_have_it"] * len(names) + ["not_found"]
    assert lines[-1]["declared_as"] == csv_cell(names[0])


def test_the_csv_is_as_rfc_4180_wants_it() -> None:
    text = pop3_report_csv(report([mailbox('Smith, "Jane"\nB', on=True)]))
    assert text.count("\r\n") == 2
    assert '"Smith, ""Jane""\nB",' in text
    assert ",true,,,,MBX01," in text


def test_the_policy_has_the_hashes_of_exactly_what_is_in_the_page() -> None:
    html = page(report([mailbox("Ann")]))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "style=" not in html


@pytest.mark.parametrize("given_files", [{"css": "</style>", "js": ""}, {"css": "", "js": "'</SCRIPT>'"}])
def test_style_and_script_cannot_end_early(given_files: dict[str, str]) -> None:
    with pytest.raises(AnsibleFilterError, match="end it early"):
        pop3_report_html(report([]), **given_files)


def test_many_units_are_summed_up_honestly() -> None:
    people = [mailbox(str(i), on=True, organizational_unit=f"contoso.com/OU{i // 2:02}") for i in range(60)]
    html = page(report(people))
    assert "20 other units, together" in html
    assert "<b>40</b> of 40" in html


def test_the_settings_in_short() -> None:
    own = {"pop_use_protocol_defaults": False, "pop_enable_exact_rfc822_size": True, "pop_suppress_read_receipt": True}
    old = dict.fromkeys([name for name in mailbox("x") if name.startswith("pop_") and name != "pop_enabled"])
    html = page(report([mailbox("Ann", **own), mailbox("Bob"), mailbox("Old", **old)]))
    assert '"settings":["BestBodyFormat, exact size, no read receipts","Server defaults",""]' in html
