"""A base out of chunks as they come, in `joining/`: nothing counts before it has another name.

    joining/    genesis.json  manifest.json  joined.json  chunks/  history/

Rows are proven by the chunks; what is local is made of them anew. Of the history there is the
snapshot's own header alone: nothing proves old headers and outcomes to a node that joins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.kernel import Genesis, Registry
from tongbao.kernel.genesis import write_genesis
from tongbao.kernel.reindex import entries_of
from tongbao.store.base import JOINED, Joined
from tongbao.store.headers import write_head, write_line
from tongbao.store.record import BlockRecord, HeaderLine
from tongbao.store.snapshot.chunks import Chunk, read_chunk
from tongbao.store.snapshot.history import entries_file, outcomes_file
from tongbao.store.snapshot.manifest import Manifest, write_manifest
from tongbao.store.snapshot.names import (
    CHUNKS,
    ENTRIES,
    GENESIS,
    HEADERS,
    HISTORY,
    MANIFEST,
    OUTCOMES,
    chunk_name,
)
from tongbao.store.state import State

JOINING: Final = "joining"
"""The folder within a chain's folder where a base is laid."""
ROWS: Final = "rows"
"""Within it: the rows in order, while chunks come. Gone before it is a base."""

RegistryFor = Callable[[State, int], Registry]
"""The modules that a block's rows belong to. Raises GenesisError where they are not installed."""


def remove_left_over(folder: Path, writing: Writing) -> None:
    """Remove what a killed process had begun to lay in a chain's folder. Raises OSError."""
    writing.remove(folder / JOINING)


class Laying:
    """A base that is being laid for a manifest that is believed."""

    def __init__(
        self, folder: Path, manifest: Manifest, genesis: Genesis, writing: Writing
    ) -> None:
        """Begin in a chain's folder. Raises OSError, StoreError."""
        self.manifest = manifest
        self.path = folder / JOINING
        self._genesis = genesis
        self._writing = writing
        self._missing = set(range(len(manifest.chunks)))
        remove_left_over(folder, writing)
        writing.folder(self.path / CHUNKS)
        writing.folder(self.path / HISTORY)
        self._rows: State | None = State.create(self.path / ROWS, manifest.chain)

    @property
    def is_whole(self) -> bool:
        """Whether every chunk is there."""
        return not self._missing

    def add(self, index: int, data: bytes) -> None:
        """Take a chunk in, once more than once if need be.

        Raises BadSnapshot where it is not the one that the manifest names, StoreError, OSError.
        """
        chunk: Chunk = self.manifest.chunks[index]
        found = read_chunk(chunk, data)
        if index not in self._missing or self._rows is None:
            return
        self._writing.file(self.path / CHUNKS / chunk_name(chunk), (data,))
        # State takes blocks; each chunk is one, of rows alone.
        at = self._rows.height + 1
        self._rows.flush([BlockRecord(at, 0, b"", (), (), tuple(sorted(found)), ())])
        self._missing.discard(index)

    def finish(self, time: int, registry_for: RegistryFor) -> None:
        """Write all else, and make it durable. `time` is the block's, in ms UTC.

        Raises GenesisError, StoreError, OSError.
        """
        assert self.is_whole and self._rows is not None
        manifest, writing, history = self.manifest, self._writing, self.path / HISTORY
        of = (manifest.chain, manifest.height)
        rows, registry = self._rows, registry_for(self._rows, manifest.height)
        line = HeaderLine(manifest.height, time, manifest.header)
        headers = (write_head(manifest.chain), write_line(line))
        writing.file(history / ENTRIES, entries_file(*of, _entries(registry, rows)))
        self.close()
        writing.file(history / OUTCOMES, outcomes_file(*of, ()))
        writing.file(history / HEADERS, headers)
        joined = msgspec.json.encode(Joined(manifest.height)) + b"\n"
        writing.file(self.path / JOINED, (joined,))
        writing.file(self.path / GENESIS, (write_genesis(self._genesis),))
        writing.file(self.path / MANIFEST, (write_manifest(manifest),))
        writing.remove(self.path / ROWS)
        for folder in (self.path / CHUNKS, history, self.path):
            writing.sync(folder)

    def close(self) -> None:
        """Give the rows free. May be called again."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None


def _entries(registry: Registry, rows: State) -> Iterator[tuple[bytes, bytes]]:
    """Every index entry, made out of the rows; one index at a time is in memory."""
    for index in sorted(registry.indexes.values(), key=lambda index: index.prefix):
        yield from sorted(entries_of(index, rows).items())
