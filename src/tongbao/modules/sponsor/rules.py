"""How sponsors come to stand for accounts; who pays for a transaction is the kernel's to find."""

from tongbao.kernel import (
    Address,
    Audit,
    Context,
    Count,
    Cursor,
    Module,
    Page,
    Time,
    View,
    Work,
    require,
)
from tongbao.kernel.kernel_module import (
    COMMON,
    COMMON_CAPACITY,
    COMMON_PER_MINUTE,
    Allowance,
    Bucket,
    Share,
    Sponsorship,
    Tokens,
    allowances_in_order,
    by_sponsor,
    offers,
    offers_by_sponsor,
)
from tongbao.kernel.kernel_module import module as kernel
from tongbao.kernel.quotas import TOKEN, Rate, in_force, level_at
from tongbao.kernel.sponsoring import (
    accounts_of,
    allowance_of,
    allowances_listed,
    bucket_of,
    offer_of,
    offers_listed,
    pays_for,
    put_offer,
    put_sponsorship,
    set_allowance,
    share_of,
    sponsored_listed,
    sponsorship_of,
    storage_of,
)
from tongbao.modules import account
from tongbao.modules.account import Closing, Opened
from tongbao.modules.sponsor.messages import (
    EndTerms,
    Grant,
    Leave,
    Payment,
    Revoke,
    SetTerms,
    Sponsor,
    Start,
    Storage,
    Take,
    Terms,
    Why,
)

module = Module(9, "sponsor", uses=(kernel, account.module), reasons=Why)

terms = module.table(1, key=Address, value=Terms)


# How a chain begins


@module.genesis
def begin(ctx: Work, start: Start) -> None:
    """Name the first sponsors, and for whom they stand."""
    for first in start.sponsors:
        require(account.is_open(ctx, first.sponsor), Why.ACCOUNT_NOT_FOUND)
        made = Allowance(
            capacity=first.capacity,
            per_minute=first.per_minute,
            accounts=first.accounts,
            rows=first.rows,
        )
        set_allowance(ctx, first.sponsor, made)
    for first in start.sponsors:
        for address in first.stands_for:
            stand_for(ctx, first.sponsor, address, Sponsorship(sponsor=first.sponsor))


# What sponsors do


def own_allowance(ctx: View, sponsor: Address) -> Allowance:
    """The allowance of who wants to act as a sponsor."""
    found = allowance_of(ctx, sponsor)
    require(found is not None, Why.SENDER_IS_NOT_SPONSOR)
    assert found is not None
    return found


def stand_for(ctx: Work, sponsor: Address, address: Address, made: Sponsorship) -> None:
    """Stand for an account, or offer to where somebody else pays for it."""
    most = own_allowance(ctx, sponsor).accounts
    is_another = address != sponsor and account.is_open(ctx, address)
    require(is_another, Why.ACCOUNT_NOT_FOUND)
    require(allowance_of(ctx, address) is None, Why.ACCOUNT_IS_SPONSOR)
    standing = pays_for(ctx, address)
    if standing is not None and standing.sponsor != sponsor:
        put_offer(ctx, address, sponsor, made)
    else:
        put_offer(ctx, address, sponsor, None)
        put_sponsorship(ctx, address, made)
    require(accounts_of(ctx, sponsor) <= most, Why.TOO_MANY_ACCOUNTS)


@module.handler
def grant(ctx: Context, msg: Grant) -> None:
    """Stand for an account, or offer to."""
    require(msg.expires_at is None or ctx.time < msg.expires_at, Why.EXPIRY_HAS_PASSED)
    made = Sponsorship(sponsor=ctx.sender, expires_at=msg.expires_at, share=msg.share)
    stand_for(ctx, ctx.sender, msg.account, made)


@module.handler
def revoke(ctx: Context, msg: Revoke) -> None:
    """Stand for an account no more, and offer it nothing; also one who is no sponsor any more."""
    standing = sponsorship_of(ctx, msg.account)
    stands = standing is not None and standing.sponsor == ctx.sender
    offered = offer_of(ctx, msg.account, ctx.sender) is not None
    require(stands or offered, Why.SPONSORSHIP_NOT_FOUND)
    if stands:
        put_sponsorship(ctx, msg.account, None)
    put_offer(ctx, msg.account, ctx.sender, None)


@module.handler
def set_terms(ctx: Context, msg: SetTerms) -> None:
    """Stand for the accounts that the sender opens from now on."""
    own_allowance(ctx, ctx.sender)

    # From here it succeeds.
    ctx[terms][ctx.sender] = Terms(lasts_ms=msg.lasts_ms, share=msg.share)


@module.handler
def end_terms(ctx: Context, msg: EndTerms) -> None:
    """Stand for no more accounts by opening them."""
    require(ctx.sender in ctx[terms], Why.TERMS_NOT_FOUND)

    # From here it succeeds.
    del ctx[terms][ctx.sender]


