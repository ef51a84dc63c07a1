"""A chain behind a node's HTTP interface, with `await`: the interface of `asynchronous.py`."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
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
from tongbao.sdk.happenings import follow_asynchronously, until
from tongbao.sdk.http_shared import PARALLEL, TIMEOUT_S, HttpShared, answer_of, lost, request_of
from tongbao.sdk.light import TrustSource
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.signer import Signer
from tongbao.sdk.wallet_asynchronous import AsyncWallet

P = ParamSpec("P")
R = TypeVar("R")


class AsyncHttpChain(HttpShared):
    """A chain that a node serves; made by `connect`. Many calls may be under way at once."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        registry: Registry | None = None,
        trust: TrustSource | None = None,
        patience_s: float = PATIENCE_S,
        witnesses: Sequence[str] = (),
    ) -> None:
        """Use a client; `connect` says hello."""
        super().__init__(registry, trust, patience_s, witnesses)
        self._client = client
        self._closed = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        address: str,
        *,
        trust: TrustSource | None = None,
        patience_s: float = PATIENCE_S,
        witnesses: Sequence[str] = (),
        api_key: str | None = None,
        session: tuple[str, Signer] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Say hello to a node such as `http://127.0.0.1:8632`. Raises Unreachable.

        The options are what they are for `HttpChain`.
        """
        client = httpx2.AsyncClient(
            base_url=address,
            timeout=TIMEOUT_S,
            auth=auth_of(api_key, session),
            verify=True if tls is None else tls,
        )
        chain = cls(client, None, trust, patience_s, witnesses)
        try:
            chain._meet(await chain._do(steps.chain()))
        except BaseException:
            await chain.close()
            raise
        return chain

    async def _do(self, walk: Steps[R]) -> R:
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
                    await until(self._closed, step.seconds)
            elif isinstance(step, Together):
                given = await self._together(step)
            else:
                given = await self._ask(step)

    async def _together(self, step: Together) -> list[Any]:
        """Take several walks at once, as many as is polite; none of them raises."""
        places = asyncio.Semaphore(PARALLEL)

        async def one(walk: Steps[R]) -> R:
            async with places:
                return await self._do(walk)

        return await asyncio.gather(*map(one, step.walks))

    async def _ask(self, ask: Ask) -> Answered:
        began = time.monotonic()
        try:
            return answer_of(await self._client.request(**request_of(ask)), began)
        except httpx2.RequestError as error:
            return lost(error, began)
        except RuntimeError as error:
            if not self._closed.is_set():
                raise
            return lost(error, began)

    def wallet(self, address: str, *signers: Signer, lane: int = 0) -> AsyncWallet:
        """Send as an account, with keys that this process may use; they never leave it."""
        return AsyncWallet(self, Address(address), signers, lane=lane)

    async def submit(self, transaction: bytes) -> Applied:
        """Submit a signed transaction and wait until it is durable. Raises Refused and others."""
        return self._saw(await self._do(self._submit(transaction)))

    async def submit_many(self, transactions: Iterable[bytes]) -> list[Applied | Exception]:
        """Submit many at once; each has its own answer, in order."""
        found = await self._do(self._submit_many(list(transactions)))
        self._saw_all(found)
        return found

    async def dry_run(self, payload: bytes) -> DryRun:
        """What a payload would do now, unsigned."""
        return await self._do(submitting.dry_run(self.registry, payload))

    async def head(self) -> Head:
        """The last block."""
        return await self._do(self._head())

    async def status(self, transaction_id: str, expires: int | None = None) -> Status:
        """What became of a transaction."""
        return await self._do(self._status(transaction_id, expires))

    async def query(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask a module's query, such as `asset.held_by`."""
        return (await self.query_at(function, *args, **kwargs))[1]

    async def query_at(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[int, R]:
        """As `query`, behind the height at which it is true."""
        found: tuple[int, R] = await self._do(self._query(function, args, kwargs))
        return found

    async def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """One above the highest nonce that a lane has used."""
        return await self._do(self._next_nonce(sender, lane))

    async def happenings(
        self, after: str | None = None, **filters: str
    ) -> AsyncIterator[Happening]:
        """What happens, as it happens: after a cursor (`height.index`), or, without one, from
        the moment on that iterating begins. In the rest it is `HttpChain.happenings`.
        """
        if after is None:
            after = await self._do(self._now_on())
        stream = self._stream(after, filters)
        async for happening in follow_asynchronously(self._client, stream, self._closed):
            yield happening if self._light is None else await self._do(self._proven(happening))

    # History, out of the index: no proof exists for it, so with a trust file it is refused.

    async def movements_of(
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
        return await self._do(asked)

    async def movements_of_asset(
        self, asset: str, *, before: str | None = None, limit: int | None = None
    ) -> MovementsAnswer:
        """What moved of an asset, the newest first."""
        path = f"/v1/assets/{asset}/movements"
        return await self._do(self._recall(MovementsAnswer, path, before=before, limit=limit))

    async def transactions_of(
        self, address: str, *, before: str | None = None, limit: int | None = None
    ) -> TransactionsAnswer:
        """What an account sent, and whatever moved value from or to it, the newest first."""
        path = f"/v1/accounts/{address}/transactions"
        return await self._do(self._recall(TransactionsAnswer, path, before=before, limit=limit))

    async def by_reference(
        self, reference: str, *, before: str | None = None, limit: int | None = None
    ) -> TransactionsAnswer:
        """Transactions that bear a reference, the newest first."""
        path = f"/v1/references/{reference}"
        return await self._do(self._recall(TransactionsAnswer, path, before=before, limit=limit))

    async def statement(
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
        return await self._do(self._recall(StatementAnswer, path, **given))

    async def search(self, text: str, *, limit: int | None = None) -> SearchAnswer:
        """Blocks, transactions, accounts, assets and references named so, or that begin so."""
        return await self._do(self._recall(SearchAnswer, "/v1/search", text=text, limit=limit))

    async def bundle(
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
        return await self._do(self._bundle(address, asset, first, before))

    # Proving

    async def prove_row(self, table_name: str, key: Any) -> RowProof:
        """The proof of a row, or of its absence, at the last height."""
        return await self._do(self._prove_row(table_name, key))

    async def prove_transaction(self, transaction_id: str) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError."""
        return await self._do(self._prove_transaction(transaction_id))

    async def trust(self) -> TrustFile:
        """What the node says of who signs: compare it with what somebody you trust says."""
        return await self._do(self._trust())

    async def close(self) -> None:
        """Close the connections; iterators of `happenings` end. May be called again."""
        self._closed.set()
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        """Close at the end of the `async with` statement."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()
