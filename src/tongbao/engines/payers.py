"""Who pays for whom where there are quotas, as far as blocks have told: a copy of a few rows.

Threads and processes that take transactions in can't read the state while a block is decided. So
they have a copy of the rows that say who pays for the senders that they have met, and what is left
in the buckets (`payer_rows.py` says which); and they count what they have let in since.

What a transaction says of itself counts for nothing: anybody can write anybody's name, and sign
with a key of their own. So it waits under who pays for its sender, whichever sponsor it names, if a
block has taken its keys for that sender's before; and it takes tokens from nobody before its
signatures are known to be right. What is not known here, the machine judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from tongbao.engines.payer_rows import FORGET, TABLES, ToldRow
from tongbao.engines.solo.ticket import Answer, Ticket
from tongbao.kernel import Address, Time
from tongbao.kernel.kernel_module import (
    Bucket,
    allowances,
    buckets,
    shares,
    sponsorships,
)
from tongbao.kernel.module import Table
from tongbao.kernel.quotas import (
    TOKEN,
    Rate,
    again_at,
    common_allowance,
    cost_of,
    level_at,
    payer_of,
)
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.transaction import Transaction

STRANGERS: Final = ""
"""The lane that all share whom no block has answered here."""
NONE: Final = (0, 0, 0)
SENDERS_LIMIT: Final = 200_000
KEYS_LIMIT: Final = 32
"""Keys that are remembered of a sender: those of two transactions with as many as may sign."""
SPENT: Final = frozenset({Invalid.ALLOWANCE_IS_SPENT, Invalid.SHARE_IS_SPENT})
"""Said by a block of what its sender has rightly signed."""
NOT_ITS_KEYS: Final = frozenset(
    {Invalid.SENDER_IS_UNKNOWN, Invalid.THRESHOLD_IS_NOT_MET, Invalid.SIGNATURE_IS_NOT_ASKED_FOR}
)


class Level:
    """A bucket, or a share, as its row says, and the units of what was let in since."""

    __slots__ = ("least", "promised", "rate", "row")

    def __init__(self, row: Bucket | None) -> None:
        """Of a rate that is set before it is asked."""
        self.row = row
        self.rate: Rate | None = None
        self.promised = 0
        self.least = 0
        """The units that are there at any time from the row's on."""

    def stand(self, row: Bucket | None, rate: Rate | None) -> None:
        """Take a row and a rate as they are now."""
        self.row, self.rate = row, rate
        full = 0 if rate is None else rate.capacity * TOKEN
        self.least = full if row is None else min(full, row.level)

    def check(self, why: Invalid, cost: int, time: Time) -> None:
        """Whether so many tokens are left at a time. Raises InvalidTransaction."""
        assert self.rate is not None
        level = level_at(self.row, self.rate, time) - self.promised
        if level < cost * TOKEN:
            raise spent(why, again_at(level, self.rate, cost, time), cost)


class Known(NamedTuple):
    """Who pays for a sender, out of which bucket and within which share."""

    account: Address
    bucket: Level
    share: Level | None


