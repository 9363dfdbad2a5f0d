# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of value of POP3 settings: round trips, and the laws of an equality by meaning."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.exchange.plugins.module_utils._core import _pop_values as v
from ansible_collections.mailops.exchange.plugins.module_utils._core._pop_settings import SETTINGS

ports = st.integers(1, 65535)
hosts = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?(\.[A-Za-z]{2,6}){0,2}", fullmatch=True)
bindings = st.builds(v.IPBinding, st.ip_addresses(), ports)
connections = st.builds(v.ConnectionSettings, hosts.map(v.Caseless), ports, st.sampled_from(["", "SSL", "TLS"]))
spans = st.timedeltas(timedelta(0), timedelta(days=10_000))
whole_spans = st.integers(0, 10**9 - 1).map(lambda seconds: timedelta(seconds=seconds))
quantities = st.builds(v.ByteQuantity, st.none() | st.integers(0, 2**62))

NO_SPAN = ("", "1:30", "24:00:00", "00:60:00", "00:00:60", "-00:01:00", "30m", "P", "PT", "half an hour", "1e3", "٣٠")
NO_QUANTITY = ("", "-1", "1.5 MB", "10 MiB", "much", "1 000", "(1)x", "10 MB (x bytes)", "٣")
NO_BINDING = (
    "",
    ":110",
    "110",
    "0.0.0.0",
    "0.0.0.0:",
    "0.0.0.0:0",
    "0.0.0.0:65536",
    "[0.0.0.0]:110",
    "[::]",
    "mail:1",
    "*:110",
)
NO_CONNECTION = (
    "",
    "mail",
    ":995:SSL",
    "mail:0",
    "mail:995:STARTTLS",
    "mail:995:SSL:",
    "a b:1",
    "http://mail:1",
    "[::1]:995",
)


# --- what is shown or sent is read as the same ------------------------------------------------------------------------


@given(spans)
def test_a_time_span_survives_its_text(span: timedelta) -> None:
    assert v.time_span(v.time_span_text(span)) == span


@given(whole_spans)
def test_seconds_and_durations_mean_the_same_as_the_text(span: timedelta) -> None:
    seconds = int(span.total_seconds())
    assert v.time_span(str(seconds)) == v.time_span(f"PT{seconds}S") == v.time_span(v.time_span_text(span)) == span


@given(quantities)
def test_a_quantity_survives_its_text_and_what_is_sent(quantity: v.ByteQuantity) -> None:
    assert v.byte_quantity(str(quantity)) == quantity
    assert v.byte_quantity(str(v.sent(quantity))) == quantity


@given(
    st.integers(0, 2**62),
    st.sampled_from([",", ".", "\u202f", "'", " "]),
    st.sampled_from(["bytes", "octets", "Bytes"]),
)
def test_a_quantity_is_what_the_bytes_in_brackets_say_in_any_language(number: int, mark: str, word: str) -> None:
    shown = f"{number / 1024:.4g} KB ({f'{number:,}'.replace(',', mark)} {word})"
    assert v.byte_quantity(shown) == v.ByteQuantity(number)


@given(st.lists(bindings))
def test_bindings_survive_what_is_sent_and_shown(given_bindings: list[v.IPBinding]) -> None:
    kind, value = v.Bindings(), frozenset(given_bindings)
    assert kind.parse(v.sent(value)) == kind.read(v.plain(value)) == value


@given(st.lists(connections))
def test_connection_settings_survive_what_is_sent_and_shown(settings: list[v.ConnectionSettings]) -> None:
    kind, value = v.Connections(), frozenset(settings)
    assert kind.parse(v.sent(value)) == kind.read(v.plain(value)) == value


# --- equality is by meaning -------------------------------------------------------------------------------------------


@given(st.lists(connections, unique=True), st.randoms(use_true_random=False))
def test_neither_order_nor_case_nor_repetition_matter(settings: list[v.ConnectionSettings], random: Any) -> None:
    texts = [str(item) for item in settings]
    other = [text.swapcase() for text in texts + texts[:1]]
    random.shuffle(other)
    assert v.Connections().parse(other) == v.Connections().parse(texts)


@given(st.lists(bindings, unique=True, max_size=5), st.lists(bindings, unique=True, max_size=5))
def test_other_bindings_are_other_ones(one: list[v.IPBinding], other: list[v.IPBinding]) -> None:
    parse = v.Bindings().parse
    assert (parse(list(map(str, one))) == parse(list(map(str, other)))) == (set(one) == set(other))


