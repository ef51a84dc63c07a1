"""What a source has on disk: one SQLite file whose every value is sealed.

What is looked up stands as HMAC-SHA256 under a secret of the vault (a customer, an account, a
subject, an event), so that whoever gets the file can try nothing out; what is read back stands
as AES-256-GCM under another. Each step of a month is a transaction of its own, durable before the
next one begins; `secure_delete` overwrites what is removed.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tongbao.sdk.vault import Vault
from tongbao.services.data_source.settings import BUSY, WRONG, SourceError
from tongbao.store.lock import take_lock

FILE: Final = "journal.sqlite"
LOCK: Final = "lock"
VAULT: Final = "vault"
RECORD: Final = "journal"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
VERSION: Final = 1
TABLES: Final = """
CREATE TABLE consents (
    id BLOB PRIMARY KEY,
    customer BLOB NOT NULL,
    account BLOB NOT NULL,
    subject BLOB NOT NULL,
    schema TEXT NOT NULL,
    ends INTEGER NOT NULL,
    state TEXT NOT NULL,
    body BLOB
) STRICT;
CREATE UNIQUE INDEX one_consent_a_customer ON consents (customer, schema)
    WHERE state = 'in force';
CREATE UNIQUE INDEX one_consent_an_account ON consents (account, schema)
    WHERE state = 'in force';
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event BLOB UNIQUE NOT NULL,
    subject BLOB NOT NULL,
    schema TEXT NOT NULL,
    period TEXT NOT NULL,
    given INTEGER NOT NULL DEFAULT 0,
    body BLOB
) STRICT;
CREATE INDEX events_of_a_month ON events (subject, schema, period);
CREATE TABLE statements (
    subject BLOB NOT NULL,
    schema TEXT NOT NULL,
    period TEXT NOT NULL,
    version INTEGER NOT NULL,
    consent BLOB NOT NULL,
    step INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    batch TEXT,
    refused TEXT,
    body BLOB,
    attestation BLOB,
    parcel BLOB,
    PRIMARY KEY (subject, schema, period, version)
) STRICT;
CREATE INDEX statements_by_step ON statements (step, consent);
"""


class Journal:
    """An open journal, of which there is one at a time; close it, or use it in `with`."""

    def __init__(self, place: Path, vault: Vault) -> None:
        """Open or begin the journal of a place. Raises SourceError, KeystoreError, OSError."""
        self._lock = _locked(place / LOCK)
        try:
            keys = _keys(vault, place / FILE)
            self._cipher = AESGCM(keys[:KEY_BYTES])
            self._blind = keys[KEY_BYTES:]
            self.database = _opened(place / FILE)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Let others open it."""
        self.database.close()
        os.close(self._lock)

    def __enter__(self) -> Journal:
        """The journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @contextmanager
    def step(self) -> Iterator[sqlite3.Connection]:
        """One step: all of it is durable when the `with` statement ends, or none of it is."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield self.database
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def blind(self, what: str, value: bytes) -> bytes:
        """What stands for a value where it is looked up."""
        return hmac.digest(self._blind, what.encode() + b"\x00" + value, "sha256")

    def seal(self, what: str, value: bytes) -> bytes:
        """A value as it is kept; it opens as nothing else."""
        nonce = token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, what.encode())

    def unseal(self, what: str, sealed: bytes) -> bytes:
        """The value again. Raises SourceError."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], what.encode())
        except (InvalidTag, ValueError):
            raise SourceError(
                "the journal is damaged", "restore the source's folder from a copy", WRONG
            ) from None


def _keys(vault: Vault, file: Path) -> bytes:
    """The journal's two secrets, which are drawn before its file is begun."""
    try:
        return vault.get(RECORD)
    except KeyError:
        if file.exists():
            raise SourceError(
                f"the vault has no key of {file}", "restore the whole folder from a copy", WRONG
            ) from None
    vault.put(RECORD, token_bytes(2 * KEY_BYTES))
    return vault.get(RECORD)


def _opened(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            database.execute(f"PRAGMA {pragma}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(f"BEGIN;{TABLES}PRAGMA user_version = {VERSION};COMMIT;")
        elif version != VERSION:
            raise SourceError(f"{path} is of another version", "install that version", 76)
    except sqlite3.DatabaseError as error:
        database.close()
        raise SourceError(
            f"{path} can't be used: {error}", "restore the source's folder from a copy", WRONG
        ) from None
    except BaseException:
        database.close()
        raise
    return database


def _locked(path: Path) -> int:
    try:
        return take_lock(path)
    except BlockingIOError:
        raise SourceError(
            "another program has this source open", "try again when it has ended", BUSY
        ) from None
