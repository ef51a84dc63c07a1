"""What clients of a network sent, were told and read: the independent account of a campaign.

It knows who paid whom and who wrote what, and nothing of blocks or rows. Times are seconds of one
monotonic clock, so that what was acknowledged before something else began can be told.
"""

from __future__ import annotations

import threading
import time
from math import isqrt
from typing import Final

from msgspec import Struct, field

from tongbao.kernel import Address, Amount, AssetId, ChainId, Small, Time
from tongbao.modules import account, asset
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.errors import id_and_expiry
from tongbao.sdk.signer import SoftwareKey

HOUR_MS: Final = 3_600_000
WEIGHT: Final = 255
"""What the one key of an account weighs, so that its thresholds may be any pair below."""
DECIMALS: Final = 2

Pair = tuple[int, int]


class Payment(Struct, frozen=True, tag=True):
    """Units from the sender to another account."""

    payee: str
    units: int


class Writing(Struct, frozen=True, tag=True):
    """A value put into the sender's register: its two thresholds."""

    value: Pair


class Told(Struct, frozen=True):
    """What a node said that an operation came to: 0 is applied, else the refusal's number."""

    node: str
    at: float
    number: int
    height: int
    index: int


class Operation(Struct):
    """A transaction, and everything that was ever said of it."""

    id: str
    sender: str
    lane: int
    nonce: int
    what: Payment | Writing
    wire: bytes = b""
    expires: int = 0
    begun: float = 0.0
    sent_to: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def ended(self) -> float | None:
        """When somebody first knew what it came to; None while nobody does."""
        return min((each.at for each in self.told), default=None)


class Read(Struct, frozen=True):
    """What a node said that an account owns, or that its register holds, at a height."""

    node: str
    account: str
    height: int
    least: int
    """The height that was asked for at least."""
    units: int | None = None
    value: Pair | None = None


class History(Struct):
    """All of it. `balances` and `registers` are what accounts began with, after `since`."""

    balances: dict[str, int]
    registers: dict[str, Pair]
    since: int
    operations: dict[str, Operation] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)


def pair_of(number: int) -> Pair:
    """The thresholds that stand for a number below 32,640, each pair for one."""
    higher = (isqrt(8 * number + 1) - 1) // 2
    return number - higher * (higher + 1) // 2 + 1, higher + 1


class Account(Struct, frozen=True):
    """An account of the campaign, and the key that controls it."""

    address: Address
    key: SoftwareKey


class Ground(Struct, frozen=True):
    """What a chain has for the campaign: accounts that pay each other, and registers."""

    chain: ChainId
    asset: AssetId
    payers: tuple[Account, ...]
    registers: tuple[Account, ...]


class Book:
    """Makes operations and keeps the history. Safe in many threads."""

    def __init__(self, ground: Ground, history: History) -> None:
        """Nothing was sent yet."""
        self.ground = ground
        self.history = history
        self._nonces: dict[tuple[str, int], int] = {}
        self._written = 1
        self._lock = threading.Lock()

    def pay(self, payer: Account, payee: Account, units: int) -> Operation:
        """A new payment."""
        amount = Amount(f"{units // 100}.{units % 100:02}")
        message = asset.Transfer(asset=self.ground.asset, amount=amount, payee=payee.address)
        return self._new(payer, 0, Payment(payee.address, units), message)

    def write(self, register: Account, lane: int) -> Operation:
        """A new value, which nobody has written before, into a register."""
        with self._lock:
            value = pair_of(self._written)
            self._written += 1
        ordinary, sensitive = value
        message = account.SetThresholds(ordinary=Small(ordinary), sensitive=Small(sensitive))
        return self._new(register, lane, Writing(value), message)

    def _new(
        self,
        sender: Account,
        lane: int,
        what: Payment | Writing,
        message: asset.Transfer | account.SetThresholds,
    ) -> Operation:
        with self._lock:
            nonce = self._nonces[sender.address, lane] = (
                self._nonces.get((sender.address, lane), 0) + 1
            )
        expires = Time(time.time_ns() // 1_000_000 + HOUR_MS)
        payload = payload_bytes(
            self.ground.chain, sender.address, nonce, expires, (message,), lane=lane
        )
        wire = sign(payload, [sender.key])
        made = Operation(
            id=id_and_expiry(wire)[0],
            sender=sender.address,
            lane=lane,
            nonce=nonce,
            what=what,
            wire=wire,
            expires=expires,
            begun=time.monotonic(),
        )
        with self._lock:
            self.history.operations[made.id] = made
        return made

    def sent(self, operation: Operation, node: str) -> None:
        """It is about to be sent to a node."""
        with self._lock:
            operation.sent_to.append(node)

    def told(self, operation: Operation, node: str, number: int, height: int, index: int) -> None:
        """A node said what it came to."""
        with self._lock:
            operation.told.append(Told(node, time.monotonic(), number, height, index))

    def read(self, read: Read) -> None:
        """A node answered a question."""
        with self._lock:
            self.history.reads.append(read)

    @property
    def acknowledged(self) -> int:
        """How many operations somebody knows the end of."""
        with self._lock:
            return sum(bool(each.told) for each in self.history.operations.values())
