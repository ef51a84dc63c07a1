"""Sponsors and quotas in the model: who stands for whom, who pays, and what is left."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model.books import VAULT, Books, No, Sponsorship, Turn, need
from tongbao.simulation.model.numbers import GovernanceWhy, Invalid, KernelWhy, SponsorWhy

COMMON: Final = VAULT + "0000"
UNITS: Final = 60_000
"""Of a token; so a bucket gains as many units a millisecond as tokens a minute."""

Rate = tuple[int, int]
"""What a bucket holds, and what flows in each minute, in tokens."""


# Who stands for whom


def holds_good(standing: Sponsorship | None, time: int) -> bool:
    """Whether a sponsorship is there and has not ended."""
    return standing is not None and (standing.expires is None or standing.expires > time)


def carried(books: Books, sponsor: str) -> int:
    """Accounts that a sponsor stands for or has offered to."""
    all_of_them = [*books.sponsorships.values(), *books.offers.values()]
    return sum(one.sponsor == sponsor for one in all_of_them)


def share_of(msg: dict[str, Any]) -> Rate | None:
    """The share that a message tells."""
    share = msg.get("share")
    return None if share is None else (share["capacity"], share["per_minute"])


def stand_for(turn: Turn, account: str, made: Sponsorship) -> None:
    """A sponsorship, or an offer where another pays."""
    books, sponsor = turn.books, made.sponsor
    need(sponsor in books.allowances, SponsorWhy.SENDER_IS_NOT_SPONSOR)
    another = account != sponsor and books.is_open(account)
    need(another, SponsorWhy.ACCOUNT_NOT_FOUND)
    need(account not in books.allowances, SponsorWhy.ACCOUNT_IS_SPONSOR)
    standing = books.sponsorships.get(account)
    paid_by = None
    if standing is not None and holds_good(standing, turn.time):
        paid_by = standing.sponsor if standing.sponsor in books.allowances else None
    if paid_by in (None, sponsor):
        books.offers.pop((account, sponsor), None)
        books.sponsorships[account] = made
    else:
        books.offers[account, sponsor] = made
    most = books.allowances[sponsor][2]
    need(carried(books, sponsor) <= most, SponsorWhy.TOO_MANY_ACCOUNTS)


def grant(turn: Turn, msg: dict[str, Any]) -> None:
    """A sponsor's word."""
    assert turn.sender is not None
    ends = msg.get("expires_at")
    need(ends is None or ends > turn.time, SponsorWhy.EXPIRY_HAS_PASSED)
    stand_for(turn, msg["account"], Sponsorship(turn.sender, ends, share_of(msg)))


def revoke(turn: Turn, msg: dict[str, Any]) -> None:
    """The word is taken back."""
    books, account = turn.books, msg["account"]
    assert turn.sender is not None
    standing = books.sponsorships.get(account)
    stands = standing is not None and standing.sponsor == turn.sender
    offered = (account, turn.sender) in books.offers
    need(stands or offered, SponsorWhy.SPONSORSHIP_NOT_FOUND)
    if stands:
        del books.sponsorships[account]
    books.offers.pop((account, turn.sender), None)


def take(turn: Turn, msg: dict[str, Any]) -> None:
    """An offer is taken."""
    books, sponsor, sender = turn.books, msg["by"], turn.sender
    assert sender is not None
    offer = books.offers.get((sender, sponsor))
    good = holds_good(offer, turn.time) and sponsor in books.allowances
    need(good, SponsorWhy.OFFER_NOT_FOUND)
    assert offer is not None
    need(sender not in books.allowances, SponsorWhy.ACCOUNT_IS_SPONSOR)
    del books.offers[sender, sponsor]
    books.sponsorships[sender] = offer


def leave(turn: Turn, msg: dict[str, Any]) -> None:
    """A sponsor is left."""
    assert turn.sender is not None
    need(turn.sender in turn.books.sponsorships, SponsorWhy.ACCOUNT_HAS_NO_SPONSOR)
    del turn.books.sponsorships[turn.sender]


def set_terms(turn: Turn, msg: dict[str, Any]) -> None:
    """What accounts get that the sender opens."""
    assert turn.sender is not None
    need(turn.sender in turn.books.allowances, SponsorWhy.SENDER_IS_NOT_SPONSOR)
    turn.books.terms[turn.sender] = msg.get("lasts_ms"), share_of(msg)


def end_terms(turn: Turn, msg: dict[str, Any]) -> None:
    """Nothing, from now on."""
    assert turn.sender is not None
    need(turn.sender in turn.books.terms, SponsorWhy.TERMS_NOT_FOUND)
    del turn.books.terms[turn.sender]


