"""The bytes of headers and votes: Google's library and CometBFT's own answers as oracles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.engines.cometbft.descriptors import google_class
from tests.engines.cometbft.twins import messages_of
from tests.paper_network import FOUR, PaperNetwork, commit_of, header_of, voted
from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light import types as t
from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.form import (
    LIGHT_BLOCK_BYTES_LIMIT,
    check_light_block,
    read_header,
    read_light_block,
)
from tongbao.engines.cometbft.light.rpc_forms import timestamp_of
from tongbao.engines.cometbft.light.votes import Ballot
from tongbao.engines.cometbft.messages import Timestamp
from tongbao.engines.cometbft.wire import write_varint


@given(
    st.text(max_size=50),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.binary(max_size=32),
    messages_of(t.PartSetHeader),
    messages_of(Timestamp),
)
def test_votes_have_the_bytes_that_google_gives_them(
    chain: str, height: int, round_: int, hash_: bytes, parts: t.PartSetHeader, time: Timestamp
) -> None:
    """
    Given a vote of any chain, height, round, block and time,
    when what is signed is written here and, as CanonicalVote, by Google's library,
    then the bytes are the same, behind their length.
    """
    block_id = t.BlockID(hash=hash_, part_set_header=parts)
    commit = t.Commit(height=height, round=round_, block_id=block_id)
    twin = google_class("tendermint.types.CanonicalVote")(
        type=2, height=height, round=round_, chain_id=chain
    )
    twin.block_id.hash = hash_
    twin.block_id.part_set_header.ParseFromString(encode(parts))
    twin.timestamp.seconds, twin.timestamp.nanos = time.seconds, time.nanos
    twin.block_id.part_set_header.SetInParent()
    twin.timestamp.SetInParent()
    expected = twin.SerializeToString()
    assert Ballot(chain, commit).sign_bytes(time) == write_varint(len(expected)) + expected


def test_a_light_block_is_read_as_it_was_written() -> None:
    """
    Given the light block and the header of a network of four,
    when their bytes are read,
    then the same comes out, and Google's library writes the same bytes.
    """
    block = PaperNetwork("paper-01234567").make([b"one", b"two"])
    data = encode(block)
    assert read_light_block(data) == block
    assert read_header(encode(header_of(block))) == header_of(block)
    assert google_class("tendermint.types.LightBlock").FromString(data).SerializeToString() == data


@pytest.mark.parametrize("change", ["unknown", "order", "proposer", "long"])
def test_bytes_in_another_spelling_are_refused(change: str) -> None:
    """
    Given a light block with an unknown field, its parts turned round, a proposer or a great length,
    when it is read,
    then it is malformed.
    """
    block = PaperNetwork("paper-01234567").make()
    data = encode(block)
    assert block.validator_set is not None
    with_proposer = replace(block.validator_set, proposer=FOUR.validators[0])
    cut = len(encode(t.LightBlock(signed_header=block.signed_header)))
    spelled = {
        "unknown": data + b"\x38\x01",
        "order": data[cut:] + data[:cut],
        "proposer": encode(replace(block, validator_set=with_proposer)),
        "long": data + bytes(LIGHT_BLOCK_BYTES_LIMIT),
    }
    with pytest.raises(LightError) as caught:
        read_light_block(spelled[change])
    assert caught.value.fault is Fault.MALFORMED


@given(st.data())
def test_whatever_the_bytes_a_light_block_is_read_or_malformed(data: st.DataObject) -> None:
    """
    Given a light block with some bytes changed, or any bytes,
    when it is read,
    then it is refused, or it is well-formed and these are its bytes.
    """
    whole = bytearray(encode(PaperNetwork("paper-01234567").make()))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for attempt in (bytes(whole), data.draw(st.binary(max_size=60))):
        try:
            found = read_light_block(attempt)
        except LightError:
            continue
        check_light_block(found)
        assert encode(found) == attempt


def test_absent_votes_have_the_time_that_is_none() -> None:
    """
    Given a network where one is absent and one votes for no block,
    when the light block is read,
    then it is well-formed, and the absent vote is written as CometBFT writes it.
    """
    header = header_of(PaperNetwork("paper-01234567").make())
    block = voted(header, FOUR, absent=["north"], against=["east"])
    assert read_light_block(encode(block)) == block
    written = {encode(vote).hex() for vote in commit_of(block).signatures}
    assert "08011a0b088092b8c398feffffff01" in written


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("2026-09-21T14:13:20Z", 1_790_000_000, 0),
        ("2026-09-21T14:13:20.5Z", 1_790_000_000, 500_000_000),
        ("2026-09-21T14:13:20.000000001Z", 1_790_000_000, 1),
        ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
        ("1969-12-31T23:59:59.25Z", -1, 250_000_000),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, seconds: int, nanos: int) -> None:
    """Given a time as CometBFT's RPC writes it, when it is read, then no digit is lost."""
    assert timestamp_of(text) == Timestamp(seconds, nanos)


@pytest.mark.parametrize("text", ["", "2026-09-21", "2026-09-21T14:13:20+02:00", "x" * 99])
def test_other_times_are_refused(text: str) -> None:
    """Given a text that is no time in UTC, when it is read, then it is refused."""
    with pytest.raises(ValueError, match="no time"):
        timestamp_of(text)
