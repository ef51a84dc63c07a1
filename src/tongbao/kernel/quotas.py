"""Who pays for a transaction, and whether it can: buckets of tokens that fill with block time.

There is no coin, so what stands between a chain and a flood is a sponsor: an institution that has
an allowance, pays for itself, and for accounts that it stands for. One token pays one message,
whether the transaction is applied or refused; a transaction that nobody can pay for is invalid.
All for whom no sponsor pays share one bucket, which is never closed: nobody is locked out for ever.

Buckets are rows, written once a block. Integers alone: a token has 60,000 units, so that a bucket
gains `per_minute` units each millisecond (a token bucket as in RFC 2697, metered in messages).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from tongbao.kernel.identifiers import Address, Count, Time
from tongbao.kernel.kernel_module import (
    COMMON,
    COMMON_CAPACITY,
    COMMON_PER_MINUTE,
    QUOTAS,
    Allowance,
    Bucket,
    Share,
    SponsoredCount,
    Sponsorship,
    Tokens,
    allowances,
    buckets,
    shares,
    sponsorships,
)
from tongbao.kernel.module import Table
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.state import State
from tongbao.kernel.transaction import Payload

TOKEN: Final = 60_000
"""The units of a token."""

ReadRow = Callable[[Table[Any, Any], bytes], Any]
"""The row of a table under a full key, or None: `State.read`, or one like it."""

Rate = Allowance | Share
"""How much a bucket holds, and what flows into it."""

Bucketed = Table[Address, Bucket]


class Payer(NamedTuple):
    """Whose bucket pays, with its allowance (None: in common), and the sender's share of it."""

    account: Address
    allowance: Allowance | None
    share: Share | None


Charge = tuple[Address, int, Address | None, int]
"""What one transaction leaves: in whose bucket, and in whose share of it, how many units.

A plain tuple, as one is made for each payment.
"""


def cost_of(payload: Payload[Any]) -> int:
    """The tokens that a transaction costs."""
    return len(payload.messages)


def level_at(bucket: Bucket | None, rate: Rate, time: Time) -> int:
    """What is in a bucket at a block's time, in units; one without a row is full."""
    full = rate.capacity * TOKEN
    if bucket is None:
        return full
    return min(full, bucket.level + (time - bucket.at) * rate.per_minute)


def again_at(level: int, rate: Rate, cost: int, time: Time) -> Time | None:
    """When a bucket with `level` units at `time` can pay `cost` tokens; None where it never can."""
    if cost > rate.capacity:
        return None
    lacks = max(0, cost * TOKEN - level)
    return Time(time + -(-lacks // rate.per_minute))


def in_force(sponsorship: Sponsorship | None, time: Time) -> bool:
    """Whether a sponsorship has not ended at a block's time."""
    if sponsorship is None:
        return False
    return sponsorship.expires_at is None or time < sponsorship.expires_at


def stands_for(read: ReadRow, payload: Payload[Any], time: Time) -> bool:
    """Whether the sponsor that a payload names stands for its sender without a signature."""
    found: Sponsorship | None = read(sponsorships, sponsorships.full_key(payload.sender))
    return found is not None and found.sponsor == payload.sponsor and in_force(found, time)


def payer_of(read: ReadRow, sender: Address, named: Address | None, time: Time) -> Payer:
    """Whose tokens pay for a sender's transaction that names this sponsor, or none.

    Raises InvalidTransaction where it names one that has no allowance.
    """
    return Payer(*_payer(read, sender, named, time))


def _payer(
    read: ReadRow, sender: Address, named: Address | None, time: Time
) -> tuple[Address, Allowance | None, Share | None]:
    """As `payer_of`, for each payment."""
    standing: Sponsorship | None = read(sponsorships, sponsorships.full_key(sender))
    share = None
    payer = sender if named is None else named
    if standing is not None and (standing.expires_at is None or time < standing.expires_at):
        if named is None:
            payer = standing.sponsor
        if payer == standing.sponsor:
            share = standing.share
    allowance: Allowance | None = read(allowances, allowances.full_key(payer))
    if allowance is not None:
        return payer, allowance, share
    if named is not None:
        raise InvalidTransaction(Invalid.SPONSOR_HAS_NO_ALLOWANCE)
    return COMMON, None, None


class Quotas:
    """The charges of one block, or of what may come into one."""

    def __init__(self, read: ReadRow) -> None:
        """Read rows by `read`; `begin` comes first."""
        self.is_on = False
        """Whether transactions are paid for at all."""
        self._read = read
        self._time = Time(0)
        self._common = common_allowance(COMMON_CAPACITY.default, COMMON_PER_MINUTE.default)
        # Units that are left in those buckets and shares that have paid, and in no others: what
        # was only asked leaves nothing behind, so a block without it comes to the same.
        self._buckets: dict[Address, int] = {}
        self._shares: dict[Address, int] = {}

    def begin(self, time: Time, parameters: Mapping[str, int]) -> None:
        """Forget all charges, for a block of another time."""
        self.is_on = parameters[QUOTAS.name] > 0
        self._time = time
        self._buckets.clear()
        self._shares.clear()
        if self.is_on:
            self._common = common_allowance(
                parameters[COMMON_CAPACITY.name], parameters[COMMON_PER_MINUTE.name]
            )

    def ask(self, payload: Payload[Any]) -> Charge:
        """What a transaction costs whom, after all that was paid since `begin`.

        Raises InvalidTransaction where the bucket or the share has too little.
        """
        sender = payload.sender
        payer, allowance, share = _payer(self._read, sender, payload.sponsor, self._time)
        cost = len(payload.messages)
        units = cost * TOKEN
        rate = self._common if allowance is None else allowance
        left = self._left(self._buckets, buckets, payer, rate) - units
        if left < 0:
            self._lacks(Invalid.ALLOWANCE_IS_SPENT, left + units, rate, cost)
        if share is None:
            return payer, left, None, 0
        share_left = self._left(self._shares, shares, sender, share) - units
        if share_left < 0:
            self._lacks(Invalid.SHARE_IS_SPENT, share_left + units, share, cost)
        return payer, left, sender, share_left

    def pay(self, charge: Charge) -> None:
        """Take what `ask` has given, before anything else is asked."""
        payer, left, sharer, share_left = charge
        self._buckets[payer] = left
        if sharer is not None:
            self._shares[sharer] = share_left

    def _left(self, paid: dict[Address, int], table: Bucketed, account: Address, rate: Rate) -> int:
        """The units in a bucket after what it has paid; a share may be another one by now."""
        level = paid.get(account)
        if level is None:
            return level_at(self._read(table, table.full_key(account)), rate, self._time)
        return min(level, rate.capacity * TOKEN)

    def write(self, state: State) -> None:
        """Write the buckets that have paid, one row each."""
        for table, paid in ((buckets, self._buckets), (shares, self._shares)):
            for account, level in paid.items():
                row = Bucket(level=Count(level), at=self._time)
                state.write(table, account, table.full_key(account), row)

    def _lacks(self, why: Invalid, level: int, rate: Rate, cost: int) -> None:
        time = again_at(level, rate, cost, self._time)
        said = f"it costs {cost} and the bucket holds {rate.capacity} at most: send fewer messages"
        if time is not None:
            said = f"it costs {cost}, which is there from the time {time} on"
        raise InvalidTransaction(why, said, time)


def common_allowance(capacity: int, per_minute: int) -> Allowance:
    """The allowance of all for whom no sponsor pays, as the chain's parameters have it."""
    return Allowance(
        capacity=Tokens(capacity), per_minute=Tokens(per_minute), accounts=SponsoredCount(0)
    )
