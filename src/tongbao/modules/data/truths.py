"""What is always true of the data market."""

from collections import Counter

from tongbao.kernel import Address, AssetId, Audit
from tongbao.modules import asset
from tongbao.modules.data.records import Order
from tongbao.modules.data.tables import (
    CLAIMED,
    CLOCK,
    REVEALED,
    UNDER_WAY,
    batches,
    bonds,
    clocks,
    commitments,
    earnings,
    licences,
    module,
    orders,
    parties,
    sources,
    statements,
)


def escrow_of(order: Order) -> int:
    """Units that the vault owns for an order."""
    if order.phase not in UNDER_WAY:
        return 0
    if order.phase == CLAIMED:
        assert order.deposit is not None
        return order.price + order.deposit
    return order.price.units + (0 if order.phase == REVEALED else order.deletion_bond.units)


@module.invariant
def vault_owns_what_is_owed(view: Audit) -> bool:
    """The vault owns, per asset, orders' escrows, licences' bonds, bonds and earnings, no more."""
    owed = Counter[AssetId]()
    for order in view[orders].values():
        owed[order.asset] += escrow_of(order)
    for licence in view[licences].values():
        owed[licence.asset] += licence.bond.units
    for (_, name), bond in view[bonds].items():
        owed[name] += bond.amount.units
    for (_, name), earning in view[earnings].items():
        owed[name] += earning.amount.units
    return +owed == asset.balances_of(view, module.vault)


@module.invariant
def bonds_cover_what_they_secure(view: Audit) -> bool:
    """What is reserved of each bond is what sources and sealed orders ask of it, and is there."""
    asked = Counter[tuple[Address, AssetId]]()
    for (source, _), row in view[sources].items():
        asked[source, row.asset] += row.bond.units
    for order in view[orders].values():
        if order.phase in UNDER_WAY and order.seller is not None and order.secured is not None:
            asked[order.seller, order.asset] += order.secured.units
    reserved = Counter({key: bond.reserved.units for key, bond in view[bonds].items()})
    covered = all(bond.reserved <= bond.amount for bond in view[bonds].values())
    return covered and +asked == +reserved


@module.invariant
def orders_are_counted(view: Audit) -> bool:
    """Parties and the clock count the orders under way, and no others."""
    counted = Counter[Address]()
    waiting = 0
    for order in view[orders].values():
        if order.phase in UNDER_WAY:
            waiting += not order.late
            counted[order.buyer] += 1
            if order.seller is not None:
                counted[order.seller] += 1
    told = Counter({address: party.open for address, party in view[parties].items()})
    row = view[clocks].get(CLOCK)
    return +told == counted and waiting == (0 if row is None else row.open)


@module.invariant
def batches_are_named(view: Audit) -> bool:
    """Each commitment and each version of a month names one batch, and each batch is named."""
    by_commitment = {row.batch for row in view[commitments].values()}
    by_statement = {row.batch for row in view[statements].values()}
    names = {name for name, _ in view[batches].items()}
    return by_commitment == by_statement == names
