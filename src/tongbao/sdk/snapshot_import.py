"""A new chain's folder out of a snapshot: rows, headers and outcomes, and no blocks of before.

Every file is written from what was verified as it was read. Local rows are made anew out of the
proven ones, so an index has no entry that somebody else has thought of. Keys are not in a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tongbao.kernel import Genesis, Registry
from tongbao.kernel.code import kept_upgrades
from tongbao.kernel.genesis import write_genesis
from tongbao.kernel.reindex import entries_of
from tongbao.sdk.audit import Progress, silent
from tongbao.sdk.choosing import choose_modules
from tongbao.sdk.folder import sync_folder, trust_bytes, write_new, write_pieces
from tongbao.sdk.snapshot_folder import TRUST, WORK, new_folder
from tongbao.sdk.snapshot_history import History, count_of, signed_headers, told, write_headers
from tongbao.sdk.snapshots import (
    Head,
    SnapshotReport,
    read_chunks,
    read_head,
    remove_work,
    report_of,
)
from tongbao.store.base import base_name
from tongbao.store.record import BlockRecord
from tongbao.store.snapshot.chunks import Chunk, read_chunk
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.history import (
    entries_file,
    outcomes_file,
    read_entries,
    read_outcomes,
)
from tongbao.store.snapshot.manifest import Manifest, write_manifest
from tongbao.store.snapshot.names import (
    CHUNKS,
    ENTRIES,
    GENESIS,
    HISTORY,
    MANIFEST,
    OUTCOMES,
    chunk_name,
)
from tongbao.store.state import State


def import_snapshot(
    target: Path | str,
    folder: Path | str,
    trust: bytes | None = None,
    genesis: Genesis | None = None,
    progress: Progress = silent,
) -> SnapshotReport:
    """Verify the snapshot in `target`, and make `folder` a chain that goes on from its block.

    It is believed as `verify` believes it; without `trust` and `genesis` its own genesis file says
    whose keys count. `folder` appears whole or not at all. The report's entries are those made anew
    of the rows. Raises what `verify` does, BadSnapshot for one of rows only, FolderError where
    `folder` is there, DiskFull, GenesisError and ModuleError where the code is not installed.
    """
    source = Path(target)
    head = read_head(source, trust, genesis)
    if not head.has_history:
        raise BadSnapshot(
            f"{source} has rows only, and not where old transactions stand: "
            "no chain can go on from it; take a snapshot with this version"
        )
    with new_folder(Path(folder)) as new:
        base = new / base_name(head.manifest.height)
        for made in (base, base / CHUNKS, base / HISTORY, new / WORK):
            made.mkdir()
        history = _write_base(source, base, new / WORK / "state", head, progress)
        write_new(base / GENESIS, write_genesis(head.genesis))
        write_new(base / MANIFEST, write_manifest(head.manifest))
        sync_folder(base)
        write_new(new / TRUST, msgspec.json.format(trust_bytes(head.genesis)) + b"\n")
        write_new(new / GENESIS, write_genesis(head.genesis))
        remove_work(new / WORK)
        return report_of(head.manifest, head.time, head.signer, history)


def _write_base(source: Path, base: Path, work: Path, head: Head, progress: Progress) -> History:
    """Write chunks and history, each as it is verified; `work` has the rows in order meanwhile."""
    manifest = head.manifest
    rows = State.create(work, manifest.chain)
    try:
        read_chunks(source, manifest, _keeping(base / CHUNKS, rows), progress)
        upgrades = kept_upgrades(rows)
        registry = choose_modules(head.genesis, upgrades, manifest.height, to_write=False)
        _check_entries(source, manifest)
        entries = _write_entries(base / HISTORY, manifest, registry, rows, progress)
    finally:
        rows.close()
    _write_outcomes(source, base / HISTORY, manifest, progress)
    lines = signed_headers(source, manifest, head.genesis, progress)
    write_headers(base / HISTORY, manifest, lines)
    outcomes = read_outcomes(base / HISTORY / OUTCOMES, manifest.chain, manifest.height)
    return History(headers=manifest.height + 1, outcomes=count_of(outcomes), entries=entries)


def _keeping(chunks: Path, rows: State) -> Callable[[Chunk, bytes], None]:
    """What verifies a chunk, writes it, and puts its rows among those of the chunks before."""

    def keep(chunk: Chunk, data: bytes) -> None:
        found = read_chunk(chunk, data)
        write_new(chunks / chunk_name(chunk), data)
        rows.flush([BlockRecord(rows.height + 1, 0, b"", (), (), tuple(sorted(found)), ())])

    return keep


def _check_entries(source: Path, manifest: Manifest) -> None:
    """Whether the snapshot's own local rows are whole. They are not taken over."""
    path = source / HISTORY / ENTRIES
    count_of(read_entries(path, manifest.chain, manifest.height))


def _write_entries(
    history: Path, manifest: Manifest, registry: Registry, rows: State, progress: Progress
) -> int:
    """Make every index entry out of the rows; how many there are. One index is in memory."""
    counted = 0

    def entries() -> Iterator[tuple[bytes, bytes]]:
        nonlocal counted
        for index in sorted(registry.indexes.values(), key=lambda index: index.prefix):
            found = sorted(entries_of(index, rows).items())
            counted += len(found)
            yield from found

    made = told(progress, ENTRIES, entries())
    write_pieces(history / ENTRIES, entries_file(manifest.chain, manifest.height, made))
    return counted


def _write_outcomes(source: Path, history: Path, manifest: Manifest, progress: Progress) -> None:
    """Write the outcomes anew, as they are read."""
    of = (manifest.chain, manifest.height)
    found = told(progress, OUTCOMES, read_outcomes(source / HISTORY / OUTCOMES, *of))
    write_pieces(history / OUTCOMES, outcomes_file(*of, found))
