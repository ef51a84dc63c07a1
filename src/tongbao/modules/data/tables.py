"""The module `data`, its tables, indexes, parameters and role."""

from typing import Final

from tongbao.kernel import Address, AssetId, Hash, Id, Module, Parameter, PublicKey, Small, Time
from tongbao.modules import account, asset, member
from tongbao.modules.data.messages import Why
from tongbao.modules.data.records import (
    Batch,
    Bond,
    Clock,
    Committed,
    Definition,
    Earning,
    Enterprise,
    Licence,
    Named,
    Offer,
    Order,
    Party,
    Proven,
    Serving,
    Source,
    Used,
)
from tongbao.modules.data.types import LONGEST_MS, Period, Phase, Schema

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

OPEN: Final = Phase("open")
SEALED: Final = Phase("sealed")
CONFIRMED: Final = Phase("confirmed")
REVEALED: Final = Phase("revealed")
CLAIMED: Final = Phase("claimed")
SETTLED: Final = Phase("settled")
CANCELLED: Final = Phase("cancelled")
WITHDRAWN: Final = Phase("withdrawn")
LAPSED: Final = Phase("lapsed")
UPHELD: Final = Phase("upheld")
REJECTED: Final = Phase("rejected")

UNDER_WAY: Final = (OPEN, SEALED, CONFIRMED, REVEALED, CLAIMED)
CLOCK: Final = Small(0)
"""The key of the one row of `clocks`."""

module = Module(
    11, "data", uses=(account.module, asset.module), may_use=(member.module,), reasons=Why
)

REGISTRAR: Final = module.role(
    "data_registrar", "registers enterprises, admits data sources, defines data schemas"
)


def lasting(name: str, default: int, meaning: str) -> Parameter:
    """A parameter of so many milliseconds."""
    return module.parameter(name, default=default, low=1, high=LONGEST_MS, meaning=meaning)


SEAL_MS = lasting("seal_ms", 7 * DAY_MS, "milliseconds that an order may wait for its seal")
CONFIRM_MS = lasting("confirm_ms", HOUR_MS, "milliseconds from seal to confirmation")
TRANSFER_MS = lasting(
    "transfer_ms", MINUTE_MS, "milliseconds more for confirmation, for each 64 MiB of a package"
)
REVEAL_MS = lasting("reveal_ms", 6 * HOUR_MS, "milliseconds from confirmation to reveal")
ACCEPT_MS = lasting("accept_ms", DAY_MS, "milliseconds from reveal to settlement")
VERDICT_MS = lasting("verdict_ms", 3 * DAY_MS, "milliseconds from a claim to its panel's verdict")
DELETION_MS = lasting(
    "deletion_ms", 2 * DAY_MS, "milliseconds between `seal_by` and `delete_by` at least"
)
OFFER_MS = lasting("offer_ms", 366 * DAY_MS, "milliseconds that an offer may last")
FREEZE_MS = lasting("freeze_ms", 30 * DAY_MS, "milliseconds that a freeze of an order may last")
MARGIN_MS = lasting(
    "margin_ms", 2 * HOUR_MS, "milliseconds before the deadline when agents reveal no more"
)
HALT_MS = lasting(
    "halt_ms", MINUTE_MS, "a gap between blocks above so many milliseconds makes deadlines grow"
)
LEAST_BOND = module.parameter(
    "least_bond",
    default=10,
    low=1,
    high=1_000_000,
    meaning="whole units of an asset that an agent secures for an order, or a claim deposits",
)
ORDERS_LIMIT = module.parameter(
    "orders_limit",
    default=1_000,
    low=1,
    high=1_000_000,
    meaning="orders under way of a party that never let one lapse; each lapse divides it further",
)
OFFERS_LIMIT = module.parameter(
    "offers_limit", default=100, low=1, high=100, meaning="offers that one owner has"
)
ADJUDICATORS_LIMIT = module.parameter(
    "adjudicators_limit",
    default=100,
    low=3,
    high=100,
    meaning="adjudicators that can be called to panels",
)

schemas = module.table(1, key=Schema, value=Definition)
enterprises = module.table(2, key=Address, value=Enterprise)
sources = module.table(3, key=tuple[Address, Schema], value=Source)
bonds = module.table(4, key=tuple[Address, AssetId], value=Bond, owner=lambda key, bond: key[0])
batches = module.table(5, key=Id, value=Batch, owner=lambda name, batch: batch.source)
by_batch_owner = module.index(6, of=batches, by=lambda batch: batch.owner)
commitments = module.table(7, key=Hash, value=Named)
statements = module.table(8, key=Hash, value=Named)
committed = module.table(
    9, key=tuple[Address, Schema, Period], value=Committed, owner=lambda key, row: key[0]
)
offers = module.table(10, key=Id, value=Offer, owner=lambda name, offer: offer.owner)
by_offer_owner = module.index(11, of=offers, by=lambda offer: offer.owner)
by_offer_expiry = module.index(12, of=offers, by=lambda offer: offer.expires_at)
orders = module.table(13, key=Id, value=Order, owner=lambda name, order: order.buyer)
by_owner = module.index(14, of=orders, by=lambda order: order.owner)
by_buyer = module.index(15, of=orders, by=lambda order: order.buyer)


def due_time(order: Order) -> Time | None:
    """When the phase of an order ends, unless it has grown since; None for one that has ended."""
    return order.deadline if order.phase in UNDER_WAY and not order.late else None


def live_owner(order: Order) -> Address | None:
    """Whose rows an order under way is about."""
    return order.owner if order.phase in UNDER_WAY else None


by_deadline = module.index(16, of=orders, by=due_time)
by_live_owner = module.index(17, of=orders, by=live_owner)
used_keys = module.table(18, key=PublicKey, value=Used)
# Of nobody: the seller's reveal makes it, and a buyer without room for rows would stop that.
licences = module.table(19, key=Id, value=Licence)
by_deletion = module.index(20, of=licences, by=lambda licence: licence.next_at)
by_licensee = module.index(21, of=licences, by=lambda licence: licence.buyer)
by_licensor = module.index(22, of=licences, by=lambda licence: licence.owner)
parties = module.table(23, key=Address, value=Party)
earnings = module.table(24, key=tuple[Address, AssetId], value=Earning)
adjudicators = module.table(25, key=Address, value=Serving)
by_serving = module.index(26, of=adjudicators, by=lambda serving: 0)
clocks = module.table(27, key=Small, value=Clock)
by_tick = module.index(28, of=clocks, by=lambda clock: clock.next_at if clock.open else None)
proven = module.table(29, key=Hash, value=Proven)
