"""A chain behind a node's HTTP interface: the same interface that one in this process has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

import httpx2

from tongbao.kernel import Address, Registry, View
from tongbao.modules.registry import registry as all_modules
from tongbao.sdk import steps
from tongbao.sdk.answers import Happening
from tongbao.sdk.client import Applied, DryRun, Head, Status
from tongbao.sdk.happenings import Follower
from tongbao.sdk.http_shared import TIMEOUT_S, HttpShared, answer_of, lost, request_of
from tongbao.sdk.light import TrustSource
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.signer import Signer
from tongbao.sdk.steps import Answered, Ask, Pause, Steps
from tongbao.sdk.wallet import Wallet

P = ParamSpec("P")
R = TypeVar("R")

END_OF_BLOCK: Final = 10**9 - 1
"""In a cursor: after whatever a block holds."""


class HttpChain(HttpShared):
    """A chain that a node serves. Safe in many threads; close it, or use it in `with`."""

    def __init__(
        self,
        address: str,
        *,
        client: httpx2.Client | None = None,
        registry: Registry | None = None,
        wait: Callable[[float], object] | None = None,
        trust: TrustSource | None = None,
    ) -> None:
        """Say hello to a node such as `http://127.0.0.1:8632`. Raises Unreachable.

        With a trust file (its bytes, its path or what was read of it) answers are checked before
        they are returned, and a lie raises VerificationError; `light.py` says which can't be.
        `wait` is how it pauses before it asks again; by default until the client is closed at most.
        """
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        super().__init__(registry or all_modules(), trust)
        self._client = client or httpx2.Client(base_url=address, timeout=TIMEOUT_S)
        try:
            self._meet(self._do(steps.chain()))
        except BaseException:
            self.close()
            raise

    def _do(self, walk: Steps[R]) -> R:
        """Take the steps one after the other."""
        given: Any = None
        while True:
            try:
                step = walk.send(given)
            except StopIteration as end:
                result: R = end.value
                return result
            given = None
            if isinstance(step, Pause):
                self._wait(step.seconds)
            else:
                given = self._ask(step)

    def _ask(self, ask: Ask) -> Answered:
        try:
            return answer_of(self._client.request(**request_of(ask)))
        except httpx2.TransportError as error:
            return lost(error)

    # Submitting

    def submit(self, transaction: bytes) -> Applied:
        """Submit a signed transaction and wait until it is durable. Raises Refused and others."""
        return self._saw(self._do(self._submit(transaction)))

    def submit_many(self, transactions: Iterable[bytes]) -> list[Applied | Exception]:
        """Submit many at once; each has its own answer, in order."""
        found = self._do(self._submit_many(list(transactions)))
        self._saw_all(found)
        return found

    def dry_run(self, payload: bytes) -> DryRun:
        """What a payload would do now, unsigned."""
        return self._do(steps.dry_run(self.registry, payload))

    def wallet(self, address: str, *signers: Signer, lane: int = 0) -> Wallet:
        """Send as an account, with keys that this process may use; they never leave it."""
        return Wallet(self, Address(address), signers, lane=lane)

    # Reading

    def head(self) -> Head:
        """The last block."""
        return self._do(self._head())

    def status(self, transaction_id: str, expires: int | None = None) -> Status:
        """What became of a transaction."""
        return self._do(self._status(transaction_id, expires))

    def query(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask a module's query, such as `asset.held_by`."""
        found: R = self._do(self._query(function, args, kwargs))
        return found

    def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """One above the highest nonce that a lane has used."""
        return self._do(self._next_nonce(sender, lane))

    def happenings(self, after: str | None = None, **filters: str) -> Iterator[Happening]:
        """What happens, as it happens: after a cursor, or from now on.

        `filters` are `account`, `asset`, `thing` and `type`. It goes on where it was when the
        connection breaks or the node starts again, and misses and doubles nothing.
        """
        cursor = after or f"{self.head().height}.{END_OF_BLOCK}"
        return Follower(self._client, cursor, filters, self._wait).happenings()

    # Proving

    def prove_row(self, table_name: str, key: Any) -> RowProof:
        """The proof of a row, or of its absence, at the last height."""
        return self._do(self._prove_row(table_name, key))

    def prove_transaction(self, transaction_id: str) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError."""
        return self._do(self._prove_transaction(transaction_id))

    def trust(self) -> TrustFile:
        """What the node says of who signs: compare it with what somebody you trust says."""
        return self._do(self._trust())

    def close(self) -> None:
        """Close the connections."""
        self._closed.set()
        self._client.close()

    def __enter__(self) -> Self:
        """Close at the end of the `with` statement."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
