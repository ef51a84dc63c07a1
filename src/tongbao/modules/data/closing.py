"""Who stays: an account with business in the data market is not closed."""

from tongbao.kernel import Work, require
from tongbao.modules import account
from tongbao.modules.account import Closing
from tongbao.modules.data.messages import Why
from tongbao.modules.data.tables import (
    adjudicators,
    bonds,
    by_licensee,
    by_licensor,
    by_live_owner,
    by_offer_owner,
    earnings,
    enterprises,
    module,
    parties,
)


@module.hears(account.closing)
def keep_parties_open(ctx: Work, said: Closing) -> None:
    """Money that is owed to a closed account would be nobody's; so it stays until none is."""
    who = said.account
    party = ctx[parties].get(who)
    is_busy = (
        (party is not None and party.open > 0)
        or ctx.page(bonds, who, None, limit=1).rows
        or ctx.page(earnings, who, None, limit=1).rows
        or ctx.page(by_live_owner, who, None, limit=1).rows
        or ctx.page(by_licensee, who, None, limit=1).rows
        or ctx.page(by_licensor, who, None, limit=1).rows
        or ctx.page(by_offer_owner, who, None, limit=1).rows
        or who in ctx[enterprises]
        or who in ctx[adjudicators]
    )
    require(not is_busy, Why.PARTY_CANNOT_CLOSE)
