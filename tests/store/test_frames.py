"""Heads and frames: frozen bytes, every changed bit noticed, no forging without the salt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.golden_file import check_golden
from tests.store.blocks import CHAIN
from tongbao.store.frames import (
    FRAME_HEAD,
    SEGMENT_HEAD,
    SegmentHead,
    later_synced,
    read_frame,
    read_segment_head,
    write_frame,
    write_segment_head,
)

SALT = b"sixteen bytes ok"
HEAD = SegmentHead(1, CHAIN, 7, SALT)


def test_the_bytes_of_heads_and_frames_are_those_that_are_frozen() -> None:
    """
    Given the head of a segment and a frame,
    when they are written,
    then their bytes are the golden file's, and reading gives the same again.
    """
    head = write_segment_head(HEAD)
    frame = write_frame(SALT, 8, 7, b"body")
    assert (len(head), len(frame)) == (SEGMENT_HEAD, FRAME_HEAD + 4)
    assert read_segment_head(head) == HEAD
    found = read_frame(SALT, frame, 0)
    assert found is not None
    assert found == (0, len(frame), 8, 7)
    assert found.body(frame) == b"body"
    check_golden("block_record.json", "log", {"head": head.hex(), "frame": frame.hex()})


def test_every_changed_bit_and_every_cut_is_noticed() -> None:
    """
    Given the head of a segment and a frame,
    when one bit of them is changed, or bytes are missing at the end,
    then they are not read.
    """
    head, frame = write_segment_head(HEAD), write_frame(SALT, 8, 7, b"body")
    for data, read in ((head, read_segment_head), (frame, lambda it: read_frame(SALT, it, 0))):
        for bit in range(len(data) * 8):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            assert read(bytes(changed)) is None, bit
        for length in range(len(data)):
            assert read(data[:length]) is None, length


@given(st.binary(max_size=300), st.integers(0, 2**63))
def test_a_frame_inside_a_transaction_says_nothing_of_the_log(body: bytes, synced: int) -> None:
    """
    Given a torn frame whose body holds a frame that somebody made without knowing the salt,
    when what follows the damage is searched for what was synced,
    then the forged frame counts for nothing, and a true one behind it does.
    """
    forged = write_frame(b"a guess of a salt", synced, synced, body)
    torn = write_frame(SALT, 5, 5, b"before" + forged + b"behind")[1:]
    assert later_synced(SALT, torn, 0) == 0
    assert later_synced(SALT, torn + write_frame(SALT, 6, 6, body), 0) == 6
