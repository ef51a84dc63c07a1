"""Reading a log from its first byte to its last: what is whole, what is torn, what is corrupt.

Only the end of the last segment can be torn, because a segment begins after everything before it
was synced, and its own head is synced before a frame follows. Nothing is changed in here.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Final, NamedTuple

from tongbao.store.disk import Disk
from tongbao.store.errors import DamagedLog, WrongChain, WrongVersion
from tongbao.store.frames import (
    FORMAT,
    SEGMENT_HEAD,
    later_synced,
    read_frame,
    read_segment_head,
)

OFFSET_BITS: Final = 32
NAME: Final = "00000000.log"


class Segment(NamedTuple):
    """One file of the log: the height it begins with, and the salt of its frames."""

    path: Path
    first: int
    salt: bytes


class Found(NamedTuple):
    """A log that can be used once its torn tail is cut.

    `places` has segment and offset of each block, as `place` makes them; `ends` how many bytes of
    each segment are good; `torn` the file whose tail is to be cut: back to the last of `ends`, or
    altogether where its head is torn and it is not among `segments`. `synced` is how many blocks
    the last frame knows to be durable.
    """

    segments: list[Segment]
    places: array[int]
    ends: list[int]
    torn: Path | None
    synced: int = 0

    @property
    def cut(self) -> int:
        """From which byte of the torn file nothing is good."""
        return self.ends[-1] if self.segments and self.segments[-1].path == self.torn else 0


def place(segment: int, offset: int) -> int:
    """Where a frame stands, in one number of 64 bits."""
    return segment << OFFSET_BITS | offset


def placed(number: int) -> tuple[int, int]:
    """The segment and offset of a place."""
    return number >> OFFSET_BITS, number & (1 << OFFSET_BITS) - 1


def segment_path(folder: Path, segment: int) -> Path:
    """The file of a segment."""
    return folder / f"{segment:08d}.log"


def damaged(path: Path, offset: int, height: int, why: str) -> DamagedLog:
    """Corruption at one place of the log."""
    return DamagedLog(
        f"{path} is damaged at byte {offset}, in block {height}: {why}. Nothing was changed. "
        "Restore `log/` from a backup or from another copy of this chain"
    )


def scan(disk: Disk, folder: Path, chain: str, known_blocks: int) -> Found:
    """Find every block, and a torn tail if there is one.

    `known_blocks` is how many blocks others (rows, the copy of the headers) know to be durable:
    what is bad below that is corruption. Raises DamagedLog, WrongChain, WrongVersion.
    """
    paths = _segments(disk, folder)
    found = Found([], array("Q"), [], None)
    for path in paths:
        found = _scan_segment(found, path, disk.read(path), chain, last=path == paths[-1])
    count = len(found.places)
    if count >= known_blocks:
        return found
    if found.torn is not None:
        raise damaged(found.torn, found.cut, count, _acknowledged(known_blocks))
    raise DamagedLog(
        f"{folder} ends before block {count}, {_acknowledged(known_blocks)}. Nothing was changed. "
        "Restore `log/` from a backup or from another copy of this chain; if `state/` or `headers` "
        "came from elsewhere, remove those instead"
    )


def _acknowledged(blocks: int) -> str:
    return f"but blocks up to {blocks - 1} were acknowledged"


def _segments(disk: Disk, folder: Path) -> list[Path]:
    """The files of the log in their order. Raises DamagedLog when one is missing."""
    names = [
        name
        for name in disk.names(folder)
        if len(name) == len(NAME) and name.endswith(".log") and name[:8].isdecimal()
    ]
    for number, name in enumerate(names):
        path = segment_path(folder, number)
        if name != path.name:
            raise DamagedLog(
                f"{path} is missing. Nothing was changed. Restore `log/` from a backup or from "
                "another copy of this chain"
            )
    return [folder / name for name in names]


def _scan_segment(found: Found, path: Path, data: bytes, chain: str, *, last: bool) -> Found:
    """Add what one segment holds. Raises DamagedLog, WrongChain, WrongVersion."""
    segments, places = found.segments, found.places
    head = read_segment_head(data)
    if head is None:
        if last and len(data) <= SEGMENT_HEAD:
            return found._replace(torn=path)
        raise damaged(path, 0, len(places), "the head of the file is not what was written")
    if head.format != FORMAT:
        raise WrongVersion(
            f"{path} has format {head.format}, this version reads {FORMAT}: "
            "use the version of tongbao that wrote it"
        )
    if head.chain != chain:
        raise WrongChain(
            f"{path} is of chain {head.chain}, not {chain}: "
            "put the log back to the genesis file that it belongs to"
        )
    if head.first != len(places):
        raise damaged(path, 0, len(places), f"the file begins with block {head.first}")
    segments.append(Segment(path, head.first, head.salt))
    offset = SEGMENT_HEAD
    synced = 0
    while (frame := read_frame(head.salt, data, offset)) is not None:
        if frame.height != len(places):
            break
        places.append(place(len(segments) - 1, offset))
        synced, offset = frame.synced, frame.end
    found.ends.append(offset)
    found = found._replace(synced=max(found.synced, synced))
    if offset == len(data):
        return found
    synced = max(synced, later_synced(head.salt, data, offset))
    if synced > len(places):
        raise damaged(path, offset, len(places), _acknowledged(synced))
    if not last:
        raise damaged(path, offset, len(places), "a whole file follows this one")
    return found._replace(torn=path)
