"""The journal: what was asked, what became of it, and which copies there are. It holds no secret.

It is one SQLite file; a change is on the disk when its call returns. Secrets (a, b, envelopes, keys
of copies) are in the vault under names that `vault_name_of_order` and `vault_name_of_copy` give:
a record of the vault is written before the line that needs it, and removed before the line that
says that it is gone.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

FILE: Final = "journal.sqlite"
BUSY_S: Final = 30.0
VERSION: Final = 1
PAGE: Final = 100
"""Lines that one answer holds."""

TABLES: Final = """
CREATE TABLE asked (
  number INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL, owner TEXT NOT NULL,
  buyer TEXT NOT NULL, terms TEXT NOT NULL, at INTEGER NOT NULL,
  refused INTEGER NOT NULL, UNIQUE (hash, owner, buyer));
CREATE INDEX asked_of_owner ON asked (owner, number);
CREATE TABLE orders (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
  buyer TEXT NOT NULL, request TEXT NOT NULL, step TEXT NOT NULL, refused INTEGER NOT NULL,
  blob TEXT NOT NULL, chunks INTEGER NOT NULL, b_lock TEXT NOT NULL, sealing BLOB,
  receipt BLOB, at INTEGER NOT NULL);
CREATE INDEX orders_of_buyer ON orders (buyer, number);
CREATE INDEX orders_by_step ON orders (step, number);
CREATE INDEX orders_of_request ON orders (request);
CREATE TABLE steps (
  id TEXT NOT NULL, step TEXT NOT NULL, refused INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE INDEX steps_of_order ON steps (id);
CREATE TABLE copies (
  batch TEXT PRIMARY KEY, owner TEXT NOT NULL, fields TEXT NOT NULL, blob TEXT NOT NULL,
  chunks INTEGER NOT NULL, at INTEGER NOT NULL, erased_at INTEGER);
CREATE INDEX copies_of_owner ON copies (owner, batch);
CREATE TABLE litter (blob TEXT PRIMARY KEY);
CREATE TABLE place (one INTEGER PRIMARY KEY CHECK (one = 1), cursor TEXT NOT NULL);
"""

Row = sqlite3.Row


class JournalError(Exception):
    """A journal that can't be used; the text says what to do."""

    exit_code = 74


class Journal:
    """The journal's file. Any thread may call; one writes at a time."""

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        """Open the journal of a folder, made where it is not there. Raises JournalError."""
        path = folder / FILE
        if not writes and not path.exists():
            raise JournalError(f"{folder} has no journal: `tongbao data-agent init` makes one")
        mode = "rwc" if writes else "ro"
        self._lock = threading.RLock()
        self._file = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_S,
            isolation_level=None,
            check_same_thread=False,
        )
        self._file.row_factory = sqlite3.Row
        try:
            self._begin(path, writes=writes)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, path: Path, *, writes: bool) -> None:
        try:
            version = self._file.execute("PRAGMA user_version").fetchone()[0]
            if writes:
                path.chmod(0o600)
                self._file.execute("PRAGMA journal_mode = WAL")
                self._file.execute("PRAGMA synchronous = FULL")
                self._file.execute("PRAGMA secure_delete = ON")
                if version == 0:
                    self._file.executescript(f"BEGIN;{TABLES}PRAGMA user_version={VERSION};COMMIT;")
                    version = VERSION
        except sqlite3.DatabaseError as error:
            raise JournalError(f"{path} can't be used ({error}): restore it from a copy") from None
        if version != VERSION:
            raise JournalError(f"{path} is of version {version}: use the program that wrote it")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One change: all of it is on the disk at the end, or nothing where it raises."""
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield self._file
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise

    def rows(self, statement: str, *values: Any) -> Sequence[Row]:
        """What a statement finds."""
        with self._lock:
            return self._file.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> Row | None:
        """The first of it."""
        found = self.rows(statement, *values)
        return found[0] if found else None

    def orders_in(self, steps: Sequence[str]) -> Sequence[Row]:
        """The orders that are at one of these steps."""
        asked = "SELECT * FROM orders WHERE step IN (SELECT value FROM json_each(?))"
        return self.rows(asked, json.dumps(steps))

    def orders_refused_by(self, number: int) -> Sequence[Row]:
        """The orders that a rule refuses now."""
        return self.rows("SELECT * FROM orders WHERE step = 'refused' AND refused = ?", number)

    def orders_not_in(self, steps: Sequence[str]) -> Sequence[Row]:
        """The orders that are at none of these steps."""
        asked = "SELECT * FROM orders WHERE step NOT IN (SELECT value FROM json_each(?))"
        return self.rows(asked, json.dumps(steps))

    def run(self, statement: str, *values: Any) -> None:
        """Carry out one statement durably."""
        with self.writing() as file:
            file.execute(statement, values)

    # The place in the chain

    @property
    def cursor(self) -> str | None:
        """After which happening to go on."""
        found = self.row("SELECT cursor FROM place")
        return None if found is None else found["cursor"]

    def seen(self, cursor: str) -> None:
        """Everything up to a happening is done with."""
        self.run("INSERT OR REPLACE INTO place VALUES (1, ?)", cursor)

    # Blobs that nothing needs any more

    def leave(self, blob: str) -> None:
        """A blob of the store is to be deleted, or would be if we died now."""
        self.run("INSERT OR IGNORE INTO litter VALUES (?)", blob)

    def blobs(self) -> list[str]:
        """The blobs that copies and orders need."""
        found = self.rows("SELECT blob FROM copies UNION SELECT blob FROM orders")
        return [row["blob"] for row in found]

    def left(self) -> list[str]:
        """The blobs that are to be deleted."""
        return [each["blob"] for each in self.rows("SELECT blob FROM litter")]

    def gone(self, blob: str) -> None:
        """A blob is deleted."""
        self.run("DELETE FROM litter WHERE blob = ?", blob)


def vault_name_of_order(order: str) -> str:
    """Where a, b and the envelope of an order are."""
    return f"order-{order}"


def vault_name_of_copy(blob: str) -> str:
    """Where the key of a copy is: each sealing of it has its own."""
    return f"copy-{blob}"