def hear_opened(turn: Turn, account: str) -> None:
    """The sender has opened an account."""
    books, opener = turn.books, turn.sender
    if opener is None or opener not in books.terms or opener not in books.allowances:
        return
    lasts, share = books.terms[opener]
    ends = None if lasts is None else turn.time + lasts
    stand_for(turn, account, Sponsorship(opener, ends, share))


def hear_closing(turn: Turn, account: str) -> None:
    """An account is about to close."""
    need(account not in turn.books.allowances, SponsorWhy.SPONSOR_CANNOT_CLOSE)
    turn.books.sponsorships.pop(account, None)
    turn.books.terms.pop(account, None)


RULES: Final = {
    "sponsor.grant": grant,
    "sponsor.revoke": revoke,
    "sponsor.take": take,
    "sponsor.leave": leave,
    "sponsor.set_terms": set_terms,
    "sponsor.end_terms": end_terms,
}


# What operators decide


def set_allowance(turn: Turn, action: dict[str, Any]) -> None:
    """A sponsor, for whom nobody stands."""
    sponsor = action["sponsor"]
    need(turn.books.is_open(sponsor), GovernanceWhy.ACCOUNT_NOT_FOUND)
    allow(turn.books, action)


def allow(books: Books, told: dict[str, Any]) -> None:
    """An account may spend so much."""
    books.sponsorships.pop(told["sponsor"], None)
    allowance = told["capacity"], told["per_minute"], told["accounts"]
    books.allowances[told["sponsor"]] = (*allowance, told.get("rows"))


def end_allowance(turn: Turn, action: dict[str, Any]) -> None:
    """A sponsor no more."""
    need(action["sponsor"] in turn.books.allowances, KernelWhy.ALLOWANCE_NOT_FOUND)
    del turn.books.allowances[action["sponsor"]]
    turn.books.buckets.pop(action["sponsor"], None)


ACTIONS: Final = {
    "governance.set_allowance": set_allowance,
    "governance.end_allowance": end_allowance,
}


# Who pays


class Cashier:
    """Takes tokens during a block, and writes down at its end what is left."""

    def __init__(self, books: Books) -> None:
        """Look into the books."""
        self._books = books
        self._values: dict[str, int] = {}
        self._time = 0
        self._spent: dict[tuple[str, str], int] = {}

    def begin(self, time: int, values: dict[str, int]) -> None:
        """A new block: nobody has paid."""
        self._time, self._values, self._spent = time, values, {}

    def stands(self, sender: str, sponsor: str) -> bool:
        """Whether a sponsor needs not sign for a sender."""
        standing = self._books.sponsorships.get(sender)
        good = holds_good(standing, self._time)
        return good and standing is not None and standing.sponsor == sponsor

    def take(self, payload: dict[str, Any]) -> None:
        """A token for each message, of the sponsor's and of the share, or none."""
        if not self._values["kernel.quotas"]:
            return
        books, sender = self._books, payload["sender"]
        standing = books.sponsorships.get(sender)
        if not holds_good(standing, self._time):
            standing = None
        payer = payload.get("sponsor")
        if payer is None:
            payer = sender if standing is None else standing.sponsor
            payer = payer if payer in books.allowances else COMMON
        elif payer not in books.allowances:
            raise No(Invalid.SPONSOR_HAS_NO_ALLOWANCE)
        rate = self._common if payer == COMMON else books.allowances[payer][:2]
        units = len(payload["messages"]) * UNITS
        need(self.left("bucket", payer, rate) >= units, Invalid.ALLOWANCE_IS_SPENT)
        self._share(sender, standing, payer, units)
        self._spent["bucket", payer] = self.left("bucket", payer, rate) - units

    def _share(self, sender: str, standing: Sponsorship | None, payer: str, units: int) -> None:
        if standing is None or standing.sponsor != payer or standing.share is None:
            return
        left = self.left("share", sender, standing.share)
        need(left >= units, Invalid.SHARE_IS_SPENT)
        self._spent["share", sender] = left - units

    @property
    def _common(self) -> Rate:
        return self._values["kernel.common_capacity"], self._values["kernel.common_per_minute"]

    def left(self, kind: str, account: str, rate: Rate) -> int:
        """What is in a bucket now, in units."""
        full = rate[0] * UNITS
        if (kind, account) in self._spent:
            return min(full, self._spent[kind, account])
        rows = self._books.buckets if kind == "bucket" else self._books.shares
        if account not in rows:
            return full
        level, at = rows[account]
        return min(full, level + (self._time - at) * rate[1])

    def end(self) -> None:
        """What is left stands in the books."""
        for (kind, account), level in self._spent.items():
            rows = self._books.buckets if kind == "bucket" else self._books.shares
            rows[account] = level, self._time
