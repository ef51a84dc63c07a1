"""Who must sign a transaction, decided before any handler runs.

The kernel knows no accounts: genesis names one module whose `keys_of(view, address)` tells the keys
of an address. Everything here is about that answer and the signatures that came.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from enum import IntEnum
from typing import Annotated, Final

from msgspec import Meta

from tongbao.kernel.identifiers import Address, PublicKey, Small
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.schema import Message, Value

KEYS_LIMIT: Final = 16


class Algorithm(IntEnum):
    """Numbers of signature algorithms. Only Ed25519 is accepted today; the others are reserved."""

    ED25519 = 1
    ES256 = 2
    SM2 = 3


class Key(Value):
    """A public key and the algorithm it is for."""

    algorithm: Small
    public: PublicKey


class WeightedKey(Value):
    """A key and what its signature counts towards a threshold."""

    key: Key
    weight: Small


WeightedKeys = Annotated[tuple[WeightedKey, ...], Meta(min_length=1, max_length=KEYS_LIMIT)]
"""The keys of an account: 1 to 16."""


class Keys(Value):
    """The keys of an address, the two thresholds of weight, and how many lanes it declared."""

    keys: WeightedKeys
    ordinary: Small
    sensitive: Small
    lanes: Small


KeysOf = Callable[[Address], Keys | None]
"""The keys of an address, as the authenticating module tells them; None when it has none."""


def weight_of(keys: Keys, signers: Container[str]) -> int:
    """The weight that the signers (kid texts) have together among `keys`."""
    weight = 0
    for entry in keys.keys:
        if entry.key.public in signers:
            weight += entry.weight
    return weight


def check_signers(
    signers: tuple[str, ...],
    messages: tuple[Message, ...],
    sender: Keys,
    sponsor: Keys | None,
    *,
    stands: bool = False,
) -> None:
    """Whether exactly those signed who must. Raises InvalidTransaction; checks no signature.

    The sponsor may sign and need not where its standing sponsorship `stands`.
    """
    sensitive = False
    asked: set[str] = set()
    for message in messages:
        sensitive = sensitive or message.is_sensitive
        for key in message.also_signed_by():
            asked.add(key.public)
    threshold = sender.sensitive if sensitive else sender.ordinary
    if weight_of(sender, signers) < threshold:
        raise InvalidTransaction(Invalid.THRESHOLD_IS_NOT_MET)
    if asked and not asked.issubset(signers):
        raise InvalidTransaction(Invalid.NEW_KEY_HAS_NOT_SIGNED)
    for entry in sender.keys:
        asked.add(entry.key.public)
    if sponsor is not None:
        if not stands and weight_of(sponsor, signers) < sponsor.ordinary:
            raise InvalidTransaction(Invalid.SPONSOR_HAS_NOT_SIGNED)
        asked.update([entry.key.public for entry in sponsor.keys])
    if not asked.issuperset(signers):
        raise InvalidTransaction(Invalid.SIGNATURE_IS_NOT_ASKED_FOR)
