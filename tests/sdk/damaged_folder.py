"""What accidents and people do to the folder of a chain, one kind each."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import lmdb

from tests.sdk.kept_chain import Kept
from tests.store.blocks import flip
from tongbao.index.history import Index
from tongbao.store.frames import SEGMENT_HEAD, read_frame, read_segment_head
from tongbao.store.store import Store

Damage = Callable[[Kept], object]

FIRST = "log/00000000.log"


def feed(kept: Kept, height: int) -> None:
    """Add the blocks up to a height to the chain's index."""
    with (
        Store.open(kept.folder, kept.head.chain) as store,
        Index.open(kept.folder / "index.sqlite", kept.head.chain) as index,
    ):
        index.add([store.block(at) for at in range(index.height + 1, height + 1)])


def cut(path: Path, size: int) -> None:
    """Cut a file."""
    path.write_bytes(path.read_bytes()[:size])


def last_frame(path: Path) -> tuple[int, int]:
    """Where the last block of a segment stands."""
    data = path.read_bytes()
    head = read_segment_head(data)
    assert head is not None
    start = end = SEGMENT_HEAD
    while (frame := read_frame(head.salt, data, end)) is not None:
        start, end = frame.start, frame.end
    return start, end


def tear(kept: Kept) -> None:
    """Leave half of a block behind the last one."""
    path = kept.folder / FIRST
    good = path.read_bytes()
    start, end = last_frame(path)
    path.write_bytes(good + good[start : (start + end) // 2])


def lose_the_last_block(kept: Kept) -> None:
    """Cut the last block whole, of which rows and headers know."""
    path = kept.folder / FIRST
    cut(path, last_frame(path)[0])


def lose_a_block_that_only_the_index_knows(kept: Kept) -> None:
    """The same without rows and headers."""
    lose_the_last_block(kept)
    shutil.rmtree(kept.folder / "state")
    (kept.folder / "headers").unlink()


def other_format(kept: Kept) -> None:
    """A segment of a format of the future."""
    path = kept.folder / FIRST
    data = bytearray(path.read_bytes())
    data[7] = 9
    data[SEGMENT_HEAD - 16 : SEGMENT_HEAD] = sha256(data[: SEGMENT_HEAD - 16]).digest()[:16]
    path.write_bytes(data)


def missing_segment(kept: Kept) -> None:
    """A log whose first file is gone, but not its second."""
    (kept.folder / FIRST).rename(kept.folder / "log" / "00000001.log")


def in_rows(kept: Kept, name: bytes, key: bytes, value: bytes) -> None:
    """Write one pair by LMDB's own means."""
    with lmdb.open(str(kept.folder / "state"), max_dbs=3, create=False) as environment:
        database = environment.open_db(name, create=False)
        with environment.begin(write=True) as txn:
            txn.put(key, value, db=database)


def in_index(kept: Kept, statement: str) -> None:
    """Change the index by SQLite's own means."""
    connection = sqlite3.connect(kept.folder / "index.sqlite")
    with connection:
        connection.execute(statement)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def index_behind(kept: Kept) -> None:
    """An index that ends with block 2."""
    (kept.folder / "index.sqlite").unlink()
    feed(kept, 2)


def from_stranger(name: str) -> Callable[[Kept, Kept], None]:
    """Put a file or folder of the other chain in its place."""

    def damage(kept: Kept, stranger: Kept) -> None:
        old, new = kept.folder / name, stranger.folder / name
        if new.is_dir():
            shutil.rmtree(old)
            shutil.copytree(new, old)
        else:
            shutil.copyfile(new, old)

    return damage


def without(name: str) -> Damage:
    """Remove a file or folder."""

    def damage(kept: Kept) -> None:
        path = kept.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    return damage


def noise(name: str) -> Damage:
    """Turn a file into noise."""
    return lambda kept: (kept.folder / name).write_bytes(b"\x5a" * 40_000)


def mode(name: str, bits: int) -> Damage:
    """Give a file or folder other permissions."""
    return lambda kept: (kept.folder / name).chmod(bits)


def write(name: str, data: bytes = b"") -> Damage:
    """Write a file."""
    return lambda kept: (kept.folder / name).write_bytes(data)


def damaged_block(kept: Kept) -> None:
    """One bit of a block in the middle of the log."""
    flip(kept.folder / FIRST, (kept.folder / FIRST).stat().st_size // 2)


def change_a_row(kept: Kept) -> None:
    """Give the shop 90.00 more by LMDB's own means."""
    with lmdb.open(str(kept.folder / "state"), max_dbs=3, create=False) as environment:
        rows = environment.open_db(b"rows", create=False)
        with environment.begin(write=True) as txn, txn.cursor(db=rows) as cursor:
            at, value = next((k, v) for k, v in cursor if b'"amount":"6.00"' in v)
            txn.put(at, value.replace(b"6.00", b"96.00"), db=rows)
