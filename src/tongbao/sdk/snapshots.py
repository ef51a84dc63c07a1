"""Snapshots: rows and history of one height in a folder, verified against signed headers.

Taking one leaves the chain as it is, and needs no lock: a node may run on the folder, and goes on.
Whoever has the folder and a trust file believes nobody: each chunk is verified by its bytes, all
chunks make the state root, and that is in a header which a key of the chain has signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from tongbao.engines.headers import HeaderError, read_header
from tongbao.kernel import Genesis, GenesisError
from tongbao.kernel.code import kept_upgrades, lines_at
from tongbao.kernel.genesis import chain_id, hash_of, read_genesis, write_genesis
from tongbao.kernel.state import after_prefix
from tongbao.sdk.audit import STEP, Progress, silent
from tongbao.sdk.block_checks import unlike
from tongbao.sdk.choosing import tables_of
from tongbao.sdk.folder import Folder, trust_file, write_new
from tongbao.sdk.joined import need_history
from tongbao.sdk.proofs import TrustFile
from tongbao.sdk.snapshot_folder import (
    GENESIS_BYTES,
    WORK,
    check_names,
    expect_names,
    new_folder,
    read_plain,
)
from tongbao.sdk.snapshot_history import History, read_back, verify_history, write_history
from tongbao.sdk.verification import read_trust
from tongbao.store.errors import DiskFull, StoreError, WrongChain
from tongbao.store.foreign import ForeignRows, foreign_header
from tongbao.store.snapshot.buckets import Buckets, digits_for
from tongbao.store.snapshot.chunks import CHUNK_BYTES, Chunk, check_bytes, read_chunk, root_of
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.manifest import (
    FORMAT,
    MANIFEST_BYTES,
    Manifest,
    read_manifest,
    write_manifest,
)
from tongbao.store.snapshot.names import CHUNKS, GENESIS, MANIFEST, chunk_name
from tongbao.store.state import State


class SnapshotReport(Struct, frozen=True, kw_only=True):
    """What a snapshot is of. `time` is the block's, ms UTC; `size` the bytes of all chunks.

    `kind` is "with history" or "rows only"; of the latter the last three are 0.
    """

    chain: str
    height: int
    time: int
    state_root: str
    rows: int
    chunks: int
    size: int
    signed_by: str
    kind: str
    headers: int
    outcomes: int
    entries: int


def take(
    folder: Path | str,
    target: Path | str,
    progress: Progress = silent,
    *,
    chunk_bytes: int = CHUNK_BYTES,
) -> SnapshotReport:
    """Write a snapshot of the chain in `folder` to a new folder, and read back what was written.

    It is of the block that the rows have reached, which may be a few behind the last. What was
    begun is removed when it fails; `target` appears whole. `chunk_bytes` are the format's: only
    tests have others. Raises FolderError, StoreError (DiskFull, BadSnapshot where the rows are not
    those of the signed header, and others), GenesisError, ModuleError (a module is not installed).
    """
    place, target = Folder(folder), Path(target)
    genesis = place.genesis()
    need_history(place.path)
    if not (place.path / "state").is_dir():
        raise StoreError(
            f"{place.path} has no rows yet: open the chain once, `tongbao status` will do"
        )
    with new_folder(target) as new:
        (new / WORK).mkdir()
        (new / CHUNKS).mkdir()
        state = _copied(place.path / "state", new / WORK / "state", chain_id(genesis), progress)
        try:
            if genesis.origin is not None and state.height <= genesis.origin.height:
                raise StoreError(
                    f"{place.path} has no block of its own yet: the folder that it was exported to "
                    "has the same rows; start its node with the authority's key first"
                )
            header = foreign_header(place.path, chain_id(genesis), state.height)
            lines = lines_at(genesis, kept_upgrades(state), state.height)
            tables = sorted(set(tables_of(lines)))
            buckets = _parted(state, tables, new / WORK, progress)
            chunks = _write_chunks(buckets, new / CHUNKS, chunk_bytes, progress)
            manifest = Manifest(
                format=FORMAT,
                chain=chain_id(genesis),
                genesis=hash_of(genesis),
                height=state.height,
                header=header,
                root=root_of(chunks, chunk_bytes),
                chunks=tuple(chunks),
            )
            time, signer = check_header(manifest, trust_file(genesis), genesis)
            write_history(place.path, genesis, new, state, manifest, tables, progress)
        finally:
            state.close()
        write_new(new / GENESIS, write_genesis(genesis))
        write_new(new / MANIFEST, write_manifest(manifest))
        remove_work(new / WORK)
        read_chunks(new, manifest, check_bytes, progress)
        return report_of(manifest, time, signer, read_back(new, manifest))


def _copied(source: Path, target: Path, chain: str, progress: Progress) -> State:
    """The rows of a folder that a writer may have open, as a copy of one moment, open."""
    progress("copy", 0, 1)
    target.mkdir()
    with ForeignRows(source) as rows, (target / "data.mdb").open("wb") as file:
        rows.copy_to(file.fileno())
    try:
        state = State(target, chain)
    except DiskFull:
        raise
    except StoreError as error:
        raise type(error)(str(error).replace(str(target), str(source))) from error
    progress("copy", 1, 1)
    return state


def _parted(state: State, tables: Sequence[bytes], work: Path, progress: Progress) -> Buckets:
    """The hashed rows of a state in files."""
    size = (work / "state" / "data.mdb").stat().st_size
    buckets = Buckets(work / "buckets", digits_for(size))
    done = 0
    try:
        for prefix in tables:
            for key, value in state.scan(prefix, after_prefix(prefix)):
                buckets.add(key, value)
                done += 1
                if done % STEP == 0:
                    progress("rows", done, done + 1)
    finally:
        buckets.close()
    progress("rows", done, done)
    return buckets


def _write_chunks(
    buckets: Buckets, folder: Path, chunk_bytes: int, progress: Progress
) -> list[Chunk]:
    """Write every chunk, durably."""
    chunks: list[Chunk] = []
    for chunk, data in buckets.chunks(chunk_bytes):
        write_new(folder / chunk_name(chunk), data)
        chunks.append(chunk)
        progress("chunks", len(chunks), len(chunks) + 1)
    progress("chunks", len(chunks), len(chunks))
    return chunks


def remove_work(work: Path) -> None:
    """Remove the copy and the files of rows."""
    for path in sorted(work.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    work.rmdir()


def verify(
    target: Path | str,
    trust: bytes | None = None,
    genesis: Genesis | None = None,
    progress: Progress = silent,
    *,
    chunk_bytes: int = CHUNK_BYTES,
) -> SnapshotReport:
    """Verify a snapshot whole, as one that a stranger has handed over, and say what it is of.

    The header must be signed by a key of the trust file, and of the given genesis; without both,
    by one of the snapshot's own genesis file, which proves only that the snapshot is whole. Raises
    BadSnapshot, WrongChain, WrongVersion, FolderMissing, OSError, and VerificationError where the
    trust file is none.
    """
    folder = Path(target)
    found = read_head(folder, trust, genesis, chunk_bytes=chunk_bytes)
    read_chunks(folder, found.manifest, read_chunk, progress)
    history = None
    if found.has_history:
        history = verify_history(folder, found.manifest, found.genesis, progress)
    return report_of(found.manifest, found.time, found.signer, history)


class Head(NamedTuple):
    """What a snapshot is of, signed by a key that is trusted; `genesis` is its own, proven too."""

    manifest: Manifest
    genesis: Genesis
    time: int
    signer: str
    has_history: bool


def read_head(
    folder: Path, trust: bytes | None, genesis: Genesis | None, *, chunk_bytes: int = CHUNK_BYTES
) -> Head:
    """The manifest and genesis of a snapshot, verified as `verify` says. Raises what it does."""
    has_history = check_names(folder)
    manifest = read_manifest(read_plain(folder / MANIFEST, MANIFEST_BYTES), chunk_bytes)
    own = _own_genesis(read_plain(folder / GENESIS, GENESIS_BYTES), manifest)
    if genesis is not None and hash_of(genesis) != manifest.genesis:
        raise WrongChain(
            f"the snapshot is of chain {manifest.chain}, not {chain_id(genesis)}: "
            "ask for one of this chain"
        )
    time, signer = check_header(manifest, trust_file(own), own)
    if trust is not None:
        check_header(manifest, read_trust(trust), own)
    return Head(manifest, own, time, signer, has_history)


def read_chunks(
    folder: Path, manifest: Manifest, check: Callable[[Chunk, bytes], object], progress: Progress
) -> None:
    """Read and check every chunk from its file. Raises BadSnapshot, OSError."""
    expect_names(folder / CHUNKS, {chunk_name(chunk) for chunk in manifest.chunks})
    for at, chunk in enumerate(manifest.chunks, 1):
        check(chunk, read_plain(folder / CHUNKS / chunk_name(chunk), chunk.size))
        progress("verify", at, len(manifest.chunks))


def report_of(
    manifest: Manifest, time: int, signer: str, history: History | None
) -> SnapshotReport:
    """What there is to say of a snapshot; without history it has rows only."""
    counted = history or History()
    return SnapshotReport(
        chain=manifest.chain,
        height=manifest.height,
        time=time,
        state_root=manifest.root.hex(),
        rows=sum(chunk.rows for chunk in manifest.chunks),
        chunks=len(manifest.chunks),
        size=sum(chunk.size for chunk in manifest.chunks),
        signed_by=signer,
        kind="rows only" if history is None else "with history",
        headers=counted.headers,
        outcomes=counted.outcomes,
        entries=counted.entries,
    )


def _own_genesis(text: bytes, manifest: Manifest) -> Genesis:
    """The genesis file beside the manifest. Raises BadSnapshot unless it is the one it names."""
    try:
        genesis = read_genesis(text)
    except GenesisError as error:
        raise BadSnapshot(f"the snapshot's genesis.json is none ({error})") from error
    if write_genesis(genesis) != text:
        raise BadSnapshot("the snapshot's genesis.json is not written as tongbao writes it")
    if (chain_id(genesis), hash_of(genesis)) != (manifest.chain, manifest.genesis):
        raise BadSnapshot("the snapshot's genesis.json is not the one that its manifest names")
    return genesis


def check_header(manifest: Manifest, trust: TrustFile, genesis: Genesis) -> tuple[int, str]:
    """The time of the snapshot's header and who has signed it; nobody ("") on a network's node.

    A network's header is its node's own note: that its rows are the network's, a proof shows.

    Raises BadSnapshot, WrongChain unless it is of a trusted key, and says what the manifest says.
    """
    try:
        header, signer = read_header(manifest.header)
    except HeaderError as error:
        raise BadSnapshot(f"the snapshot's header can't be believed: {error}") from error
    if trust.chain != manifest.chain or header.chain != manifest.chain:
        raise WrongChain(
            f"the snapshot says chain {manifest.chain}, its header {header.chain}, "
            f"and {trust.chain} was asked for"
        )
    for wrong in unlike(genesis, header):
        raise BadSnapshot(f"the snapshot's header can't be believed: {wrong}")
    if signer is not None and signer not in trust.keys:
        raise BadSnapshot("the snapshot's header is signed by a key that is not trusted here")
    if header.height != manifest.height:
        raise BadSnapshot(
            f"the header is of block {header.height}, the manifest says {manifest.height}"
        )
    if header.state != manifest.root.hex():
        raise BadSnapshot(
            f"the rows have root {manifest.root.hex()}, the signed header of block "
            f"{header.height} says {header.state}: they are not that block's"
        )
    return header.time, signer or ""
