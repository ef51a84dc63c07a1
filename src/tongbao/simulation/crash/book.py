"""What was sent and what was answered: the independent account of a campaign.

It knows nothing of blocks or rows. A payment of a cent is applied once or not at all, what asks for
more than there is is refused, and an answer that was given once is true for ever.
"""

from __future__ import annotations

import threading
import time
from hashlib import sha256
from random import Random
from typing import Final

from msgspec import Struct

from tongbao.kernel import Address, Amount, AssetId, ChainId, Time
from tongbao.modules import asset
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.errors import id_and_expiry
from tongbao.sdk.signer import SoftwareKey

CENT: Final = Amount("0.01")
FUNDS: Final = Amount("10000.00")
TOO_MUCH: Final = Amount("99999.00")
HOUR_MS: Final = 3_600_000
SHORT_MS: Final = 700
REFUSED_OF: Final = 8
SHORT_OF: Final = 12
NO_FUNDS: Final = asset.Why.BALANCE_IS_TOO_LOW.number


class Wrong(Exception):
    """The ledger has lost, doubled or changed something that it had acknowledged."""


class Place(Struct, frozen=True):
    """Where a transaction stands."""

    height: int
    index: int


class Sent(Struct):
    """A transaction. `number` is what it must come to: 0 applied, else the refusal's.

    `is_decided` once somebody was told; `place` once they were told where; `never` once they were
    told that it never happens, which only one with a short life (`is_short`) may be.
    """

    wire: bytes
    id: str
    expires: int
    payer: int
    number: int
    is_short: bool
    is_decided: bool = False
    place: Place | None = None
    never: bool = False


class Ground(Struct, frozen=True):
    """A chain on which some accounts pay a shop."""

    chain: ChainId
    asset: AssetId
    shop: Address
    payers: tuple[Address, ...]


def payer_key(place: int) -> SoftwareKey:
    """The key of a payer."""
    return SoftwareKey.from_seed(sha256(b"payer %d" % place).digest())


class Book:
    """Everything that was sent to one chain. Safe in many threads."""

    def __init__(self, ground: Ground, random: Random) -> None:
        """Nothing was sent yet."""
        self.ground = ground
        self.sent: list[Sent] = []
        self._random = random
        self._nonces = [0] * len(ground.payers)
        self._lock = threading.Lock()

    def new(self, payer: int) -> Sent:
        """A new transaction of a payer."""
        with self._lock:
            self._nonces[payer] += 1
            nonce = self._nonces[payer]
            is_refused = self._random.randrange(REFUSED_OF) == 0
            is_short = self._random.randrange(SHORT_OF) == 0
        now = time.time_ns() // 1_000_000
        expires = Time(now + (SHORT_MS if is_short else HOUR_MS))
        message = asset.Transfer(
            asset=self.ground.asset,
            amount=TOO_MUCH if is_refused else CENT,
            payee=self.ground.shop,
        )
        payload = payload_bytes(
            self.ground.chain, self.ground.payers[payer], nonce, expires, (message,)
        )
        wire = sign(payload, [payer_key(payer)])
        sent = Sent(
            wire, id_and_expiry(wire)[0], expires, payer, NO_FUNDS if is_refused else 0, is_short
        )
        with self._lock:
            self.sent.append(sent)
        return sent

    def acknowledge(self, sent: Sent, number: int, place: Place | None) -> None:
        """Somebody was told what it came to. Raises Wrong when that is not what it must be."""
        with self._lock:
            if number != sent.number:
                raise Wrong(f"{sent.id} came to {number}, and must come to {sent.number}")
            if sent.never:
                raise Wrong(f"{sent.id} happened after it was said that it never does")
            if None not in (sent.place, place) and sent.place != place:
                raise Wrong(f"{sent.id} stands at {place}, and stood at {sent.place}")
            sent.is_decided = True
            sent.place = place or sent.place

    def give_up(self, sent: Sent) -> None:
        """Somebody was told that it never happens."""
        with self._lock:
            if sent.is_decided or not sent.is_short:
                raise Wrong(f"{sent.id} is said never to happen, and must or did")
            sent.never = True

    def open(self) -> list[Sent]:
        """Those of which nothing is known."""
        with self._lock:
            return [one for one in self.sent if not one.is_decided and not one.never]

    def latest(self, count: int) -> list[Sent]:
        """The last ones of which something is known."""
        with self._lock:
            known = [one for one in self.sent[-2 * count :] if one.is_decided or one.never]
        return known[-count:]

    def applied(self) -> list[int]:
        """How many payments of each payer were acknowledged as applied."""
        with self._lock:
            counts = [0] * len(self._nonces)
            for one in self.sent:
                counts[one.payer] += one.is_decided and one.number == 0
            return counts
