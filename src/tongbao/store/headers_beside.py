"""The copy of the signed headers, followed while another process adds lines to it."""

from __future__ import annotations

import os
import threading
from array import array
from pathlib import Path
from typing import BinaryIO, Final

from tongbao.store.closable import Closable
from tongbao.store.headers import HEAD_BYTES, LINE_HEAD, LINE_LIMIT, read_line, write_head
from tongbao.store.record import HeaderLine

AHEAD: Final = 65_536
"""Bytes that are read at once while looking for where lines end."""


class HeadersBeside(Closable):
    """The file `headers` of a chain's folder, for many threads."""

    def __init__(self, path: Path, chain: str, begins: int) -> None:
        """Open it, where it is there: the first line is of block `begins`. Raises OSError."""
        self._begins = begins
        self._lock = threading.Lock()
        self._places = array("Q", [HEAD_BYTES])
        self._file: BinaryIO | None = None
        if path.exists():
            self._file = path.open("rb", buffering=0)
            if self._part(HEAD_BYTES, 0) != write_head(chain):
                self.close()

    def read(self, first: int, last: int) -> list[HeaderLine]:
        """The lines of the heights `first` to `last`, as far as the file has them whole."""
        first = max(first, self._begins)
        with self._lock:
            if self._file is None or first > last:
                return []
            self._follow(last)
            stop = min(last + 1, self._begins + len(self._places) - 1)
            if first >= stop:
                return []
            start, end = (self._places[height - self._begins] for height in (first, stop))
            data = self._part(end - start, start)
        lines: list[HeaderLine] = []
        at = 0
        while (found := read_line(data, at)) is not None and found[0].height == first + len(lines):
            lines.append(found[0])
            at = found[1]
        return lines

    def _part(self, size: int, start: int) -> bytes:
        assert self._file is not None
        return os.pread(self._file.fileno(), size, start)

    def _follow(self, last: int) -> None:
        """Look for the places of lines up to that of a height, by their lengths alone."""
        while self._begins + len(self._places) - 2 < last:
            start = self._places[-1]
            data = self._part(AHEAD, start)
            at = 0
            while at + LINE_HEAD <= len(data):
                length = int.from_bytes(data[at : at + 4], "big")
                end = at + LINE_HEAD + length
                if length > LINE_LIMIT or end > len(data):
                    break
                self._places.append(start + end)
                at = end
            if at == 0:
                return

    def close(self) -> None:
        """Give the file free. May be called again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
