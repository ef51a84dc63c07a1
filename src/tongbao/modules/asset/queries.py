"""What clients and other modules may ask about assets, and what must always be true of them."""

from collections import Counter

from tongbao.kernel import Address, AssetId, Audit, Changes, Cursor, Page, Small, View
from tongbao.modules.asset.messages import Definition, Holding, Supply
from tongbao.modules.asset.rules import (
    by_issuer,
    definitions,
    holdings,
    module,
    supplies,
)


@module.query
def show(view: View, asset: AssetId) -> Definition | None:
    """What an asset is."""
    return view[definitions].get(asset)


@module.query
def supply(view: View, asset: AssetId) -> Supply | None:
    """How much of an asset was issued and not redeemed."""
    return view[supplies].get(asset)


@module.query
def balance(view: View, account: Address, asset: AssetId) -> Holding | None:
    """What one account holds of one asset."""
    return view[holdings].get((account, asset))


@module.query
def held_by(
    view: View, account: Address, after: Cursor | None = None
) -> Page[tuple[Address, AssetId], Holding]:
    """Everything that one account holds, a page at a time."""
    return view.page(holdings, account, after)


@module.query
def issued_by(
    view: View, issuer: Address, after: Cursor | None = None
) -> Page[AssetId, Definition]:
    """The assets that one account defined, a page at a time."""
    return view.page(by_issuer, issuer, after)


@module.function
def scale_of(view: View, asset: AssetId) -> Small | None:
    """How many decimals an asset has; None for one that is not defined."""
    definition = view[definitions].get(asset)
    return None if definition is None else definition.scale


@module.function
def balances_of(view: Audit, owner: Address) -> Counter[AssetId]:
    """What one owner holds, in units by asset, for the invariants of modules with a vault."""
    held = Counter[AssetId]()
    for (account, asset), holding in view[holdings].items():
        if account == owner:
            held[asset] = holding.amount.units
    return held


@module.conserves
def issued_equals_held(changes: Changes) -> bool:
    """Per asset, what was issued is what holdings gained, in what this transaction wrote."""
    gained: dict[AssetId, int] = {}
    for (_, asset), old, new in changes[holdings]:
        before = 0 if old is None else old.amount.units
        after = 0 if new is None else new.amount.units
        gained[asset] = gained.get(asset, 0) + after - before
    for asset, was, now in changes[supplies]:
        before = 0 if was is None else was.issued.units
        after = 0 if now is None else now.issued.units
        gained[asset] = gained.get(asset, 0) + before - after
    return not any(gained.values())


@module.invariant
def issued_is_held(view: Audit) -> bool:
    """Per asset, all holdings together are what was issued; every amount has its decimals."""
    held = Counter[AssetId]()
    for (_, asset), holding in view[holdings].items():
        definition = view[definitions].get(asset)
        if definition is None or holding.amount.decimals != definition.scale:
            return False
        if not holding.amount:
            return False
        held[asset] += holding.amount.units
    issued = Counter({asset: row.issued.units for asset, row in view[supplies].items()})
    return held == issued


@module.invariant
def nothing_exceeds_its_cap(view: Audit) -> bool:
    """No asset was issued beyond its cap."""
    for asset, definition in view[definitions].items():
        row = view[supplies].get(asset)
        if row is None or (definition.cap is not None and row.issued.units > definition.cap.units):
            return False
    return True
