"""Our codec beside Google's protobuf library: the same bytes, messages and errors."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.cometbft.descriptors import google_class
from tests.engines.cometbft.twins import (
    any_request,
    any_response,
    enveloped,
    from_twin,
    messages_of,
    name_of,
    twin_of,
)
from tongbao.engines.cometbft import codec
from tongbao.engines.cometbft.fields import FIELDS, REQUESTS, RESPONSES
from tongbao.engines.cometbft.messages import Message, Misbehavior, PublicKey, Timestamp, Validator
from tongbao.engines.cometbft.requests import RequestCheckTx, RequestEcho, RequestFinalizeBlock
from tongbao.engines.cometbft.responses import (
    ResponseApplySnapshotChunk,
    ResponseCommit,
    ResponseEcho,
    ResponseInfo,
)
from tongbao.engines.cometbft.wire import WireError, write_varint

any_message = st.sampled_from(list(FIELDS)).flatmap(messages_of)
any_kind = st.sampled_from(list(FIELDS))
NUMBER_ZERO = "no field has the number 0"
"""Within groups, and messages without fields, Google's library steps over a field numbered 0.
Protobuf forbids it, and CometBFT refuses it as ours does."""


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The bytes of one or two messages with some of them cut, put in or changed."""
    data = bytearray(codec.encode(draw(any_message)) + codec.encode(draw(any_message)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 3)))
        data[start:end] = draw(st.binary(max_size=3))
    return bytes(data)


@given(any_message)
def test_each_message_has_the_bytes_that_google_gives_it(message: Message) -> None:
    """
    Given any message,
    when it is encoded here and by Google's library, and each reads the bytes,
    then bytes and messages are the same.
    """
    data = codec.encode(message)
    assert data == twin_of(message).SerializeToString()
    assert codec.decode(type(message), data) == message
    assert google_class(name_of(type(message))).FromString(data) == twin_of(message)


@given(any_request, any_response)
def test_each_envelope_has_the_bytes_that_google_gives_it(ask: Message, tell: Message) -> None:
    """
    Given any request and any response,
    when their envelopes are encoded here and by Google's library, and read again,
    then bytes and messages are the same.
    """
    data = codec.encode_request(ask)
    assert data == enveloped("Request", REQUESTS, ask).SerializeToString()
    assert codec.decode_request(data) == ask
    data = codec.encode_response(tell)
    assert data == enveloped("Response", RESPONSES, tell).SerializeToString()
    assert codec.decode_response(data) == tell


@given(any_kind, st.one_of(damaged(), st.binary(max_size=60)))
def test_whatever_the_bytes_google_says_the_same(kind: type[Message], data: bytes) -> None:
    """
    Given damaged bytes, or those of other messages, which are full of unknown fields,
    when both read them,
    then either both say that they are no message, ours by its one error, or both read the same.
    """
    ours: Message | str
    try:
        ours = codec.decode(kind, data)
    except WireError as error:
        ours = str(error)
    try:
        theirs = google_class(name_of(kind)).FromString(data)
    except DecodeError:
        assert isinstance(ours, str)
    else:
        assert ours in (from_twin(kind, theirs), NUMBER_ZERO)


@given(
    st.sampled_from((0, 1, 5, 120, 126, 127, 128, 300, 16_376, 16_380, 16_384, 70_000)),
    st.sampled_from((b"", b"\x10\x01", b"\x10\x00", b"\x10\x02", b"\x10", b"\x0a\x01x", b"x")),
    st.integers(-2, 2),
    st.integers(-1, 3),
)
def test_a_check_reads_the_same_by_its_short_way(
    size: int, rest: bytes, wrong: int, touched: int
) -> None:
    """
    Given a CheckTx as CometBFT spells it, and others: longer, cut, with other fields and lengths,
    when read as a request, and with an unknown field in front, which takes the long way,
    then both give the same message, or none.
    """
    content = b"\x0a" + write_varint(size) + bytes(size) + rest
    wire = bytearray(b"\x42" + write_varint(len(content) + wrong * (touched == 3)) + content)
    if 0 <= touched < 3:
        wire[touched] = wire[touched] + wrong & 0xFF
    outcomes: list[Message | None] = []
    for data in (bytes(wire), b"\xf8\x07\x01" + wire):
        try:
            outcomes.append(codec.decode_request(data))
        except WireError:
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]


