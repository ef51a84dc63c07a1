"""Who pays for whom where there are quotas, as far as blocks have told: a copy of a few rows.

Threads and processes that take transactions in can't read the state while a block is decided. So
they have a copy of the rows that say who pays for the senders that they have met, and what is left
in the buckets (`payer_rows.py` says which); and they count what they have let in since.

What a transaction says of itself counts for nothing before its signatures are checked: anybody can
write anybody's name. So it waits under who pays for its sender, whichever sponsor it names, and
takes tokens from nobody before its signatures are known to be right. What is not known here, the
machine judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from tongbao.engines.payer_rows import FORGET, TABLES, ToldRow
from tongbao.engines.solo.ticket import Ticket
from tongbao.kernel import Address, Time
from tongbao.kernel.kernel_module import (
    Allowance,
    SponsoredCount,
    Tokens,
    allowances,
    buckets,
    shares,
    sponsorships,
)
from tongbao.kernel.module import Table
from tongbao.kernel.quotas import TOKEN, Payer, Rate, again_at, cost_of, level_at, payer_of
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.transaction import Payload

STRANGERS: Final = ""
"""The lane that all share whom no block has answered here."""
NONE: Final = (0, 0, 0)


class Known(NamedTuple):
    """Who pays for a sender, and where the levels of bucket and share stand."""

    payer: Payer
    rate: Rate
    bucket: bytes
    share: bytes


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
        self._promised: dict[bytes, int] = {}
        """Units by the bucket's full key, of what was let in and is not answered."""

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
            if table is sponsorships:
                self._known.pop(table.key_of(full_key), None)
            elif table is allowances and row != self._rows.get(full_key, FORGET):
                self._known.clear()
            self._rows[full_key] = row

    def forget(self) -> None:
        """The process that told has ended: another one begins from nothing."""
        self._rows.clear()
        self._known.clear()

    # Asked about transactions

    def admit(self, payload: Payload[Any], time: Time) -> str:
        """Under whom a transaction waits, where quotas are on, if who pays can.

        Raises InvalidTransaction, with the time when there are tokens. Nothing is counted yet.
        """
        known = self._known.get(payload.sender) or self._find(payload.sender, time)
        if known is None:
            return STRANGERS
        account = known.payer.account
        if payload.sponsor is None or payload.sponsor == account:
            self._check(known, cost_of(payload), time)
        return account

    def let_in(self, tickets: Sequence[Ticket], time: Time) -> list[Ticket]:
        """Count the tokens of what is rightly signed. Those that can't be paid for get answers."""
        if not self.is_on:
            return []
        unpaid = []
        promised, all_known = self._promised, self._known
        for ticket in tickets:
            payload = ticket.transaction.payload
            known = all_known.get(payload.sender) or self._find(payload.sender, time)
            if known is None or payload.sponsor not in (None, known.payer.account):
                continue  # the machine judges it
            cost = cost_of(payload)
            try:
                self._check(known, cost, time)
            except InvalidTransaction as error:
                ticket.answer(error)
                unpaid.append(ticket)
                continue
            units, bucket, share = cost * TOKEN, known.bucket, known.share
            promised[bucket] = promised.get(bucket, 0) + units
            if share:
                promised[share] = promised.get(share, 0) + units
            ticket.charge = units, bucket, share
        return unpaid

    def release(self, tickets: Iterable[Ticket]) -> None:
        """They have their answers: what they cost stands in the rows, or they cost nothing."""
        if not self._promised:
            return
        for ticket in tickets:
            if ticket.charge is None:
                continue
            units, bucket, share = ticket.charge
            ticket.charge = None
            self._give_back(bucket, units)
            if share:
                self._give_back(share, units)

    def _give_back(self, full_key: bytes, units: int) -> None:
        left = self._promised[full_key] - units
        if left:
            self._promised[full_key] = left
        else:
            del self._promised[full_key]

    def _find(self, sender: Address, time: Time) -> Known | None:
        """Look one up that is not at hand: who pays for it, as far as is known."""
        try:
            payer = payer_of(self._read, sender, None, time)
            standing = self._rows[sponsorships.full_key(sender)]
            known = Known(
                payer,
                payer.allowance or common(*self._settings[1:]),
                buckets.full_key(payer.account),
                shares.full_key(sender) if payer.share else b"",
            )
            if not {known.bucket, known.share or known.bucket} <= self._rows.keys():
                return None
        except KeyError:
            return None  # not told here
        if standing is None or standing.expires_at is None:
            self._known[sender] = known
        return known

    def _read(self, table: Table[Any, Any], full_key: bytes) -> Any:
        return self._rows[full_key]

    def _check(self, known: Known, cost: int, time: Time) -> None:
        self._check_one(Invalid.ALLOWANCE_IS_SPENT, known.bucket, known.rate, cost, time)
        share = known.payer.share
        if share is not None:
            self._check_one(Invalid.SHARE_IS_SPENT, known.share, share, cost, time)

    def _check_one(self, why: Invalid, full_key: bytes, rate: Rate, cost: int, time: Time) -> None:
        row, promised = self._rows[full_key], self._promised.get(full_key, 0)
        if row is not None and promised + cost * TOKEN <= row.level <= rate.capacity * TOKEN:
            return  # without what has flowed in since
        level = level_at(row, rate, time) - promised
        if level < cost * TOKEN:
            raise spent(why, again_at(level, rate, cost, time), cost)


def common(capacity: int, per_minute: int) -> Allowance:
    """The allowance of all for whom no sponsor pays."""
    return Allowance(
        capacity=Tokens(capacity), per_minute=Tokens(per_minute), accounts=SponsoredCount(0)
    )


def spent(why: Invalid, again: Time | None, cost: int) -> InvalidTransaction:
    """The error of a transaction that nobody can pay for now."""
    when = "never: send fewer messages" if again is None else f"there from the time {again} on"
    return InvalidTransaction(why, f"it costs {cost}, which is {when}", again)
