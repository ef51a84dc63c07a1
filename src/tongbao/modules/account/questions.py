"""What clients may ask about accounts, who signs for them, and what is always true of them."""

from collections import Counter

from tongbao.kernel import Address, Audit, Cursor, Id, Keys, Page, View
from tongbao.kernel.transaction import LANES_LIMIT
from tongbao.modules.account.checks import is_shared
from tongbao.modules.account.messages import (
    Account,
    Before,
    Change,
    Guard,
    Incoming,
    Recovery,
    SubAccount,
)
from tongbao.modules.account.tables import (
    accounts,
    changes,
    guards,
    incoming,
    module,
    recoveries,
    recoveries_by_account,
    rescues,
    sub_accounts,
)


@module.authenticates
def keys_of(view: View, address: Address) -> Keys | None:
    """The keys that sign for an address; None for no account and for a closed one."""
    account = view[accounts].get(address)
    if account is None or account.closed_into is not None:
        return None
    return Keys(
        keys=account.keys,
        ordinary=account.ordinary,
        sensitive=account.sensitive,
        lanes=account.lanes,
    )


@module.query
def show(view: View, address: Address) -> Account | None:
    """An account's keys, thresholds, lanes and, when closed, its heir."""
    return view[accounts].get(address)


@module.query
def guardians(view: View, address: Address) -> Guard | None:
    """Who may recover an account; nothing where nobody may."""
    return view[guards].get(address)


@module.query
def change(view: View, address: Address) -> Change | None:
    """What an account with guardians waits to become, and when."""
    return view[changes].get(address)


@module.query
def recovery(view: View, recovery: Id) -> Recovery | None:
    """One recovery that is under way."""
    return view[recoveries].get(recovery)


@module.query
def recoveries_under_way(
    view: View, address: Address, after: Cursor | None = None
) -> Page[Id, Recovery]:
    """What guardians ask for an account: its owner looks here for what to veto."""
    return view.page(recoveries_by_account, address, after)


@module.query
def before_recovery(view: View, address: Address) -> Before | None:
    """Whose an account was before its last recovery, or the first of several in 30 days."""
    return view[rescues].get(address)


@module.query
def opened_under(
    view: View, address: Address, after: Cursor | None = None
) -> Page[tuple[Address, Address], SubAccount]:
    """The accounts that were opened under one, closed ones too, a page at a time."""
    return view.page(sub_accounts, address, after)


@module.query
def incoming_of(view: View, address: Address) -> Incoming | None:
    """What an account asks of payments to it; nothing where they need no reference."""
    return view[incoming].get(address)


@module.invariant
def every_open_account_can_sign(view: Audit) -> bool:
    """Thresholds are in reach in every open account; a closed one has no keys and an heir."""
    for account in view[accounts].values():
        weight = sum(entry.weight for entry in account.keys)
        if account.closed_into is None:
            reachable = 1 <= account.ordinary <= account.sensitive <= weight
            if not reachable or not 1 <= account.lanes <= LANES_LIMIT:
                return False
        elif account.keys or account.closed_into not in view[accounts]:
            return False
    return True


@module.invariant
def no_key_alone_speaks_for_a_guarded_account(view: Audit) -> bool:
    """Guardians can agree, and whoever has one key of their account has no veto."""
    for address, guard in view[guards].items():
        account = view[accounts].get(address)
        if account is None or not is_shared(account.keys, account.sensitive):
            return False
        if not 1 <= guard.threshold <= len(set(guard.guardians)) == len(guard.guardians):
            return False
    return all(address in view[guards] for address in dict(view[changes].items()))


@module.invariant
def recoveries_are_of_guardians(view: Audit) -> bool:
    """Guardians alone approve; one that enough have approved waits, and no change beside it."""
    waiting = Counter[Address]()
    for asked in view[recoveries].values():
        guard = view[guards].get(asked.account)
        if guard is None or not set(asked.approvals) <= set(guard.guardians):
            return False
        if asked.waits != (len(asked.approvals) >= guard.threshold):
            return False
        waiting[asked.account] += asked.waits
    return all(count <= 1 for count in waiting.values()) and not any(
        waiting[address] for address, _ in view[changes].items()
    )
