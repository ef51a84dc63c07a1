"""The block log: appending a record and syncing it is the atomic step of the whole node."""

from __future__ import annotations

import errno
import logging
from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from msgspec import DecodeError

from tongbao.store.disk import AppendFile, Disk
from tongbao.store.errors import DiskFailed, DiskFull, Pruned
from tongbao.store.frames import (
    FORMAT,
    SEGMENT_HEAD,
    SegmentHead,
    read_frame,
    write_frame,
    write_segment_head,
)
from tongbao.store.record import BlockRecord, decode_record, encode
from tongbao.store.recovery import (
    NO_BASE,
    Found,
    Segment,
    damaged,
    number_of,
    place,
    placed,
    scan,
    segment_path,
)
from tongbao.store.sites import Site

log = logging.getLogger("tongbao.store")

SEGMENT_BYTES: Final = 64 * 1024 * 1024
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BlockLog:
    """Blocks in numbered segments under `log/`.

    Once a write or sync failed for another reason than a full disk, every call raises DiskFailed:
    nobody knows what is on the disk, and only a new start finds out.
    """

    def __init__(
        self,
        disk: Disk,
        folder: Path,
        chain: str,
        *,
        known_blocks: int = 0,
        segment_bytes: int = SEGMENT_BYTES,
        base: int = NO_BASE,
        wanted_from: int | None = None,
    ) -> None:
        """Open the log, cutting a torn tail off.

        `known_blocks` is how many blocks others (rows, the copy of the headers) know to be durable:
        what is damaged below that is corruption. A log on a `base` has every block after that one,
        and those from `wanted_from` on. Raises DamagedLog, WrongChain, WrongVersion, DiskFailed.
        """
        self._disk = disk
        self._folder = folder
        self._chain = chain
        self._segment_bytes = segment_bytes
        self._file: AppendFile | None = None
        self._failure = ""
        found = scan(disk, folder, chain, known_blocks, base, wanted_from)
        self._settle(found, known_blocks)
        self._segments: list[Segment] = found.segments
        self._places: array[int] = found.places
        self._ends: list[int] = found.ends
        self._first_place = found.first
        self._first = found.first
        self._synced = found.stop

    @property
    def first(self) -> int:
        """The height of the first block that is there, or that will be."""
        return self._first

    @property
    def height(self) -> int:
        """The height of the last block; of an empty log, that of its base."""
        return self._first_place + len(self._places) - 1

    @property
    def failed(self) -> bool:
        """Whether a write failed so that this log can't be used any more."""
        return bool(self._failure)

    def _settle(self, found: Found, known_blocks: int) -> None:
        """Cut the torn tail, which nobody was told of, and make what is left durable.

        A process that was killed may have left whole blocks that were never synced. From now on
        rows and answers rely on them.
        """
        if found.torn is not None:
            log.warning(
                "%s ends in a block that was never acknowledged: cut at byte %d",
                found.torn,
                found.cut,
            )
        try:
            if found.torn is not None and found.cut == 0:
                self._disk.remove(found.torn, Site.TORN_SEGMENT)
            if found.segments:
                self._file = self._disk.append_to(found.segments[-1].path, Site.LAST_SEGMENT)
                if found.cut:
                    self._file.truncate(found.cut, Site.TORN_TAIL)
                self._write_again(found, known_blocks)
                self._file.sync(Site.FOUND_BLOCKS)
            if found.segments or found.torn is not None:
                self._disk.sync_folder(self._folder, Site.FOUND_SEGMENTS)
                self._disk.sync_folder(self._folder.parent, Site.FOUND_LOG)
        except OSError as error:
            self.close()
            raise self._fail(f"{self._folder} can't be made durable ({error})") from error

    def _write_again(self, found: Found, known_blocks: int) -> None:
        """Write those blocks of the last segment again of which nobody knows that they are durable.

        After a failed sync the system shows bytes that no later sync writes: only new ones help
        (P. Rebello and others, "Can Applications Recover from fsync Failures?", USENIX ATC 2020).
        """
        segment, sure = found.segments[-1], max(found.synced, known_blocks)
        if sure > segment.first and sure >= found.stop:
            return
        start = 0 if sure <= segment.first else found.place_of(sure)[1]
        data = self._disk.read_part(segment.path, start, found.ends[-1] - start)
        self._disk.rewrite(segment.path, start, data, Site.FOUND_TAIL)

    # Writing

    def append(self, record: BlockRecord) -> None:
        """Write the next block; it is durable after `sync`.

        Raises DiskFull (the log is as before and may be used on) or DiskFailed.
        """
        self._check_usable()
        assert record.height == self.height + 1
        file = self._writable()
        body = encode(record)
        frame = write_frame(self._segments[-1].salt, record.height, self._synced, body)
        try:
            file.write(frame, Site.FRAME)
        except OSError as error:
            self._take_back(file, error)
        self._places.append(place(len(self._segments) - 1, self._ends[-1]))
        self._ends[-1] += len(frame)

    def sync(self) -> None:
        """Make what was appended durable, by one fdatasync. Raises DiskFailed; never retries."""
        self._check_usable()
        if self._file is not None and self._synced <= self.height:
            self._sync(self._file, Site.FRAME_SYNC)
        self._synced = self.height + 1

    def _writable(self) -> AppendFile:
        """The file that the next frame goes to; a new segment once the last one is full."""
        if not self._segments or self._ends[-1] >= self._segment_bytes:
            self.sync()
            self._begin_segment()
        assert self._file is not None, "the log is closed"
        return self._file

    def _begin_segment(self) -> None:
        """Make a segment whose head and name are durable before anything relies on it."""
        number = number_of(self._segments[-1].path) + 1 if self._segments else 0
        segment = Segment(segment_path(self._folder, number), self.height + 1, self._disk.salt())
        head = SegmentHead(FORMAT, self._chain, segment.first, segment.salt)
        try:
            self._disk.make_folder(self._folder, Site.LOG_FOLDER)
            file = self._disk.append_to(segment.path, Site.SEGMENT_FILE)
        except OSError as error:
            raise self._failed_by(error) from error
        try:
            file.write(write_segment_head(head), Site.SEGMENT_HEAD)
        except OSError as error:
            self._take_away(file, segment.path, error)
        self._sync(file, Site.SEGMENT_SYNC)
        self._sync_folders()
        if self._file is not None:
            self._file.close()
        self._file = file
        self._segments.append(segment)
        self._ends.append(SEGMENT_HEAD)

    def _sync_folders(self) -> None:
        """Make the name of a new segment durable, and the name of `log/` before the first."""
        try:
            self._disk.sync_folder(self._folder, Site.SEGMENT_NAME)
            if not self._segments:
                self._disk.sync_folder(self._folder.parent, Site.LOG_NAME)
        except OSError as error:
            raise self._fail(f"{self._folder} can't be synced ({error})") from error

    def _take_away(self, file: AppendFile, path: Path, error: OSError) -> None:
        """Remove a segment whose head could not be written."""
        try:
            file.close()
            self._disk.remove(path, Site.SEGMENT_BACK)
        except OSError as second:
            raise self._fail(f"a failed write can't be taken back ({second})") from error
        raise self._failed_by(error) from error

    def _take_back(self, file: AppendFile, error: OSError) -> None:
        """Cut off what a failed write left behind, so that the log is as it was."""
        try:
            file.truncate(self._ends[-1], Site.FRAME_BACK)
        except OSError as second:
            raise self._fail(f"a failed write can't be taken back ({second})") from error
        raise self._failed_by(error) from error

    def _sync(self, file: AppendFile, site: Site) -> None:
        try:
            file.sync(site)
        except OSError as error:
            raise self._fail(f"fdatasync failed ({error})") from error

    def _failed_by(self, error: OSError) -> DiskFull | DiskFailed:
        """What a failed write means, which left nothing behind."""
        if error.errno in FULL:
            return DiskFull(
                f"there is no space for {self._folder} ({error.strerror}): "
                "make room, then try again; nothing was lost"
            )
        return self._fail(f"the log can't be written ({error})")

    def _fail(self, why: str) -> DiskFailed:
        """Use this log no more."""
        self._failure = (
            f"{why}: blocks that were not acknowledged may be lost, all others are durable. Stop "
            "this process, check the disk, start again: what is really there decides"
        )
        return DiskFailed(self._failure)

    def _check_usable(self) -> None:
        if self._failure:
            raise DiskFailed(self._failure)

    # Reading

    def read(self, height: int) -> BlockRecord:
        """The record of a block.

        Raises LookupError, Pruned, and DamagedLog when it was changed since.
        """
        self._check_usable()
        if not 0 <= height <= self.height:
            raise LookupError(f"there is no block {height}")
        if height < self._first:
            raise Pruned(
                f"the body of block {height} was pruned: this chain's begin with block "
                f"{self._first}. Its header is here; ask a node or a backup that has it"
            )
        number, offset = self._place_of(height)
        segment = self._segments[number]
        end = self._ends[number]
        if height < self.height and self._place_of(height + 1)[0] == number:
            end = self._place_of(height + 1)[1]
        data = self._disk.read_part(segment.path, offset, end - offset)
        frame = read_frame(segment.salt, data, 0)
        if frame is None or frame.height != height:
            raise damaged(segment.path, offset, height, "it has changed since the log was opened")
        try:
            return decode_record(frame.body(data))
        except DecodeError as error:
            raise damaged(
                segment.path, offset, height, f"its body is no record ({error})"
            ) from None

    def records(self, first: int) -> Iterator[BlockRecord]:
        """The records from height `first` on."""
        for height in range(first, self.height + 1):
            yield self.read(height)

    def _place_of(self, height: int) -> tuple[int, int]:
        return placed(self._places[height - self._first_place])

    def drop(self, keep_from: int) -> None:
        """Remove the first files, as far as all their blocks are below `keep_from`.

        Each removal is durable before the next: whatever a crash leaves has no gap. Raises
        DiskFailed.
        """
        for segment, following in pairwise(self._segments):
            if following.first > keep_from:
                return
            if segment.first < self._first:
                continue
            self._first = following.first
            try:
                self._disk.remove(segment.path, Site.PRUNED_SEGMENT)
                self._disk.sync_folder(self._folder, Site.PRUNED_NAME)
            except OSError as error:
                raise self._fail(f"{segment.path} can't be removed ({error})") from error
            log.info("%s was pruned: bodies begin with block %d", segment.path, self._first)

    def close(self) -> None:
        """Close the file; what was not synced may be lost."""
        if self._file is not None:
            self._file.close()
            self._file = None
