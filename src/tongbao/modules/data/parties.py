"""How many orders a party has under way, and how its lapses limit them."""

from msgspec.structs import replace

from tongbao.kernel import Address, Count, View, Work, require
from tongbao.modules.data.messages import Why
from tongbao.modules.data.records import Party
from tongbao.modules.data.tables import ORDERS_LIMIT, parties


def party_of(ctx: View, address: Address) -> Party:
    """What is known of a party."""
    return ctx[parties].get(address) or Party()


def join(ctx: Work, address: Address) -> None:
    """One order more, within what the party's lapses leave it: one at least."""
    party = party_of(ctx, address)
    most = max(1, ctx.parameter(ORDERS_LIMIT) // (1 + party.lapses))
    require(party.open < most, Why.TOO_MANY_ORDERS)
    ctx[parties][address] = replace(party, open=Count(party.open + 1))


def leave(ctx: Work, address: Address, *, lapsed: bool = False) -> None:
    """One order less; it has lapsed by this party, or not. No row where nothing is to say."""
    party = party_of(ctx, address)
    left = Party(open=Count(party.open - 1), lapses=Count(party.lapses + lapsed))
    if left == Party():
        del ctx[parties][address]
    else:
        ctx[parties][address] = left
