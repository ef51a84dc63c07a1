"""Everything about a transaction but state: its form, its chain, its signatures.

A machine is one of these. A process without state that reads transactions for it has one of its
own, and hands over what it has found (`take_over`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tongbao.kernel.identifiers import ChainId
from tongbao.kernel.kernel_module import TRANSACTION_BYTES
from tongbao.kernel.registry import Registry
from tongbao.kernel.transaction import (
    ID_BYTES,
    Transaction,
    check_signatures,
    decode_transaction,
    id_of,
)

SEEN_LIMIT: Final = 100_000


class Intake:
    """Reads transactions, and remembers by their full bytes those whose signatures are right."""

    def __init__(self, registry: Registry, chain: ChainId, parameters: Mapping[str, int]) -> None:
        """Read for a chain; of its parameters, the most bytes of a transaction matter here."""
        self.registry = registry
        self.chain = chain
        self.parameters = parameters
        self._seen: dict[bytes, Transaction] = {}

    def decode(self, wire: bytes) -> Transaction:
        """Everything about a transaction but state: form, chain, signatures.

        Safe in any thread. What was verified is remembered by its full bytes, for `apply` and for
        whoever asks again, while the limit of its bytes allows it. Raises InvalidTransaction.
        """
        found = self._seen.get(wire)
        if found is None or len(wire) > self.parameters[TRANSACTION_BYTES.name]:
            found = self.parse(wire)
            check_signatures(found.signatures)
            self.remember(found)
        return found

    def parse(self, wire: bytes) -> Transaction:
        """A transaction's form and chain, its signatures unchecked. Raises InvalidTransaction."""
        limit = self.parameters[TRANSACTION_BYTES.name]
        decoder = self.registry.payload_decoder
        envelope, payload = decode_transaction(decoder, self.chain, wire, limit)
        signatures = envelope.signatures
        if len(signatures) == 1:
            signers: tuple[str, ...] = (signatures[0].kid,)
        else:
            signers = tuple([signature.kid for signature in signatures])
        return Transaction(wire, id_of(envelope.payload), payload, signers, signatures)

    def knows(self, wire: bytes) -> bool:
        """Whether a transaction's signatures were checked, and that is remembered."""
        return wire in self._seen

    def remember(self, verified: Transaction) -> None:
        """Take an engine's word that every signature was checked by `ed25519.verify`."""
        if len(self._seen) >= SEEN_LIMIT:
            self._seen.clear()
        self._seen[verified.wire] = verified

    def take_over(
        self, wire: bytes, transaction_id: bytes, payload: bytes, signers: tuple[str, ...]
    ) -> Transaction:
        """Take the word of another process of this node, which has parsed and verified `wire`.

        Only for what came from a process that this node itself has started, that runs the same
        code for the same chain, and that has had no objection in `decode`: neither the form, nor
        the id, nor any signature is looked at again. `transaction_id` and `signers` are those of
        the Transaction that `decode` gave there, `payload` is `decode_envelope(wire).payload`.
        The result is remembered, and has no signatures to check. Raises msgspec.DecodeError or
        ValueError only where `payload` is not what `decode` would have taken.
        """
        assert len(transaction_id) == ID_BYTES and signers, (len(transaction_id), signers)
        decoded = self.registry.payload_decoder.decode(payload)
        taken = Transaction(wire, transaction_id, decoded, signers, ())
        self.remember(taken)
        return taken
