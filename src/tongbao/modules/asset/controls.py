"""The powers of an asset's issuer, and of supervisors, over holdings of it."""

from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Address, Amount, AssetId, Context, Hash, Small, View, require
from tongbao.modules import account, member
from tongbao.modules.asset.control_messages import (
    CLAWBACK,
    FREEZING,
    GROUNDS,
    ISSUER,
    LIMITS,
    SUPERVISOR,
    Authorise,
    Capacity,
    ClawBack,
    Controls,
    Deauthorise,
    Flag,
    Freeze,
    Frozen,
    SetFlags,
    SetLimit,
    Standing,
    Unfreeze,
)
from tongbao.modules.asset.guards import NOTHING_STANDS, check_way, is_issuer, reserved_in
from tongbao.modules.asset.keeping import note, put_standing
from tongbao.modules.asset.messages import Moved, Why
from tongbao.modules.asset.rules import credit, debit, defined, issued_of
from tongbao.modules.asset.tables import FREEZE_MS, controls, definitions, module, standings

NO_CONTROLS: Final = Controls()


# Who may


def is_supervisor(ctx: View, address: Address) -> bool:
    """Whether an account acts for a member that is a supervisor."""
    return member.has_role(ctx, address, member.SUPERVISOR)


def require_issuer(ctx: Context, asset: AssetId) -> None:
    """Refuse whoever has not defined the asset."""
    definition = ctx[definitions].one(asset, Why.ASSET_NOT_FOUND)
    require(definition.issuer == ctx.sender, Why.SENDER_IS_NOT_ISSUER)


def require_power(ctx: Context, asset: AssetId, flag: Flag) -> None:
    """Refuse whoever is not the issuer of the asset, or a power that is not switched on."""
    require_issuer(ctx, asset)
    rules = ctx[controls].get(asset) or NO_CONTROLS
    require(flag in rules.flags, Why.CONTROL_IS_OFF)


def require_supervisor(ctx: Context, asset: AssetId) -> None:
    """Refuse whoever is no supervisor. Flags bind issuers: a supervisor's power is the chain's."""
    require(asset in ctx[definitions], Why.ASSET_NOT_FOUND)
    require(is_supervisor(ctx, ctx.sender), Why.SENDER_IS_NOT_SUPERVISOR)


def require_holder(ctx: View, asset: AssetId, holder: Address, capacity: Capacity) -> None:
    """Refuse what is no open account; an issuer has no power over its own holding."""
    is_own = capacity == ISSUER and is_issuer(asset, holder)
    require(not is_own and account.is_open(ctx, holder), Why.HOLDER_NOT_FOUND)


def require_ground(reason: Small) -> None:
    """Refuse a number that is no ground."""
    require(reason in GROUNDS, Why.REASON_IS_UNKNOWN)


def standing_of(ctx: View, holder: Address, asset: AssetId) -> Standing:
    """What stands on a holding."""
    return ctx[standings].get((holder, asset)) or NOTHING_STANDS


# What an issuer decides about an asset


@module.handler
def set_flags(ctx: Context, msg: SetFlags) -> None:
    """Switch flags and lock them. Nobody who holds an asset is surprised by clawback."""
    require_issuer(ctx, msg.asset)
    named = (*msg.switch_on, *msg.switch_off)
    is_plain = len(set(named)) == len(named) and len(set(msg.lock)) == len(msg.lock)
    require(is_plain, Why.FLAGS_CONTRADICT)
    rules = ctx[controls].get(msg.asset) or NO_CONTROLS
    require(not set(named) & set(rules.locked), Why.FLAG_IS_LOCKED)
    changed = replace(
        rules,
        flags=tuple(sorted({*rules.flags, *msg.switch_on} - {*msg.switch_off})),
        locked=tuple(sorted({*rules.locked, *msg.lock})),
    )
    require(changed != rules, Why.NOTHING_CHANGES)
    is_new = CLAWBACK in changed.flags and CLAWBACK not in rules.flags
    require(not is_new or issued_of(ctx, msg.asset) == 0, Why.CLAWBACK_COMES_TOO_LATE)

    # From here it succeeds.
    ctx[controls][msg.asset] = changed


@module.handler
def authorise(ctx: Context, msg: Authorise) -> None:
    """Authorise a holder. That may come before the flag that asks for it."""
    require_issuer(ctx, msg.asset)
    require_holder(ctx, msg.asset, msg.account, ISSUER)
    standing = standing_of(ctx, msg.account, msg.asset)
    require(not standing.authorised, Why.NOTHING_CHANGES)

    # From here it succeeds.
    put_standing(ctx, msg.account, msg.asset, replace(standing, authorised=True))
    note(ctx, "authorised", msg.asset, msg.account, ISSUER)


@module.handler
def deauthorise(ctx: Context, msg: Deauthorise) -> None:
    """Take an authorisation back."""
    require_issuer(ctx, msg.asset)
    require_ground(msg.reason)
    standing = standing_of(ctx, msg.account, msg.asset)
    require(standing.authorised, Why.NOTHING_CHANGES)

    # From here it succeeds.
    put_standing(ctx, msg.account, msg.asset, replace(standing, authorised=False))
    note(
        ctx,
        "deauthorised",
        msg.asset,
        msg.account,
        ISSUER,
        reason=msg.reason,
        basis_hash=msg.basis_hash,
    )


