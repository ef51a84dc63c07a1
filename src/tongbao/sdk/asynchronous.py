"""The client interface with `await`, over a chain in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from tongbao.kernel import Address, InvalidTransaction, View
from tongbao.sdk.answers import Happening
from tongbao.sdk.client import Applied, DryRun, Head, Status
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import open_chain
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.signer import Signer
from tongbao.sdk.wallet_asynchronous import AsyncWallet

P = ParamSpec("P")
R = TypeVar("R")


class AsyncChain:
    """A chain whose calls don't hold up the event loop; many may be under way at once."""

    def __init__(self, chain: Chain) -> None:
        """Wrap an open chain."""
        self.chain = chain
        self.id = chain.id

    def now(self) -> int:
        """The time, in ms UTC, that a block made now would carry."""
        return self.chain.now()

    def wallet(self, address: str, *signers: Signer, lane: int = 0) -> AsyncWallet:
        """Send as an account, with keys that this process may use."""
        return AsyncWallet(self, Address(address), signers, lane=lane)

    async def submit(self, transaction: bytes) -> Applied:
        """Submit a signed transaction and wait until it is durable. Raises Refused and others.

        One that was decided before has the answer that it had.
        """
        try:
            future = await asyncio.to_thread(self.chain.send, transaction)
            return self.chain.applied(await asyncio.wrap_future(future))
        except InvalidTransaction as error:
            return await asyncio.to_thread(self.chain.decided_before, transaction, error)

    async def submit_many(self, transactions: Iterable[bytes]) -> list[Applied | Exception]:
        """Submit many at once; each has its own answer, in order."""
        return await asyncio.to_thread(self.chain.submit_many, list(transactions))

    async def dry_run(self, payload: bytes) -> DryRun:
        """What a payload would do now, unsigned."""
        return await asyncio.to_thread(self.chain.dry_run, payload)

    async def head(self) -> Head:
        """The last block."""
        return await asyncio.to_thread(self.chain.head)

    async def status(self, transaction_id: str, expires: int | None = None) -> Status:
        """What became of a transaction."""
        return await asyncio.to_thread(self.chain.status, transaction_id, expires)

    async def query(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask a module's query, such as `asset.held_by`."""
        return await asyncio.to_thread(lambda: self.chain.query(function, *args, **kwargs))

    async def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """One above the highest nonce that a lane has used."""
        return await asyncio.to_thread(self.chain.next_nonce, sender, lane)

    async def happenings(
        self, after: str | None = None, **filters: str
    ) -> AsyncIterator[Happening]:
        """What happens, as it happens: after a cursor (`height.index`), or, without one, from
        the moment on that iterating begins. In the rest it is `Chain.happenings`.
        """
        follower = await asyncio.to_thread(self.chain._follower, after, filters)
        async for happening in follower.happenings_asynchronously():
            yield happening

    async def prove_row(self, table_name: str, key: Any) -> RowProof:
        """The proof of a row, or of its absence, at the last height."""
        return await asyncio.to_thread(self.chain.prove_row, table_name, key)

    async def prove_transaction(self, transaction_id: str) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError."""
        return await asyncio.to_thread(self.chain.prove_transaction, transaction_id)

    async def trust(self) -> TrustFile:
        """Who signs headers here: agree on it out of band, not by asking a node."""
        return self.chain.trust()

    async def close(self) -> None:
        """Finish what is queued, and give the folder free."""
        await asyncio.to_thread(self.chain.close)

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


async def open_async_chain(folder: Path | str, *, passphrase: str | None = None) -> AsyncChain:
    """Open the chain in a folder as `open_chain` does."""
    return AsyncChain(await asyncio.to_thread(open_chain, folder, passphrase=passphrase))


__all__ = ["AsyncChain", "open_async_chain"]
