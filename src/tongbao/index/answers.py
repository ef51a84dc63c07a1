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


class StatementMovement(Struct, frozen=True):
    """A movement as the owner of an account sees it: `way` is `in` or `out`.

    `counterparty` is who paid or was paid, null for the issuer's issuing and redeeming. `balance`
    is what the account held after it, by this order: receipts of a block stand with its due work
    last, though that came first, so one within a block may be below zero where due work has paid
    what a transaction spent. The rest is as in `Movement`.
    """

    height: int
    index: int
    place: int
    time: int
    id: str
    way: str
    amount: str
    balance: str
    counterparty: str | None
    reference: str | None


class Statement(Struct, frozen=True, kw_only=True):
    """Movements of one account in one asset between two times, the oldest first, at `height`.

    It is of the blocks with `first_time` <= time < `before_time`. `opening` and `closing` are what
    was held before the first of these blocks and after the last.

    Long ones come in pages. `brought` is what was held before the movements of this page, `carried`
    after them, and `total_in` and `total_out` are theirs: `brought + total_in - total_out` is
    `carried`. The first page brings the opening, and the last one (`after` is null) carries the
    closing. A page with a next one may have fewer movements than asked, even none.

    Amounts have the asset's decimals. All is exact, also where what was before `from_block` had
    been pruned when the index was made: balances come from the rows that blocks have written. A
    node refuses a period that begins or ends before that block; one without a begin begins with it.
    """

    height: int
    account: str
    asset: str
    first_time: int
    before_time: int
    opening: str
    closing: str
    brought: str
    carried: str
    total_in: str
    total_out: str
    movements: tuple[StatementMovement, ...]
    after: str | None
    from_block: int = 0


class Found(Struct, frozen=True):
    """One thing that a search has found.

    `kind` is `account`, `asset`, `transaction`, `block` or `reference`, `name` the whole name.
    """

    kind: str
    name: str


class FoundNames(Struct, frozen=True):
    """What a search has found, the likeliest first, true at `height`; `more`: there is more."""

    height: int
    found: tuple[Found, ...]
    more: bool = False
    from_block: int = 0
