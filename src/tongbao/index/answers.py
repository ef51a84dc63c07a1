"""What the index answers. Times in ms UTC, ids in lowercase hex, amounts as decimal text."""

from __future__ import annotations

from msgspec import Struct


class Movement(Struct, frozen=True):
    """Value that moved. `id` is the transaction's, empty for a block's due work.

    `index` is the transaction's place in its block, `place` the movement's within the transaction.
    Without a payer it was issued, without a payee redeemed. `reference` is that of the message that
    moved it, else the transaction's own.
    """

    height: int
    index: int
    place: int
    time: int
    id: str
    asset: str
    amount: str
    payer: str | None
    payee: str | None
    reference: str | None


class Recalled(Struct, frozen=True):
    """A transaction, or due work (whose `id` and `sender` are empty), and what became of it.

    `number` is 0 when it was applied, else its refusal's; `movements` is how many it made.
    """

    height: int
    index: int
    time: int
    id: str
    sender: str
    number: int
    reference: str | None
    movements: int


class Movements(Struct, frozen=True):
    """A page, the newest first, true at `height`; `before` is where the next one begins.

    A page may have fewer than asked, even none, and a next page: a search has a bound. What is
    known begins with `from_block`: what was before had been pruned when the index was made.
    """

    height: int
    movements: tuple[Movement, ...]
    before: str | None
    from_block: int = 0


class Transactions(Struct, frozen=True):
    """A page, the newest first, true at `height`; in the rest as `Movements`."""

    height: int
    transactions: tuple[Recalled, ...]
    before: str | None
    from_block: int = 0
