"""Frames come out as they went in, however their bytes were torn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongbao.engines.cometbft.framing import Frames, frame
from tongbao.engines.cometbft.wire import WireError


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 200), min_size=1))
def test_frames_are_the_same_whatever_the_pieces(contents: list[bytes], sizes: list[int]) -> None:
    """
    Given any contents as frames, and any lengths of pieces,
    when the bytes are fed piece by piece, and each whole frame is taken at once,
    then the contents come out in order, and nothing is left.
    """
    data = b"".join(map(frame, contents))
    frames, found, at = Frames(300), list[bytes](), 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        frames.feed(data[at : at + size])
        at += size
        while (content := frames.next()) is not None:
            found.append(content)
    assert found == contents
    assert (frames.next(), frames.waiting_bytes) == (None, 0)


@given(st.binary(max_size=40))
def test_any_bytes_are_frames_or_the_one_error(data: bytes) -> None:
    """
    Given any bytes,
    when frames of at most 30 bytes are cut from them,
    then each is within the limit and stands in the bytes, or the error is the codec's.
    """
    frames = Frames(30)
    frames.feed(data)
    try:
        while (content := frames.next()) is not None:
            assert len(content) <= 30
            assert content in data
    except WireError:
        return
    assert frames.waiting_bytes <= 31


def test_a_long_frame_is_refused_before_its_bytes_are_there() -> None:
    """
    Given frames that announce the limit and one byte more,
    when only the announcement has come,
    then the first waits and the second is refused.
    """
    waiting, refused = Frames(1_000), Frames(1_000)
    waiting.feed(b"\xe8\x07")
    assert waiting.next() is None
    refused.feed(b"\xe9\x07")
    with pytest.raises(WireError, match="a frame of 1001 bytes; 1000 at most"):
        refused.next()
