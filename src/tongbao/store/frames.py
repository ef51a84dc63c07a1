"""The bytes of log segments: their heads, and the frames that hold records.

A segment begins with 64 bytes: `TBLOG` and format version in 8 bytes, the chain's id padded with
zero bytes to 40, and the first 16 bytes of SHA-256 over those 48. A frame is

| bytes | what                                                                        |
|-------|-----------------------------------------------------------------------------|
| 4     | `TBRK`                                                                      |
| 4     | length of the body, big endian                                              |
| 8     | height                                                                      |
| 8     | how many blocks the log had synced when this was written (heights below it) |
| 32    | SHA-256 of the 24 bytes before and the body                                 |
| ...   | the body: a `BlockRecord` in MessagePack                                    |
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct as Packing
from typing import Final, NamedTuple

FORMAT: Final = 1
SEGMENT_MAGIC: Final = b"TBLOG\0\0" + bytes([FORMAT])
CHAIN_BYTES: Final = 40
CHECK_BYTES: Final = 16
SEGMENT_HEAD: Final = len(SEGMENT_MAGIC) + CHAIN_BYTES + CHECK_BYTES
FRAME_MAGIC: Final = b"TBRK"
FRAME_FIELDS: Final = Packing(">4sIQQ")
FRAME_HEAD: Final = FRAME_FIELDS.size + 32
BODY_LIMIT: Final = 512 * 1024 * 1024


class Frame(NamedTuple):
    """A frame that is whole: where it stands in its segment, and what it says."""

    offset: int
    end: int
    height: int
    synced: int
    body: bytes


def write_segment_head(chain: str) -> bytes:
    """The first 64 bytes of a segment."""
    name = chain.encode("ascii")
    assert len(name) <= CHAIN_BYTES
    head = SEGMENT_MAGIC + name.ljust(CHAIN_BYTES, b"\0")
    return head + sha256(head).digest()[:CHECK_BYTES]


def read_segment_head(data: bytes) -> tuple[int, str] | None:
    """The format version and chain of a segment; None where the head is damaged."""
    head, check = (
        data[: SEGMENT_HEAD - CHECK_BYTES],
        data[SEGMENT_HEAD - CHECK_BYTES : SEGMENT_HEAD],
    )
    if len(check) != CHECK_BYTES or sha256(head).digest()[:CHECK_BYTES] != check:
        return None
    version = head[len(SEGMENT_MAGIC) - 1]
    return version, head[len(SEGMENT_MAGIC) :].rstrip(b"\0").decode("ascii", "replace")


def write_frame(height: int, synced: int, body: bytes) -> bytes:
    """A frame around a body."""
    assert len(body) <= BODY_LIMIT
    fields = FRAME_FIELDS.pack(FRAME_MAGIC, len(body), height, synced)
    return fields + sha256(fields + body).digest() + body


def read_frame(data: bytes, offset: int) -> Frame | None:
    """The frame at `offset`, None where there is no whole one."""
    fields = data[offset : offset + FRAME_FIELDS.size]
    if len(fields) < FRAME_FIELDS.size:
        return None
    magic, length, height, synced = FRAME_FIELDS.unpack(fields)
    end = offset + FRAME_HEAD + length
    if magic != FRAME_MAGIC or length > BODY_LIMIT or end > len(data):
        return None
    body = data[offset + FRAME_HEAD : end]
    if sha256(fields + body).digest() != data[offset + FRAME_FIELDS.size : offset + FRAME_HEAD]:
        return None
    return Frame(offset, end, height, synced, body)


def later_synced(data: bytes, offset: int) -> int:
    """The most blocks that any whole frame from `offset` on says were synced before it."""
    synced = 0
    at = data.find(FRAME_MAGIC, offset)
    while at >= 0:
        frame = read_frame(data, at)
        if frame is not None:
            synced = max(synced, frame.synced)
        at = data.find(FRAME_MAGIC, at + 1)
    return synced
