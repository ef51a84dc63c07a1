"""The bytes of log segments: their heads, and the frames that hold records.

A segment begins with a head, which has this layout in every format:

| bytes | what                                                                |
|-------|---------------------------------------------------------------------|
| 8     | `TBLOG`, two zero bytes, the format (1)                             |
| 40    | the chain's id in ASCII, padded with zero bytes                     |
| 8     | the height of the first block in the segment, big endian            |
| 16    | the segment's salt                                                  |
| 16    | the first 16 bytes of SHA-256 of the 72 before                      |

Frames follow it without a gap:

| bytes | what                                                                        |
|-------|-----------------------------------------------------------------------------|
| 4     | `TBRK`                                                                      |
| 4     | length of the body, big endian                                              |
| 8     | height                                                                      |
| 8     | how many blocks the log had synced when this was written (heights below it) |
| 32    | SHA-256 of the salt, the 24 bytes before and the body                       |
| ...   | the body: a `BlockRecord` in MessagePack                                    |

The salt is why nobody can send a transaction that looks like a frame: whole frames behind a damaged
one say what had been acknowledged, so a forged one could pass a torn tail off as corruption.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct as Packing
from typing import Final, NamedTuple

FORMAT: Final = 1
SEGMENT_MAGIC: Final = b"TBLOG\0\0"
CHAIN_BYTES: Final = 40
CHECK_BYTES: Final = 16
SEGMENT_FIELDS: Final = Packing(">7sB40sQ16s")
SEGMENT_HEAD: Final = SEGMENT_FIELDS.size + CHECK_BYTES
FRAME_MAGIC: Final = b"TBRK"
FRAME_FIELDS: Final = Packing(">4sIQQ")
FRAME_HEAD: Final = FRAME_FIELDS.size + 32
BODY_LIMIT: Final = 512 * 1024 * 1024


class SegmentHead(NamedTuple):
    """What a segment says of itself."""

    format: int
    chain: str
    first: int
    salt: bytes


class Frame(NamedTuple):
    """A frame that is whole: where it stands in its data, and what it says."""

    start: int
    end: int
    height: int
    synced: int

    def body(self, data: bytes) -> bytes:
        """The record's bytes."""
        return data[self.start + FRAME_HEAD : self.end]


def write_segment_head(head: SegmentHead) -> bytes:
    """The first bytes of a segment."""
    chain = head.chain.encode("ascii")
    assert len(chain) <= CHAIN_BYTES
    fields = SEGMENT_FIELDS.pack(SEGMENT_MAGIC, head.format, chain, head.first, head.salt)
    return fields + sha256(fields).digest()[:CHECK_BYTES]


def read_segment_head(data: bytes) -> SegmentHead | None:
    """What a segment says of itself; None where its head is cut or damaged."""
    fields, check = data[: SEGMENT_FIELDS.size], data[SEGMENT_FIELDS.size : SEGMENT_HEAD]
    if len(check) < CHECK_BYTES or sha256(fields).digest()[:CHECK_BYTES] != check:
        return None
    magic, version, chain, first, salt = SEGMENT_FIELDS.unpack(fields)
    if magic != SEGMENT_MAGIC:
        return None
    return SegmentHead(version, chain.rstrip(b"\0").decode("ascii", "replace"), first, salt)


def write_frame(salt: bytes, height: int, synced: int, body: bytes) -> bytes:
    """A frame around a body."""
    assert len(body) <= BODY_LIMIT
    fields = FRAME_FIELDS.pack(FRAME_MAGIC, len(body), height, synced)
    return b"".join((fields, _check(salt, fields, body), body))


def read_frame(salt: bytes, data: bytes, start: int) -> Frame | None:
    """The frame at `start`, None where there is no whole one."""
    fields = data[start : start + FRAME_FIELDS.size]
    if len(fields) < FRAME_FIELDS.size:
        return None
    magic, length, height, synced = FRAME_FIELDS.unpack(fields)
    end = start + FRAME_HEAD + length
    if magic != FRAME_MAGIC or length > BODY_LIMIT or end > len(data):
        return None
    body = memoryview(data)[start + FRAME_HEAD : end]
    if _check(salt, fields, body) != data[start + FRAME_FIELDS.size : start + FRAME_HEAD]:
        return None
    return Frame(start, end, height, synced)


def later_synced(salt: bytes, data: bytes, start: int) -> int:
    """The most blocks that any whole frame from `start` on says were synced before it."""
    synced = 0
    at = data.find(FRAME_MAGIC, start)
    while at >= 0:
        frame = read_frame(salt, data, at)
        if frame is not None:
            synced = max(synced, frame.synced)
        at = data.find(FRAME_MAGIC, at + 1 if frame is None else frame.end)
    return synced


def _check(salt: bytes, fields: bytes, body: bytes | memoryview) -> bytes:
    digest = sha256(salt + fields)
    digest.update(body)
    return digest.digest()
