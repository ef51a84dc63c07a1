"""What a front judges of a transaction without any state, and what it remembers of senders.

No handler runs here: size, form, chain and expiry are looked at first, then the signatures. What
was verified is remembered by its full bytes.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from tongbao.engines.solo import Ticket
from tongbao.kernel import ChainId, InvalidTransaction, Registry, Time
from tongbao.kernel.kernel_module import EXPIRY_MS, TRANSACTION_BYTES
from tongbao.kernel.reasons import Invalid
from tongbao.kernel.transaction import Transaction, decode_transaction, id_of

K = TypeVar("K")

REMEMBERED: Final = 20_000
SENDERS: Final = 100_000
STRANGERS: Final = ""
"""The lane that all share whom the chain has not answered yet."""


class Newest(Generic[K]):
    """A set that keeps at least half as many members as its limit, the newest ones."""

    def __init__(self, limit: int) -> None:
        """Keep `limit` at most."""
        self._half = limit // 2
        self._new: set[K] = set()
        self._old: set[K] = set()

    def __contains__(self, member: K) -> bool:
        """Whether it is one of those that are kept."""
        return member in self._new or member in self._old

    def add(self, member: K) -> None:
        """Keep a member, as the newest one."""
        if len(self._new) >= self._half:
            self._old, self._new = self._new, set()
        self._new.add(member)


class Waiting(Ticket):
    """A transaction in a front: its payload's bytes, its number there, whether it goes again."""

    __slots__ = ("again", "is_verified", "number", "payload")

    def __init__(self, transaction: Transaction, payload: bytes, *, is_verified: bool) -> None:
        """Made by `Admission`."""
        super().__init__(transaction)
        self.payload = payload
        self.is_verified = is_verified
        self.number = 0
        self.again = False


class Admission:
    """Reads transactions for a chain. Its parameters are the core's, as last told."""

    def __init__(self, registry: Registry, chain: ChainId) -> None:
        """Begin with declared defaults: the core tells what the chain has."""
        self._decoder = registry.payload_decoder
        self._chain = chain
        self.bytes_limit = TRANSACTION_BYTES.default
        self.expiry_ms = EXPIRY_MS.default
        self._verified: Newest[bytes] = Newest(REMEMBERED)
        self._senders: Newest[str] = Newest(SENDERS)

    def read(self, wire: bytes, now: Time) -> Waiting:
        """Parse a transaction; a block of `now` or later has it. Raises InvalidTransaction."""
        envelope, payload = decode_transaction(self._decoder, self._chain, wire, self.bytes_limit)
        if payload.expires <= now:
            raise InvalidTransaction(Invalid.EXPIRY_HAS_PASSED, f"the block's time is {now}")
        signatures = envelope.signatures
        signers = tuple([signature.kid for signature in signatures])
        transaction = Transaction(wire, id_of(envelope.payload), payload, signers, signatures)
        return Waiting(transaction, envelope.payload, is_verified=wire in self._verified)

    def lane(self, waiting: Waiting) -> str:
        """Under what a transaction waits: its sender, if the chain has ever answered that one."""
        sender: str = waiting.transaction.payload.sender
        return sender if sender in self._senders else STRANGERS

    def verified(self, waiting: Waiting) -> None:
        """Remember that every signature is right."""
        waiting.is_verified = True
        self._verified.add(waiting.transaction.wire)

    def met(self, waiting: Waiting) -> None:
        """Remember a sender whose transaction stands in a block."""
        self._senders.add(waiting.transaction.payload.sender)
