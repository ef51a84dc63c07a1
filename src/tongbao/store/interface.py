"""What an engine asks of a store, on disk or in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tongbao.store.errors import DiskFull
from tongbao.store.record import BlockRecord, HeaderLine, Status


class AnyStore(Protocol):
    """Committed blocks and rows of one chain."""

    @property
    def last(self) -> HeaderLine | None:
        """The header of the last block, None before genesis."""

    @property
    def height(self) -> int:
        """The height of the last block, -1 before genesis."""

    @property
    def base(self) -> int:
        """The block from whose rows everything goes on, -1 where that is genesis."""

    def base_rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Every row of the base; none where there is no base."""

    @property
    def begins(self) -> int:
        """The first block whose header is here; outcomes are of later blocks, unless it is 0."""

    @property
    def first(self) -> int:
        """The height of the first block whose body is there, or will be."""

    def append(self, record: BlockRecord) -> None:
        """Keep the next block; once this returns, it is durable."""

    def maintain(self, idle: bool, hashed_rows: int | None = None) -> int | None:
        """Bring the rows up to the log when it is time; the height that they now have.

        `hashed_rows` is how many rows are under the root of the last block, for who reads beside.
        """

    @property
    def lack(self) -> DiskFull | None:
        """Why the rows stay behind the log for want of space; None while they don't."""

    def has_room(self) -> bool:
        """Whether blocks can be kept: some space was written to and given back."""

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key, as of the last `maintain` that moved."""

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands; None for one that no block holds."""

    def block(self, height: int) -> BlockRecord:
        """The record of a block. Raises LookupError, Pruned where its body was given up."""

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The signed headers of the heights `first` to `last`, as far as they are here."""

    def close(self) -> None:
        """Give everything free. May be called again."""
