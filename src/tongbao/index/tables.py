"""The tables of an index, and every statement on them: the same for SQLite and PostgreSQL.

A `?` stands for a value; PostgreSQL's spelling of it is put in where a statement is used.
"""

from __future__ import annotations

from typing import Final, NamedTuple

VERSION: Final = 3
"""Raise it with every change of the tables or of a chunk's encoding."""


class Dialect(NamedTuple):
    """What one database calls the types of columns, and how a table is kept in its key's order."""

    integer: str
    small: str
    data: str
    in_key_order: str


SQLITE: Final = Dialect("INTEGER", "INTEGER", "BLOB", " WITHOUT ROWID")
POSTGRESQL: Final = Dialect("BIGINT", "SMALLINT", "BYTEA", "")

_TABLES: Final = """
CREATE TABLE state (
    single {integer} PRIMARY KEY CHECK (single = 0),
    version {integer} NOT NULL,
    chain TEXT NOT NULL,
    first {integer} NOT NULL,   -- the block that it was begun with: 0, where none was pruned
    height {integer} NOT NULL,  -- of the last block that is in here, -1 before the first
    header {data} NOT NULL      -- SHA-256 of that block's signed header
);
CREATE TABLE chunks (           -- entries of a block, in order
    at {integer} PRIMARY KEY,   -- place of the first
    time {integer} NOT NULL,    -- of their block, ms UTC
    entries {data} NOT NULL
);
CREATE INDEX chunks_by_time ON chunks (time, at);
CREATE TABLE postings (         -- chunks in which an account occurs, by its number
    name {integer} NOT NULL,
    at {integer} NOT NULL,
    kind {small} NOT NULL,      -- number of the one asset that it moved there; 0 none, -1 several
    PRIMARY KEY (name, at)
){in_key_order};
CREATE TABLE texts (            -- chunks in which an asset or a reference occurs
    name {data} NOT NULL,
    at {integer} NOT NULL,
    PRIMARY KEY (name, at)
){in_key_order};
"""
BEGIN: Final = "INSERT INTO state VALUES (0, ?, ?, 0, -1, ?)"
COLUMNS: Final = {
    "chunks": ("at", "time", "entries"),
    "postings": ("name", "at", "kind"),
    "texts": ("name", "at"),
}
"""Of the tables that grow."""

INSERTIONS: Final = {
    "chunks": "INSERT INTO chunks VALUES (?, ?, ?)",
    "postings": "INSERT INTO postings VALUES (?, ?, ?)",
    "texts": "INSERT INTO texts VALUES (?, ?)",
}

STATE: Final = "SELECT height, first, header FROM state"
OWNER: Final = "SELECT version, chain FROM state"
ADDED: Final = "UPDATE state SET height = ?, header = ?"
BEGUN_AFTER: Final = "UPDATE state SET first = ?, height = ?, header = ?"

BEFORE_BY_TEXT: Final = """
SELECT chunks.at, time, entries FROM texts JOIN chunks USING (at)
WHERE name = ? AND texts.at <= ? ORDER BY texts.at DESC LIMIT ?
"""
BEFORE_BY_ACCOUNT: Final = """
SELECT chunks.at, time, entries FROM postings JOIN chunks USING (at)
WHERE name = ? AND postings.at <= ? ORDER BY postings.at DESC LIMIT ?
"""
BEFORE_BY_HOLDING: Final = """
SELECT chunks.at, time, entries FROM postings JOIN chunks USING (at)
WHERE name = ? AND kind IN (?, -1) AND postings.at <= ? ORDER BY postings.at DESC LIMIT ?
"""
FROM_BY_HOLDING: Final = """
SELECT chunks.at, time, entries FROM postings JOIN chunks USING (at)
WHERE name = ? AND kind IN (?, -1) AND postings.at >= ? AND postings.at < ?
ORDER BY postings.at LIMIT ?
"""
CHUNK_FROM: Final = "SELECT at FROM chunks WHERE time >= ? ORDER BY time, at LIMIT 1"
NEXT_TEXT: Final = "SELECT name FROM texts WHERE name >= ? AND name < ? ORDER BY name LIMIT 1"
NEXT_ACCOUNT: Final = """
SELECT name, entries FROM postings JOIN chunks USING (at)
WHERE name >= ? AND name <= ? ORDER BY name, postings.at LIMIT 1
"""


def creation(dialect: Dialect) -> list[str]:
    """The statements that make the tables."""
    return _TABLES.format(**dialect._asdict()).strip().removesuffix(";").split(";\n")
