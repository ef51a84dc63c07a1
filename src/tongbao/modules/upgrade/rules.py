"""Who may schedule an upgrade: the authority that genesis names, until others decide it."""

from tongbao.kernel import Context, Count, Cursor, Module, Page, PublicKey, View, require
from tongbao.kernel.kernel_module import Upgrade, in_order
from tongbao.kernel.kernel_module import module as kernel
from tongbao.kernel.upgrading import cancel as cancel_upgrade
from tongbao.kernel.upgrading import schedule as schedule_upgrade
from tongbao.kernel.upgrading import upgrade_at, upgrades_listed
from tongbao.modules.upgrade.messages import Cancel, Schedule, Scheduling, Why

module = Module(3, "upgrade", uses=(kernel,), reasons=Why)
scheduling = module.announcement(Scheduling)


def require_authority(ctx: Context, public: PublicKey) -> None:
    """Refuse whom genesis does not let sign blocks; that the key has signed is certain.

    A module above may want more than one key to decide, and refuses what it hears then.
    """
    require(public in ctx.genesis.engine.keys, Why.SIGNER_IS_NOT_AUTHORITY)
    ctx.announce(scheduling, Scheduling(authority=public))


@module.handler
def schedule(ctx: Context, msg: Schedule) -> None:
    """Schedule an upgrade that the authority has signed."""
    require_authority(ctx, msg.authority)
    schedule_upgrade(ctx, msg.height, Upgrade(modules=msg.modules, features=msg.features))


@module.handler
def cancel(ctx: Context, msg: Cancel) -> None:
    """Cancel an upgrade that has not begun."""
    require_authority(ctx, msg.authority)
    cancel_upgrade(ctx, msg.height)


@module.query
def show(view: View, height: Count) -> Upgrade | None:
    """The upgrade that begins with the block of a height."""
    return upgrade_at(view, height)


@module.query
def known(view: View, after: Cursor | None = None) -> Page[Count, Upgrade]:
    """Upgrades, past and to come, in the order of their heights, a page at a time."""
    return upgrades_listed(view, in_order, after)