@given(st.one_of(damaged(), st.binary(max_size=60)), st.sampled_from(list(REQUESTS)))
def test_damaged_envelopes_raise_the_one_error_or_are_read(data: bytes, number: int) -> None:
    """
    Given damaged bytes, bare and behind the beginning of a request,
    when they are read as a request and as a response,
    then a message of the table comes out, or the codec's error.
    """
    for wire in (data, write_varint(number << 3 | 2) + write_varint(len(data)) + data):
        for read, known in (
            (codec.decode_request, REQUESTS),
            (codec.decode_response, RESPONSES),
        ):
            try:
                message = read(wire)
            except WireError:
                continue
            assert type(message) in known.values()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "no message that is known here: none"),
        ("aa0100", "no message that is known here: number 21"),
        ("0801", "no message that is known here: number 1"),
        ("0a001200", "two messages in one envelope"),
        ("0a05", "a field of 5 bytes where 0 are left"),
        ("0affffffffffffffffff01", "where 0 are left"),
        ("0a0480", "a field of 4 bytes where 1 are left"),
        ("0a030a0180", "a text is not UTF-8"),
        ("8080808080808080808001", "a number has more than 10 bytes"),
        ("80808080808080808002", NUMBER_ZERO),
        ("80", "the bytes end within a number"),
        ("00", NUMBER_ZERO),
        ("0f", "field 1 has the wire type 7"),
        ("0d0000", "the bytes end within a field"),
        ("0b14", "group 1 is ended as 2"),
        ("0c", "field 1 has the wire type 4"),
        ("0b" * 101 + "0c" * 101, "more than 100 groups inside of one another"),
    ],
)
def test_what_is_no_request_is_told_by_what_is_wrong(data: str, says: str) -> None:
    """Given bytes that are no request, when read, then the error says what is wrong with them."""
    with pytest.raises(WireError, match=says):
        codec.decode_request(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (ResponseInfo(app_version=-1), r"app_version is -1; uint64 is from 0 to"),
        (ResponseInfo(app_version=1 << 64), r"app_version is 18446744073709551616"),
        (ResponseCommit(retain_height=1 << 63), r"int64 is from -9223372036854775808 to"),
        (RequestCheckTx(type=1 << 31), r"type is 2147483648; int32"),
        (ResponseApplySnapshotChunk(refetch_chunks=(1, -1)), r"refetch_chunks is -1; uint32"),
        (ResponseEcho(message="\ud800"), r"message has half of a character"),
    ],
)
def test_what_has_no_bytes_is_not_encoded(message: Message, says: str) -> None:
    """Given a value beyond its type, when encoded, then the error names field and bounds."""
    with pytest.raises(WireError, match=says):
        codec.encode(message)


def test_numbers_that_repeat_are_read_packed_and_one_by_one() -> None:
    """
    Given a list of numbers in both spellings at once, as old and new programs write it,
    when read,
    then all are there in order.
    """
    data = bytes.fromhex("1001120202031004")
    read = codec.decode(ResponseApplySnapshotChunk, data)
    assert read == ResponseApplySnapshotChunk(refetch_chunks=(1, 2, 3, 4))


def test_a_message_in_pieces_is_put_together() -> None:
    """
    Given a time in two fields, seconds in the first and nanoseconds in the second,
    when read,
    then it is one time; of two chosen keys the later one counts.
    """
    data = bytes.fromhex("3202080532021007")
    read = codec.decode(RequestFinalizeBlock, data)
    assert read == RequestFinalizeBlock(time=Timestamp(5, 7))
    chosen = codec.decode(PublicKey, bytes.fromhex("0a0101120102"))
    assert chosen == PublicKey(secp256k1=b"\x02")


def test_two_broken_pieces_are_not_put_together() -> None:
    """
    Given a piece that ends within a tag, and one that goes on where that ended,
    when read,
    then they are no message, though their bytes together would be one.
    """
    with pytest.raises(WireError, match="the bytes end within a number"):
        codec.decode(Misbehavior, bytes.fromhex("1202c28012020a00"))
    assert codec.decode(Validator, bytes.fromhex("c2800a00")) == Validator()


def test_fields_of_a_later_version_are_stepped_over() -> None:
    """
    Given a request with fields of every wire type that this version does not know,
    when read,
    then what is known is there and the rest is not missed.
    """
    later = "f80301f9030000000000000000fa0302abcdfb03080afc03fd0300000000"
    echo = bytes.fromhex("0a0141" + later)
    wire = bytes.fromhex(later) + b"\x0a" + write_varint(len(echo)) + echo
    assert codec.decode_request(wire) == RequestEcho(message="A")
