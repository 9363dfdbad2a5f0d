# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record writer must say what psrpcore and pypsrp understand, whatever the text."""

from __future__ import annotations

import datetime
import uuid
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psrpcore._crypto import PSRemotingCrypto
from psrpcore.types._serializer import deserialize, serialize
from pypsrp.serializer import Serializer

from simulator.exchange import clixml
from simulator.exchange.values import Complex, EnumValue, Record, Table, TextList, Value


def read(record: Record) -> object:
    return deserialize(ElementTree.fromstring(clixml.serialize(record)), PSRemotingCrypto())


@given(st.text(alphabet=st.characters(exclude_categories=())))
@example("_x0041_ _X0041_ \U0001f600 \r\n\t $(x); '\" & < > ]]>")
@example("\ufffe\uffff\x00\ud83d")
def test_text_arrives_unchanged(text: str) -> None:
    assert getattr(read(Record(("T",), [("Name", text)])), "Name") == text  # noqa: B009
    if not any("\ud800" <= char <= "\udfff" for char in text):  # pypsrp takes no lone halves of pairs
        element = ElementTree.fromstring(f"<S>{clixml.text(text)}</S>")
        assert Serializer().deserialize(element) == text


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -7, "", uuid.uuid4(), datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)]
)
def test_values_keep_their_types(value: Value) -> None:
    arrived = getattr(read(Record(("T",), [("Value", value)])), "Value")  # noqa: B009
    assert arrived == value
    assert isinstance(arrived, type(value))


def test_complex_values_and_type_names() -> None:
    record = Record(
        ("Microsoft.Exchange.A", "System.Object"),
        [
            ("Identity", Complex(("Id", "System.Object"), "contoso.com/Users/A & B")),
            ("Format", EnumValue("Format", "Tnef", 6)),
            ("Many", TextList(("one", "two"))),
            ("Other", TextList(())),
            ("Table", Table((("k", 1),))),
        ],
        "the text",
    )
    arrived = read(record)
    assert arrived.PSObject.type_names == ["Deserialized.Microsoft.Exchange.A", "Deserialized.System.Object"]  # type: ignore[attr-defined]
    values = {name: getattr(arrived, name) for name, _unused in record.properties}
    assert str(values["Identity"]) == "contoso.com/Users/A & B"
    assert (list(values["Many"]), list(values["Other"])) == (["one", "two"], [])
    assert (str(values["Format"]), dict(values["Table"])) == ("Tnef", {"k": 1})


@given(st.text(alphabet=st.characters(codec="utf-8")))
@example("_x0041_ _X0041_ \U0001f600 \r\n\t\x00 \ud7ff\ue000")
def test_text_of_clients_is_read_unchanged(text: str) -> None:
    for element in (serialize(text, PSRemotingCrypto()), Serializer().serialize(text)):
        assert element is not None
        assert clixml.deserialize(ElementTree.tostring(element)) == text


@pytest.mark.parametrize("data", [b"", b"<S>", b"<G>no</G>", b"<Ref RefId='7'/>", b"<!DOCTYPE S><S>x</S>"])
def test_what_is_no_clixml_is_refused(data: bytes) -> None:
    with pytest.raises(clixml.MalformedData):
        clixml.deserialize(data)


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(1, 50))
def test_fragments_come_together_again(bodies: list[bytes], size: int) -> None:
    pool, pipeline = uuid.uuid4(), uuid.uuid4()
    messages = [clixml.message(clixml.PIPELINE_INPUT, pool, pipeline, body) for body in bodies]
    sent = b"".join(piece for number, one in enumerate(messages) for piece in clixml.fragments(number, one, size))
    assert [one.data.removeprefix(b"\xef\xbb\xbf") for one in clixml.Defragmenter().feed(sent)] == [
        body.removeprefix(b"\xef\xbb\xbf") for body in bodies
    ]
    if sent:
        with pytest.raises(clixml.MalformedData):
            list(clixml.Defragmenter().feed(sent[:-1]))
