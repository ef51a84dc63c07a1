"""Who has an allowance, and for whom it pays: the rows by which `quotas.py` finds a payer.

Who may set them is not decided here: a module that has asked whom it must calls these functions.
No account has an allowance and a sponsorship, so there is one answer to who pays.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tongbao.kernel.context import Audit, Cursor, Page, View, Work
from tongbao.kernel.identifiers import Address, Count
from tongbao.kernel.kernel_module import (
    COMMON_ROWS,
    Allowance,
    Bucket,
    Carried,
    Sponsorship,
    allowances,
    buckets,
    carried,
    module,
    offers,
    shares,
    sponsorships,
    stored,
    stored_by_payer,
)
from tongbao.kernel.module import Index, Table
from tongbao.kernel.quotas import in_force
from tongbao.kernel.reasons import KernelWhy, require
from tongbao.kernel.storing import move_rows, payer_in

# Allowances


@module.function
def set_allowance(ctx: Work, sponsor: Address, allowance: Allowance) -> None:
    """Make an account a sponsor, or give it another allowance; nobody else pays for it then."""
    before = payer_in(ctx, sponsor)
    _put_sponsorship(ctx, sponsor, None)
    ctx[allowances][sponsor] = allowance
    move_rows(ctx, sponsor, before)


@module.function
def end_allowance(ctx: Work, sponsor: Address) -> None:
    """End an allowance. Its sponsorships stay, pay for nobody, and can be taken elsewhere."""
    require(sponsor in ctx[allowances], KernelWhy.ALLOWANCE_NOT_FOUND)

    # From here it succeeds.
    before = payer_in(ctx, sponsor)
    del ctx[allowances][sponsor]
    move_rows(ctx, sponsor, before)
    if sponsor in ctx[buckets]:
        del ctx[buckets][sponsor]


@module.function
def allowance_of(view: View, sponsor: Address) -> Allowance | None:
    """A sponsor's allowance; None for an account that is no sponsor."""
    return view[allowances].get(sponsor)


@module.function
def bucket_of(view: View, account: Address) -> Bucket | None:
    """What a sponsor's bucket, or the common one, was when it last paid; None where it is full."""
    return view[buckets].get(account)


@module.function
def share_of(view: View, account: Address) -> Bucket | None:
    """What an account's share was when it last paid; None where it is full."""
    return view[shares].get(account)


@module.function
def accounts_of(view: View, sponsor: Address) -> Count:
    """For how many accounts a sponsor stands, or has offered to."""
    found = view[carried].get(sponsor)
    return Count(0) if found is None else found.accounts


@module.function
def storage_of(view: View, account: Address) -> tuple[Address, Count, Count, Count]:
    """Who pays for an account's rows; how many it owns; how many are paid for together; the most.

    Rows that were there before quotas are not counted.
    """
    payer = payer_in(view, account)
    owned, together = view[stored].get(account), view[stored_by_payer].get(payer)
    allowance = view[allowances].get(payer)
    told = None if allowance is None else allowance.rows
    most = view.parameter(COMMON_ROWS) if told is None else told
    counts = (Count(0 if found is None else found.rows) for found in (owned, together))
    return payer, *counts, Count(most)  # type: ignore[return-value]


# Sponsorships and offers


@module.function
def sponsorship_of(view: View, account: Address) -> Sponsorship | None:
    """The sponsorship of an account, also one that has ended."""
    return view[sponsorships].get(account)


@module.function
def pays_for(view: View, account: Address) -> Sponsorship | None:
    """The sponsorship by which an account is paid for now: in force, of one with an allowance."""
    found = view[sponsorships].get(account)
    if found is None or not in_force(found, view.time) or found.sponsor not in view[allowances]:
        return None
    return found


@module.function
def put_sponsorship(ctx: Work, account: Address, made: Sponsorship | None) -> None:
    """Let a sponsor stand for an account, or with None nobody; accounts and rows are counted."""
    before = payer_in(ctx, account)
    _put_sponsorship(ctx, account, made)
    move_rows(ctx, account, before)


def _put_sponsorship(ctx: Work, account: Address, made: Sponsorship | None) -> None:
    before = ctx[sponsorships].get(account)
    if before is not None:
        _count(ctx, before.sponsor, -1)
    if made is not None:
        ctx[sponsorships][account] = made
        _count(ctx, made.sponsor, 1)
    elif before is not None:
        del ctx[sponsorships][account]


@module.function
def offer_of(view: View, account: Address, sponsor: Address) -> Sponsorship | None:
    """What a sponsor has offered to an account."""
    return view[offers].get((account, sponsor))


@module.function
def put_offer(ctx: Work, account: Address, sponsor: Address, made: Sponsorship | None) -> None:
    """Keep a sponsor's offer to an account, or with None no more; its count follows."""
    key = account, sponsor
    was_there = key in ctx[offers]
    if made is not None:
        ctx[offers][key] = made
    elif was_there:
        del ctx[offers][key]
    _count(ctx, sponsor, (made is not None) - was_there)


def _count(ctx: Work, sponsor: Address, more: int) -> None:
    """Bring the count of a sponsor up to date."""
    found = ctx[carried].get(sponsor)
    now = (0 if found is None else found.accounts) + more
    assert now >= 0, sponsor
    if now:
        ctx[carried][sponsor] = Carried(accounts=Count(now))
    elif found is not None:
        del ctx[carried][sponsor]


# Lists


@module.function
def allowances_listed(
    view: View, source: Index[int, Address, Allowance], after: Cursor | None
) -> Page[Address, Allowance]:
    """The sponsors and their allowances, in the order of their addresses, a page at a time."""
    return view.page(source, 0, after)


@module.function
def sponsored_listed(
    view: View, source: Index[Address, Any, Sponsorship], sponsor: Address, after: Cursor | None
) -> Page[Any, Sponsorship]:
    """For whom a sponsor stands, or to whom it has offered, a page at a time."""
    return view.page(source, sponsor, after)


@module.function
def offers_listed(
    view: View,
    source: Table[tuple[Address, Address], Sponsorship],
    account: Address,
    after: Cursor | None,
) -> Page[tuple[Address, Address], Sponsorship]:
    """What sponsors have offered to an account, a page at a time."""
    return view.page(source, account, after)


# What is always true


@module.invariant
def sponsors_have_no_sponsor(view: Audit) -> bool:
    """No account has an allowance and a sponsorship, or stands for itself."""
    return all(
        account not in view[allowances] and account != standing.sponsor
        for account, standing in view[sponsorships].items()
    )


@module.invariant
def carried_counts_accounts(view: Audit) -> bool:
    """The count of each sponsor is how many sponsorships and offers of its there are."""
    counted = Counter(standing.sponsor for standing in view[sponsorships].values())
    counted.update(offer.sponsor for offer in view[offers].values())
    return counted == {sponsor: row.accounts for sponsor, row in view[carried].items()}


@module.invariant
def rows_are_summed_by_payer(view: Audit) -> bool:
    """What one pays for is the sum of the rows of all for whom it pays, and no count is zero."""
    summed: Counter[Address] = Counter()
    for owner, owned in view[stored].items():
        summed[payer_in(view, owner)] += owned.rows
    counts = {payer: together.rows for payer, together in view[stored_by_payer].items()}
    return summed == counts and all(owned.rows for owned in view[stored].values())


@module.invariant
def buckets_hold_what_they_can(view: Audit) -> bool:
    """No bucket or share was filled in a block that is to come."""
    return all(
        bucket.at <= view.time for table in (buckets, shares) for bucket in view[table].values()
    )
