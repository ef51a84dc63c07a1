"""A copy of the signed headers in a file of its own: quick to read, kept when bodies are pruned.

Each line is a length (4 bytes), the first 16 bytes of SHA-256 of the rest, and a `HeaderLine` in
MessagePack. A line is written after its block is durable, so a line without its block means that
acknowledged blocks are missing. Damaged or missing, the file is written anew from the log.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from tongbao.store.disk import AppendFile, Disk
from tongbao.store.record import BlockRecord, HeaderLine, decode_header_line, encode

LENGTH_BYTES: Final = 4
CHECK_BYTES: Final = 16
LINE_LIMIT: Final = 65_536


def write_line(record: BlockRecord) -> bytes:
    """The line of a block."""
    body = encode(HeaderLine(record.height, record.time, record.header))
    return len(body).to_bytes(LENGTH_BYTES, "big") + sha256(body).digest()[:CHECK_BYTES] + body


def read_lines(data: bytes) -> list[HeaderLine]:
    """The lines up to the first that is damaged."""
    lines: list[HeaderLine] = []
    at = 0
    while at + LENGTH_BYTES + CHECK_BYTES <= len(data):
        length = int.from_bytes(data[at : at + LENGTH_BYTES], "big")
        start = at + LENGTH_BYTES + CHECK_BYTES
        body = data[start : start + length]
        check = data[at + LENGTH_BYTES : start]
        if length > LINE_LIMIT or sha256(body).digest()[:CHECK_BYTES] != check:
            break
        line = decode_header_line(body)
        if line.height != len(lines):
            break
        lines.append(line)
        at = start + length
    return lines


class Headers:
    """The file `headers` of a chain's folder."""

    def __init__(self, disk: Disk, path: Path) -> None:
        """Read what is there; `complete` makes it fit the log."""
        self._disk = disk
        self._path = path
        there = path.name in disk.names(path.parent)
        data = disk.read(path) if there else b""
        self.lines = read_lines(data)
        self._size = sum(len(write_line_of(line)) for line in self.lines)
        self._has_rest = self._size != len(data)
        self._file: AppendFile | None = None

    def complete(self, missing: list[BlockRecord]) -> None:
        """Cut what is damaged, and add the blocks that the file lacks."""
        self._file = self._disk.append_to(self._path)
        if self._has_rest:
            self._file.truncate(self._size)
        for record in missing:
            self.add(record)

    def add(self, record: BlockRecord) -> None:
        """Add a block that is durable in the log. A failure to write is repaired at next start."""
        assert self._file is not None and record.height == len(self.lines)
        self._file.write(write_line(record))
        self.lines.append(HeaderLine(record.height, record.time, record.header))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def write_line_of(line: HeaderLine) -> bytes:
    """The bytes of a line that was read."""
    body = encode(line)
    return len(body).to_bytes(LENGTH_BYTES, "big") + sha256(body).digest()[:CHECK_BYTES] + body
