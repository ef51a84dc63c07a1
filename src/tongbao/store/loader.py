"""A large `state/` is read by processes of their own, each of which makes half of the trie.

LMDB takes pages for what they say they are: a bad one can end the process that reads it. Small
states are walked first without LMDB, which costs microseconds a row. Large ones are read whole by
two processes that may die of it: every page that a copy would have, every row in ascending order,
each found again by its key, and as many of them as LMDB has counted. Both cores have work, and
the trie that the node needs anyhow comes out of the same reading.

`python -m tongbao.store.loader FOLDER HALF`, a `Task` on standard input, answers a `Loaded`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Final, cast

import lmdb
import msgspec
from msgspec import Struct

from tongbao.kernel.state import PREFIX_BYTES
from tongbao.kernel.trie import Trie
from tongbao.kernel.trie_loading import Part, depth_for, make_part
from tongbao.store.errors import StoreError
from tongbao.store.helper import Helper, frames
from tongbao.store.record import BlockRecord

LARGE_BYTES: Final = 64 * 1024 * 1024
"""A `data.mdb` of this size is read by other processes: above a quarter of a million rows."""

HALVES: Final = 2
TASK_LIMIT: Final = 1024 * 1024
DATABASES: Final = (b"meta", b"rows", b"status")


class Task(Struct, frozen=True):
    """The prefixes of the tables whose rows are hashed: ascending, none a prefix of another."""

    tables: tuple[bytes, ...]


class Loaded(Struct, frozen=True, array_like=True):
    """Half of the buckets, over all rows of the tables that the folder has."""

    part: Part


def size_of(folder: Path) -> int:
    """The bytes of a state's file, 0 where there is none."""
    data = folder / "data.mdb"
    return data.stat().st_size if data.exists() else 0


def load(folder: Path, tables: Sequence[bytes]) -> list[Part]:
    """All buckets of the trie over the rows of these tables. Raises StoreError when it is damaged.

    Nobody may write meanwhile.
    """
    task = msgspec.msgpack.encode(Task(tuple(tables)))
    with ExitStack() as ending:
        try:
            helpers = [_start(folder, half, ending) for half in range(HALVES)]
            for helper in helpers:
                helper.ask(task)
            return [_answer(folder, helper) for helper in helpers]
        except OSError as error:
            raise StoreError(f"{folder} can't be read by another process ({error})") from error


def follow(trie: Trie, records: Iterable[BlockRecord], tables: Set[bytes]) -> None:
    """Bring a trie up to blocks that the rows lacked."""
    rows = {key: value for record in records for key, value in record.rows}
    trie.update(
        {
            sha256(key).digest(): None if value is None else sha256(value).digest()
            for key, value in rows.items()
            if key[:PREFIX_BYTES] in tables
        }
    )


def _start(folder: Path, half: int, ending: ExitStack) -> Helper:
    helper = Helper("tongbao.store.loader", str(folder), str(half))
    ending.callback(helper.close)
    return helper


def _answer(folder: Path, helper: Helper) -> Part:
    answer = helper.answer()
    code = helper.process.wait()
    if code != 0:
        raise StoreError(
            f"{folder} is damaged (a process that read it ended with {code}): "
            "stop this process and remove that folder, it is rebuilt from the log"
        )
    return msgspec.msgpack.decode(answer, type=Loaded).part


# In the other process


def read_half(folder: Path, half: int, tables: Sequence[bytes]) -> Part:
    """Read everything; the first of two looks at every page, the second at every key."""
    with lmdb.open(
        str(folder), max_dbs=len(DATABASES), create=False, readonly=True, lock=False
    ) as environment:
        if half == 0:
            with Path(os.devnull).open("wb") as nowhere:
                environment.copyfd(nowhere.fileno(), compact=True)
        names = {name: environment.open_db(name, create=False) for name in DATABASES}
        with environment.begin() as txn:
            for name in (b"meta", b"status"):
                if half == 0:
                    _check_all(txn, names[name])
            rows = names[b"rows"]
            depth = depth_for(int(txn.stat(rows)["entries"]))
            count = 4**depth // HALVES
            entries = _entries(txn, rows, half, tables)
            return make_part(entries, depth, half * count, count)


def _entries(
    txn: lmdb.Transaction, rows: lmdb._Database, half: int, tables: Sequence[bytes]
) -> list[bytes]:
    """path || H(value) of the rows whose paths are in this half."""
    found: list[bytes] = []
    known, digest = set(tables), sha256
    for key, value in _checked(txn, rows, again=half == 1):
        if key[:PREFIX_BYTES] in known:
            path = digest(key).digest()
            if path[0] >> 7 == half:
                found.append(path + digest(value).digest())
    return found


def _check_all(txn: lmdb.Transaction, database: lmdb._Database) -> None:
    for _ in _checked(txn, database, again=True):
        pass


def _checked(
    txn: lmdb.Transaction, database: lmdb._Database, *, again: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Every pair, in ascending order, as many as there are, each found again by its key."""
    previous, count = b"", 0
    get = txn.get
    with txn.cursor(db=database) as cursor:
        pairs = cast(Iterator[tuple[bytes, bytes]], cursor.iternext())  # without buffers
        for key, value in pairs:
            assert key > previous, "keys ascend"
            if again:
                assert get(key, db=database) == value, "a key is found"
            previous = key
            count += 1
            yield key, value
    assert count == txn.stat(database)["entries"], "LMDB has counted them"


def main() -> None:
    """Answer one task."""
    folder, half = sys.argv[1:]
    for frame in frames(sys.stdin.buffer, TASK_LIMIT):
        task = msgspec.msgpack.decode(frame, type=Task)
        part = read_half(Path(folder), int(half), task.tables)
        sys.stdout.buffer.write(msgspec.msgpack.encode(Loaded(part)))
        return


if __name__ == "__main__":
    main()
