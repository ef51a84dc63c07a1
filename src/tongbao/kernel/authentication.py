"""Who must sign a transaction, decided before any handler runs.

The kernel knows no accounts: genesis names one module whose `keys_of(view, address)` tells the keys
of an address. Everything here is about that answer and the signatures that came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from tongbao.kernel.identifiers import Address, PublicKey, Small
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.schema import Message, Value

if TYPE_CHECKING:
    from tongbao.kernel.context import View

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


KeysOf = Callable[["View", Address], Keys | None]
"""The function of the authenticating module; None when nobody can sign for the address."""


def weight_of(keys: Keys, signers: Iterable[str]) -> int:
    """The weight that the signers (kid texts, each once) have together among `keys`."""
    present = set(signers)
    return sum(entry.weight for entry in keys.keys if entry.key.public in present)


def check_signers(
    kids: tuple[str, ...],
    messages: tuple[Message, ...],
    sender: Keys,
    sponsor: Keys | None,
) -> None:
    """Whether exactly those signed who must. Raises InvalidTransaction; checks no signature."""
    signers = set(kids)
    sensitive = False
    introduced: set[str] = set()
    for message in messages:
        sensitive = sensitive or message.is_sensitive
        introduced.update(key.public for key in message.also_signed_by())
    threshold = sender.sensitive if sensitive else sender.ordinary
    if weight_of(sender, signers) < threshold:
        raise InvalidTransaction(Invalid.THRESHOLD_IS_NOT_MET)
    if not introduced <= signers:
        raise InvalidTransaction(Invalid.NEW_KEY_HAS_NOT_SIGNED)
    asked = introduced.union(entry.key.public for entry in sender.keys)
    if sponsor is not None:
        if weight_of(sponsor, signers) < sponsor.ordinary:
            raise InvalidTransaction(Invalid.SPONSOR_HAS_NOT_SIGNED)
        asked.update(entry.key.public for entry in sponsor.keys)
    if not signers <= asked:
        raise InvalidTransaction(Invalid.SIGNATURE_IS_NOT_ASKED_FOR)
