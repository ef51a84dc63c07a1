"""Looking at a chain's folder without changing a byte of it, whoever has it open."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import DecodeError

from tongbao.store.disk import Disk
from tongbao.store.frames import read_frame
from tongbao.store.lock import PID_BYTES
from tongbao.store.record import BlockRecord, decode_record
from tongbao.store.recovery import Found, damaged


@contextmanager
def kept_still(folder: Path) -> Iterator[str]:
    """The process that has a folder open, `unknown` where it has no name; "" where nobody has.

    Then nobody can open it until the `with` statement ends, but others may look as well. A folder
    without the file `lock` was never opened since it was put there. Raises OSError.
    """
    try:
        file = (folder / "lock").open("rb")
    except FileNotFoundError:
        yield ""
        return
    with file:
        yield _owner(file)


def _owner(file: BinaryIO) -> str:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return file.read(PID_BYTES).decode("ascii", "replace").strip() or "unknown"
    return ""


def records_of(disk: Disk, found: Found, first: int) -> Iterator[BlockRecord]:
    """The records from height `first` on of a log that was scanned. Raises DamagedLog.

    Each segment is read once, as the scan has done.
    """
    height = first
    while height < found.stop:
        number, offset = found.place_of(height)
        segment = found.segments[number]
        data = disk.read_part(segment.path, offset, found.ends[number] - offset)
        at = 0
        while (frame := read_frame(segment.salt, data, at)) is not None:
            try:
                yield decode_record(frame.body(data))
            except DecodeError as error:
                why = f"its body is no record ({error})"
                raise damaged(segment.path, offset + at, height, why) from None
            at, height = frame.end, height + 1
        if at < len(data):
            raise damaged(segment.path, offset + at, height, "it has changed since it was read")
