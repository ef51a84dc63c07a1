"""What clients and other modules may ask about assets, and what must always be true of them."""

from collections import Counter

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Audit,
    Changes,
    Cursor,
    Id,
    Page,
    View,
)
from tongbao.modules.asset.control_messages import (
    Act,
    Capacity,
    Controls,
    Standing,
    Statement,
    Tally,
)
from tongbao.modules.asset.guards import reserved_in
from tongbao.modules.asset.messages import Definition, Holding, Supply
from tongbao.modules.asset.tables import (
    acts,
    by_account,
    by_issuer,
    controls,
    definitions,
    holdings,
    module,
    standings,
    supplies,
    tallies,
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


@module.query
def controls_of(view: View, asset: AssetId) -> Controls | None:
    """The powers over an asset's holdings, which of them are locked, and what is reserved of it."""
    return view[controls].get(asset)


@module.query
def standing_of(view: View, account: Address, asset: AssetId) -> Standing | None:
    """What stands on one holding: authorisation, limit, freezes and their grounds, reservations."""
    return view[standings].get((account, asset))


@module.query
def controls_on(
    view: View, account: Address, after: Cursor | None = None
) -> Page[tuple[Address, AssetId], Standing]:
    """What stands on every holding of one account, a page at a time."""
    return view.page(standings, account, after)


@module.query
def acts_on(view: View, account: Address, after: Cursor | None = None) -> Page[Id, Act]:
    """Every act on one account's holdings, with its ground, the oldest first, a page at a time."""
    return view.page(by_account, account, after)


@module.query
def acts_by(
    view: View, actor: Address, after: Cursor | None = None
) -> Page[tuple[Address, Capacity], Tally]:
    """How often somebody has acted on holdings as issuer and as supervisor, by kind of act."""
    return view.page(tallies, actor, after)


@module.query
def statement(view: View, asset: AssetId) -> Statement | None:
    """How much of an asset was issued, and how much of it is held, on hold and reserved.

    Every part is a row that can be proven but `held`, which is what the others leave.
    """
    definition = view[definitions].get(asset)
    supply = view[supplies].get(asset)
    if definition is None or supply is None:
        return None
    in_vaults = [view[holdings].get((vault, asset)) for vault in view.vaults]
    on_hold = sum(holding.amount.units for holding in in_vaults if holding is not None)
    rules = view[controls].get(asset)
    reserved = 0 if rules is None or rules.reserved is None else rules.reserved.units
    held = supply.issued.units - on_hold - reserved
    return Statement(
        issued=supply.issued,
        held=Amount.of(held, definition.scale),
        on_hold=Amount.of(on_hold, definition.scale),
        reserved=Amount.of(reserved, definition.scale),
    )


@module.function
def reserved_by(view: Audit, by: Address) -> Counter[tuple[Address, AssetId]]:
    """What the module with this vault has reserved, in units, for that module's invariants."""
    return Counter(
        {
            key: share.amount.units
            for key, standing in view[standings].items()
            for share in standing.reserved
            if share.by == by
        }
    )


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


@module.conserves
def reserved_is_counted(changes: Changes) -> bool:
    """Per asset, all that is reserved changes by what is reserved in holdings."""
    changed = changes[standings]
    if not changed and not changes[controls]:
        return True
    gained: dict[AssetId, int] = {}
    for (_, asset), old, new in changed:
        before = 0 if old is None else reserved_in(old)
        after = 0 if new is None else reserved_in(new)
        gained[asset] = gained.get(asset, 0) + after - before
    for asset, was, now in changes[controls]:
        before = 0 if was is None or was.reserved is None else was.reserved.units
        after = 0 if now is None or now.reserved is None else now.reserved.units
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


@module.invariant
def reserved_is_held(view: Audit) -> bool:
    """Nobody has more reserved than held; per asset, all reservations together are its total."""
    totals = Counter[AssetId]()
    for key, standing in view[standings].items():
        reserved = reserved_in(standing)
        holding = view[holdings].get(key)
        if reserved and (holding is None or holding.amount.units < reserved):
            return False
        totals[key[1]] += reserved
    told = {
        asset: 0 if rules.reserved is None else rules.reserved.units
        for asset, rules in view[controls].items()
    }
    return +totals == +Counter(told)


@module.invariant
def acts_are_counted(view: Audit) -> bool:
    """Each tally counts the acts that are kept, and no others."""
    counted = Counter((act.by, act.capacity, str(act.kind)) for act in view[acts].values())
    told = Counter(
        {
            (by, capacity, kind): getattr(tally, kind)
            for (by, capacity), tally in view[tallies].items()
            for kind in tally.__struct_fields__
        }
    )
    return counted == +told
