"""A transaction before it is signed, and what comes out of signing it."""

from __future__ import annotations

import json
from typing import Any, Final

from msgspec import Struct

from tongbao.kernel import Address, ChainId, Message, Time, TransactionReference, jcs
from tongbao.kernel.transaction import Payload
from tongbao.sdk.builder import sign
from tongbao.sdk.signer import Signer

ANY_FORM: Final = (*range(1, 10), 22, 23)
"""The numbers that bytes changed at random can come to: never one that needs state."""


class Submission(Struct, frozen=True):
    """A transaction as it goes into a block, and what its writer knows of it.

    `payload` is the JSON that was signed and `signers` the key ids that signed it. `forms` holds
    the numbers of which the answer must be one where the bytes were damaged on purpose (they then
    say nothing else), and is empty otherwise. `signature_is_wrong`: all is well but a signature.
    """

    wire: bytes
    payload: dict[str, Any]
    signers: tuple[str, ...]
    forms: tuple[int, ...] = ()
    signature_is_wrong: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether the bytes are what the signers made."""
        return not self.forms and not self.signature_is_wrong


class Draft(Struct, kw_only=True):
    """A transaction that may still be changed."""

    chain: ChainId
    sender: Address
    nonce: int
    expires: Time
    messages: tuple[Message, ...]
    signers: dict[str, Signer]
    lane: int = 0
    sponsor: Address | None = None
    reference: TransactionReference | None = None

    def payload_bytes(self) -> bytes:
        """What is signed."""
        payload: Payload[Any] = Payload(
            chain=self.chain,
            sender=self.sender,
            nonce=self.nonce,
            expires=self.expires,
            messages=self.messages,
            lane=self.lane,
            sponsor=self.sponsor,
            reference=self.reference,
        )
        return jcs.encode(payload)

    def introduced(self) -> list[str]:
        """The ids of the keys that its messages introduce."""
        return [key.public for message in self.messages for key in message.also_signed_by()]

    def sign(self) -> Submission:
        """Sign as it stands."""
        payload = self.payload_bytes()
        wire = sign(payload, self.signers.values())
        return Submission(wire, json.loads(payload), tuple(self.signers))

    def sign_text(self, payload: bytes, forms: tuple[int, ...]) -> Submission:
        """Sign another payload, which comes to one of `forms`."""
        return Submission(sign(payload, self.signers.values()), {}, tuple(self.signers), forms)
