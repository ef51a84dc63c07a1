"""The snapshots that a node has, to be fetched by others: `snapshots/0000001000/` and so on.

Each is a manifest and chunks, the same bytes on every node. Chunks are read from their files, one
at a time, and checked by whoever takes them.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from tongbao.engines.cometbft.messages import Snapshot
from tongbao.engines.cometbft.statesync.options import LISTED, METADATA_BYTES
from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.store.errors import StoreError
from tongbao.store.snapshot.manifest import (
    FORMAT,
    MANIFEST_BYTES,
    Manifest,
    read_manifest,
)
from tongbao.store.snapshot.names import CHUNKS, MANIFEST, chunk_name

log = logging.getLogger("tongbao.engines.cometbft")

NAME: Final = re.compile(r"\d{10}\Z")
LEFT_OVER: Final = re.compile(r"\d{10}\.(new|old)\Z")
SERVED_SECONDS: Final = 120.0
"""So long after a chunk was asked for, its snapshot stays: a fetch is under way."""
SPARE: Final = 2
"""How many snapshots may stay for that reason beyond those that are kept anyway."""


def snapshot_name(height: int) -> str:
    """The name of the folder of a snapshot."""
    return f"{height:010d}"


class Entry(NamedTuple):
    """A snapshot that is here, as it is offered."""

    manifest: Manifest
    offered: Snapshot


class Kept:
    """The snapshots in a folder. Its methods are called in several threads."""

    def __init__(
        self,
        folder: Path,
        keep: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        writing: Writing | None = None,
    ) -> None:
        """Read what is there, and remove what a killed process left. Raises OSError."""
        assert keep > 0
        self.folder = folder
        self._keep = keep
        self._clock = clock
        self._writing = writing or Writing()
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}
        self._asked: dict[int, float] = {}
        """When a chunk of a snapshot was last asked for."""
        self._writing.folder(folder)
        for path in sorted(folder.iterdir()):
            if LEFT_OVER.match(path.name):
                self._writing.remove(path)
            elif NAME.match(path.name):
                self._read(path)

    def _read(self, path: Path) -> None:
        """Take a snapshot in, unless it can't be read: then it is not offered."""
        try:
            with (path / MANIFEST).open("rb") as file:
                data = file.read(MANIFEST_BYTES + 1)
            manifest = read_manifest(data)
            if path.name != snapshot_name(manifest.height):
                raise StoreError(f"it is of block {manifest.height}")
            if len(data) > METADATA_BYTES:
                raise StoreError(f"its manifest has {len(data)} bytes, more than CometBFT carries")
        except (StoreError, OSError) as error:
            log.warning("%s is not offered (%s): remove it", path, error)
            return
        self._entries[manifest.height] = Entry(
            manifest,
            Snapshot(
                height=manifest.height,
                format=FORMAT,
                chunks=len(manifest.chunks),
                hash=sha256(data).digest(),
                metadata=data,
            ),
        )

    @property
    def oldest(self) -> int | None:
        """The block of the oldest one; None where there is none."""
        with self._lock:
            return min(self._entries, default=None)

    def heights(self) -> list[int]:
        """The blocks of all that are here, ascending."""
        with self._lock:
            return sorted(self._entries)

    def offered(self) -> tuple[Snapshot, ...]:
        """The newest ones, newest first."""
        with self._lock:
            newest = sorted(self._entries, reverse=True)[:LISTED]
            return tuple(self._entries[height].offered for height in newest)

    def chunk(self, height: int, version: int, index: int) -> bytes:
        """The bytes of a chunk; none where it is not here."""
        with self._lock:
            entry = self._entries.get(height)
            if entry is None or version != FORMAT or index >= len(entry.manifest.chunks):
                return b""
            self._asked[height] = self._clock()
            said = entry.manifest.chunks[index]
            path = self.folder / snapshot_name(height) / CHUNKS / chunk_name(said)
            try:
                with path.open("rb") as file:
                    return file.read(said.size)
            except OSError as error:
                log.warning("%s can't be read (%s): it is not offered any more", path, error)
                del self._entries[height]
                return b""

    def add(self, new: Path, height: int) -> None:
        """Give a finished snapshot its name, and remove those that are too old. Raises OSError."""
        target = self.folder / snapshot_name(height)
        with self._lock:
            self._writing.remove(target)
            self._writing.rename(new, target)
            self._read(target)
            for old in self._too_old():
                del self._entries[old]
                self._asked.pop(old, None)
                self._drop(self.folder / snapshot_name(old))

    def _too_old(self) -> list[int]:
        """Those that need not stay: not among the newest, and nobody is fetching them."""
        old = sorted(self._entries, reverse=True)[self._keep :]
        now = self._clock()
        served = [
            each for each in old if each in self._asked and now - self._asked[each] < SERVED_SECONDS
        ]
        return [each for each in old if each not in served[:SPARE]]

    def _drop(self, path: Path) -> None:
        """Remove a snapshot; one that is half removed has no name that counts."""
        old = path.with_name(f"{path.name}.old")
        self._writing.rename(path, old)
        self._writing.remove(old)
