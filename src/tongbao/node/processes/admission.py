"""What a front judges of a transaction without the state, and what it remembers of senders.

No handler runs here: size, form, chain, expiry, and nonces that the core has told are used; then
the signatures. So a transaction that somebody copies out of the ledger and sends again costs no
check of a signature. What was verified is remembered by its full bytes.
"""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

from tongbao.engines.payers import STRANGERS
from tongbao.engines.solo import Ticket
from tongbao.kernel import ChainId, Count, InvalidTransaction, Registry, Time
from tongbao.kernel.kernel_module import EXPIRY_MS, TRANSACTION_BYTES
from tongbao.kernel.nonces import WINDOW, Map, Nonces, use
from tongbao.kernel.reasons import Invalid
from tongbao.kernel.transaction import Payload, Transaction, decode_transaction, id_of

K = TypeVar("K")
V = TypeVar("V")

VERIFIED_BYTES: Final = 32 * 1024 * 1024
"""Of transactions whose signatures are known to be right."""
SENDERS: Final = 100_000


class Newest(Generic[K, V]):
    """A map that keeps at least half of what its limit allows, the newest of it."""

    def __init__(self, limit: int) -> None:
        """Keep members of this weight together at most."""
        self._half = limit // 2
        self._weight = 0
        self._new: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __contains__(self, key: K) -> bool:
        """Whether it is one of those that are kept."""
        return key in self._new or key in self._old

    def get(self, key: K) -> V | None:
        """What is kept under a key."""
        found = self._new.get(key)
        return self._old.get(key) if found is None else found

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Keep a value under a key, as the newest one."""
        if self._weight + weight > self._half:
            self._old, self._new, self._weight = self._new, {}, 0
        if weight <= self._half:
            self._weight += weight
            self._new[key] = value


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
        self._verified: Newest[bytes, bool] = Newest(VERIFIED_BYTES)
        self._senders: Newest[str, bool] = Newest(SENDERS)
        self._nonces: Newest[tuple[str, int], Nonces] = Newest(SENDERS)

    def read(self, wire: bytes, now: Time) -> Waiting:
        """Parse a transaction; a block of `now` or later has it. Raises InvalidTransaction."""
        envelope, payload = decode_transaction(self._decoder, self._chain, wire, self.bytes_limit)
        if payload.expires <= now:
            raise InvalidTransaction(Invalid.EXPIRY_HAS_PASSED, f"the block's time is {now}")
        self._check_nonce(payload)
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
        wire = waiting.transaction.wire
        self._verified.put(wire, True, len(wire))

    def met(self, waiting: Waiting) -> None:
        """Remember a sender whose transaction stands in a block, and that its nonce is used."""
        payload = waiting.transaction.payload
        self._senders.put(payload.sender, True)
        lane = payload.sender, payload.lane
        seen = self._nonces.get(lane)
        if seen is None or payload.nonce > seen.highest + WINDOW:
            # Others may have been used before it, which this process was not told of.
            used = Nonces(highest=Count(payload.nonce), used=Map("0"))
        else:
            try:
                used = use(seen, payload.nonce)
            except InvalidTransaction:
                return  # told twice, or late
        self._nonces.put(lane, used)

    def _check_nonce(self, payload: Payload[Any]) -> None:
        """Refuse what was used before its signature is looked at. Raises InvalidTransaction.

        A nonce that is used stays so: what is known here may be old, and is never wrong. Whether
        one is too far ahead, only the core can say.
        """
        seen = self._nonces.get((payload.sender, payload.lane))
        if seen is not None and payload.nonce <= seen.highest:
            use(seen, payload.nonce)
