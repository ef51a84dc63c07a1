"""What is found changed when a closed chain is opened again, and how it is put back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Final

from tongbao.kernel import Genesis, Registry
from tongbao.simulation.storage.basing import lay_base
from tongbao.simulation.storage.disk import Content, SimulatedDisk
from tongbao.simulation.storage.faults import AtRest
from tongbao.store.base import base_heights, base_name
from tongbao.store.frames import SEGMENT_HEAD, read_frame, read_segment_head, write_segment_head
from tongbao.store.headers import HEAD_BYTES
from tongbao.store.snapshot.names import MANIFEST
from tongbao.store.state import State

PAGE: Final = 4_096
FOREIGN: Final = "other-01234567"
BODIES_AT_MOST: Final = 20
"""More than a voyage's blocks, sometimes: then all are pruned that are in whole files."""


class Accidents:
    """Changes a chain's files behind its back."""

    def __init__(
        self,
        random: Random,
        disk: SimulatedDisk,
        folder: Path,
        genesis: Genesis,
        registry: Registry,
    ) -> None:
        """The files of one chain: the log on the simulated disk, rows in a real folder."""
        self._genesis, self._registry = genesis, registry
        self.wanted_from = 0
        """From which block on bodies are wanted: none from here on may be missing."""
        self._random = random
        self._disk = disk
        self._folder = folder
        self._older: bytes | None = None
        self._saved: dict[Path, bytes] = {}
        self._base_before: Path | None = None
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
            AtRest.BASE: self._base,
            AtRest.BASE_DAMAGED: self._base_damaged,
            AtRest.BASE_MISSING: self._base_missing,
        }

    def remember(self) -> None:
        """Keep a copy of the rows now and then, to be put back when they are old."""
        if self._data.exists() and self._random.random() < 0.3:
            self._older = self._data.read_bytes()

    def happen(self, what: AtRest) -> bool:
        """Change something; False where there is nothing yet to change in that way."""
        self._saved = {path: bytes(content.seen) for path, content in self._disk.files.items()}
        self._save_base()
        return self._do[what]()

    def bytes_of_all(self) -> dict[str, bytes]:
        """Every byte of the chain."""
        found = {str(path): bytes(content.seen) for path, content in self._disk.files.items()}
        return found | {"rows": self._data.read_bytes()}

    def put_back(self) -> None:
        """The log and the base as they were before the last change."""
        if self._base_before is not None:
            shutil.copytree(self._saved_base, self._base_before, dirs_exist_ok=True)
        for path, data in self._saved.items():
            content = self._disk.files.setdefault(path, Content())
            content.seen, content.durable = bytearray(data), data

    @property
    def _data(self) -> Path:
        return self._folder / "state" / "data.mdb"

    # Bases

    @property
    def _saved_base(self) -> Path:
        return self._folder / "saved"

    def _save_base(self) -> None:
        heights = base_heights(self._folder)
        self._base_before = self._folder / base_name(heights[-1]) if heights else None
        shutil.rmtree(self._saved_base, ignore_errors=True)
        if self._base_before is not None:
            shutil.copytree(self._base_before, self._saved_base)

    def _base(self) -> bool:
        """Of the rows that there are; bodies are wanted from somewhere on."""
        if not self._data.exists():
            return False
        wanted = self._random.randrange(self.wanted_from, self.wanted_from + BODIES_AT_MOST)
        height = lay_base(self._folder, self._disk, self._genesis, self._registry, wanted)
        self.wanted_from = max(self.wanted_from, min(wanted, height + 1))
        return height >= 0

    def _base_damaged(self) -> bool:
        """What a start reads of it; the rest is read when rows are made of it, and by `doctor`."""
        if self._base_before is None:
            return False
        path = self._base_before / MANIFEST
        data = path.read_bytes()
        path.write_bytes(data[: self._random.randrange(len(data))])
        return True

    def _base_missing(self) -> bool:
        """Without a base the log must begin with block 0."""
        if self._base_before is None or self._segments()[0].name == "00000000.log":
            return False
        for height in base_heights(self._folder):
            shutil.rmtree(self._folder / base_name(height))
        return True

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
        """One that is wanted: the next start would remove what has no body to keep."""
        wanted = [
            path
            for path, following in zip_longest(self._segments(), self._segments()[1:])
            if following is None or self._first_of(following) > self.wanted_from
        ]
        del self._disk.files[self._random.choice(wanted)]
        return True

    def _first_of(self, path: Path) -> int:
        head = read_segment_head(bytes(self._disk.files[path].seen))
        assert head is not None
        return head.first

    def _log_foreign(self) -> bool:
        """A segment that says it is of another chain."""
        content = self._disk.files[self._random.choice(self._segments())]
        head = read_segment_head(bytes(content.seen))
        assert head is not None
        foreign = write_segment_head(head._replace(chain=FOREIGN))
        content.seen[:SEGMENT_HEAD] = foreign
        content.durable = bytes(content.seen)
        return True