class Payers:
    """A copy of rows, and the tokens of what was let in. Not safe in several threads at once."""

    def __init__(self) -> None:
        """Without quotas until told."""
        self.is_on = False
        """Whether transactions are paid for."""
        self._settings = NONE
        self._rows: dict[bytes, Any] = {}
        self._known: dict[str, Known] = {}
        """Of senders whose sponsorship has no end."""
        self._signers: dict[str, tuple[str, ...]] = {}
        """The keys with which blocks have taken transactions of a sender, the last ones first."""
        self._levels: dict[bytes, Level] = {}
        """Buckets and shares by their rows' full keys."""

    # Told by the machine's process, between two blocks

    def set(self, settings: tuple[int, int, int]) -> None:
        """The parameters `quotas`, `common_capacity` and `common_per_minute` of the next block."""
        if settings != self._settings:
            self._settings = settings
            self.is_on = settings[0] > 0
            self._known.clear()

    def learn(self, rows: Iterable[ToldRow]) -> None:
        """Rows as they are now, by full key; None for none, and `FORGET` before a new beginning."""
        for full_key, raw in rows:
            if full_key == FORGET:
                self.forget()
                continue
            table = TABLES[full_key[: len(buckets.prefix)]]
            row = None if raw is None else table.decode(raw)
            if table is buckets or table is shares:
                level = self._levels.setdefault(full_key, Level(row))
                level.stand(row, level.rate)
                continue
            if table is sponsorships:
                self._known.pop(table.key_of(full_key), None)
            elif table is allowances and row != self._rows.get(full_key, FORGET):
                self._known.clear()
            self._rows[full_key] = row

    @property
    def size(self) -> int:
        """How many rows it has."""
        return len(self._rows) + len(self._levels)

    def forget(self) -> None:
        """The process that told has ended: another one begins from nothing."""
        self._rows.clear()
        self._levels.clear()
        self._known.clear()

    # Asked about transactions

    def admit(self, transaction: Transaction, time: Time) -> str:
        """Under whom a transaction waits, where quotas are on, if who pays can.

        Raises InvalidTransaction, with the time when there are tokens. Nothing is counted yet.
        """
        known = self._of(transaction, time)
        if known is None:
            return STRANGERS
        payload = transaction.payload
        if payload.sponsor is None or payload.sponsor == known.account:
            check(known, cost_of(payload), time)
        return known.account

    def let_in(self, tickets: Sequence[Ticket], time: Time) -> list[Ticket]:
        """Count the tokens of what is rightly signed. Those that can't be paid for get answers."""
        if not self.is_on:
            return []
        unpaid = []
        for ticket in tickets:
            payload = ticket.transaction.payload
            known = self._of(ticket.transaction, time)
            if known is None or payload.sponsor not in (None, known.account):
                continue  # the machine judges it
            cost = cost_of(payload)
            try:
                check(known, cost, time)
            except InvalidTransaction as error:
                ticket.answer(error)
                unpaid.append(ticket)
                continue
            _, bucket, share = known
            bucket.promised += cost * TOKEN
            if share is not None:
                share.promised += cost * TOKEN
            ticket.charge = cost * TOKEN, bucket, share
        return unpaid

    def answered(self, tickets: Iterable[Ticket]) -> None:
        """They have their answers: what they cost stands in the rows, or they cost nothing."""
        if not self.is_on and not self._levels:
            return
        for ticket in tickets:
            if ticket.charge is not None:
                units, bucket, share = ticket.charge
                ticket.charge = None
                bucket.promised -= units
                if share is not None:
                    share.promised -= units
                if isinstance(ticket.answered, Answer):
                    continue  # under keys that are known
            self._meet(ticket.transaction, ticket.answered)

    def _meet(self, transaction: Transaction, answer: Answer | Exception | None) -> None:
        """Remember with which keys a sender signs: only under these it is taken for itself."""
        sender, signers = transaction.payload.sender, transaction.signers
        seen = self._signers.get(sender, ())
        is_seen = signers == seen or set(signers) <= set(seen)
        why = answer.why if isinstance(answer, InvalidTransaction) else None
        if not is_seen and (isinstance(answer, Answer) or why in SPENT):
            if len(self._signers) >= SENDERS_LIMIT:
                self._signers.clear()
            several = (*signers, *(key for key in seen if key not in signers))
            self._signers[sender] = several[:KEYS_LIMIT]
        elif is_seen and why in NOT_ITS_KEYS:
            self._signers.pop(sender, None)  # it has others now

    def _of(self, transaction: Transaction, time: Time) -> Known | None:
        """Who pays for a sender, unless it has never signed with these keys."""
        sender, signers = transaction.payload.sender, transaction.signers
        seen = self._signers.get(sender)
        if seen is None or (signers != seen and not set(signers) <= set(seen)):
            return None
        return self._known.get(sender) or self._find(sender, time)

    def _find(self, sender: Address, time: Time) -> Known | None:
        """Look one up that is not at hand: who pays for it, as far as is known."""
        try:
            payer = payer_of(self._read, sender, None, time)
            standing = self._rows[sponsorships.full_key(sender)]
            bucket = self._levels[buckets.full_key(payer.account)]
            share = self._levels[shares.full_key(sender)] if payer.share else None
        except KeyError:
            return None  # not told here
        bucket.stand(bucket.row, payer.allowance or common_allowance(*self._settings[1:]))
        if share is not None:
            share.stand(share.row, payer.share)
        known = Known(payer.account, bucket, share)
        if standing is None or standing.expires_at is None:
            self._known[sender] = known
        return known

    def _read(self, table: Table[Any, Any], full_key: bytes) -> Any:
        return self._rows[full_key]


def check(known: Known, cost: int, time: Time) -> None:
    """Whether a sender's payer has so many tokens, and its share. Raises InvalidTransaction."""
    units = cost * TOKEN
    _, bucket, share = known
    if bucket.promised + units > bucket.least:
        bucket.check(Invalid.ALLOWANCE_IS_SPENT, cost, time)
    if share is not None and share.promised + units > share.least:
        share.check(Invalid.SHARE_IS_SPENT, cost, time)


def spent(why: Invalid, again: Time | None, cost: int) -> InvalidTransaction:
    """The error of a transaction that nobody can pay for now."""
    when = "never: send fewer messages" if again is None else f"there from the time {again} on"
    return InvalidTransaction(why, f"it costs {cost}, which is {when}", again)
