# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what cmdlets write: every shape that MS-PSRP has, and whatever a broken or hostile server may send.

The folder corpus keeps what is worth keeping: true objects, and attacks. What hypothesis finds is added there.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypsrp.messages import MessageType

from ansible_collections.mailops.exchange.plugins.module_utils._errors import UnexpectedReply
from ansible_collections.mailops.exchange.plugins.module_utils._transport._clixml import record, unescaped
from ansible_collections.mailops.exchange.plugins.module_utils._transport._fragments import RawFragmenter, RawOutput

CORPUS = Path(__file__).parent / "corpus"
GUID = "2d3f8a52-6c0c-4c1e-9ae5-4a2f8fbb0d1c"
PLAIN = (str, bool, int, float, bytes, UUID, type(None))


def props(inner: str, tag: str = "Props") -> bytes:
    return f'<Obj RefId="0"><TN RefId="0"><T>X</T></TN><{tag}>{inner}</{tag}></Obj>'.encode()


@pytest.mark.parametrize(
    ("inner", "value"),
    [
        ('<S N="P">text &amp; more</S>', "text & more"),
        ('<S N="P"></S>', ""),
        ('<S N="P"/>', ""),
        ('<S N="P">line_x000A_feed _xD83D__xDE00_ _x005F_x0041_</S>', "line\nfeed 😀 _x0041_"),
        ('<B N="P">true</B>', True),
        ('<B N="P">false</B>', False),
        ('<Nil N="P"/>', None),
        ('<I32 N="P">-5</I32>', -5),
        (f'<G N="P">{GUID}</G>', UUID(GUID)),
        ('<DT N="P">2026-11-24T21:00:00Z</DT>', "2026-11-24T21:00:00Z"),
        ('<Db N="P">1.5</Db>', "1.5"),
        (
            '<Obj N="P" RefId="1"><TNRef RefId="0"/><ToString>BestBodyFormat</ToString><I32>5</I32></Obj>',
            "BestBodyFormat",
        ),
        ('<Obj N="P" RefId="1"><LST><S>a</S><S>b</S></LST></Obj>', ["a", "b"]),
        ('<Obj N="P" RefId="1"><TN RefId="1"><T>L</T></TN><LST/></Obj>', []),
        ('<Obj N="P" RefId="1"><LST><S>only</S></LST><ToString>x</ToString></Obj>', ["only"]),
        ('<Obj N="P" RefId="1"><DCT><En><S N="Key">k</S><I32 N="Value">1</I32></En></DCT></Obj>', {"k": 1}),
        ('<Obj N="Q" RefId="1"><ToString>seen</ToString></Obj><Ref N="P" RefId="1"/>', "seen"),
        ('<Ref N="P" RefId="99"/>', None),
        (
            '<Obj N="Q"><Props><Obj N="I" RefId="2"><ToString>in</ToString></Obj></Props></Obj><Ref N="P" RefId="2"/>',
            "in",
        ),
        ('<Ref N="P" RefId="0"/>', ""),
        ('<Obj N="P" RefId="1"><B>true</B><MS><S N="more">x</S></MS></Obj>', True),
        (f'<Obj N="P" RefId="1"><G>{GUID}</G></Obj>', UUID(GUID)),
        ('<Obj N="P" RefId="1"><S>text</S></Obj>', "text"),
        ('<I32 N="P"/>', None),
        ('<Obj N="P" RefId="1"><Props><S N="Inner">x</S></Props></Obj>', ""),
    ],
)
def test_every_shape_of_a_property(inner: str, value: object) -> None:
    assert record(props(inner))["P"] == value
    assert record(props(inner, "MS"))["P"] == value


def test_adapted_and_extended_properties_are_one_record() -> None:
    both = b'<Obj RefId="0"><Props><S N="A">1</S><S N="B">2</S></Props><MS><S N="B">3</S></MS></Obj>'
    assert record(both) == {"A": "1", "B": "3"}


def test_a_namespace_and_a_name_with_an_escape_are_read() -> None:
    xml = b'<Obj xmlns="http://schemas.microsoft.com/powershell/2004/04"><MS><S N="a_x0020_b">x</S></MS></Obj>'
    assert record(xml) == {"a b": "x"}


def test_what_is_no_object_is_a_value() -> None:
    assert record(b"<S>text</S>") == {"Value": "text"}
    assert record(b'<Obj RefId="0"><ToString>x</ToString></Obj>') == {"Value": "x"}


