"""The module, its rows, its parameter, and what it tells the modules above it."""

from typing import Final

from tongbao.kernel import Address, Id, Module
from tongbao.kernel.kernel_module import DAY_MS
from tongbao.modules.account.messages import (
    Account,
    Before,
    Change,
    Closing,
    Guard,
    Incoming,
    Opened,
    Recovery,
    SubAccount,
    Why,
)

YOUNG_MS: Final = 30 * DAY_MS
"""For so long after a recovery the keys that it brought have no veto, and guardians stay."""

LATE_MS: Final = 3_600_000
"""What falls due later than this has waited while nobody could object: it waits once more."""

module = Module(1, "account", reasons=Why)

WAIT_MS = module.parameter(
    "wait_ms",
    default=3 * DAY_MS,
    low=3_600_000,
    high=30 * DAY_MS,
    meaning="milliseconds that recoveries, and changes of accounts with guardians, wait",
)

accounts = module.table(1, key=Address, value=Account, owner=lambda address, row: address)
guards = module.table(2, key=Address, value=Guard)
changes = module.table(4, key=Address, value=Change)
changes_by_time = module.index(3, of=changes, by=lambda change: change.due_at)
recoveries = module.table(5, key=Id, value=Recovery)
recoveries_by_time = module.index(6, of=recoveries, by=lambda recovery: recovery.due_at)
recoveries_by_account = module.index(7, of=recoveries, by=lambda recovery: recovery.account)
rescues = module.table(8, key=Address, value=Before)
sub_accounts = module.table(
    9, key=tuple[Address, Address], value=SubAccount, owner=lambda key, row: key[0]
)
incoming = module.table(10, key=Address, value=Incoming, owner=lambda address, row: address)

opened = module.announcement(Opened)
closing = module.announcement(Closing)
