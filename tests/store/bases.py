"""Bases of made-up blocks, as `tongbao prune` and `snapshot import` put them into a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tests.store.blocks import CHAIN, block, rows_after, status_of, transaction_id
from tongbao.store.base import JOINED, KEEP, Joined, Keep, base_name
from tongbao.store.headers import write_head, write_line
from tongbao.store.record import line_of
from tongbao.store.snapshot.chunks import cut, root_of
from tongbao.store.snapshot.history import entries_file, outcomes_file
from tongbao.store.snapshot.manifest import FORMAT, Manifest, write_manifest

LOCAL = [(b"zlocal", b"of the base")]
"""A row that is in no chunk."""


def lay_base(
    folder: Path,
    height: int,
    keep_from: int | None = None,
    chain: str = CHAIN,
    size: int = 40,
    begins: int = 0,
) -> Path:
    """Put a base of a height into a chain's folder, one of a node that joined where it `begins`."""
    base = folder / base_name(height)
    shutil.rmtree(base, ignore_errors=True)
    (base / "chunks").mkdir(parents=True)
    (base / "history").mkdir()
    chunks = []
    for chunk, data in cut(rows_after(height, size)):
        (base / "chunks" / f"{chunk.prefix or 'all'}.rows").write_bytes(data)
        chunks.append(chunk)
    manifest = Manifest(
        format=FORMAT,
        chain=chain,
        genesis=bytes(32),
        height=height,
        header=block(height).header,
        root=root_of(chunks),
        chunks=tuple(chunks),
    )
    (base / "manifest.json").write_bytes(write_manifest(manifest))
    decided = sorted(
        (transaction_id(at, index), status_of(at, index))
        for at in range(begins + 1 if begins else 0, height + 1)
        for index in (0, 1)
    )
    files: dict[str, Iterable[bytes]] = {
        "headers": [
            write_head(chain),
            *(write_line(line_of(block(at))) for at in range(begins, height + 1)),
        ],
        "outcomes": outcomes_file(chain, height, decided),
        "entries": entries_file(chain, height, LOCAL),
    }
    for name, pieces in files.items():
        (base / "history" / name).write_bytes(b"".join(pieces))
    if keep_from is not None:
        (base / KEEP).write_bytes(msgspec.json.encode(Keep(keep_from)))
    if begins:
        (base / JOINED).write_bytes(msgspec.json.encode(Joined(begins)))
    return base
