"""A chain behind a node's HTTP interface, with `await`: the interface of `asynchronous.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx2

from tongbao.kernel import Address, Registry, View
from tongbao.modules.registry import registry as all_modules
from tongbao.sdk import steps
from tongbao.sdk.client import Applied, DryRun, Head, Status
from tongbao.sdk.http_shared import TIMEOUT_S, HttpShared, answer_of, lost, request_of
from tongbao.sdk.light import TrustSource
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.steps import Answered, Ask, Pause, Steps

P = ParamSpec("P")
R = TypeVar("R")


class AsyncHttpChain(HttpShared):
    """A chain that a node serves; made by `connect`. Many calls may be under way at once."""

    def __init__(
        self, client: httpx2.AsyncClient, registry: Registry, trust: TrustSource | None = None
    ) -> None:
        """Use a client; `connect` says hello."""
        super().__init__(registry, trust)
        self._client = client

    @classmethod
    async def connect(cls, address: str, *, trust: TrustSource | None = None) -> Self:
        """Say hello to a node such as `http://127.0.0.1:8632`. Raises Unreachable.

        `trust` is what it is for `HttpChain`.
        """
        chain = cls(httpx2.AsyncClient(base_url=address, timeout=TIMEOUT_S), all_modules(), trust)
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
            given = None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
            else:
                given = await self._ask(step)

    async def _ask(self, ask: Ask) -> Answered:
        try:
            return answer_of(await self._client.request(**request_of(ask)))
        except httpx2.TransportError as error:
            return lost(error)

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
        return await self._do(steps.dry_run(self.registry, payload))

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
        found: R = await self._do(self._query(function, args, kwargs))
        return found

    async def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """One above the highest nonce that a lane has used."""
        return await self._do(self._next_nonce(sender, lane))

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
        """Close the connections."""
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
