"""What every client of a chain offers, in process or over a network: one interface, two colours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from msgspec import Struct

from tongbao.kernel import Address, ChainId, Outcome, Receipt, View

if TYPE_CHECKING:
    from tongbao.sdk.answers import Happening
    from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
    from tongbao.sdk.signer import Signer
    from tongbao.sdk.wallet import Wallet
    from tongbao.sdk.wallet_asynchronous import AsyncWallet

P = ParamSpec("P")
R = TypeVar("R")


class Head(Struct, frozen=True):
    """The last block: everything read now is true at this height. `time` is ms UTC."""

    chain: ChainId
    height: int
    time: int
    state_root: str
    rows: int


class Applied(Struct, frozen=True):
    """A transaction that happened; `made` are the ids of things it made, in order."""

    id: str
    height: int
    index: int
    receipt: Receipt[Any]

    @property
    def made(self) -> str:
        """The one thing that it made."""
        (only,) = self.receipt.ids
        return only


class Status(Struct, frozen=True):
    """What is known of a transaction id.

    `state` is applied, refused, pending or unknown. Of an unknown one whose `expires` is not later
    than `time` it is certain that it never happens.
    """

    state: str
    time: int
    height: int | None = None
    index: int | None = None
    number: int = 0
    never: bool = False


class Refused(Exception):
    """A transaction that a module refused: only its nonce was used."""

    exit_code = 1

    def __init__(self, text: str, number: int, transaction_id: str, message: int) -> None:
        """Carry the reason's text and number, the id, and which message was refused."""
        super().__init__(text)
        self.number = number
        self.transaction_id = transaction_id
        self.message = message


class AlreadyDecided(Exception):
    """A transaction that was applied before, in a block whose body was pruned since.

    It happened, once; its receipt is not to be had here any more. One that was refused is told as
    `Refused`.
    """

    exit_code = 4
    advice = "don't send it anew; a node or a backup that has the block's body has its receipt"

    def __init__(self, transaction_id: str, height: int, index: int) -> None:
        """Carry the id, and where it stands."""
        super().__init__(
            f"transaction {transaction_id} was applied before, in block {height} at place {index}; "
            "the block's body was pruned here, and with it the receipt"
        )
        self.transaction_id = transaction_id
        self.height = height
        self.index = index


class DryRun(Struct, frozen=True):
    """What a payload would do now."""

    outcome: Outcome
    number: int
    why: str
    receipt: Receipt[Any]


class Client(Protocol):
    """A chain, asked synchronously: `local.Chain` in this process, `http.HttpChain` at a node."""

    id: ChainId

    def now(self) -> int:
        """The time, in ms UTC, that a block made now would carry."""

    def wallet(self, address: str, *signers: Signer, lane: int = 0) -> Wallet:
        """Send as an account, with keys that this process may use."""

    def head(self) -> Head:
        """The last block."""

    def submit(self, transaction: bytes) -> Applied:
        """Submit a signed transaction and wait until it is durable. Raises Refused and others."""

    def submit_many(self, transactions: Iterable[bytes]) -> list[Applied | Exception]:
        """Submit many at once; each has its own answer, in order."""

    def dry_run(self, payload: bytes) -> DryRun:
        """What a payload would do now, unsigned."""

    def status(self, transaction_id: str, expires: int | None = None) -> Status:
        """What became of a transaction."""

    def query(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask a module's query, such as `asset.held_by`."""

    def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """A nonce that was not used in a lane."""

    def happenings(self, after: str | None = None, **filters: str) -> Iterator[Happening]:
        """What happens, as it happens: after a cursor (`height.index`), or from now on.

        `filters` are `account`, `asset`, `thing` and `type`. It ends when the chain is closed.
        """

    def prove_row(self, table_name: str, key: Any) -> RowProof:
        """The proof of a row, or of its absence, at the last height."""

    def prove_transaction(self, transaction_id: str) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError."""

    def trust(self) -> TrustFile:
        """Who signs headers here: agree on it out of band, not by asking a node."""

    def close(self) -> None:
        """Give everything free; iterators of `happenings` end. May be called again."""


class AsyncClient(Protocol):
    """The same with `await`: `asynchronous.AsyncChain` and `http_asynchronous.AsyncHttpChain`."""

    id: ChainId

    def now(self) -> int:
        """The time, in ms UTC, that a block made now would carry."""

    def wallet(self, address: str, *signers: Signer, lane: int = 0) -> AsyncWallet:
        """Send as an account, with keys that this process may use."""

    async def head(self) -> Head:
        """The last block."""

    async def submit(self, transaction: bytes) -> Applied:
        """Submit a signed transaction and wait until it is durable. Raises Refused and others."""

    async def submit_many(self, transactions: Iterable[bytes]) -> list[Applied | Exception]:
        """Submit many at once; each has its own answer, in order."""

    async def dry_run(self, payload: bytes) -> DryRun:
        """What a payload would do now, unsigned."""

    async def status(self, transaction_id: str, expires: int | None = None) -> Status:
        """What became of a transaction."""

    async def query(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask a module's query, such as `asset.held_by`."""

    async def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """A nonce that was not used in a lane."""

    def happenings(self, after: str | None = None, **filters: str) -> AsyncIterator[Happening]:
        """What happens, as it happens: after a cursor (`height.index`), or, without one, from
        the moment on that iterating begins.

        `filters` are `account`, `asset`, `thing` and `type`. It ends when the chain is closed.
        """

    async def prove_row(self, table_name: str, key: Any) -> RowProof:
        """The proof of a row, or of its absence, at the last height."""

    async def prove_transaction(self, transaction_id: str) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError."""

    async def trust(self) -> TrustFile:
        """Who signs headers here: agree on it out of band, not by asking a node."""

    async def close(self) -> None:
        """Give everything free; iterators of `happenings` end. May be called again."""
