"""Blocks read out of segments that grow meanwhile, and segments written byte by byte again.

A segment has a random salt in its head, so its copy says of which log it is: each file of a backup
is the beginning of the chain's file of the same name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

from msgspec import DecodeError

from tongbao.sdk.folder import sync_folder
from tongbao.store.errors import DamagedLog, StoreError, WrongChain, WrongVersion
from tongbao.store.frames import (
    FORMAT,
    SEGMENT_HEAD,
    SegmentHead,
    read_frame,
    read_segment_head,
)
from tongbao.store.record import BlockRecord, decode_record
from tongbao.store.recovery import NAME, damaged, segment_path

LOG: Final = "log"


class Place(NamedTuple):
    """Where a block's frame stands: the number of its segment, its first byte and its end."""

    segment: int
    start: int
    end: int


class Block(NamedTuple):
    """A block as a segment has it. `head` is the segment's own, `synced` what the frame knows."""

    place: Place
    record: BlockRecord
    synced: int
    head: bytes
    frame: bytes


class BadBackup(StoreError):
    """A backup that is not what it says, or not of this chain; the text says what to do."""

    exit_code = 65
    advice = "do what it says, and rely on this backup no further than that"


def segments_in(log: Path) -> list[int]:
    """The numbers of a log's segments, which follow one another. Raises DamagedLog."""
    names = [path.name for path in log.iterdir()] if log.is_dir() else []
    numbers = sorted(
        int(name[:8])
        for name in names
        if len(name) == len(NAME) and name.endswith(".log") and name[:8].isdecimal()
    )
    for expected, number in enumerate(numbers, numbers[0] if numbers else 0):
        if expected != number:
            raise DamagedLog(
                f"{segment_path(log, expected)} is missing: bring it back from another copy"
            )
    return numbers


def read_bytes(path: Path, start: int, end: int | None = None) -> bytes:
    """The bytes of a file from `start` on, up to `end` or as far as it goes. Raises StoreError."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(-1 if end is None else max(end - start, 0))
    except FileNotFoundError as error:
        raise StoreError(f"{path} has gone meanwhile: give the command again") from error


def first_of(log: Path, numbers: list[int], chain: str) -> int:
    """The height of a log's first block; 0 where it has no whole segment yet.

    Raises DamagedLog, WrongChain, WrongVersion.
    """
    if not numbers:
        return 0
    path = segment_path(log, numbers[0])
    data = read_bytes(path, 0, SEGMENT_HEAD)
    if len(data) < SEGMENT_HEAD and len(numbers) == 1:
        return 0
    return _head_of(path, data, chain).first


def blocks_from(
    log: Path, numbers: list[int], chain: str, height: int, after: Place | None
) -> Iterator[Block]:
    """The whole blocks of a log from a height on, which stands behind `after`, or is its first.

    `numbers` are the segments as they were listed: what is not whole in any but the last of them
    is damage, and the end of the last is where a writer may be writing. Raises DamagedLog,
    WrongChain, WrongVersion, StoreError.
    """
    for number in numbers:
        if after is not None and number < after.segment:
            continue
        path = segment_path(log, number)
        is_last = number == numbers[-1]
        start = after.end if after is not None and number == after.segment else SEGMENT_HEAD
        head = read_bytes(path, 0, SEGMENT_HEAD)
        if is_last and len(head) < SEGMENT_HEAD:
            return
        found = _head_of(path, head, chain)
        if start == SEGMENT_HEAD and found.first != height:
            raise damaged(path, 0, height, f"the file begins with block {found.first}")
        data = read_bytes(path, start)
        at = 0
        while (frame := read_frame(found.salt, data, at)) is not None:
            if frame.height != height:
                raise damaged(path, start + at, height, f"here stands block {frame.height}")
            try:
                record = decode_record(frame.body(data))
            except DecodeError as error:
                why = f"its body is no record ({error})"
                raise damaged(path, start + at, height, why) from error
            place = Place(number, start + frame.start, start + frame.end)
            yield Block(place, record, frame.synced, head, data[frame.start : frame.end])
            at, height = frame.end, height + 1
        if at < len(data) and not is_last:
            raise damaged(path, start + at, height, "a whole file follows this one")


def _head_of(path: Path, data: bytes, chain: str) -> SegmentHead:
    """The head of a segment of this chain. Raises DamagedLog, WrongChain, WrongVersion."""
    head = read_segment_head(data)
    if head is None:
        raise damaged(path, 0, 0, "the head of the file is not what was written")
    if head.format != FORMAT:
        raise WrongVersion(
            f"{path} has format {head.format}, this version reads {FORMAT}: "
            "use the version of tongbao that wrote it"
        )
    if head.chain != chain:
        raise WrongChain(f"{path} is of chain {head.chain}, not {chain}: name the chain's own")
    return head


class LogCopy:
    """Segments that are written again in another folder, frame by frame."""

    def __init__(self, log: Path, end: Place | None) -> None:
        """Go on behind `end`, where the copy ends; None where it has no block yet.

        What stands behind that is cut off: nobody was told of it. Raises BadBackup, OSError.
        """
        self._log = log
        self.end = end
        self._descriptor = -1
        cut(log, end)
        if end is not None:
            self._descriptor = os.open(segment_path(log, end.segment), os.O_WRONLY | os.O_APPEND)

    def __enter__(self) -> Self:
        """For a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; what was not synced may be lost."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def is_next_file(self, block: Block) -> bool:
        """Whether a block begins a new segment."""
        return self.end is None or block.place.segment != self.end.segment

    def add(self, block: Block) -> None:
        """Write a block's bytes where they stand in the log that is copied. Raises OSError."""
        data = block.frame
        if self.is_next_file(block):
            self._begin(segment_path(self._log, block.place.segment))
            data = block.head + data
        while data:
            data = data[os.write(self._descriptor, data) :]
        self.end = block.place

    def _begin(self, path: Path) -> None:
        """Open a new segment, once the one before it is durable."""
        self.sync()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(path, flags, 0o640)

    def sync(self) -> None:
        """Make all that was written durable, names too. Raises OSError."""
        if self._descriptor >= 0:
            os.fdatasync(self._descriptor)
        sync_folder(self._log)


def cut(log: Path, end: Place | None) -> None:
    """Bring a copy back to where it is known to end. Raises BadBackup when it ends before."""
    if end is not None:
        path = segment_path(log, end.segment)
        size = path.stat().st_size if path.exists() else 0
        if size < end.end:
            raise BadBackup(
                f"{path} has {size} of its {end.end} bytes: this backup is damaged; begin a new "
                "one in another folder"
            )
        if size > end.end:
            os.truncate(path, end.end)
    numbers = segments_in(log)
    for number in numbers:
        if end is None or number > end.segment:
            segment_path(log, number).unlink()
    sync_folder(log)
