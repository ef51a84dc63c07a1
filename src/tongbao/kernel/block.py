"""A block as an engine hands it over, and what the machine decided about it."""

from __future__ import annotations

from msgspec import Struct

from tongbao.kernel.identifiers import Count, Time
from tongbao.kernel.receipt import Result


class Block(Struct, frozen=True, kw_only=True, gc=False):
    """Transactions in order, at a height and a time that is later than the block's before."""

    height: Count
    time: Time
    transactions: tuple[bytes, ...]


class Decided(Struct, frozen=True, kw_only=True, gc=False):
    """The outcome of a block: nothing of it is committed yet.

    `rows` is the state difference in key order, index entries included; None removes. `due` is the
    receipt of the block's due work, None when there was none.
    """

    height: Count
    time: Time
    results: tuple[Result, ...]
    due: bytes | None
    state_root: bytes
    rows: tuple[tuple[bytes, bytes | None], ...]

    @property
    def receipts(self) -> tuple[bytes, ...]:
        """The leaves of the receipts tree: one a transaction, then the due work's."""
        own = tuple(result.receipt for result in self.results)
        return own if self.due is None else (*own, self.due)
