"""The shelf: copies and packages, as ciphertext in a space of a store; their keys in the vault.

Each copy is sealed under a new key of its own, each package under halves of its own, each under a
new random name, so that a name never has other bytes. A name is written down before its blob is
sent: whatever dies in between, the next start deletes what nothing needs.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, overload

from msgspec import Struct

from tongbao.kernel import jcs
from tongbao.rights.chunks import chunk_count, open_chunks, seal_chunks
from tongbao.rights.copies import Copy, read_copy
from tongbao.rights.limits import KEY_BYTES, SEALED_CHUNK_BYTES
from tongbao.sdk.vault import Vault
from tongbao.services.data_agent.journal import Journal, Row, vault_name_of_copy

NAME_BYTES: Final = 32
AT_ONCE: Final = 64
"""Chunks that are fetched by one request: 4 MiB."""


class Blobs(Protocol):
    """A space of a data store."""

    def put(self, name: str, file: Path) -> None:
        """Keep the bytes of a file."""

    def get(self, name: str, first: int, count: int) -> bytes:
        """So many chunks from one on."""

    def delete(self, name: str) -> None:
        """Destroy a blob; no fault where there is none."""

    def names(self) -> Iterable[str]:
        """All blobs that are there."""


class Erased(Struct, frozen=True, kw_only=True):
    """The receipt of a copy that is destroyed: its key here, and its blob at the store."""

    agent: str
    batch: str
    erased_at: int


class CopyLine(Struct, frozen=True, kw_only=True):
    """What is told of a copy: it stays without `erased_at` while it is there."""

    batch: str
    owner: str
    fields: tuple[str, ...]
    at: int
    erased_at: int | None = None


class Shelf:
    """What the agent keeps of others' data. Any thread may call."""

    def __init__(self, journal: Journal, vault: Vault, blobs: Blobs, folder: Path) -> None:
        """Use a folder for files on their way to the store: ciphertext, which the start removes."""
        self._journal = journal
        self._vault = vault
        self._blobs = blobs
        self._work = folder / "work"
        self._work.mkdir(mode=0o700, exist_ok=True)
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        for left in self._work.iterdir():
            left.unlink()

    # Any blob

    @contextmanager
    def sealing(self, write: Callable[[Callable[[bytes], object]], None]) -> Iterator[str]:
        """A new blob of what `write` writes. Whoever needs it says so before the `with` ends.

        It says so in the journal, by the change that takes its name out of the litter.
        """
        blob = secrets.token_hex(NAME_BYTES)
        with self._lock:
            self._busy.add(blob)
        try:
            self._journal.leave(blob)
            path = self._work / blob
            try:
                with path.open("xb") as file:
                    write(file.write)
                self._blobs.put(blob, path)
            finally:  # a store that is away is tried again and again: nothing may pile up here
                path.unlink(missing_ok=True)
            yield blob
        finally:
            with self._lock:
                self._busy.discard(blob)

    def chunks(self, blob: str, first: int, count: int) -> bytes:
        """Some chunks of a blob. Raises what the store's client raises."""
        return self._blobs.get(blob, first, count)

    def tidy(self) -> None:
        """Delete what nothing needs. Raises what the store's client raises."""
        with self._lock:  # both at once: what is being sealed now is litter only until it is needed
            left = [blob for blob in self._journal.left() if blob not in self._busy]
        for blob in left:
            self.forget_key(vault_name_of_copy(blob))
            self._blobs.delete(blob)
            self._journal.gone(blob)

    def compare(self, now: int) -> None:
        """Hold the journal to the store, since one of them may be out of a backup.

        A copy whose blob the store has erased is erased here too: its owner wanted it. A blob that
        neither journal nor vault knows can't be opened by anybody, and goes.
        """
        # In this order: what is kept or erased meanwhile is taken for neither.
        copies = self._journal.rows("SELECT * FROM copies WHERE erased_at IS NULL")
        there = set(self._blobs.names())
        with self._lock:
            known = set(self._busy)
        known.update(self._journal.left(), self._journal.blobs())
        keys = set(self._vault.names())
        for row in copies:
            if row["blob"] not in there:
                self._forget(row, now)
        for blob in there - known:
            if vault_name_of_copy(blob) not in keys:
                self._journal.leave(blob)

    def forget_key(self, name: str) -> None:
        """Destroy a record of the vault; no fault where there is none."""
        with suppress(KeyError):
            self._vault.remove(name)

    # Copies

    def keep(self, line: CopyLine, commitment: bytes, text: bytes) -> None:
        """Keep a copy, in the place of an earlier one of its batch."""
        key = secrets.token_bytes(KEY_BYTES)
        count = chunk_count(len(text))

        def write(out: Callable[[bytes], object]) -> None:
            for chunk in seal_chunks(key, commitment, [text], len(text), count):
                out(chunk)

        with self.sealing(write) as blob:
            self._vault.put(vault_name_of_copy(blob), key)
            with self._journal.writing() as file:
                file.execute(
                    "INSERT OR IGNORE INTO litter SELECT blob FROM copies"
                    " WHERE batch = ? AND erased_at IS NULL",
                    (line.batch,),
                )
                fields = jcs.encode(line.fields).decode()
                file.execute(
                    "INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?, NULL)",
                    (line.batch, line.owner, fields, blob, count, line.at),
                )
                file.execute("DELETE FROM litter WHERE blob = ?", (blob,))
        self.tidy()

    def line(self, batch: str) -> CopyLine | None:
        """What is known of the copy of a batch, an erased one too."""
        found = self._journal.row("SELECT * FROM copies WHERE batch = ?", batch)
        return None if found is None else line_of(found)

    def lines(self, owner: str, after: str, limit: int) -> list[CopyLine]:
        """The copies of an owner's that are there, in the order of their batches."""
        found = self._journal.rows(
            "SELECT * FROM copies WHERE owner = ? AND batch > ? AND erased_at IS NULL"
            " ORDER BY batch LIMIT ?",
            *(owner, after, limit),
        )
        return [line_of(row) for row in found]

    def owners(self) -> list[str]:
        """Whose copies are there."""
        found = self._journal.rows("SELECT DISTINCT owner FROM copies WHERE erased_at IS NULL")
        return [row["owner"] for row in found]

    def count(self, owner: str) -> int:
        """How many copies of an owner's are there."""
        asked = "SELECT count(*) AS n FROM copies WHERE owner = ? AND erased_at IS NULL"
        found = self._journal.row(asked, owner)
        assert found is not None
        return int(found["n"])

    def fields(self, batches: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Which fields are open in the copies of these batches that are there."""
        lines = (self.line(batch) for batch in batches)
        return {line.batch: line.fields for line in lines if line and line.erased_at is None}

    def chunk_total(self, batches: Iterable[str]) -> int:
        """How many chunks the copies of these batches have together."""
        asked = "SELECT chunks FROM copies WHERE batch = ? AND erased_at IS NULL"
        found = (self._journal.row(asked, batch) for batch in batches)
        return sum(row["chunks"] for row in found if row is not None)

    def copy(self, batch: str, commitment: bytes) -> Copy:
        """A copy, held to its commitment. Raises KeyError, DoesNotOpen, BadCopy."""
        found = self._journal.row(
            "SELECT * FROM copies WHERE batch = ? AND erased_at IS NULL", batch
        )
        if found is None:
            raise KeyError(batch)
        key = self._vault.get(vault_name_of_copy(found["blob"]))
        chunks = StoredChunks(self._blobs, found["blob"], found["chunks"])
        return read_copy(b"".join(open_chunks(key, commitment, chunks)))

    def erase(self, batch: str, agent: str, now: int) -> Erased | None:
        """Destroy the key of a copy; the receipt, also again; None where none ever was.

        Its blob goes when `tidy` is called next.
        """
        found = self._journal.row("SELECT * FROM copies WHERE batch = ?", batch)
        if found is None:
            return None
        at = found["erased_at"]
        if at is None:
            at = now
            self._forget(found, at)
        return Erased(agent=agent, batch=batch, erased_at=at)

    def _forget(self, row: Row, at: int) -> None:
        """Destroy the key of a copy, and say that it is gone and its blob is to go."""
        self.forget_key(vault_name_of_copy(row["blob"]))
        with self._journal.writing() as file:
            file.execute("INSERT OR IGNORE INTO litter VALUES (?)", (row["blob"],))
            file.execute(
                "UPDATE copies SET erased_at = ?, blob = '' WHERE batch = ? AND blob = ?",
                (at, row["batch"], row["blob"]),
            )


def line_of(row: Row) -> CopyLine:
    """A line of the journal as it is told."""
    return CopyLine(
        batch=row["batch"],
        owner=row["owner"],
        fields=tuple(jcs.decoder(tuple[str, ...]).decode(row["fields"])),
        at=row["at"],
        erased_at=row["erased_at"],
    )


class StoredChunks(Sequence[bytes]):
    """The chunks of a blob, fetched a few at a time."""

    def __init__(self, blobs: Blobs, name: str, count: int) -> None:
        """So many chunks are there."""
        self._blobs = blobs
        self._name = name
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(self._count))]
        return self._blobs.get(self._name, range(self._count)[index], 1)

    def __iter__(self) -> Iterator[bytes]:
        for first in range(0, self._count, AT_ONCE):
            found = self._blobs.get(self._name, first, min(AT_ONCE, self._count - first))
            for place in range(0, len(found), SEALED_CHUNK_BYTES):
                yield found[place : place + SEALED_CHUNK_BYTES]