@given(st.ip_addresses(v=6), ports)
def test_an_address_of_ipv6_has_many_spellings(address: ipaddress.IPv6Address, port: int) -> None:
    parse = v.Bindings().parse
    assert parse([f"[{address.exploded}]:{port}"]) == parse([f"[{address.compressed.upper()}]:{port}"])
    assert v.Bindings().read([f"{address}:{port}"]) == parse([f"[{address}]:{port}"])  # as earlier versions show it


@given(hosts)
def test_what_is_caseless_keeps_its_spelling(text: str) -> None:
    kind = v.CaselessText()
    assert kind.parse(text) == kind.read(text.swapcase())
    assert v.sent(kind.parse(text)) == text


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (v.CaselessText(), "Mail.Contoso.com", "mail.contoso.COM"),
        (v.WindowsPath(), "C:\\Pop3Logging\\", "c:/pop3logging"),
        (v.WebAddress(), "https://Mail.contoso.com", "HTTPS://mail.contoso.com:443/"),
        (v.TimeSpan(timedelta(0), timedelta(days=9)), "1.00:00:00", "86400"),
        (v.Bytes(), "10MB", "10 MB (10,485,760 bytes)"),
        (v.Bytes(), "unlimited", "Unlimited"),
        (v.Bytes(), "0", "0 B (0 bytes)"),
        (SETTINGS["login_type"].kind, "3", "secureLOGIN"),
        (SETTINGS["extended_protection_policy"].kind, "none", "None"),
        (v.Bindings(), [], None),
        (v.Bindings(), ["0.0.0.0:995", "[::]:995"], "{[::]:995, 0.0.0.0:995}"),
        (v.Connections(), ["mail.contoso.com:110:"], "MAIL.contoso.com:110"),
    ],
)
def test_spellings_of_one_meaning(kind: v.Kind, one: object, other: object) -> None:
    assert kind.parse(one) == kind.read(other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (v.Text(), "Hello", "hello"),
        (v.WebAddress(), "https://mail.contoso.com/owa", "https://mail.contoso.com/OWA"),
        (v.WebAddress(), "https://mail.contoso.com", "http://mail.contoso.com"),
        (v.Connections(), ["mail.contoso.com:110:TLS"], ["mail.contoso.com:110"]),
        (v.Bindings(), ["0.0.0.0:110"], ["[::]:110"]),
    ],
)
def test_spellings_of_two_meanings(kind: v.Kind, one: object, other: object) -> None:
    assert kind.parse(one) != kind.read(other)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((v.TimeSpan(timedelta(0), timedelta(days=9)), text) for text in NO_SPAN),
        *((v.Bytes(), text) for text in NO_QUANTITY),
        *((v.Bindings(), [text]) for text in NO_BINDING),
        (v.Bindings(), ["::1:110"]),  # whether 110 is the port cannot be told
        *((v.Connections(), [text]) for text in NO_CONNECTION),
        *((SETTINGS["login_type"].kind, text) for text in ("", "0", "4", "Secure", "True")),
        *((v.WebAddress(), text) for text in ("", "mail.contoso.com", "ftp://mail", "https://", "https://[")),
        *((v.Text(), text) for text in ("", "  ", "two\nlines", "\x1b[2J")),
        (v.Bytes(), str(2**64)),
        (v.Boolean(), "yes"),
        (v.Number(40, 1024), 39),
        (v.Number(40, 1024), 1025),
        (v.Number(40, 1024), True),
        (SETTINGS["authenticated_connection_timeout"].kind, "00:00:29"),
        (SETTINGS["authenticated_connection_timeout"].kind, "1.00:00:01"),
        (SETTINGS["pre_authenticated_connection_timeout"].kind, "01:00:01"),
        (SETTINGS["pre_authenticated_connection_timeout"].kind, "00:01:00.5"),
    ],
)
def test_what_is_wrong_is_refused_with_what_was_expected(kind: v.Kind, text: object) -> None:
    with pytest.raises(v.BadValue, match=r"^expected"):
        kind.parse(text)


@given(st.sampled_from(list(SETTINGS)), st.text() | st.integers() | st.booleans() | st.none() | st.lists(st.text()))
def test_nothing_but_a_bad_value_comes_of_nonsense(name: str, nonsense: object) -> None:
    kind = SETTINGS[name].kind
    for read in (kind.parse, kind.read):
        try:
            value = read(nonsense)
        except v.BadValue:
            continue
        assert isinstance(v.plain(value), (bool, int, str, list))
        assert type(v.sent(value)) in (bool, int, str, tuple)


def test_a_path_is_sent_as_windows_writes_it() -> None:
    assert v.sent(v.WindowsPath().parse("D:/Logs/Pop3/")) == "D:\\Logs\\Pop3"
    assert isinstance(v.WindowsPath().parse("D:/Logs"), PureWindowsPath)