@module.hears(account.opened)
def stand_for_the_opened(ctx: Work, said: Opened) -> None:
    """A sponsor with terms stands for the account that it opens, or doesn't open it."""
    found = ctx[terms].get(said.opener)
    if found is None or allowance_of(ctx, said.opener) is None:
        return
    ends = None if found.lasts_ms is None else Time(ctx.time + found.lasts_ms)
    made = Sponsorship(sponsor=said.opener, expires_at=ends, share=found.share)
    stand_for(ctx, said.opener, said.account, made)


# What accounts do


@module.handler
def take(ctx: Context, msg: Take) -> None:
    """Take an offer, in the place of the sponsor of now."""
    offer = offer_of(ctx, ctx.sender, msg.by)
    is_good = in_force(offer, ctx.time) and allowance_of(ctx, msg.by) is not None
    require(is_good, Why.OFFER_NOT_FOUND)
    require(allowance_of(ctx, ctx.sender) is None, Why.ACCOUNT_IS_SPONSOR)
    put_offer(ctx, ctx.sender, msg.by, None)
    put_sponsorship(ctx, ctx.sender, offer)


@module.handler
def leave(ctx: Context, msg: Leave) -> None:
    """Be stood for no more."""
    require(sponsorship_of(ctx, ctx.sender) is not None, Why.ACCOUNT_HAS_NO_SPONSOR)
    put_sponsorship(ctx, ctx.sender, None)


@module.hears(account.closing)
def end_of_the_closed(ctx: Work, said: Closing) -> None:
    """Nobody stands for a closed account; a sponsor's stays open while others count on it."""
    require(allowance_of(ctx, said.account) is None, Why.SPONSOR_CANNOT_CLOSE)
    put_sponsorship(ctx, said.account, None)
    if said.account in ctx[terms]:
        del ctx[terms][said.account]


# Questions


@module.query
def paying(view: View, account: Address) -> Payment:
    """Who pays for an account's transactions now, and how many messages can be paid at once."""
    standing = pays_for(view, account)
    sponsor = account if standing is None else standing.sponsor
    found = allowance_of(view, sponsor)
    if found is None:
        common = Share(
            capacity=Tokens(view.parameter(COMMON_CAPACITY)),
            per_minute=Tokens(view.parameter(COMMON_PER_MINUTE)),
        )
        return Payment(payer=COMMON, tokens=tokens_of(bucket_of(view, COMMON), common, view.time))
    tokens = tokens_of(bucket_of(view, sponsor), found, view.time)
    if standing is not None and standing.share is not None:
        tokens = min(tokens, tokens_of(share_of(view, account), standing.share, view.time))
    return Payment(payer=sponsor, tokens=tokens, sponsorship=standing)


def tokens_of(bucket: Bucket | None, rate: Rate, time: Time) -> Count:
    """The whole tokens in a bucket at a block's time."""
    return Count(level_at(bucket, rate, time) // TOKEN)


@module.query
def show(view: View, sponsor: Address) -> Sponsor | None:
    """What a sponsor may spend, and has left; nothing for an account that is no sponsor."""
    found = allowance_of(view, sponsor)
    if found is None:
        return None
    tokens = tokens_of(bucket_of(view, sponsor), found, view.time)
    return Sponsor(allowance=found, tokens=tokens, accounts=accounts_of(view, sponsor))


@module.query
def storage(view: View, account: Address) -> Storage:
    """Who pays for an account's rows, and how much room is left there."""
    payer, rows, together, most = storage_of(view, account)
    return Storage(payer=payer, rows=rows, together=together, most=most)


@module.query
def sponsors(view: View, after: Cursor | None = None) -> Page[Address, Allowance]:
    """The sponsors and what they may spend, a page at a time."""
    return allowances_listed(view, allowances_in_order, after)


@module.query
def stood_for(
    view: View, sponsor: Address, after: Cursor | None = None
) -> Page[Address, Sponsorship]:
    """The accounts for which a sponsor stands, ended sponsorships too, a page at a time."""
    return sponsored_listed(view, by_sponsor, sponsor, after)


@module.query
def offered_by(
    view: View, sponsor: Address, after: Cursor | None = None
) -> Page[tuple[Address, Address], Sponsorship]:
    """What a sponsor has offered to accounts, a page at a time."""
    return sponsored_listed(view, offers_by_sponsor, sponsor, after)


@module.query
def offered_to(
    view: View, account: Address, after: Cursor | None = None
) -> Page[tuple[Address, Address], Sponsorship]:
    """What sponsors have offered to an account, a page at a time."""
    return offers_listed(view, offers, account, after)


@module.query
def terms_of(view: View, sponsor: Address) -> Terms | None:
    """How a sponsor stands for accounts that it opens; nothing where it does not."""
    return view[terms].get(sponsor)


# What is always true


@module.invariant
def terms_are_of_the_open(view: Audit) -> bool:
    """Only open accounts have terms: what is closed opens nothing."""
    return all(account.is_open(view, sponsor) for sponsor, _ in view[terms].items())
