"""The module `asset`, its tables, indexes and parameters."""

from typing import Final

from tongbao.kernel import Address, AssetId, Id, Module, Reference
from tongbao.modules import account, member
from tongbao.modules.asset.control_messages import Act, Capacity, Controls, Standing, Tally
from tongbao.modules.asset.messages import Definition, Holding, Settled, Supply, Why

DAY_MS: Final = 86_400_000

module = Module(2, "asset", uses=(account.module,), may_use=(member.module,), reasons=Why)
FREEZE_MS = module.parameter(
    "freeze_ms",
    default=30 * DAY_MS,
    low=60_000,
    high=3_660 * DAY_MS,
    meaning="milliseconds that a freeze may last; it can be renewed, and each renewal is counted",
)


def issuer_of(asset: AssetId) -> Address:
    """Whose the rows of an asset are, holdings too: else strangers' dust fills one's quota."""
    return Address(asset.partition(".")[2])


definitions = module.table(
    1, key=AssetId, value=Definition, owner=lambda asset, row: issuer_of(asset)
)
supplies = module.table(2, key=AssetId, value=Supply)
holdings = module.table(
    3, key=tuple[Address, AssetId], value=Holding, owner=lambda key, row: issuer_of(key[1])
)
settled = module.table(
    4, key=tuple[AssetId, Reference], value=Settled, owner=lambda key, row: issuer_of(key[0])
)
by_issuer = module.index(5, of=definitions, by=lambda definition: definition.issuer)


def by_account_in_time(act: Act) -> object:
    """Where an act is listed: under whom it hit, the oldest first."""
    return act.account, act.at


controls = module.table(6, key=AssetId, value=Controls)
standings = module.table(7, key=tuple[Address, AssetId], value=Standing)
acts = module.table(8, key=Id, value=Act)
by_account = module.index(9, of=acts, by=by_account_in_time)
tallies = module.table(10, key=tuple[Address, Capacity], value=Tally)
