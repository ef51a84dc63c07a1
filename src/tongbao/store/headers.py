"""A copy of the signed headers in a file of its own: quick to read, kept when bodies are pruned.

The file begins with 64 bytes: `TBHDR`, two zero bytes, the format (1), the chain's id in ASCII
padded with zero bytes to 40, and the first 16 bytes of SHA-256 of those 48. Each line is a length
(4 bytes, big endian), the first 16 bytes of SHA-256 of the rest, and a `HeaderLine` in MessagePack.

A line is written after its block is durable, so a line without its block means that acknowledged
blocks are missing. Damaged or missing lines are written anew from the log.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from msgspec import DecodeError

from tongbao.store.disk import AppendFile, Disk
from tongbao.store.log import BlockLog
from tongbao.store.record import (
    BlockRecord,
    HeaderLine,
    decode_header_line,
    encode,
    line_of,
)
from tongbao.store.sites import Site

log = logging.getLogger("tongbao.store")

MAGIC: Final = b"TBHDR\0\0\1"
CHAIN_BYTES: Final = 40
LENGTH_BYTES: Final = 4
CHECK_BYTES: Final = 16
HEAD_BYTES: Final = len(MAGIC) + CHAIN_BYTES + CHECK_BYTES
LINE_HEAD: Final = LENGTH_BYTES + CHECK_BYTES
LINE_LIMIT: Final = 1024 * 1024
"""The most bytes of a line that is read in a row of lines; those of today have less than 1 KB."""


def write_head(chain: str) -> bytes:
    """The first bytes of the file."""
    name = chain.encode("ascii")
    assert len(name) <= CHAIN_BYTES
    fields = MAGIC + name.ljust(CHAIN_BYTES, b"\0")
    return fields + sha256(fields).digest()[:CHECK_BYTES]


def write_line(line: HeaderLine) -> bytes:
    """The bytes of a line."""
    body = encode(line)
    return len(body).to_bytes(LENGTH_BYTES, "big") + sha256(body).digest()[:CHECK_BYTES] + body


def read_line(data: bytes, start: int) -> tuple[HeaderLine, int] | None:
    """The line at `start` and where it ends, None where there is no whole one."""
    length = int.from_bytes(data[start : start + LENGTH_BYTES], "big")
    check = data[start + LENGTH_BYTES : start + LINE_HEAD]
    end = start + LINE_HEAD + length
    body = data[start + LINE_HEAD : end]
    if end > len(data) or sha256(body).digest()[:CHECK_BYTES] != check:
        return None
    try:
        return decode_header_line(body), end
    except DecodeError:
        return None


def read_lines(file: BinaryIO, chain: str, begins: int = 0) -> Iterator[tuple[HeaderLine, bytes]]:
    """Each line of an open file, with its bytes: as far as they are whole, from `begins` on.

    One line is in memory at a time. A file of another chain has none. Raises OSError.
    """
    if file.read(HEAD_BYTES) != write_head(chain):
        return
    height = begins
    while len(head := file.read(LINE_HEAD)) == LINE_HEAD:
        length = int.from_bytes(head[:LENGTH_BYTES], "big")
        if length > LINE_LIMIT:
            return
        data = head + file.read(length)
        found = read_line(data, 0)
        if found is None or found[0].height != height:
            return
        yield found[0], data
        height += 1


class OlderLines(Protocol):
    """Headers of blocks whose bodies may be pruned: those of a base."""

    def lines(self, first: int, last: int) -> list[HeaderLine]:
        """The headers of the heights `first` to `last`, as far as they are there."""


class Headers:
    """The file `headers` of a chain's folder."""

    def __init__(self, disk: Disk, path: Path, chain: str, begins: int = 0) -> None:
        """Read what is there, changing nothing; `complete` makes it fit the log.

        The first line is of block `begins`.
        """
        self._disk = disk
        self._begins = begins
        self._path = path
        self._head = write_head(chain)
        self._file: AppendFile | None = None
        self._offsets = array("Q")
        there = path.name in disk.names(path.parent)
        data = disk.read(path) if there else b""
        self._end = HEAD_BYTES if data.startswith(self._head) else 0
        while self._end and (found := read_line(data, self._end)) is not None:
            line, end = found
            if line.height != self.stop:
                break
            self._offsets.append(self._end)
            self._end = end
        self._has_rest = self._end != len(data)

    @property
    def count(self) -> int:
        """How many headers the file has."""
        return len(self._offsets)

    @property
    def stop(self) -> int:
        """The height of the header that it has not yet."""
        return self._begins + len(self._offsets)

    @property
    def is_whole(self) -> bool:
        """Whether the file has nothing but this chain's lines, none damaged."""
        return not self._has_rest

    def complete(self, blocks: BlockLog, older: OlderLines | None = None) -> None:
        """Cut what is damaged or of another history, and add the blocks that the file lacks.

        What is older than the blocks of the log comes out of its base.
        """
        last = self.stop - 1
        if self.count and self.read(last, last) != list(_lines(blocks, older, last, last)):
            log.warning("%s is of another history: it is written anew", self._path)
            self._offsets, self._end, self._has_rest = array("Q"), 0, True
        try:
            self._file = self._disk.append_to(self._path, Site.HEADERS_FILE)
            if self._has_rest:
                self._file.truncate(self._end, Site.HEADERS_CUT)
        except OSError as error:
            self._give_up(error)
        for line in _lines(blocks, older, self.stop, blocks.height):
            self._add(line)

    def add(self, record: BlockRecord) -> None:
        """Add a block that is durable in the log.

        When that fails, the file is left as it is from then on, and the next start completes it:
        the block is durable, which is what counts.
        """
        self._add(line_of(record))

    def _add(self, line: HeaderLine) -> None:
        if self._file is None:
            return
        assert line.height == self.stop
        head = b"" if self._end else self._head
        data = write_line(line)
        try:
            self._file.write(head + data, Site.HEADERS_LINE)
        except OSError as error:
            self._give_up(error)
            return
        self._offsets.append(self._end + len(head))
        self._end += len(head) + len(data)

    def _give_up(self, error: OSError) -> None:
        log.warning("the copy of the headers can't be written (%s): the log has them", error)
        self.close()

    def resume(self, blocks: BlockLog, older: OlderLines | None = None) -> None:
        """Go on after a write that failed: cut what it left, and add the blocks since then."""
        if self._file is None:
            self._has_rest = True
            self.complete(blocks, older)

    def read(self, first: int, last: int) -> list[HeaderLine]:
        """The lines of the heights `first` to `last`, as far as the file has them whole."""
        first, last = max(first, self._begins), min(last, self.stop - 1)
        if first > last:
            return []
        start = self._offsets[first - self._begins]
        end = self._end if last == self.stop - 1 else self._offsets[last + 1 - self._begins]
        data = self._disk.read_part(self._path, start, end - start)
        lines: list[HeaderLine] = []
        at = 0
        while (found := read_line(data, at)) is not None:
            line, at = found
            lines.append(line)
        return lines

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _lines(
    blocks: BlockLog, older: OlderLines | None, first: int, last: int
) -> Iterator[HeaderLine]:
    """The headers of the heights `first` to `last`, as the base and the log have them."""
    if first < blocks.first:
        assert older is not None, "a log that begins later has a base"
        yield from older.lines(first, min(last, blocks.first - 1))
    for height in range(max(first, blocks.first), last + 1):
        yield line_of(blocks.read(height))
