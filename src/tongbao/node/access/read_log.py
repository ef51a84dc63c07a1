"""What supervisors were answered and the ledger does not have yet: a file of lines, each durable.

A line is on disk before its answer is given. What is to be sent is cut off into a batch of its own
name, which stays as it is until the ledger has it: sent again after a crash, it is the same batch.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.kernel import Count, Hash, Id, Time
from tongbao.modules.reading import Counted
from tongbao.node.access.needs import Kind
from tongbao.sdk.folder import sync_folder

FOLDER: Final = "reads"
"""In the chain's folder."""
WAITING: Final = "waiting.jsonl"
BATCH: Final = "batch.jsonl"
APART: Final = "apart-{}.jsonl"
"""A batch that names inspections which the ledger never had: for a person to look at."""
LINES_LIMIT: Final = 10_000
"""So many lines may wait; then nothing is answered that would need one more."""
SALT_BYTES: Final = 16


class Line(Struct, frozen=True):
    """One read: under which inspection, as what it counts, when (ms UTC), and random bytes."""

    inspection: Id
    kind: Kind
    at: Time
    salt: str


_line: Final = msgspec.json.Decoder(Line)


class ReadLog:
    """The lines of one node. One process writes them."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, made where it is not there. Raises OSError, ValueError.

        A line that was torn when the node was killed is cut off: nobody was answered for it.
        """
        self._path, self._batch_path = folder / WAITING, folder / BATCH
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
        self._folder = folder
        self._batch = _lines(self._batch_path)
        self._waiting: list[Line] = []
        self._file = -1
        self._open()

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._waiting = _lines(self._path)
        whole = sum(len(_written(line)) for line in self._waiting)
        os.ftruncate(self._file, whole)
        os.fsync(self._file)
        sync_folder(self._folder)

    def close(self) -> None:
        """Write no more."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def waiting(self) -> int:
        """How many lines are not cut off yet."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether no more may wait."""
        return len(self._waiting) + len(self._batch) >= LINES_LIMIT

    @property
    def oldest(self) -> Time | None:
        """Since when the oldest line waits for the ledger; None where none does."""
        first = (*self._batch[:1], *self._waiting[:1])
        return first[0].at if first else None

    def add(self, inspection: Id, kind: Kind, at: Time) -> None:
        """Keep a line, durably. Raises OSError: then it may be there, and nobody is answered."""
        line = Line(inspection, kind, at, token_hex(SALT_BYTES))
        if self._file < 0:
            self._open()
        try:
            left = memoryview(_written(line))
            while left:  # a disk that is full takes a part of it, and says so the next time
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError:
            self.close()  # what the file has now is read again before the next line
            raise
        self._waiting.append(line)

    def cut(self) -> tuple[Hash, tuple[Counted, ...]] | None:
        """The batch to send, with its name; a new one where none is under way. Raises OSError."""
        if not self._batch:
            if not self._waiting:
                return None
            self.close()
            self._path.rename(self._batch_path)
            sync_folder(self._folder)
            self._batch, self._waiting = _lines(self._batch_path), []
            self._open()
        name = sha256(b"".join(map(_written, self._batch))).hexdigest()
        return Hash(name), _counted(self._batch)

    def forget(self) -> None:
        """The ledger has the batch. Raises OSError."""
        self._batch_path.unlink(missing_ok=True)
        sync_folder(self._folder)
        self._batch = []

    def put_apart(self, name: Hash) -> None:
        """The ledger has what it can have of the batch: keep its file beside. Raises OSError."""
        self._batch_path.rename(self._folder / APART.format(name))
        sync_folder(self._folder)
        self._batch = []


def _written(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def _lines(path: Path) -> list[Line]:
    """All whole lines of a file; none where there is no file. Raises OSError, ValueError."""
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
        return [_line.decode(text) for text in whole.splitlines()]
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise ValueError(f"{path} is no list of reads ({error}): move it away") from error


def _counted(lines: list[Line]) -> tuple[Counted, ...]:
    """What lines come to, for each inspection, in the order of their names."""
    found = []
    for name in sorted({line.inspection for line in lines}):
        own = [line for line in lines if line.inspection == name]
        counts = {kind.value: Count(sum(line.kind is kind for line in own)) for kind in Kind}
        times = [line.at for line in own]
        found.append(Counted(inspection=name, since=min(times), until=max(times), **counts))
    return tuple(found)
