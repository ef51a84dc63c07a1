"""Licences: what a buyer keeps, until when, and the bond that it deletes it.

A licence may run for years, so no clock runs for it. It asks for a block when half of its time is
left, then half of that, down to the halt threshold. A network that is up makes a block then: one
that comes later than the threshold says that the network stood still, and the buyer has again what
it had when the network was last seen. So nobody has less time after a halt than the halt took, but
for two thresholds.
"""

from msgspec.structs import replace

from tongbao.kernel import Context, Hash, Id, Time, Work, require
from tongbao.modules.data.messages import AttestDeletion, Why
from tongbao.modules.data.money import earn, give_back
from tongbao.modules.data.records import Deleted, Licence, Order
from tongbao.modules.data.tables import ACCEPT_MS, HALT_MS, by_deletion, licences, module


def grant(ctx: Work, name: Id, order: Order) -> Id:
    """The deletion bond of a revealed order is a licence's from now on.

    While a buyer may claim it need not have deleted, however far deadlines have grown until now.
    """
    delete_by = max(order.delete_by, Time(ctx.time + ctx.parameter(ACCEPT_MS)))
    return ctx[licences].add(
        Licence(
            order=name,
            buyer=order.buyer,
            owner=order.owner,
            asset=order.asset,
            bond=order.deletion_bond,
            delete_by=delete_by,
            next_at=next_of(ctx, delete_by),
        )
    )


def next_of(ctx: Work, delete_by: Time) -> Time:
    """When half of what is left is over; the end itself where that is within the threshold."""
    left = delete_by - ctx.time
    return delete_by if left <= ctx.parameter(HALT_MS) else Time(ctx.time + left // 2)


def end_of(ctx: Work, licence: Licence) -> Time:
    """When deletion is due, as far as is known now: attestations come before it."""
    late = ctx.time - licence.next_at
    if late <= ctx.parameter(HALT_MS):
        return licence.delete_by
    return Time(ctx.time + max(late, 2 * (licence.delete_by - licence.next_at)))


@module.handler
def attest_deletion(ctx: Context, msg: AttestDeletion) -> None:
    """Give the bond back to a buyer that has deleted what it got."""
    licence = ctx[licences].one(msg.licence, Why.LICENCE_NOT_FOUND)
    require(licence.buyer == ctx.sender, Why.SENDER_IS_NOT_BUYER)
    require(ctx.time < end_of(ctx, licence), Why.DEADLINE_HAS_PASSED)

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
    """The bond is the owner's when the time has come; until then the network is seen."""
    ends = end_of(ctx, licence)
    if ctx.time < ends:
        seen = replace(licence, delete_by=ends, next_at=next_of(ctx, ends))
        ctx[licences][name] = seen
        return
    earn(ctx, licence.owner, licence.asset, licence.bond)
    end(ctx, name, licence)
