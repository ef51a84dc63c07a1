"""A chain's folder that another process has open and writes: its blocks and rows, to read.

Rows are of a snapshot: whoever reads several things inside one `at_once()` sees them at one height.
Blocks are those that are durable, which may be more than the rows have taken in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final, NoReturn

from tongbao.store.base import find_base
from tongbao.store.behind import BLOCKS_BEHIND
from tongbao.store.closable import Closable
from tongbao.store.errors import DiskFull, StoreError
from tongbao.store.headers_beside import HeadersBeside
from tongbao.store.log_beside import LogBeside
from tongbao.store.record import BlockRecord, HeaderLine, Status, line_of, statuses_of
from tongbao.store.recovery import NO_BASE
from tongbao.store.rows_beside import RowsAt, RowsBeside
from tongbao.store.rows_over import Later, RowsOver

BLOCKS_OVER: Final = 10 * BLOCKS_BEHIND
"""More blocks are not laid over rows: no writer keeps rows so far behind."""

AnyRows = RowsAt | RowsOver


class StoreBeside(Closable):
    """What `Store` gives to read, beside the process that has it open; for many threads."""

    def __init__(self, folder: Path, chain: str, origin: str = "") -> None:
        """Open everything to read. Raises StoreError.

        `origin` is the chain from whose rows this one began, if it did not begin with genesis.
        """
        self._folder = folder
        self._base = find_base(folder, chain, origin)
        self._later: Later | None = None
        with ExitStack() as resources:
            try:
                self.rows = resources.enter_context(RowsBeside(folder / "state"))
                log = LogBeside(folder / "log", chain, self.base + 1)
                self._blocks = resources.enter_context(log)
                self._headers = resources.enter_context(
                    HeadersBeside(folder / "headers", chain, self.begins)
                )
            except OSError as error:
                raise StoreError(f"{folder} can't be read ({error}): ask the node") from error
            self._resources = resources.pop_all()
        found = self.rows.head()
        if found.chain != chain:
            self._resources.close()
            raise StoreError(f"{folder}/state has rows of {found.chain}, not of {chain}")
        self._now: ContextVar[AnyRows | None] = ContextVar("rows of one height", default=None)

    # One height

    @contextmanager
    def at_once(self) -> Iterator[AnyRows]:
        """Everything that is read inside is of one height, also in an `at_once` in there."""
        found = self._now.get()
        if found is not None:
            yield found
            return
        with self.rows.snapshot() as rows:
            self._blocks.tell(rows.height)
            over = self._over(rows)
            token = self._now.set(over)
            try:
                yield over
            finally:
                self._now.reset(token)

    def _over(self, rows: RowsAt) -> AnyRows:
        """Rows with the later blocks over them, as long as there are any that were taken in."""
        later = self._later
        if later is None:
            return rows
        if rows.height >= later.height:
            self._later = None
            return rows
        return RowsOver(rows, later)

    def take_in(self) -> int:
        """Lay the durable blocks over rows that do not follow the log; the height of both then.

        Raises StoreError.
        """
        with self.rows.snapshot() as rows:
            self._blocks.tell(rows.height)
            last = self._blocks.look()
            first = rows.height + 1
            if last < first:
                return rows.height
            if last - first >= BLOCKS_OVER:
                raise StoreError(f"the rows of {self._folder} are {last - first + 1} blocks behind")
            self._later = Later(self._blocks.block(height) for height in range(first, last + 1))
            return last

    def tell(self, height: int) -> None:
        """The block of a height is durable. Quick, and for any thread."""
        self._blocks.tell(height)

    @property
    def durable(self) -> int:
        """The highest block that may be read, as far as is known without looking."""
        return self._blocks.durable

    def look(self) -> int:
        """The highest block that may be read, by what the rows and the log say."""
        with self.at_once():
            return self._blocks.look()

    # Blocks

    @property
    def last(self) -> HeaderLine | None:
        """The header of the block whose rows are read, None before genesis."""
        height = self.height
        return None if height < 0 else self.headers(height, height)[0]

    @property
    def height(self) -> int:
        """The height of the rows."""
        with self.at_once() as rows:
            return rows.height

    @property
    def base(self) -> int:
        """The block from whose rows everything goes on, -1 where that is genesis."""
        return NO_BASE if self._base is None else self._base.height

    def base_rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Every row of the base; none where there is no base. Raises BadSnapshot."""
        return iter(()) if self._base is None else self._base.rows()

    @property
    def begins(self) -> int:
        """The first block whose header is here; outcomes are of later blocks, unless it is 0."""
        return 0 if self._base is None else self._base.begins

    @property
    def first(self) -> int:
        """The height of the first block whose body is there, or will be."""
        return self._blocks.first

    def block(self, height: int) -> BlockRecord:
        """The record of a durable block. Raises LookupError, Pruned, StoreError."""
        if height > self._blocks.durable:
            with self.at_once():  # which may know a later one
                pass
        return self._blocks.block(height)

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The signed headers of the heights `first` to `last`, as far as they are here."""
        with self.at_once():
            last = min(last, self._blocks.durable)
        first = max(first, self.begins)
        lines = self._headers.read(first, last)
        following = first + len(lines)
        if self._base is not None and following < self.first:
            lines += self._base.lines(following, min(last, self.first - 1))
            following = first + len(lines)
        return lines + [line_of(self.block(height)) for height in range(following, last + 1)]

    # Rows

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""
        with self.at_once() as rows:
            return rows.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending; asked inside `at_once`."""
        rows = self._now.get()
        assert rows is not None, "a scan lasts as long as its snapshot"
        return rows.scan(start, stop)

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands, also in a durable block that the rows have not taken in."""
        with self.at_once() as rows:
            found = rows.status(transaction_id)
            if found is not None:
                return found
            later = range(rows.height + 1, self._blocks.durable + 1)
        for height in later:
            for each, status in statuses_of(self.block(height)):
                if each == transaction_id:
                    return status
        return None

    # What only the process that writes can do

    def append(self, record: BlockRecord) -> NoReturn:
        """Blocks are made by the process that has the folder open."""
        raise AssertionError("this process only reads")

    def maintain(self, idle: bool, hashed_rows: int | None = None) -> int | None:
        """Nothing is to be done here."""
        return None

    @property
    def lack(self) -> DiskFull | None:
        """Nothing is written here."""
        return None

    def has_room(self) -> bool:
        """Nothing is written here."""
        return True

    def close(self) -> None:
        """Give everything free. May be called again."""
        self._resources.close()
