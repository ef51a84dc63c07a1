"""Who takes part in the purchases and what the bank sends first, all derived from one seed.

The bank (the chain's operator) sends a fixed list of transactions: define the asset, open every
account, fund every household. The nonce of each is its place in the list, so a second start knows
from the chain alone where to go on, and every address can be told before its account exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, TypeVar

from msgspec import Struct

from tongbao.kernel import Address, Amount, AssetCode, AssetId, Message, Reference, Small
from tongbao.kernel.identifiers import derived_id
from tongbao.modules import asset
from tongbao.sdk.genesis_builder import single_key
from tongbao.sdk.signer import SoftwareKey

T = TypeVar("T")

CODE: Final = AssetCode("USD")
SCALE: Final = 2
OPENED_AT_ONCE: Final = 15
"""Accounts opened by one transaction: it carries at most 16 signatures, one of them the bank's."""

FUNDED_AT_ONCE: Final = 100


class Party(Struct, frozen=True):
    """A household or a store: its label, key and address."""

    label: str
    key: SoftwareKey
    address: Address


class Step(Struct, frozen=True):
    """One of the bank's transactions; its nonce is its place in the list, from 1."""

    nonce: int
    messages: tuple[Message, ...]
    keys: tuple[SoftwareKey, ...] = ()


class Plan:
    """All parties of the data set and the bank's list of transactions."""

    def __init__(
        self, bank: Address, seed: bytes, households: dict[str, int], stores: list[str]
    ) -> None:
        """`households` maps each to the cents that it spends in the whole data set."""
        self.bank = bank
        self.usd = AssetId(f"{CODE}.{bank}")
        self.funds = households
        labels = [f"household/{name}" for name in sorted(households)]
        labels += [f"store/{name}" for name in sorted(stores)]
        self.parties = {
            label: Party(label, SoftwareKey.derive(seed, label), self._address(place))
            for place, label in enumerate(labels)
        }

    def _address(self, place: int) -> Address:
        """The id that the kernel derives for the account opened at `place`."""
        step, index = divmod(place, OPENED_AT_ONCE)
        nonce = 2 + step  # nonce 1 defines the asset
        return Address(
            derived_id(
                b"id",
                bytes.fromhex(self.bank),
                (0).to_bytes(2, "big"),
                nonce.to_bytes(8, "big"),
                index.to_bytes(2, "big"),
                (0).to_bytes(4, "big"),
            )
        )

    def steps(self) -> Iterator[Step]:
        """The bank's transactions in order."""
        nonce = 1
        yield Step(nonce, (asset.Define(code=CODE, scale=Small(SCALE)),))
        for parties in _groups(iter(self.parties.values()), OPENED_AT_ONCE):
            nonce += 1
            keys = tuple(party.key for party in parties)
            yield Step(nonce, tuple(single_key(key.key_id) for key in keys), keys)
        for names in _groups(iter(sorted(self.funds)), FUNDED_AT_ONCE):
            nonce += 1
            yield Step(nonce, tuple(self._fund(name) for name in names))

    def _fund(self, household: str) -> Message:
        return asset.Issue(
            asset=self.usd,
            amount=Amount.of(self.funds[household], SCALE),
            payee=self.parties[f"household/{household}"].address,
            reference=funding_reference(household),
        )


def funding_reference(household: str) -> Reference:
    """The external reference against which a household's money is issued."""
    return Reference(f"fund-{household}")


def _groups(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while group := list(islice(items, size)):
        yield group
