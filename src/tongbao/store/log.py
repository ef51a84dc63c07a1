"""The block log: appending a record and syncing it is the atomic step of the whole node."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tongbao.store.disk import AppendFile, Disk
from tongbao.store.errors import DamagedLog, DiskFailed, DiskFull, WrongChain, WrongVersion
from tongbao.store.frames import (
    FORMAT,
    SEGMENT_HEAD,
    later_synced,
    read_frame,
    read_segment_head,
    write_frame,
    write_segment_head,
)
from tongbao.store.record import BlockRecord, decode_record, encode

SEGMENT_BYTES: Final = 64 * 1024 * 1024
FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Place(NamedTuple):
    """Where a block's frame stands."""

    segment: int
    offset: int
    length: int


class BlockLog:
    """Blocks in numbered segments under `log/`."""

    def __init__(
        self,
        disk: Disk,
        folder: Path,
        chain: str,
        *,
        known_blocks: int = 0,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Open the log, cutting a torn tail off.

        `known_blocks` is how many blocks others (LMDB, the headers' copy) know to be durable: what
        is damaged below that is corruption. Raises DamagedLog, WrongChain, WrongVersion.
        """
        self._disk = disk
        self._folder = folder
        self._chain = chain
        self._segment_bytes = segment_bytes
        self._known = known_blocks
        self._places: list[Place] = []
        self._segment = -1
        self._size = 0
        self._file: AppendFile | None = None
        self._failed = False
        disk.make_folder(folder)
        self._scan()
        if len(self._places) < known_blocks:
            raise DamagedLog(
                f"{folder} ends at block {len(self._places) - 1}, but blocks up to "
                f"{known_blocks - 1} were acknowledged. Nothing was changed. Restore `log/` from a "
                "backup; if `state/` or `headers` were put back from elsewhere, remove them instead"
            )

    @property
    def height(self) -> int:
        """The height of the last block, -1 for an empty log."""
        return len(self._places) - 1

    def _path(self, segment: int) -> Path:
        return self._folder / f"{segment:08d}.log"

    # Opening

    def _scan(self) -> None:
        """Read every segment, learn where blocks stand, cut what was never acknowledged."""
        segments = [int(name[:8]) for name in self._disk.names(self._folder) if _is_segment(name)]
        if segments != list(range(len(segments))):
            raise DamagedLog(f"{self._folder} lacks a segment; restore it from a backup")
        for segment in segments:
            data = self._disk.read(self._path(segment))
            good = self._scan_segment(segment, data)
            if good < len(data) or good < SEGMENT_HEAD:
                self._cut(segment, good, data, segments)
                return
            self._segment, self._size = segment, good

    def _scan_segment(self, segment: int, data: bytes) -> int:
        """Note the whole frames of a segment; how many of its bytes are good."""
        head = read_segment_head(data)
        if head is None:
            return 0
        version, chain = head
        if version != FORMAT:
            raise WrongVersion(
                f"{self._path(segment)} has format {version}, this version reads {FORMAT}: "
                "use the version of tongbao that wrote it"
            )
        if chain != self._chain:
            raise WrongChain(f"{self._path(segment)} is of chain {chain}, not {self._chain}")
        offset = SEGMENT_HEAD
        while (frame := read_frame(data, offset)) is not None:
            if frame.height != len(self._places):
                break
            self._known = max(self._known, frame.synced)
            self._places.append(Place(segment, frame.offset, frame.end - frame.offset))
            offset = frame.end
        return offset

    def _cut(self, segment: int, good: int, data: bytes, segments: list[int]) -> None:
        """Cut a torn tail: only what nothing says was ever synced. Raises DamagedLog otherwise."""
        known = max(self._known, later_synced(data, good))
        later = segments[segment + 1 :]
        for other in later:
            known = max(known, later_synced(self._disk.read(self._path(other)), 0))
        if len(self._places) < known:
            raise DamagedLog(
                f"{self._path(segment)} is damaged at byte {good}, in block {len(self._places)} "
                f"which was acknowledged (the log was synced up to block {known - 1}). Nothing was "
                "changed. Restore `log/` from a backup or from another copy of this chain"
            )
        for other in reversed(later):
            self._disk.remove(self._path(other))
        if good < SEGMENT_HEAD:
            self._disk.remove(self._path(segment))
            self._disk.sync_folder(self._folder)
            self._segment = segment - 1
            self._size = self._segment_bytes  # whatever comes next begins a new segment
            return
        file = self._disk.append_to(self._path(segment))
        file.truncate(good)
        file.sync()
        file.close()
        self._disk.sync_folder(self._folder)
        self._segment, self._size = segment, good

    # Writing

    def append(self, record: BlockRecord) -> None:
        """Append the next block and make it durable.

        Raises DiskFull (the log is as before and may be used on) or DiskFailed (the log takes no
        more: the process must stop).
        """
        if self._failed:
            raise DiskFailed("an earlier write failed: stop this process and start it again")
        assert record.height == len(self._places)
        frame = write_frame(record.height, len(self._places), encode(record))
        file = self._writable()
        try:
            file.write(frame)
        except OSError as error:
            self._take_back(file, error)
        self._sync(file)
        self._places.append(Place(self._segment, self._size, len(frame)))
        self._size += len(frame)

    def _writable(self) -> AppendFile:
        """The file that the next frame goes to; a new segment once the last one is full."""
        if self._file is not None and self._size < self._segment_bytes:
            return self._file
        if self._segment < 0 or self._size >= self._segment_bytes:
            self._begin_segment()
        if self._file is None:
            self._file = self._disk.append_to(self._path(self._segment))
        return self._file

    def _begin_segment(self) -> None:
        """Make a segment whose head and name are durable before anything relies on it."""
        path = self._path(self._segment + 1)
        file = self._disk.append_to(path)
        try:
            file.write(write_segment_head(self._chain))
        except OSError as error:
            file.close()
            self._disk.remove(path)
            raise _full_or_failed(error) from error
        self._sync(file)
        try:
            self._disk.sync_folder(self._folder)
        except OSError as error:
            self._failed = True
            raise DiskFailed(f"the folder {self._folder} can't be synced: {error}") from error
        if self._file is not None:
            self._file.close()
        self._file, self._segment, self._size = file, self._segment + 1, SEGMENT_HEAD

    def _take_back(self, file: AppendFile, error: OSError) -> None:
        """Cut off what a failed write left behind, so that the log is as it was."""
        try:
            file.truncate(self._size)
        except OSError as second:
            self._failed = True
            raise DiskFailed(f"a failed write can't be taken back: {second}") from error
        failure = _full_or_failed(error)
        self._failed = isinstance(failure, DiskFailed)
        raise failure from error

    def _sync(self, file: AppendFile) -> None:
        """fdatasync, once: after a failure nobody knows what is on the disk."""
        try:
            file.sync()
        except OSError as error:
            self._failed = True
            raise DiskFailed(
                f"fdatasync failed ({error}): the last block is not acknowledged. "
                "Stop this process, "
                "look at the disk, then start again: recovery decides by what is really there"
            ) from error

    # Reading

    def read(self, height: int) -> BlockRecord:
        """The record of a block. Raises LookupError, and DamagedLog when it has been changed."""
        if not 0 <= height < len(self._places):
            raise LookupError(f"there is no block {height}")
        place = self._places[height]
        data = self._disk.read_part(self._path(place.segment), place.offset, place.length)
        frame = read_frame(data, 0)
        if frame is None or frame.height != height:
            raise DamagedLog(
                f"block {height} in {self._path(place.segment)} at byte {place.offset} is damaged: "
                "restore `log/` from a backup"
            )
        return decode_record(frame.body)

    def records(self, first: int) -> Iterator[BlockRecord]:
        """The records from height `first` on."""
        for height in range(first, len(self._places)):
            yield self.read(height)

    def close(self) -> None:
        """Close the file; everything acknowledged is synced already."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _is_segment(name: str) -> bool:
    return len(name) == len("00000000.log") and name.endswith(".log") and name[:8].isdigit()


def _full_or_failed(error: OSError) -> DiskFull | DiskFailed:
    """What a failed write means."""
    if error.errno in FULL:
        return DiskFull("the disk is full: make space, then try again; nothing was lost")
    return DiskFailed(f"the log can't be written: {error}")
