"""A chain behind a node's HTTP interface: the same interface that one in this process has."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from tongbao.kernel import Address, Registry, View
from tongbao.sdk import steps, submitting
from tongbao.sdk.answers import (
    Happening,
    MovementsAnswer,
    SearchAnswer,
    StatementAnswer,
    TransactionsAnswer,
)
from tongbao.sdk.asking import PATIENCE_S, Answered, Ask, Pause, Steps, Together
from tongbao.sdk.bearer import auth_of
from tongbao.sdk.client import Applied, DryRun, Head, Status
from tongbao.sdk.happenings import Closing, follow
from tongbao.sdk.http_shared import PARALLEL, TIMEOUT_S, HttpShared, answer_of, lost, request_of
from tongbao.sdk.light import TrustSource
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.signer import Signer
from tongbao.sdk.wallet import Wallet

P = ParamSpec("P")
R = TypeVar("R")


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
        patience_s: float = PATIENCE_S,
        witnesses: Sequence[str] = (),
        api_key: str | None = None,
        session: tuple[str, Signer] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Say hello to a node such as `http://127.0.0.1:8632`. Raises Unreachable.

        `patience_s` is how long it goes on asking a node that does not answer, or says "later"
        (429, 503 and others; Retry-After is honoured up to a minute, within that patience).

        With a trust file (its bytes, its path or what was read of it) answers are checked before
        they are returned, and a lie raises VerificationError; `light.py` says which can't be.
        Blocks of a network are then compared with `witnesses`, addresses of other nodes.
        Where reading is for members, `api_key` says who calls, or `session`, an account's address
        and one of its keys: that signs the node's challenges, here, and again when a session has
        ended. `tls` is whom to believe that they are the node; by default the system's authorities.
        `wait` is how it pauses before it asks again; by default until the client is closed at most.
        `registry` are the chain's modules; by default those installed that its genesis names.
        """
        self._closing = Closing()
        self._wait = wait or self._closing.event.wait
        super().__init__(registry, trust, patience_s, witnesses)
        self._client = client or httpx2.Client(
            base_url=address,
            timeout=TIMEOUT_S,
            auth=auth_of(api_key, session),
            verify=True if tls is None else tls,
        )
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
            if isinstance(step, Pause):
                given = self._allows(step)
                if given:
                    self._wait(step.seconds)
            elif isinstance(step, Together):
                given = self._together(step)
            else:
                given = self._ask(step)

    def _together(self, step: Together) -> list[Any]:
        """Take several walks in as many threads as is polite; none of them raises."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(self._do, step.walks))

    def _ask(self, ask: Ask) -> Answered:
        began = time.monotonic()
        try:
            return answer_of(self._client.request(**request_of(ask)), began)
        except httpx2.RequestError as error:
            return lost(error, began)
        except RuntimeError as error:
            if not self._closing.event.is_set():
                raise
            return lost(error, began)

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
        return self._do(submitting.dry_run(self.registry, payload))

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
        return self.query_at(function, *args, **kwargs)[1]

    def query_at(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[int, R]:
        """As `query`, behind the height at which it is true."""
        found: tuple[int, R] = self._do(self._query(function, args, kwargs))
        return found

    def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """One above the highest nonce that a lane has used."""
        return self._do(self._next_nonce(sender, lane))

    def happenings(self, after: str | None = None, **filters: str) -> Iterator[Happening]:
        """What happens, as it happens: after a cursor (`height.index`), or from now on.

        `filters` are `account`, `asset`, `thing` and `type`. It goes on where it was when the
        connection breaks or the node starts again, and misses and doubles nothing. It ends when the
        chain is closed, and raises Unreachable, NodeError, and with a trust file VerificationError.
        """
        place = self._do(self._now_on()) if after is None else after
        stream = self._stream(place, filters)
        found = follow(self._client, stream, self._wait, self._closing)
        return found if self._light is None else self._checked(found)

    def _checked(self, found: Iterator[Happening]) -> Iterator[Happening]:
        for happening in found:
            yield self._do(self._proven(happening))

    # History, out of the index: no proof exists for it, so with a trust file it is refused.

    def movements_of(
        self,
        address: str,
        *,
        asset: str | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> MovementsAnswer:
        """What moved from and to an account, the newest first; `before` is a page's cursor."""
        path = f"/v1/accounts/{address}/movements"
        asked = self._recall(MovementsAnswer, path, asset=asset, before=before, limit=limit)
        return self._do(asked)

    def movements_of_asset(
        self, asset: str, *, before: str | None = None, limit: int | None = None
    ) -> MovementsAnswer:
        """What moved of an asset, the newest first."""
        path = f"/v1/assets/{asset}/movements"
        return self._do(self._recall(MovementsAnswer, path, before=before, limit=limit))

    def transactions_of(
        self, address: str, *, before: str | None = None, limit: int | None = None
    ) -> TransactionsAnswer:
        """What an account sent, and whatever moved value from or to it, the newest first."""
        path = f"/v1/accounts/{address}/transactions"
        return self._do(self._recall(TransactionsAnswer, path, before=before, limit=limit))

    def by_reference(
        self, reference: str, *, before: str | None = None, limit: int | None = None
    ) -> TransactionsAnswer:
        """Transactions that bear a reference, the newest first."""
        path = f"/v1/references/{reference}"
        return self._do(self._recall(TransactionsAnswer, path, before=before, limit=limit))

    def statement(
        self,
        address: str,
        asset: str,
        first: int | str | None = None,
        before: int | str | None = None,
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> StatementAnswer:
        """Movements of an account in an asset from one time to before another, with balances.

        Times are ms UTC, dates or ISO 8601. `after` is a page's cursor. Raises LookupError where
        nobody defined the asset.
        """
        given = {"asset": asset, "from": first, "to": before, "after": after, "limit": limit}
        path = f"/v1/accounts/{address}/statement"
        return self._do(self._recall(StatementAnswer, path, **given))

    def search(self, text: str, *, limit: int | None = None) -> SearchAnswer:
        """Blocks, transactions, accounts, assets and references named so, or that begin so."""
        return self._do(self._recall(SearchAnswer, "/v1/search", text=text, limit=limit))

    def bundle(
        self,
        address: str,
        asset: str,
        first: int | str | None = None,
        before: int | str | None = None,
    ) -> bytes:
        """The audit bundle of an account in an asset: what moved from one time to before another.

        Times are ms UTC, dates or ISO 8601. Verify it with `verify_bundle` and a trust file. Raises
        LookupError where nobody defined the asset.
        """
        return self._do(self._bundle(address, asset, first, before))

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
        """Close the connections; iterators of `happenings` end. May be called again."""
        self._closing.close()
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
