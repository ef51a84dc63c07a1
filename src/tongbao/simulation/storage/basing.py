"""A base under a simulated chain that is closed: rows out of its LMDB, headers off its disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tongbao.engines.solo.header import read_header
from tongbao.kernel import Genesis, Registry
from tongbao.kernel.genesis import chain_id, hash_of
from tongbao.kernel.state import PREFIX_BYTES
from tongbao.simulation.storage.disk import SimulatedDisk
from tongbao.store import base
from tongbao.store.headers import Headers, write_head, write_line
from tongbao.store.record import HeaderLine
from tongbao.store.snapshot.chunks import Chunk, Row, cut
from tongbao.store.snapshot.history import Outcome, entries_file, outcomes_file
from tongbao.store.snapshot.manifest import FORMAT, Manifest, write_manifest
from tongbao.store.snapshot.names import (
    CHUNKS,
    ENTRIES,
    HEADERS,
    HISTORY,
    MANIFEST,
    OUTCOMES,
    chunk_name,
)
from tongbao.store.state import State

EVERY_KEY: Final = b"\xff" * 8
"""Above every key that a table or an index has."""


def lay_base(
    folder: Path, disk: SimulatedDisk, genesis: Genesis, registry: Registry, keep_from: int
) -> int:
    """Put a base of the block that the rows have reached beside them; its height.

    -1 where the copy of the headers could not be written so far.
    """
    chain = chain_id(genesis)
    state = State(folder / "state", chain)
    try:
        height = state.height
        rows = list(state.scan(b"", EVERY_KEY))
        outcomes = list(state.statuses())
    finally:
        state.close()
    lines = Headers(disk, folder / "headers", chain).read(0, height)
    if len(lines) <= height:
        return -1
    target = folder / base.base_name(height)
    if not target.exists():
        hashed = [row for row in rows if row[0][:PREFIX_BYTES] in registry.tables]
        local = [row for row in rows if row[0][:PREFIX_BYTES] not in registry.tables]
        _write_rows(target, hashed, genesis, lines[-1])
        _write_history(target, chain, lines, outcomes, local)
    (target / base.KEEP).write_bytes(msgspec.json.encode(base.Keep(keep_from)))
    return height


def _write_rows(target: Path, rows: Sequence[Row], genesis: Genesis, last: HeaderLine) -> None:
    (target / CHUNKS).mkdir(parents=True)
    chunks: list[Chunk] = []
    for chunk, data in cut(rows):
        (target / CHUNKS / chunk_name(chunk)).write_bytes(data)
        chunks.append(chunk)
    manifest = Manifest(
        format=FORMAT,
        chain=chain_id(genesis),
        genesis=hash_of(genesis),
        height=last.height,
        header=last.header,
        root=bytes.fromhex(read_header(last.header)[0].state),
        chunks=tuple(chunks),
    )
    (target / MANIFEST).write_bytes(write_manifest(manifest))


def _write_history(
    target: Path,
    chain: str,
    lines: Sequence[HeaderLine],
    outcomes: Sequence[Outcome],
    local: Sequence[Row],
) -> None:
    history, height = target / HISTORY, lines[-1].height
    history.mkdir()
    files: dict[str, Iterable[bytes]] = {
        HEADERS: [write_head(chain), *map(write_line, lines)],
        OUTCOMES: outcomes_file(chain, height, outcomes),
        ENTRIES: entries_file(chain, height, local),
    }
    for name, pieces in files.items():
        (history / name).write_bytes(b"".join(pieces))
