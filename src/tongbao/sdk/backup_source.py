"""The blocks of a chain that are durable, read beside the process that may be adding more.

A whole block may stand in the file and not be synced yet. One is taken only if somebody knows
better: the rows, which never go ahead of a sync, a later block, which says how many were synced
when it was written, or the copy of the headers, whose lines follow the sync.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tongbao.sdk.backup_folder import BackupFile
from tongbao.sdk.backup_log import (
    LOG,
    BadBackup,
    Block,
    blocks_from,
    first_of,
    read_bytes,
    segments_in,
)
from tongbao.store.base import base_heights, begins_in
from tongbao.store.disk import RealDisk
from tongbao.store.errors import DamagedLog, StoreError
from tongbao.store.foreign import ForeignRows
from tongbao.store.frames import SEGMENT_HEAD
from tongbao.store.headers import Headers
from tongbao.store.recovery import segment_path


class Source:
    """The log of a chain's folder as it is now."""

    def __init__(self, folder: Path, chain: str) -> None:
        """Read how many blocks the rows know, and only then which files the log has.

        Raises StoreError.
        """
        self._folder = folder
        self._chain = chain
        self._log = folder / LOG
        if not (folder / "state").is_dir():
            raise StoreError(
                f"{folder} has no rows yet: open the chain once, `tongbao status` will do"
            )
        with ForeignRows(folder / "state") as rows:
            self.known = rows.head().height + 1
        self._numbers = segments_in(self._log)
        self.first = first_of(self._log, self._numbers, chain)
        if not self._numbers:
            self.first = max(base_heights(folder), default=-1) + 1

    def blocks(self, backup: Path, file: BackupFile) -> Iterator[Block]:
        """The durable blocks that a backup does not have yet. Raises BadBackup, StoreError."""
        if file.end is not None:
            self._check_same(backup, file)
        height = self.first if file.end is None else file.height + 1
        waiting: list[Block] = []
        synced = self.known
        for block in blocks_from(self._log, self._numbers, self._chain, height, file.end):
            waiting.append(block)
            synced = max(synced, block.synced)
            while waiting and waiting[0].record.height < synced:
                height += 1
                yield waiting.pop(0)
        for block in self._told_by_headers(waiting):
            height += 1
            yield block
        if height < synced:
            raise DamagedLog(
                f"{self._log} ends before block {height}, but blocks up to {synced - 1} were "
                "acknowledged: look at the folder with `tongbao doctor`"
            )

    def _told_by_headers(self, blocks: list[Block]) -> Iterator[Block]:
        """Those of which the copy of the headers has the same signed header."""
        if not blocks:
            return
        path = self._folder / "headers"
        headers = Headers(RealDisk(), path, self._chain, begins_in(self._folder))
        lines = headers.read(blocks[0].record.height, blocks[-1].record.height)
        for block, line in zip(blocks, lines, strict=False):
            if line.header != block.record.header:
                return
            yield block

    def _check_same(self, backup: Path, file: BackupFile) -> None:
        """Whether a backup is the beginning of this log. Raises BadBackup."""
        assert file.end is not None
        number = file.end.segment
        if self._numbers and number < self._numbers[0]:
            self._check_pruned(file)
            return
        ours, theirs = (
            (read_bytes(path, 0, SEGMENT_HEAD), read_bytes(path, file.end.start, file.end.end))
            if path.exists()
            else (b"", b"")
            for path in (segment_path(folder, number) for folder in (backup / LOG, self._log))
        )
        if ours == theirs:
            return
        if theirs[0] in (b"", ours[0]) and len(theirs[1]) < len(ours[1]):
            raise BadBackup(
                f"{self._log} ends before block {file.height}, which {backup} has: the chain has "
                "lost blocks, or is an older copy. Nothing was changed; let it not sign, and "
                "restore the backup"
            )
        raise BadBackup(
            f"{self._log} is another history than {backup}, which ends with block {file.height}: "
            "nothing was changed. Find out which is the right one; a new history needs a new backup"
        )

    def _check_pruned(self, file: BackupFile) -> None:
        """Whether a log that begins behind a backup's last file goes on where that ends."""
        if self.first > file.height + 1:
            raise BadBackup(
                f"{self._log} begins with block {self.first}, the backup ends with block "
                f"{file.height}: the blocks between were pruned. Nothing was changed; begin a new "
                "backup in another folder"
            )