@module.handler
def set_limit(ctx: Context, msg: SetLimit) -> None:
    """Limit one holding or all; what is held beyond a limit stays, and nothing comes to it."""
    require_power(ctx, msg.asset, LIMITS)
    require_ground(msg.reason)
    if msg.limit is not None:
        defined(ctx, msg.asset, msg.limit)
    if msg.account is None:
        rules = ctx[controls].get(msg.asset)
        assert rules is not None
        require(rules.limit != msg.limit, Why.NOTHING_CHANGES)
        ctx[controls][msg.asset] = replace(rules, limit=msg.limit)
        return
    require_holder(ctx, msg.asset, msg.account, ISSUER)
    standing = standing_of(ctx, msg.account, msg.asset)
    require(standing.limit != msg.limit, Why.NOTHING_CHANGES)

    # From here it succeeds.
    put_standing(ctx, msg.account, msg.asset, replace(standing, limit=msg.limit))
    note(
        ctx,
        "limited",
        msg.asset,
        msg.account,
        ISSUER,
        reason=msg.reason,
        amount=msg.limit,
        basis_hash=msg.basis_hash,
    )


# Freezes


@module.handler
def freeze(ctx: Context, msg: Freeze) -> None:
    """Freeze a holding until a time."""
    capacity = SUPERVISOR if msg.as_supervisor else ISSUER
    if msg.as_supervisor:
        require_supervisor(ctx, msg.asset)
    else:
        require_power(ctx, msg.asset, FREEZING)
    require_ground(msg.reason)
    require(msg.until > ctx.time, Why.END_HAS_PASSED)
    require(msg.until <= ctx.time + ctx.parameter(FREEZE_MS), Why.FREEZE_IS_TOO_LONG)
    require_holder(ctx, msg.asset, msg.account, capacity)

    # From here it succeeds.
    frozen = Frozen(
        by=ctx.sender, scope=msg.scope, reason=msg.reason, since=ctx.time, until=msg.until
    )
    put_freeze(ctx, msg.asset, msg.account, capacity, frozen)
    note(
        ctx,
        "frozen",
        msg.asset,
        msg.account,
        capacity,
        reason=msg.reason,
        scope=msg.scope,
        until=msg.until,
        basis_hash=msg.basis_hash,
    )


@module.handler
def unfreeze(ctx: Context, msg: Unfreeze) -> None:
    """End a freeze before its time. An issuer may, whatever its asset's flags are by now."""
    capacity = SUPERVISOR if msg.as_supervisor else ISSUER
    if msg.as_supervisor:
        require_supervisor(ctx, msg.asset)
    else:
        require_issuer(ctx, msg.asset)
    standing = standing_of(ctx, msg.account, msg.asset)
    frozen = standing.frozen_by_supervisor if msg.as_supervisor else standing.frozen_by_issuer
    require(frozen is not None and ctx.time < frozen.until, Why.FREEZE_NOT_FOUND)

    # From here it succeeds.
    put_freeze(ctx, msg.asset, msg.account, capacity, None)
    note(ctx, "unfrozen", msg.asset, msg.account, capacity)


def put_freeze(
    ctx: Context, asset: AssetId, holder: Address, capacity: Capacity, frozen: Frozen | None
) -> None:
    """Write a freeze or its end; a controlled asset is one that payments look at."""
    standing = standing_of(ctx, holder, asset)
    if capacity == SUPERVISOR:
        changed = replace(standing, frozen_by_supervisor=frozen)
    else:
        changed = replace(standing, frozen_by_issuer=frozen)
    put_standing(ctx, holder, asset, changed)
    if asset not in ctx[controls]:
        ctx[controls][asset] = NO_CONTROLS


# Taking back


@module.handler
def claw_back(ctx: Context, msg: ClawBack) -> None:
    """Move value from a holder to the issuer, frozen and unauthorised holdings included."""
    require_power(ctx, msg.asset, CLAWBACK)
    require_ground(msg.reason)
    defined(ctx, msg.asset, msg.amount)
    require_holder(ctx, msg.asset, msg.account, ISSUER)
    check_way(ctx, msg.asset, None, ctx.sender, msg.amount.units)
    standing = standing_of(ctx, msg.account, msg.asset)
    debit(ctx, msg.asset, msg.account, msg.amount, reserved_in(standing))

    # From here it succeeds.
    credit(ctx, msg.asset, ctx.sender, msg.amount)
    ctx.emit(Moved(asset=msg.asset, amount=msg.amount, payer=msg.account, payee=ctx.sender))
    note(
        ctx,
        "clawed_back",
        msg.asset,
        msg.account,
        ISSUER,
        reason=msg.reason,
        amount=msg.amount,
        basis_hash=msg.basis_hash,
    )


@module.function
def recall(
    ctx: Context,
    asset: AssetId,
    holder: Address,
    amount: Amount,
    reason: Small,
    basis_hash: Hash | None,
) -> None:
    """Let the issuer have returned to a holder what a module keeps for the holder, and note it.

    For modules with a vault: the caller gives back what it is about, where this has not refused.
    """
    require_power(ctx, asset, CLAWBACK)
    require_ground(reason)

    # From here it succeeds.
    note(
        ctx, "recalled", asset, holder, ISSUER, reason=reason, amount=amount, basis_hash=basis_hash
    )
