"""Sending as an account: nonces, expiry and signatures in one place."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from tongbao.kernel import Address, AssetId, InvalidTransaction, Message, Reference, Time
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.client import Applied
from tongbao.sdk.genesis_builder import single_key
from tongbao.sdk.signer import Signer

if TYPE_CHECKING:
    from tongbao.sdk.client import Client

EXPIRES_MS: Final = 3_600_000
"""How long a wallet's transaction may wait: an hour."""


class Wallet:
    """One account with keys at hand. Safe in many threads: each nonce is given out once."""

    def __init__(
        self, chain: Client, address: Address, signers: tuple[Signer, ...], *, lane: int = 0
    ) -> None:
        """Made by a client's `wallet`."""
        self.chain = chain
        self.address = address
        self.signers = signers
        self.lane = lane
        self._lock = threading.Lock()
        self._nonce: int | None = None

    def build(
        self,
        *messages: Message,
        also: tuple[Signer, ...] = (),
        reference: str | None = None,
        sponsor: str | None = None,
    ) -> bytes:
        """A signed transaction with the next nonce; `also` are keys that the messages ask for."""
        payload = payload_bytes(
            self.chain.id,
            self.address,
            self._take_nonce(),
            Time(self.chain.now() + EXPIRES_MS),
            messages,
            lane=self.lane,
            reference=None if reference is None else Reference(reference),
            sponsor=None if sponsor is None else Address(sponsor),
        )
        return sign(payload, (*self.signers, *also))

    def send(self, *messages: Message, **options: Any) -> Applied:
        """Build, submit, and wait until it is durable; options as in `build`. Raises Refused."""
        try:
            return self.chain.submit(self.build(*messages, **options))
        except InvalidTransaction:
            self.forget_nonce()
            raise

    def forget_nonce(self) -> None:
        """Ask the chain again which nonce is next: after a transaction that was invalid."""
        with self._lock:
            self._nonce = None

    def open_account(self, key: Signer) -> Wallet:
        """Open an account that `key` controls, and give its wallet."""
        made = self.send(single_key(key.key_id), also=(key,)).made
        return Wallet(self.chain, Address(made), (key,))

    def asset_id(self, code: str) -> AssetId:
        """The id of the asset with this code that this account defines."""
        return AssetId(f"{code}.{self.address}")

    def _take_nonce(self) -> int:
        with self._lock:
            if self._nonce is None:
                self._nonce = self.chain.next_nonce(self.address, self.lane)
            taken = self._nonce
            self._nonce += 1
        return taken
