"""What is found changed when a closed chain is opened again, and how it is put back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from tongbao.simulation.storage.disk import Content, SimulatedDisk
from tongbao.simulation.storage.faults import AtRest
from tongbao.store.frames import SEGMENT_HEAD, read_frame, read_segment_head, write_segment_head
from tongbao.store.headers import HEAD_BYTES
from tongbao.store.state import State

PAGE: Final = 4_096
FOREIGN: Final = "other-01234567"


class Accidents:
    """Changes a chain's files behind its back."""

    def __init__(self, random: Random, disk: SimulatedDisk, folder: Path) -> None:
        """The files of one chain: the log on the simulated disk, rows in a real folder."""
        self._random = random
        self._disk = disk
        self._folder = folder
        self._older: bytes | None = None
        self._saved: dict[Path, bytes] = {}
        self._do: dict[AtRest, Callable[[], bool]] = {
            AtRest.ROWS_OLDER: self._rows_older,
            AtRest.ROWS_MISSING: self._rows_missing,
            AtRest.ROWS_GARBAGE: self._rows_garbage,
            AtRest.ROWS_CUT: self._rows_cut,
            AtRest.ROWS_FOREIGN: self._rows_foreign,
            AtRest.HEADERS_MISSING: self._headers_missing,
            AtRest.HEADERS_DAMAGED: self._headers_damaged,
            AtRest.LOG_BIT: self._log_bit,
            AtRest.LOG_CUT: self._log_cut,
            AtRest.LOG_SEGMENT_MISSING: self._log_segment_missing,
            AtRest.LOG_FOREIGN: self._log_foreign,
        }

    def remember(self) -> None:
        """Keep a copy of the rows now and then, to be put back when they are old."""
        if self._data.exists() and self._random.random() < 0.3:
            self._older = self._data.read_bytes()

    def happen(self, what: AtRest) -> bool:
        """Change something; False where there is nothing yet to change in that way."""
        self._saved = {path: bytes(content.seen) for path, content in self._disk.files.items()}
        return self._do[what]()

    def bytes_of_all(self) -> dict[str, bytes]:
        """Every byte of the chain."""
        found = {str(path): bytes(content.seen) for path, content in self._disk.files.items()}
        return found | {"rows": self._data.read_bytes()}

    def put_back(self) -> None:
        """The log as it was before the last change."""
        for path, data in self._saved.items():
            content = self._disk.files.setdefault(path, Content())
            content.seen, content.durable = bytearray(data), data

    @property
    def _data(self) -> Path:
        return self._folder / "state" / "data.mdb"

    # Rows

    def _rows_older(self) -> bool:
        if self._older is None:
            return False
        self._data.write_bytes(self._older)
        return True

    def _rows_missing(self) -> bool:
        shutil.rmtree(self._folder / "state")
        self._older = None
        return True

    def _rows_garbage(self) -> bool:
        data = bytearray(self._data.read_bytes())
        at = self._random.randrange(len(data) // PAGE) * PAGE
        data[at : at + PAGE] = self._random.choice((bytes(PAGE), self._random.randbytes(PAGE)))
        self._data.write_bytes(bytes(data))
        return True

    def _rows_cut(self) -> bool:
        data = self._data.read_bytes()
        self._data.write_bytes(data[: self._random.randrange(len(data))])
        return True

    def _rows_foreign(self) -> bool:
        State.create(self._folder / "state", FOREIGN, 1 << 20).close()
        self._older = None
        return True

    # The copy of the headers

    def _headers_missing(self) -> bool:
        self._disk.files.pop(self._folder / "headers", None)
        return True

    def _headers_damaged(self) -> bool:
        content = self._disk.files.get(self._folder / "headers")
        if content is None or len(content.seen) <= HEAD_BYTES:
            return False
        self._flip(content, 0, len(content.seen))
        return True

    # The log

    def _segments(self) -> list[Path]:
        return [self._folder / "log" / name for name in self._disk.names(self._folder / "log")]

    def _flip(self, content: Content, start: int, stop: int) -> None:
        content.seen[self._random.randrange(start, stop)] ^= 1 << self._random.randrange(8)
        content.durable = bytes(content.seen)

    def _log_bit(self) -> bool:
        """Any bit: rows and headers know every block of a chain that was closed well."""
        content = self._disk.files[self._random.choice(self._segments())]
        self._flip(content, 0, len(content.seen))
        return True

    def _log_cut(self) -> bool:
        """At the beginning of a block, so that nothing in the log itself looks wrong."""
        content = self._disk.files[self._segments()[-1]]
        data = bytes(content.seen)
        head = read_segment_head(data)
        assert head is not None
        starts, at = [], SEGMENT_HEAD
        while (frame := read_frame(head.salt, data, at)) is not None:
            starts.append(at)
            at = frame.end
        if not starts:
            return False
        content.durable = data[: self._random.choice(starts)]
        content.seen = bytearray(content.durable)
        return True

    def _log_segment_missing(self) -> bool:
        del self._disk.files[self._random.choice(self._segments())]
        return True

    def _log_foreign(self) -> bool:
        """A segment that says it is of another chain."""
        content = self._disk.files[self._random.choice(self._segments())]
        head = read_segment_head(bytes(content.seen))
        assert head is not None
        foreign = write_segment_head(head._replace(chain=FOREIGN))
        content.seen[:SEGMENT_HEAD] = foreign
        content.durable = bytes(content.seen)
        return True
