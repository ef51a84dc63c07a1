"""What a snapshot has beside its rows: all headers, where old transactions stand, local rows.

The headers are proven: each names the one before, from genesis on, and is signed. The other two
files are whole by their own hash and of the right chain and block; no header commits to them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from tongbao.kernel import Genesis
from tongbao.kernel.state import after_prefix
from tongbao.sdk.audit import STEP, Progress
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.folder import sync_folder, write_pieces
from tongbao.store.foreign import foreign_headers
from tongbao.store.headers import write_head, write_line
from tongbao.store.record import KEY_LIMIT, HeaderLine
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.history import (
    entries_file,
    outcomes_file,
    read_entries,
    read_headers,
    read_outcomes,
)
from tongbao.store.snapshot.manifest import Manifest
from tongbao.store.snapshot.names import ENTRIES, HEADERS, HISTORY, OUTCOMES
from tongbao.store.state import State

T = TypeVar("T")


class History(Struct, frozen=True, kw_only=True):
    """How much of it there is: nothing in a snapshot of rows only."""

    headers: int = 0
    outcomes: int = 0
    entries: int = 0


def write_history(
    chain: Path,
    genesis: Genesis,
    new: Path,
    state: State,
    manifest: Manifest,
    hashed: Collection[bytes],
    progress: Progress,
) -> None:
    """Write `history/` into a new snapshot of the chain in a folder, whose rows are in `state`.

    `hashed` are the prefixes of the tables that the state root is of. Raises BadSnapshot where the
    chain's headers are not linked, StoreError, OSError.
    """
    folder, of = new / HISTORY, (manifest.chain, manifest.height)
    folder.mkdir()
    outcomes = told(progress, OUTCOMES, state.statuses(), state.decided)
    write_pieces(folder / OUTCOMES, outcomes_file(*of, outcomes))
    entries = told(progress, ENTRIES, _local_rows(state, hashed))
    write_pieces(folder / ENTRIES, entries_file(*of, entries))
    there = chain / HEADERS
    advice = f"stop the node, remove {there} and start it: they are written from the log"
    checks = BlockChecks(genesis, is_own=True)
    lines = linked(foreign_headers(chain, *of), manifest, checks, str(there), advice)
    write_headers(folder, manifest, told(progress, HEADERS, lines, manifest.height + 1))
    sync_folder(new)


def write_headers(folder: Path, manifest: Manifest, lines: Iterable[HeaderLine]) -> None:
    """Write a file of headers into a folder, durably. Raises OSError."""
    write_pieces(folder / HEADERS, _headers_file(manifest.chain, lines))


def _headers_file(chain: str, lines: Iterable[HeaderLine]) -> Iterator[bytes]:
    yield write_head(chain)
    yield from map(write_line, lines)


def _local_rows(state: State, hashed: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """All rows but those of the hashed tables, ascending."""
    start = b""
    for prefix in sorted(set(hashed)):
        yield from state.scan(start, prefix)
        start = after_prefix(prefix)
    yield from state.scan(start, b"\xff" * (KEY_LIMIT + 1))


def read_back(new: Path, manifest: Manifest) -> History:
    """Read what `write_history` has written, and count it. Raises BadSnapshot, OSError."""
    folder, of = new / HISTORY, (manifest.chain, manifest.height)
    return History(
        headers=count_of(read_headers(folder / HEADERS, *of)),
        outcomes=count_of(read_outcomes(folder / OUTCOMES, *of)),
        entries=count_of(read_entries(folder / ENTRIES, *of)),
    )


def verify_history(
    target: Path, manifest: Manifest, genesis: Genesis, progress: Progress
) -> History:
    """Verify the history of a snapshot of the chain of a genesis file, and count it.

    Raises BadSnapshot, WrongChain, WrongVersion, OSError.
    """
    folder, of = target / HISTORY, (manifest.chain, manifest.height)
    outcomes = told(progress, OUTCOMES, read_outcomes(folder / OUTCOMES, *of))
    entries = told(progress, ENTRIES, read_entries(folder / ENTRIES, *of))
    return History(
        headers=count_of(signed_headers(target, manifest, genesis, progress)),
        outcomes=count_of(outcomes),
        entries=count_of(entries),
    )


def signed_headers(
    target: Path, manifest: Manifest, genesis: Genesis, progress: Progress
) -> Iterator[HeaderLine]:
    """The headers of a snapshot, each believed before it is given; the last is the manifest's.

    Raises BadSnapshot, OSError.
    """
    path = target / HISTORY / HEADERS
    lines = read_headers(path, manifest.chain, manifest.height)
    checked = linked(lines, manifest, BlockChecks(genesis), str(path), "fetch it again")
    return told(progress, HEADERS, checked, manifest.height + 1)


def linked(
    lines: Iterable[HeaderLine],
    manifest: Manifest,
    checks: BlockChecks,
    source: str,
    advice: str,
) -> Iterator[HeaderLine]:
    """The lines, as long as each has its place in the chain; the last is the manifest's header.

    An error names `source`, and says what to do. Raises BadSnapshot.
    """
    last = b""
    for height, line in enumerate(lines):
        for wrong in checks.of_line(line, height):
            raise BadSnapshot(f"{source}: {wrong}: {advice}")
        yield line
        last = line.header
    if last != manifest.header:
        raise BadSnapshot(f"{source}: its last header is not the snapshot's: {advice}")


def told(
    progress: Progress, stage: str, things: Iterable[T], total: int | None = None
) -> Iterator[T]:
    """The same things; progress is told how many there were. Without `total` nobody knows it."""
    done = 0
    for thing in things:
        yield thing
        done += 1
        if done % STEP == 0:
            progress(stage, done, done + 1 if total is None else total)
    progress(stage, done, done)


def count_of(things: Iterable[object]) -> int:
    """How many things there are, once all have been given."""
    return sum(1 for _ in things)
