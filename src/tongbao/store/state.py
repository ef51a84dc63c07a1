"""Committed rows in LMDB: a fast copy of what the log says, which the log can rebuild."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import lmdb

from tongbao.store.errors import WrongChain, WrongVersion
from tongbao.store.record import BlockRecord, Status, decode_status, encode, statuses_of

FORMAT: Final = b"1"
MAP_BYTES: Final = 1 << 30
DATABASES: Final = 3


class State:
    """Rows and transaction statuses, up to one height, in the folder `state/`."""

    def __init__(self, folder: Path, chain: str, map_bytes: int = MAP_BYTES) -> None:
        """Open or make the environment. Raises lmdb.Error, WrongChain, WrongVersion."""
        self._environment = lmdb.open(
            str(folder), map_size=map_bytes, max_dbs=DATABASES, mode=0o640
        )
        _check_size(self._environment, folder)
        self._rows = self._environment.open_db(b"rows")
        self._status = self._environment.open_db(b"status")
        self._meta = self._environment.open_db(b"meta")
        self._reader = self._environment.begin()
        try:
            self._check(chain)
        except BaseException:
            self.close()
            raise

    def _check(self, chain: str) -> None:
        """Whether these are the rows of the chain, in a format that is known."""
        found = self._reader.get(b"chain", db=self._meta)
        if found is None:
            self._write(lambda txn: self._begin(txn, chain))
            return
        if self._reader.get(b"format", db=self._meta) != FORMAT:
            raise WrongVersion(
                "`state/` was written by another version of tongbao: remove it and start again, "
                "it is rebuilt from the log"
            )
        if found != chain.encode():
            raise WrongChain(f"`state/` holds chain {found.decode()}, not {chain}: remove it")

    def _begin(self, txn: lmdb.Transaction, chain: str) -> None:
        txn.put(b"chain", chain.encode(), db=self._meta)
        txn.put(b"format", FORMAT, db=self._meta)

    @property
    def height(self) -> int:
        """The height of the rows, -1 when there is none."""
        found = self._reader.get(b"height", db=self._meta)
        return -1 if found is None else int(found)

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""
        return self._reader.get(key, db=self._rows)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""
        with self._reader.cursor(db=self._rows) as cursor:
            if not cursor.set_range(start):
                return
            for key, value in cursor:
                if key >= stop:
                    return
                yield key, value

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands."""
        found = self._reader.get(transaction_id, db=self._status)
        return None if found is None else decode_status(found)

    def flush(self, records: list[BlockRecord]) -> None:
        """Apply blocks in one transaction: the last writer of a row wins, the height is inside."""
        rows: dict[bytes, bytes | None] = {}
        statuses: list[tuple[bytes, bytes]] = []
        for record in records:
            rows.update(record.rows)
            statuses += [(key, encode(status)) for key, status in statuses_of(record)]
        ordered = sorted(rows) if len(records) > 1 else list(rows)  # one block's are sorted
        kept = [(key, value) for key in ordered if (value := rows[key]) is not None]
        gone = [key for key in ordered if rows[key] is None]
        height = str(records[-1].height).encode()

        def apply(txn: lmdb.Transaction) -> None:
            with txn.cursor(db=self._rows) as cursor:
                cursor.putmulti(kept)
            for key in gone:
                txn.delete(key, db=self._rows)
            with txn.cursor(db=self._status) as cursor:
                # The first status of an id stays: `overwrite` is off.
                cursor.putmulti(sorted(statuses), overwrite=False)
            txn.put(b"height", height, db=self._meta)

        self._write(apply)

    def _write(self, work: Callable[[lmdb.Transaction], None]) -> None:
        """Do `work` in a write transaction; grow the map and do it again when it is full."""
        self._reader.abort()
        try:
            while True:
                try:
                    with self._environment.begin(write=True) as txn:
                        work(txn)
                    break
                except lmdb.MapFullError:
                    grown = 2 * int(self._environment.info()["map_size"])
                    self._environment.set_mapsize(grown)
        finally:
            self._reader = self._environment.begin()

    def close(self) -> None:
        """Close the environment."""
        self._reader.abort()
        self._environment.close()


def _check_size(environment: lmdb.Environment, folder: Path) -> None:
    """Whether every page is there: reading beyond the end of a cut map kills the process."""
    pages = int(environment.info()["last_pgno"]) + 1
    if (folder / "data.mdb").stat().st_size < pages * int(environment.stat()["psize"]):
        environment.close()
        raise lmdb.CorruptedError("data.mdb is shorter than it says")
