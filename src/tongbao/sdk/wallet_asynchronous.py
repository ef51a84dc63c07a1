"""Sending as an account, with `await`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tongbao.kernel import Address, Message
from tongbao.sdk.client import Applied
from tongbao.sdk.genesis_builder import single_key
from tongbao.sdk.signer import Signer
from tongbao.sdk.wallet import AnyWallet

if TYPE_CHECKING:
    from tongbao.sdk.client import AsyncClient


class AsyncWallet(AnyWallet["AsyncClient"]):
    """One account with keys at hand, for one event loop: each nonce is given out once."""

    def __init__(
        self,
        chain: AsyncClient,
        address: Address,
        signers: tuple[Signer, ...],
        *,
        lane: int = 0,
    ) -> None:
        """Made by a client's `wallet`."""
        super().__init__(chain, address, signers, lane=lane)
        self._asking = asyncio.Lock()

    async def build(
        self,
        *messages: Message,
        also: tuple[Signer, ...] = (),
        reference: str | None = None,
        sponsor: str | None = None,
    ) -> bytes:
        """A signed transaction with the next nonce; `also` are keys that the messages ask for."""
        return self._sign(await self._take_nonce(), messages, also, reference, sponsor)

    async def send(self, *messages: Message, **options: Any) -> Applied:
        """Build, submit, and wait until it is durable; options as in `build`. Raises Refused.

        After Unreachable (which carries the transaction), or anything else that leaves it open
        whether it happened, `settle` goes on; until then `send` raises Unsettled.
        """
        self._refuse_unsettled()
        return await self.settle(await self.build(*messages, **options))

    async def settle(self, transaction: bytes) -> Applied:
        """Submit what was built, for the first time or again: it can't happen twice.

        Raises what it came to otherwise, as `send` does; InvalidTransaction is final.
        """
        with self._deciding(transaction):
            return await self.chain.submit(transaction)

    async def open_account(self, key: Signer) -> AsyncWallet:
        """Open an account that `key` controls, and give its wallet."""
        made = (await self.send(single_key(key.key_id), also=(key,))).made
        return AsyncWallet(self.chain, Address(made), (key,))

    async def _take_nonce(self) -> int:
        async with self._asking:
            if self._nonce is None:
                self._nonce = await self.chain.next_nonce(self.address, self.lane)
            taken = self._nonce
            self._nonce += 1
        return taken
