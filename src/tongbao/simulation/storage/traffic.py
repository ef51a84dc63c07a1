"""Signed transactions of a few people: payments, holds, some of which must be refused."""

from __future__ import annotations

from random import Random
from typing import Final

from msgspec import Struct

from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    ChainId,
    Message,
    Reference,
    Small,
    Time,
)
from tongbao.kernel.transaction import id_of
from tongbao.modules import asset, hold
from tongbao.testing.drafts import Draft, Submission
from tongbao.testing.genesis import ADDRESSES, CNY, bank
from tongbao.testing.keys import named_key

PEOPLE: Final = ("alice", "bob", "carol")
BLOCK: Final = (6, 16)
EXPIRY_MS: Final = 3_600_000


class Sent(Struct, frozen=True):
    """A signed transaction and its id."""

    id: bytes
    submission: Submission


class Traffic:
    """Makes transactions of a chain, each with a nonce of its own."""

    def __init__(self, random: Random, chain: ChainId) -> None:
        """The same random numbers make the same transactions."""
        self._random = random
        self._chain = chain
        self._nonces: dict[str, int] = {}

    def opening(self, now: int) -> list[Sent]:
        """What block 1 has: an asset, and money for everybody."""
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        issues = [
            asset.Issue(
                asset=CNY,
                amount=Amount("1000.00"),
                payee=ADDRESSES[person],
                reference=Reference(f"deposit-{person}"),
            )
            for person in PEOPLE
        ]
        return [self._signed("bank", (define, *issues), now)]

    def block(self, now: int) -> list[Sent]:
        """Transactions for one block."""
        return [self._one(now) for _ in range(self._random.randint(*BLOCK))]

    def _one(self, now: int) -> Sent:
        random = self._random
        person = random.choice(PEOPLE)
        count = random.choice((1, 1, 1, 2))
        return self._signed(person, tuple(self._message(now) for _ in range(count)), now)

    def _message(self, now: int) -> Message:
        """One in ten asks for more than there can be, and is refused."""
        random = self._random
        payee: Address = random.choice((bank, *(ADDRESSES[person] for person in PEOPLE)))
        most = 100_000_000 if random.random() < 0.1 else 2_000
        amount = Amount.of(random.randint(1, most), 2)
        if random.random() < 0.3:
            expires = Time(now + random.randint(1, 30_000))
            return hold.Place(payee=payee, asset=AssetId(CNY), amount=amount, expires_at=expires)
        return asset.Transfer(asset=AssetId(CNY), amount=amount, payee=payee)

    def _signed(self, person: str, messages: tuple[Message, ...], now: int) -> Sent:
        nonce = self._nonces[person] = self._nonces.get(person, 0) + 1
        key = named_key(person)
        draft = Draft(
            chain=self._chain,
            sender=ADDRESSES[person],
            nonce=nonce,
            expires=Time(now + EXPIRY_MS),
            messages=messages,
            signers={key.key_id: key},
        )
        return Sent(id_of(draft.payload_bytes()), draft.sign())
