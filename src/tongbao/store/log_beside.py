"""Blocks of a log that another process appends to, as far as they are known to be durable.

A block is found by walking the heads of the frames before it in its file, once; a frame is checked
whole when it is read. What is not known to be durable is never looked at: it may still be taken
back. Blocks are durable up to the height that the writer has told, up to that of the rows, which
never get ahead of it, and below the one that a later frame says was synced.
"""

from __future__ import annotations

import os
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from operator import itemgetter
from pathlib import Path
from typing import Final

from msgspec import DecodeError

from tongbao.store.closable import Closable
from tongbao.store.disk import RealDisk
from tongbao.store.errors import DamagedLog, Pruned, StoreError
from tongbao.store.frames import (
    FRAME_FIELDS,
    FRAME_HEAD,
    FRAME_MAGIC,
    SEGMENT_HEAD,
    read_frame,
    read_segment_head,
)
from tongbao.store.record import BlockRecord, decode_record
from tongbao.store.recovery import damaged, number_of, segment_path

FILES_OPEN: Final = 16
"""Files of the log whose blocks are known at once; each has 64 MB of frames."""


class _File:
    """One file of the log: the places of its frames, as far as somebody has asked for them."""

    def __init__(self, path: Path, chain: str) -> None:
        self.path = path
        self._file = path.open("rb", buffering=0)
        head = read_segment_head(self._part(SEGMENT_HEAD, 0))
        if head is None or head.chain != chain:
            self.close()
            raise DamagedLog(f"{path} is no file of the log of {chain}: ask the node")
        self.first, self.salt = head.first, head.salt
        self.places = array("Q", [SEGMENT_HEAD])
        self.synced = 0
        """How many blocks the last frame that was seen knows to be durable."""

    def _part(self, size: int, start: int) -> bytes:
        return os.pread(self._file.fileno(), size, start)

    def close(self) -> None:
        """Give the file free."""
        self._file.close()

    @property
    def stop(self) -> int:
        """The height of the frame whose place is the last that is known."""
        return self.first + len(self.places) - 1

    def step(self) -> bool:
        """Go past the next frame; False where there is none, or only the beginning of one."""
        at = self.places[-1]
        fields = self._part(FRAME_FIELDS.size, at)
        if len(fields) < FRAME_FIELDS.size:
            return False
        magic, length, height, synced = FRAME_FIELDS.unpack(fields)
        if magic != FRAME_MAGIC or height != self.stop:
            return False
        self.synced = max(self.synced, synced)
        self.places.append(at + FRAME_HEAD + length)
        return True

    def read(self, height: int) -> BlockRecord:
        """The record of a block whose place is known. Raises DamagedLog."""
        nth = height - self.first
        start, end = self.places[nth], self.places[nth + 1]
        data = self._part(end - start, start)
        frame = read_frame(self.salt, data, 0)
        if frame is None or frame.height != height:
            raise damaged(self.path, start, height, "it is not what was acknowledged")
        try:
            return decode_record(frame.body(data))
        except DecodeError as error:
            raise damaged(self.path, start, height, f"its body is no record ({error})") from None


class LogBeside(Closable):
    """The blocks in the folder `log/` of a chain, for many threads."""

    def __init__(self, folder: Path, chain: str, begins: int = 0) -> None:
        """Look at which files there are; one without any begins at a height. Raises StoreError."""
        self._folder = folder
        self._begins = begins
        self._chain = chain
        self._lock = threading.Lock()
        self._firsts: list[tuple[int, int]] = []
        """The first height and the number of each file, ascending."""
        self._open: OrderedDict[int, _File] = OrderedDict()
        self.durable = -1
        """The highest block that may be read."""
        names = [name for name in RealDisk().names(folder) if name.endswith(".log")]
        for name in names[:-1] or names:  # the head of the last one may be under way
            self._firsts.append((_first_of(folder / name, chain), number_of(folder / name)))
        with self._lock:
            self._look_on()

    def _look_on(self) -> bool:
        """Take in the next file, once its head is whole; False where there is none."""
        number = self._firsts[-1][1] + 1 if self._firsts else 0
        path = segment_path(self._folder, number)
        try:
            with path.open("rb") as file:
                head = read_segment_head(file.read(SEGMENT_HEAD))
        except FileNotFoundError:
            return False
        if head is None:
            return False
        self._firsts.append((head.first, number))
        return True

    @property
    def first(self) -> int:
        """The height of the first block that is here, or will be."""
        return self._firsts[0][0] if self._firsts else self._begins

    def tell(self, height: int) -> None:
        """The block of a height is durable, and all before it. Quick, and for any thread."""
        self.durable = max(self.durable, height)

    def look(self) -> int:
        """The highest block that is durable, also by what the files say."""
        with self._lock:
            while True:
                if self._firsts:
                    self._look_into(self._file(self._firsts[-1][1]))
                if not self._look_on():
                    return self.durable

    def _look_into(self, file: _File) -> None:
        """What the last file says is durable: all before it, and what its frames say."""
        while file.step():
            pass
        self.tell(max(file.first, file.synced) - 1)
        del file.places[max(self.durable - file.first + 2, 1) :]  # the rest may be taken back

    def block(self, height: int) -> BlockRecord:
        """The record of a durable block. Raises LookupError, Pruned, DamagedLog, StoreError."""
        if not 0 <= height <= self.durable:
            raise LookupError(f"there is no block {height}")
        try:
            with self._lock:
                file = self._holding(height)
                return file.read(height)
        except FileNotFoundError as error:
            raise self._pruned(height) from error
        except OSError as error:
            raise StoreError(f"{self._folder} can't be read ({error})") from error

    def _pruned(self, height: int) -> Pruned:
        return Pruned(
            f"the body of block {height} was pruned: this chain's begin with block {self.first}. "
            "Its header is here; ask a node or a backup that has it"
        )

    def _holding(self, height: int) -> _File:
        """The file with a block, walked as far as past that one."""
        if not self._firsts:
            self._look_on()
        if height < self.first or not self._firsts:
            raise self._pruned(height)
        while self._look_on():
            pass
        nth = bisect_right(self._firsts, height, key=itemgetter(0)) - 1
        file = self._file(self._firsts[nth][1])
        while file.stop <= height:
            if not file.step():
                raise DamagedLog(
                    f"{file.path} ends before block {height}, which was acknowledged: ask the node"
                )
        return file

    def _file(self, number: int) -> _File:
        """A file, open; the one that nobody has asked for longest is closed."""
        found = self._open.pop(number, None) or _File(
            segment_path(self._folder, number), self._chain
        )
        self._open[number] = found
        if len(self._open) > FILES_OPEN:
            self._open.popitem(last=False)[1].close()
        return found

    def close(self) -> None:
        """Give the files free. May be called again."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()


def _first_of(path: Path, chain: str) -> int:
    """The height that a file begins with. Raises DamagedLog, StoreError."""
    try:
        with path.open("rb") as file:
            head = read_segment_head(file.read(SEGMENT_HEAD))
    except OSError as error:
        raise StoreError(f"{path} can't be read ({error})") from error
    if head is None or head.chain != chain:
        raise DamagedLog(f"{path} is no file of the log of {chain}: ask the node")
    return head.first
