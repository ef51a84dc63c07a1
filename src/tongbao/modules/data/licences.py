"""Licences: what a buyer keeps, until when, and the bond that it deletes it."""

from msgspec.structs import replace

from tongbao.kernel import Context, Hash, Id, Time, Work, require
from tongbao.modules.data.messages import AttestDeletion, Why
from tongbao.modules.data.money import earn, give_back
from tongbao.modules.data.records import Deleted, Licence, Order
from tongbao.modules.data.tables import HALT_MS, by_deletion, licences, module


def grant(ctx: Work, name: Id, order: Order) -> Id:
    """The deletion bond of a revealed order is a licence's from now on."""
    return ctx[licences].add(
        Licence(
            order=name,
            buyer=order.buyer,
            owner=order.owner,
            asset=order.asset,
            bond=order.deletion_bond,
            delete_by=order.delete_by,
        )
    )


@module.handler
def attest_deletion(ctx: Context, msg: AttestDeletion) -> None:
    """Give the bond back to a buyer that has deleted what it got."""
    licence = ctx[licences].one(msg.licence, Why.LICENCE_NOT_FOUND)
    require(licence.buyer == ctx.sender, Why.SENDER_IS_NOT_BUYER)
    require(ctx.time < licence.delete_by, Why.DEADLINE_HAS_PASSED)

    # From here it succeeds.
    give_back(ctx, licence.buyer, licence.asset, licence.bond.units, licence.bond.decimals)
    end(ctx, msg.licence, licence, msg.attestation_hash)


def end(ctx: Work, name: Id, licence: Licence, attestation: Hash | None = None) -> None:
    """Remove a licence, and tell how it ended."""
    del ctx[licences][name]
    attested = attestation is not None
    ctx.emit(Deleted(order=licence.order, attested=attested, attestation_hash=attestation))


@module.due(by_deletion)
def forfeit(ctx: Work, name: Id, licence: Licence) -> None:
    """The bond is the owner's, unless the network stood still when the time came.

    A network that is up makes a block when something is due: one that is late by more than the halt
    threshold gives the buyer as long again.
    """
    late = ctx.time - licence.delete_by
    if late > ctx.parameter(HALT_MS):
        ctx[licences][name] = replace(licence, delete_by=Time(ctx.time + late))
        return
    earn(ctx, licence.owner, licence.asset, licence.bond)
    end(ctx, name, licence)
