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
NO_BASE: Final = -1
"""In the place of a base's height: the log has every block from the first one on."""


class Segment(NamedTuple):
    """One file of the log: the height it begins with, and the salt of its frames."""

    path: Path
    first: int
    salt: bytes


class Found(NamedTuple):
    """A log that can be used once its torn tail is cut.

    `places` has segment and offset of each block, as `place` makes them, from block `first` on;
    `ends` how many bytes of each segment are good; `torn` the file whose tail is to be cut: back to
    the last of `ends`, or altogether where its head is torn and it is not among `segments`.
    `synced` is how many blocks the last frame knows to be durable.
    """

    segments: list[Segment]
    places: array[int]
    ends: list[int]
    torn: Path | None
    synced: int = 0
    first: int = 0

    @property
    def stop(self) -> int:
        """The height that the next block has."""
        return self.first + len(self.places)

    def place_of(self, height: int) -> tuple[int, int]:
        """The segment and offset of a block."""
        return placed(self.places[height - self.first])

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


def segment_path(folder: Path, number: int) -> Path:
    """The file of a segment."""
    return folder / f"{number:08d}.log"


def number_of(path: Path) -> int:
    """The number of a segment's file."""
    return int(path.stem)


def damaged(path: Path, offset: int, height: int, why: str) -> DamagedLog:
    """Corruption at one place of the log."""
    return DamagedLog(
        f"{path} is damaged at byte {offset}, in block {height}: {why}. Nothing was changed. "
        "Restore `log/` from a backup or from another copy of this chain"
    )


def scan(
    disk: Disk,
    folder: Path,
    chain: str,
    known_blocks: int,
    base: int = NO_BASE,
    wanted_from: int | None = None,
) -> Found:
    """Find every block, and a torn tail if there is one.

    `known_blocks` is how many blocks others (rows, the copy of the headers) know to be durable:
    what is bad below that is corruption. A log on a `base` may begin with a later block than the
    first: up to `wanted_from`, or the one after the base. Raises DamagedLog, WrongChain,
    WrongVersion.
    """
    latest = base + 1 if wanted_from is None else min(wanted_from, base + 1)
    known_blocks = max(known_blocks, base + 1)
    paths = _segments(disk, folder, is_pruned=base != NO_BASE)
    first = _first_of(disk, paths[0], latest) if paths else latest
    found = Found([], array("Q"), [], None, first=first)
    if paths and base == NO_BASE:
        _check_begins(disk, paths[0], chain)
    for path in paths:
        found = _scan_segment(found, path, disk.read(path), chain, last=path == paths[-1])
    stop = found.stop
    if stop >= known_blocks:
        return found
    if found.torn is not None:
        raise damaged(found.torn, found.cut, stop, _acknowledged(known_blocks))
    raise DamagedLog(
        f"{folder} ends before block {stop}, {_acknowledged(known_blocks)}. Nothing was changed. "
        "Restore `log/` from a backup or from another copy of this chain; if `state/` or `headers` "
        "came from elsewhere, remove those instead"
    )


def _first_of(disk: Disk, path: Path, latest: int) -> int:
    """The block that a log begins with: `latest` or one before it.

    Where the head of its first file can't be read, it is judged later what that means.
    """
    head = read_segment_head(disk.read_part(path, 0, SEGMENT_HEAD))
    return latest if head is None else min(head.first, latest)


def _check_begins(disk: Disk, path: Path, chain: str) -> None:
    """Whether a log that stands on no base begins with block 0. Raises DamagedLog."""
    head = read_segment_head(disk.read_part(path, 0, SEGMENT_HEAD))
    if head is not None and (head.format, head.chain) == (FORMAT, chain) and head.first:
        raise DamagedLog(
            f"{path}: the file begins with block {head.first}, and the rows of before are not "
            "here. Nothing was changed. Bring the folder `base-...` back from a backup or from "
            "another copy of this chain; where the chain never had one, `log/`"
        )


def _acknowledged(blocks: int) -> str:
    return f"but blocks up to {blocks - 1} were acknowledged"


def _segments(disk: Disk, folder: Path, *, is_pruned: bool) -> list[Path]:
    """The files of the log in their order. Raises DamagedLog when one is missing.

    Their numbers begin with 0 unless the first ones may have been pruned.
    """
    names = [
        name
        for name in disk.names(folder)
        if len(name) == len(NAME) and name.endswith(".log") and name[:8].isdecimal()
    ]
    first = number_of(folder / names[0]) if names and is_pruned else 0
    for number, name in enumerate(names, first):
        path = segment_path(folder, number)
        if name != path.name:
            raise DamagedLog(
                f"{path} is missing{_or_base(number)}. Nothing was changed. Restore `log/` from a "
                "backup or from another copy of this chain"
            )
    return [folder / name for name in names]


def _or_base(number: int) -> str:
    """What may be missing instead of a file with this number."""
    return "" if number else ", or the folder `base-...` if old blocks were pruned"


def _scan_segment(found: Found, path: Path, data: bytes, chain: str, *, last: bool) -> Found:
    """Add what one segment holds. Raises DamagedLog, WrongChain, WrongVersion."""
    segments, places = found.segments, found.places
    head = read_segment_head(data)
    if head is None:
        if last and len(data) <= SEGMENT_HEAD:
            return found._replace(torn=path)
        raise damaged(path, 0, found.stop, "the head of the file is not what was written")
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
    if head.first != found.stop:
        raise damaged(path, 0, found.stop, f"the file begins with block {head.first}")
    segments.append(Segment(path, head.first, head.salt))
    offset = SEGMENT_HEAD
    synced = 0
    while (frame := read_frame(head.salt, data, offset)) is not None:
        if frame.height != found.stop:
            break
        places.append(place(len(segments) - 1, offset))
        synced, offset = frame.synced, frame.end
    found.ends.append(offset)
    found = found._replace(synced=max(found.synced, synced))
    if offset == len(data):
        return found
    synced = max(synced, later_synced(head.salt, data, offset))
    if synced > found.stop:
        raise damaged(path, offset, found.stop, _acknowledged(synced))
    if not last:
        raise damaged(path, offset, found.stop, "a whole file follows this one")
    return found._replace(torn=path)
