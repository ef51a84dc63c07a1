"""A base: the rows of one block, from which a chain's log goes on without the blocks before it.

    base-0000001000/    genesis.json  manifest.json  chunks/  history/  keep.json

It is a snapshot (decision 0016) in the folder of a chain, with all headers and outcomes up to its
height, and the local rows that follow from the hashed ones. It never changes. A later one replaces
it: the highest counts. Whatever needs rows that are not there makes them of a base and the log.

`keep.json` says from which block on bodies are wanted; only `prune` and `restore` write it. Without
it a log may begin with any block up to the one after the base, and nobody has said that bodies
which are there may go: none is removed.

`joined.json` says that the history begins with a later block than the first one: a node that joined
a network by state sync has the header of that block and those after it, and the outcomes of later
blocks alone (decision 0024).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from tongbao.store.disk import RealDisk
from tongbao.store.errors import WrongChain
from tongbao.store.headers import Headers
from tongbao.store.record import HeaderLine, Status
from tongbao.store.snapshot.chunks import read_chunk
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.history import read_entries, read_outcomes
from tongbao.store.snapshot.manifest import MANIFEST_BYTES, Manifest, read_manifest
from tongbao.store.snapshot.names import (
    CHUNKS,
    ENTRIES,
    HEADERS,
    HISTORY,
    MANIFEST,
    OUTCOMES,
    chunk_name,
)

NAME: Final = re.compile(r"base-(\d{10})\Z")
KEEP: Final = "keep.json"
JOINED: Final = "joined.json"


Note = TypeVar("Note")


class Keep(Struct, frozen=True, forbid_unknown_fields=True):
    """What `keep.json` says: bodies are wanted from block `first` on."""

    first: int


class Joined(Struct, frozen=True, forbid_unknown_fields=True):
    """What `joined.json` says: the headers begin with block `height`, the outcomes after it."""

    height: int


def base_name(height: int) -> str:
    """The name of the folder of a base."""
    return f"base-{height:010d}"


def base_heights(folder: Path) -> list[int]:
    """The heights of the bases in a chain's folder, ascending."""
    if not folder.is_dir():
        return []
    found = [NAME.match(path.name) for path in folder.iterdir()]
    return sorted(int(match[1]) for match in found if match)


def find_base(folder: Path, chain: str, origin: str = "") -> Base | None:
    """The base that counts in a chain's folder. Raises BadSnapshot, WrongChain, WrongVersion.

    It is of this chain, or of `origin`, from whose rows this chain began.
    """
    heights = base_heights(folder)
    return Base(folder / base_name(heights[-1]), chain, origin) if heights else None


class Base:
    """One base, to read."""

    def __init__(self, folder: Path, chain: str, origin: str = "") -> None:
        """Read what it says of itself. Raises BadSnapshot, WrongChain, WrongVersion."""
        self.folder = folder
        self.manifest: Manifest = _read_manifest(folder)
        if self.manifest.chain not in (chain, origin):
            raise WrongChain(
                f"{folder} is of chain {self.manifest.chain}, not {chain}: "
                "put the base back to the genesis file that it belongs to"
            )
        if folder.name != base_name(self.height):
            raise BadSnapshot(f"{folder} is of block {self.height}: give it back its name")
        keep = _read_note(folder / KEEP, Keep)
        self.keep_from = self.height + 1 if keep is None else min(keep.first, self.height + 1)
        self.drop_below = 0 if keep is None else self.keep_from
        joined = _read_note(folder / JOINED, Joined)
        self.begins = 0 if joined is None else joined.height
        """The block of the first header that it has; outcomes are of later blocks, unless 0."""
        if not 0 <= self.begins <= self.height:
            raise BadSnapshot(f"{folder / JOINED} is of a later block: write it again")

    @property
    def height(self) -> int:
        """The block whose rows it has."""
        return self.manifest.height

    @property
    def size(self) -> int:
        """The bytes of all that becomes rows."""
        files = (self.folder / HISTORY / name for name in (OUTCOMES, ENTRIES))
        chunks = sum(chunk.size for chunk in self.manifest.chunks)
        return chunks + sum(path.stat().st_size for path in files)

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Every row, hashed or not, each chunk verified. Raises BadSnapshot, OSError."""
        with _restorable(self.folder):
            for chunk in self.manifest.chunks:
                path = self.folder / CHUNKS / chunk_name(chunk)
                yield from sorted(read_chunk(chunk, path.read_bytes()))
            entries = self.folder / HISTORY / ENTRIES
            yield from read_entries(entries, self.manifest.chain, self.height)

    def statuses(self) -> Iterator[tuple[bytes, Status]]:
        """Where each transaction stands that was decided up to its height. Raises BadSnapshot."""
        with _restorable(self.folder):
            outcomes = self.folder / HISTORY / OUTCOMES
            yield from read_outcomes(outcomes, self.manifest.chain, self.height)

    def lines(self, first: int, last: int) -> list[HeaderLine]:
        """The headers of the heights `first` to `last`, as far as they are not above it."""
        return self._headers.read(max(first, 0), last)

    @cached_property
    def _headers(self) -> Headers:
        """All headers that there are up to its height. Raises BadSnapshot."""
        path = self.folder / HISTORY / HEADERS
        with _restorable(self.folder):
            found = Headers(RealDisk(), path, self.manifest.chain, self.begins)
            if found.stop != self.height + 1 or not found.is_whole:
                raise BadSnapshot(
                    f"{path} has not every header of blocks {self.begins} to {self.height}"
                )
            if found.read(self.height, self.height)[0].header != self.manifest.header:
                raise BadSnapshot(f"{path} ends with another header than that of its rows")
            return found


def _read_manifest(folder: Path) -> Manifest:
    with _restorable(folder), (folder / MANIFEST).open("rb") as file:
        return read_manifest(file.read(MANIFEST_BYTES + 1))


@contextmanager
def _restorable(folder: Path) -> Iterator[None]:
    """Say what to do where a base is not whole: nothing makes another of it. Raises BadSnapshot."""
    try:
        yield
    except (BadSnapshot, FileNotFoundError) as error:
        raise BadSnapshot(
            f"{folder} can't be used ({error}): restore {folder.name}/ from a backup"
        ) from error


def _read_note(path: Path, kind: type[Note]) -> Note | None:
    """What a small file beside a base says, None where it is not there. Raises BadSnapshot."""
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadSnapshot(
            f"{path} can't be read ({error}): write it again, as in another copy of this chain"
        ) from error


def begins_in(folder: Path) -> int:
    """The first block of which a chain's folder has a header. Raises BadSnapshot.

    It is 0 unless the folder's node joined its network by state sync.
    """
    for height in reversed(base_heights(folder)):
        joined = _read_note(folder / base_name(height) / JOINED, Joined)
        return 0 if joined is None else joined.height
    return 0
