"""What the HTTP interface says, as types: the node writes them, the client reads them.

JSON members in any order, times in ms UTC, ids and hashes in lowercase hex. Every answer about the
state carries the height that it is true at.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from tongbao.index.answers import Found, Movement, Recalled, Statement
from tongbao.kernel import ChainId
from tongbao.kernel.kernel_module import ModuleLine


def query_path(module: str, query: str) -> str:
    """Where a module's query is asked: `hold.held_for` is `/v1/hold/held-for`."""
    return f"/v1/{module}/{query.replace('_', '-')}"


class ChainAnswer(Struct, frozen=True):
    """The chain and its last block. `now` is the time that a block made now would carry.

    This node has the bodies of blocks from `first_block` on; of those below, headers and outcomes.
    """

    chain: ChainId
    version: str
    engine: str
    read_policy: str
    height: int
    time: int
    now: int
    state_root: str
    rows: int
    modules: tuple[ModuleLine, ...]
    first_block: int = 0


class SubmitAnswer(Struct, frozen=True, omit_defaults=True):
    """What became of one submitted transaction.

    `state` is pending (it waits for its block), applied, refused or invalid; `number` and `why` say
    why one was not applied. A pending one is asked for by its id.
    """

    state: str
    id: str = ""
    height: int | None = None
    index: int | None = None
    number: int = 0
    why: str = ""
    receipt: Any = None


class ManyAnswers(Struct, frozen=True):
    """One answer for each transaction of a batch, in order."""

    results: tuple[SubmitAnswer, ...]


class DryRunAnswer(Struct, frozen=True):
    """What a payload would do in a block made now."""

    outcome: str
    number: int
    why: str
    receipt: Raw


class TransactionAnswer(Struct, frozen=True, omit_defaults=True):
    """What is known of a transaction id, and what was signed once a block holds it.

    `state` is applied, refused, pending or unknown; `never` means that it is certain that it never
    happens, because its `expires` (as the asker told) is not later than `time`. Where the block was
    pruned, what became of it is told as ever; `transaction`, `payload` and `receipt` are absent.
    """

    state: str
    time: int
    never: bool = False
    height: int | None = None
    index: int | None = None
    number: int = 0
    why: str = ""
    transaction: str = ""
    payload: Any = None
    receipt: Any = None


class BlockTransaction(Struct, frozen=True, omit_defaults=True):
    """One transaction of a block, in short; an invalid one has its number alone."""

    id: str
    number: int
    sender: str
    messages: tuple[str, ...]


class BlockAnswer(Struct, frozen=True):
    """A block: its signed header, and its transactions in order."""

    height: int
    time: int
    header: str
    state_root: str
    transactions: tuple[BlockTransaction, ...]


class HeaderAnswer(Struct, frozen=True):
    """A block's signed header, a compact JWS, which outlives the block's body."""

    height: int
    time: int
    header: str


class LightBlockAnswer(Struct, frozen=True, omit_defaults=True):
    """A network's header with the votes on it, and what belongs to the block before.

    `light_block` is the base64url of protobuf's `LightBlock` of `height`, `block` that of the
    `Header` of the block before, whose state root is `state`. Block 0 has no header.
    """

    height: int
    light_block: str
    state: str
    block: str | None = None


class BlockLine(Struct, frozen=True):
    """A block, in a list. How many transactions it had is not known where it was pruned."""

    height: int
    time: int
    transactions: int | None


class BlocksAnswer(Struct, frozen=True):
    """Some blocks, the newest first; `before` is where the next page begins, if there is one."""

    blocks: tuple[BlockLine, ...]
    before: int | None


class RowAnswer(Struct, frozen=True):
    """A row, or null where there is none."""

    height: int
    table: str
    value: Any


class QueryAnswer(Struct, frozen=True):
    """What a module's query found, or null."""

    height: int
    value: Any


class PageRow(Struct, frozen=True):
    """One row of a page, with its key."""

    key: Any
    value: Any


class PageAnswer(Struct, frozen=True):
    """Some rows of a query, and the cursor of the next page, null on the last."""

    height: int
    rows: tuple[PageRow, ...]
    after: str | None


class ProofsAnswer(Struct, frozen=True):
    """Proof files of rows (`RowProof`), in the order they were asked for, all at one height."""

    height: int
    proofs: tuple[Any, ...]


class MovementsAnswer(Struct, frozen=True):
    """A page of movements, the newest first, as of the block `index_height`.

    The chain is at `height`: the difference is how far the index is behind, and `lag_ms` for how
    long; 0 when it lacks no block. `before` is where the
    next page begins, null on the last; a page with a next one may be short, even empty. The index
    knows blocks from `from_block` on: what happened before was pruned when it was made.
    """

    height: int
    index_height: int
    movements: tuple[Movement, ...]
    before: str | None
    from_block: int = 0
    lag_ms: int = 0


class TransactionsAnswer(Struct, frozen=True):
    """A page of transactions (and due work), the newest first; as `MovementsAnswer` in the rest."""

    height: int
    index_height: int
    transactions: tuple[Recalled, ...]
    before: str | None
    from_block: int = 0
    lag_ms: int = 0


class StatementAnswer(Statement, frozen=True, kw_only=True):
    """A statement as of the block `index_height`; the chain is at `height`.

    `lag_ms` is for how long the index has lacked a block, 0 when it lacks none. The rest is as in
    `Statement`.
    """

    index_height: int
    lag_ms: int


class SearchAnswer(Struct, frozen=True):
    """What a name is of, or begins with a text; as `MovementsAnswer` in the rest.

    `more`: there are more than were asked for.
    """

    height: int
    index_height: int
    lag_ms: int
    found: tuple[Found, ...]
    more: bool
    from_block: int = 0


class ReasonAnswer(Struct, frozen=True):
    """What a number means."""

    number: int
    name: str
    rule: str


class ReadyAnswer(Struct, frozen=True):
    """Whether the node takes transactions; if not, why."""

    ready: bool
    reasons: tuple[str, ...]


class Happening(Struct, frozen=True, omit_defaults=True):
    """One thing that a block did: a transaction, or (without an id) its due work.

    `cursor` is `height.index`; a stream that is asked to go on after it begins with the next.
    """

    cursor: str
    height: int
    time: int
    id: str = ""
    number: int = 0
    sender: str = ""
    messages: tuple[Raw, ...] = ()
    receipt: Raw = Raw(b"{}")


class Problem(Struct, frozen=True, omit_defaults=True):
    """A problem document (RFC 9457). `number` is a reason's, documented at `type`."""

    type: str
    title: str
    status: int
    detail: str = ""
    number: int = 0
    id: str = ""
    height: int | None = None
    index: int | None = None