def test_lists_that_hold_each_other_many_times_are_not_written_out() -> None:
    """The bomb without entities: each level ten times the one before."""
    levels = "".join(
        f'<Obj N="L{level}" RefId="{level}"><LST>{f"""<Ref RefId="{level - 1}"/>""" * 10}</LST></Obj>'
        for level in range(1, 30)
    )
    key = '<Obj N="D" RefId="90"><DCT><En><Ref N="Key" RefId="29"/><S N="Value">x</S></En></DCT></Obj>'
    assert "L29" in record(f'<Obj RefId="99"><MS><Obj N="L0" RefId="0"><LST/></Obj>{levels}</MS></Obj>'.encode())
    with pytest.raises(UnexpectedReply, match="a key is a list"):
        record(f'<Obj RefId="99"><MS><Obj N="L0" RefId="0"><LST/></Obj>{levels}{key}</MS></Obj>'.encode())


def test_many_references_are_found_in_one_go() -> None:
    refs = "".join(f'<Ref N="R{n}" RefId="{n + 10**6}"/>' for n in range(20_000))
    assert set(record(f'<Obj RefId="0"><MS>{refs}</MS></Obj>'.encode()).values()) == {None}


def test_half_of_a_surrogate_pair_cannot_get_in() -> None:
    assert unescaped("_xD83D_") == "\ufffd"
    assert unescaped("_x12_ _xGGGG_ _x") == "_x12_ _xGGGG_ _x"


def test_another_encoding_is_refused() -> None:
    with pytest.raises(UnexpectedReply):
        record("<S>x</S>".encode("utf-16"))


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.xml")), ids=lambda path: path.stem)
def test_the_corpus_is_read_or_refused(path: Path) -> None:
    """A file whose name begins with `refused` must be refused; every other one is read."""
    if path.stem.startswith("refused"):
        with pytest.raises(UnexpectedReply):
            record(path.read_bytes())
    else:
        assert record(path.read_bytes())


SEEDS = [*(path.read_bytes() for path in sorted(CORPUS.glob("*.xml"))), "<S>x</S>".encode("utf-16")]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A file of the corpus with something cut, doubled or put in."""
    xml = draw(st.sampled_from(SEEDS))
    for _turn in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(xml)))
        end = draw(st.integers(start, min(len(xml), start + 40)))
        put = draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([xml[start:end] * 2, b"<Obj>", b"</LST>", b"<!--", b""]))
        )
        xml = xml[:start] + put + xml[end:]
    return xml


@given(st.one_of(mangled(), st.binary(max_size=200)))
def test_whatever_comes_is_a_record_or_refused(xml: bytes) -> None:
    try:
        read = record(xml)
    except UnexpectedReply:
        return
    assert all(type(name) is str for name in read)  # pylint: disable=unidiomatic-typecheck
    for value in read.values():
        assert isinstance(value, (*PLAIN, list, dict))


def fragment(data: bytes, object_id: int = 1, number: int = 0, flags: int = 3) -> bytes:
    header = object_id.to_bytes(8, "big") + number.to_bytes(8, "big") + bytes([flags]) + len(data).to_bytes(4, "big")
    return header + data


def output(xml: bytes) -> bytes:
    return (1).to_bytes(4, "little") + int(MessageType.PIPELINE_OUTPUT).to_bytes(4, "little") + bytes(32) + xml


def fragmenter() -> RawFragmenter:
    return RawFragmenter(32768, None)  # type: ignore[arg-type]  # only what pypsrp itself reads needs a serializer


def test_messages_in_pieces_over_several_answers() -> None:
    message, reader = output(b"\xef\xbb\xbf<S>x</S>"), fragmenter()
    assert reader.defragment(fragment(message[:20], flags=1) + fragment(output(b"<S>y</S>"), 2)) == [
        RawOutput(b"<S>y</S>")
    ]
    assert reader.defragment(fragment(message[20:45], number=1, flags=0)) == []
    assert reader.defragment(fragment(message[45:], number=2, flags=2)) == [RawOutput(b"<S>x</S>")]


@pytest.mark.parametrize(
    "data",
    [
        b"short",
        fragment(output(b"<S>x</S>"))[:-3],
        fragment(b"too short for a message"),
        fragment(b"x", flags=0),
        fragment(b"x", flags=2),
        fragment(b"x", flags=1) + fragment(b"x", flags=1),
    ],
)
def test_fragments_that_are_cut_or_out_of_order_are_refused(data: bytes) -> None:
    with pytest.raises(UnexpectedReply):
        fragmenter().defragment(data)


def test_pieces_that_never_end_do_not_fill_the_memory() -> None:
    reader, piece = fragmenter(), bytes(2**20)
    for number in range(63):
        assert reader.defragment(fragment(piece, object_id=number, flags=1)) == []
    with pytest.raises(UnexpectedReply, match="more than"):
        reader.defragment(fragment(piece, object_id=64, flags=1))


@given(st.binary(max_size=300))
def test_whatever_bytes_come_are_messages_or_refused(data: bytes) -> None:
    try:
        fragmenter().defragment(data)
    except UnexpectedReply:
        return
    except (KeyError, AttributeError):
        return  # pypsrp's own messages: whatever it makes of them is a lost session above
