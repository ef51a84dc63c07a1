"""Sending as an account: nonces, expiry and signatures in one place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from tongbao.kernel import Address, AssetId, InvalidTransaction, Message, Time, TransactionReference
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.client import Applied
from tongbao.sdk.errors import NodeError, Unreachable, Unsettled, id_and_expiry
from tongbao.sdk.genesis_builder import single_key
from tongbao.sdk.signer import Signer
from tongbao.sdk.verification import VerificationError

if TYPE_CHECKING:
    from tongbao.sdk.client import AsyncClient, Client

C = TypeVar("C", bound="Client | AsyncClient")

EXPIRES_MS: Final = 3_600_000
"""How long a wallet's transaction may wait: an hour."""


class AnyWallet(Generic[C]):
    """What wallets of both colours have: keys, the next nonce, and what is not decided yet."""

    def __init__(
        self, chain: C, address: Address, signers: tuple[Signer, ...], *, lane: int = 0
    ) -> None:
        """Made by a client's `wallet`."""
        self.chain = chain
        self.address = address
        self.signers = signers
        self.lane = lane
        self._lock = threading.Lock()
        self._nonce: int | None = None
        self._unsettled: dict[str, bytes] = {}

    @property
    def unsettled(self) -> tuple[bytes, ...]:
        """Transactions that were sent and may or may not have happened: `settle` each of them."""
        with self._lock:
            return tuple(self._unsettled.values())

    def abandon(self, transaction: bytes) -> None:
        """Send anew although this one may still happen: for those who have found out otherwise."""
        with self._lock:
            self._unsettled.pop(id_and_expiry(transaction)[0], None)

    def forget_nonce(self) -> None:
        """Ask the chain again which nonce is next: after a transaction that was invalid."""
        with self._lock:
            self._nonce = None

    def asset_id(self, code: str) -> AssetId:
        """The id of the asset with this code that this account defines."""
        return AssetId(f"{code}.{self.address}")

    def _sign(
        self,
        nonce: int,
        messages: tuple[Message, ...],
        also: tuple[Signer, ...],
        reference: str | None,
        sponsor: str | None,
    ) -> bytes:
        payload = payload_bytes(
            self.chain.id,
            self.address,
            nonce,
            Time(self.chain.now() + EXPIRES_MS),
            messages,
            lane=self.lane,
            reference=None if reference is None else TransactionReference(reference),
            sponsor=None if sponsor is None else Address(sponsor),
        )
        return sign(payload, (*self.signers, *also))

    def _refuse_unsettled(self) -> None:
        """Nothing new is sent while something is undecided. Raises Unsettled."""
        with self._lock:
            if self._unsettled:
                raise Unsettled(dict(self._unsettled))

    @contextmanager
    def _deciding(self, transaction: bytes) -> Iterator[None]:
        """Remember a transaction for as long as it is not known what it came to."""
        decided = True
        try:
            yield
        except InvalidTransaction:
            self.forget_nonce()
            raise
        except Exception as error:
            decided = not isinstance(error, Unreachable | NodeError | VerificationError)
            raise
        except BaseException:  # interrupted, or cancelled, while it was under way
            decided = False
            raise
        finally:
            if decided:
                self._settled(transaction)
            else:
                with self._lock:
                    self._unsettled[id_and_expiry(transaction)[0]] = transaction

    def _settled(self, transaction: bytes) -> None:
        if self._unsettled:
            self.abandon(transaction)


class Wallet(AnyWallet["Client"]):
    """One account with keys at hand. Safe in many threads: each nonce is given out once."""

    def build(
        self,
        *messages: Message,
        also: tuple[Signer, ...] = (),
        reference: str | None = None,
        sponsor: str | None = None,
    ) -> bytes:
        """A signed transaction with the next nonce; `also` are keys that the messages ask for."""
        return self._sign(self._take_nonce(), messages, also, reference, sponsor)

    def send(self, *messages: Message, **options: Any) -> Applied:
        """Build, submit, and wait until it is durable; options as in `build`. Raises Refused.

        After Unreachable (which carries the transaction), or anything else that leaves it open
        whether it happened, `settle` goes on; until then `send` raises Unsettled.
        """
        self._refuse_unsettled()
        return self.settle(self.build(*messages, **options))

    def settle(self, transaction: bytes) -> Applied:
        """Submit what was built, for the first time or again: it can't happen twice.

        Raises what it came to otherwise, as `send` does; InvalidTransaction is final.
        """
        with self._deciding(transaction):
            return self.chain.submit(transaction)

    def open_account(self, key: Signer) -> Wallet:
        """Open an account that `key` controls, and give its wallet."""
        made = self.send(single_key(key.key_id), also=(key,)).made
        return Wallet(self.chain, Address(made), (key,))

    def _take_nonce(self) -> int:
        with self._lock:
            if self._nonce is None:
                self._nonce = self.chain.next_nonce(self.address, self.lane)
            taken = self._nonce
            self._nonce += 1
        return taken
