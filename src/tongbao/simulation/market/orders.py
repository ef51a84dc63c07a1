"""The life of one order as a story: it goes its way up to a state, and ends there in some way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Address, Amount, Hash, Id, Message, Small, Time
from tongbao.modules import data
from tongbao.modules.data import Chunks, Nonce, Verdict, data_hash
from tongbao.simulation.market.ground import BANK, BUYERS, JUDGES, MONEY, PLACES, PRICE, offer
from tongbao.testing.data_chapters import Said
from tongbao.testing.data_recipes import BATCHES, FIELDS, OFFERS, PURPOSES, hash_at
from tongbao.testing.drafts import Draft
from tongbao.testing.order_recipes import GRANT, LICENCES, ORDERS, ROOT, buyer_key, half_of
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

STEP_MS: Final = 400
PASSING_MS: Final = 25_000
HALT_MS: Final = (31_000, 70_000, 400_000)
PATIENCE: Final = 9
UPHELD, REJECTED = Verdict("upheld"), Verdict("rejected")
WAYS: Final = ("open", "sealed", "confirmed", "revealed", "revealed", "claimed", "claimed")
NONCE: Final = Nonce("0c" * 16)


def an_order(world: World, writer: Writer) -> Said:
    """A buyer asks; who sells goes on, up to a state; then it ends there."""
    asked = wanted(world)
    if asked is None:
        return
    buyer, message = asked
    yield from say(world, writer, buyer, message)
    found = [
        name
        for name, row in world.rows[ORDERS].items()
        if row.request_hash == message.request_hash and row.phase == "open"
    ]
    if not found:
        return
    last = world.one(WAYS)
    for phase in ("open", "sealed", "confirmed", "revealed", "claimed"):
        if row_of(world, found[0]).phase != phase:
            return
        if world.chance(0.25):
            yield from disturbed(world, writer, found[0], phase)
        if phase == last:
            yield from ended(world, writer, found[0], phase)
            return
        frozen = row_of(world, found[0]).frozen_until
        if phase == "confirmed" and frozen is not None and world.chance(0.5):
            world.patience = max(1, frozen - world.time)
            yield []
        yield from say(world, writer, *forward(world, found[0], phase))


def offers_end(world: World, writer: Writer) -> Said:
    """Some offers end at one time, in whose block somebody seals by each of them."""
    asked = wanted(world)
    if asked is None:
        return
    buyer, message = asked
    yield from say(world, writer, buyer, message)
    rows = world.rows[ORDERS].items()
    found = [name for name, row in rows if row.request_hash == message.request_hash]
    if not found:
        return
    ends = Time(world.time + 2_000)
    same = replace(offer(world, 0), agent=None, expires_at=ends)
    if message.owner in world.people:
        world.patience = STEP_MS
        yield [writer.address(message.owner, (same,) * 2)]
    offers = [name for name, one in world.rows[OFFERS].items() if one.expires_at == ends]
    row = row_of(world, found[0])
    if not offers or row.phase != "open" or world.time >= ends:
        return
    world.patience = ends - world.time
    yield []
    if world.time >= ends and message.owner in world.people:
        drafts = [
            writer.address(message.owner, (sealed_by(world, found[0], name),)) for name in offers
        ]
        for place, draft in enumerate(drafts, 1):
            draft.lane, draft.nonce = 0, world.highest(message.owner, 0) + place
        world.patience = STEP_MS
        yield drafts


def wanted(world: World) -> tuple[Address, data.PlaceOrder] | None:
    """An order that some offer covers."""
    offers = [row for row in world.rows[OFFERS].values() if row.asset == MONEY]
    if not offers:
        return None
    chosen = world.one(offers)
    batches = [
        name
        for name, row in world.rows[BATCHES].items()
        if (row.owner, row.schema) == (chosen.owner, chosen.schema)
        and not (row.superseded or row.retired)
    ]
    if not batches:
        return None
    price = chosen.price.units
    seal_by = Time(world.time + world.one([20_000, 50_000]))
    message = data.PlaceOrder(
        owner=chosen.owner,
        schema=chosen.schema,
        fields=FIELDS[: world.number(1, 2)],
        purpose=PURPOSES[0],
        mode=chosen.mode,
        batches=tuple(world.random.sample(batches, world.number(1, min(2, len(batches))))),
        asset=MONEY,
        price=Amount.of(world.one([price, chosen.floor.units]), PRICE.decimals),
        fee=Amount.of(world.number(0, min(40, price - 1)), PRICE.decimals),
        deletion_bond=Amount.of(world.one([0, 50]), PRICE.decimals),
        request_hash=hash_at(world),
        buyer_key=buyer_key(world),
        seal_by=seal_by,
        delete_by=Time(seal_by + world.one([20_000, 200_000])),
    )
    return PLACES[world.one(BUYERS)], message


def row_of(world: World, order: Id) -> data.Order:
    """An order as the last block left it."""
    row: data.Order = world.rows[ORDERS][order]
    return row


def say(world: World, writer: Writer, sender: Address | None, message: Message) -> Said:
    """One message, soon, of somebody who is still there."""
    if sender is not None and sender in world.people:
        world.patience = STEP_MS
        yield [writer.address(sender, (message,))]


def forward(world: World, order: Id, phase: str) -> tuple[Address | None, Message]:
    """Whose turn it is, and what is said."""
    row = row_of(world, order)
    if phase == "open":
        return sealing(world, order, row)
    if phase == "sealed":
        assert row.grant_hash is not None and row.package_root is not None
        same = {"grant_hash": row.grant_hash, "package_root": row.package_root}
        return row.buyer, data.Confirm(order=order, nonce=NONCE, **same)
    if phase == "confirmed":
        # An owner may publish what its agent doesn't, if it knows it.
        sender = row.owner if world.chance(0.2) else row.seller
        return sender, data.Reveal(order=order, b=half_of(order))
    return row.buyer, data.Claim(order=order, evidence_hash=hash_at(world))


def sealing(world: World, order: Id, row: data.Order) -> tuple[Address | None, Message]:
    """The owner or its agent seals, by some offer of the owner's."""
    offers = [
        (name, one)
        for name, one in world.rows[OFFERS].items()
        if one.owner == row.owner and one.asset == row.asset
    ]
    if not offers:
        return None, data.CancelOrder(order=order)
    name, found = world.one(offers)
    sender = row.owner if found.agent is None or world.chance(0.2) else found.agent
    return sender, sealed_by(world, order, name)


def sealed_by(world: World, order: Id, offer: Id) -> Message:
    """A seal by an offer."""
    lock = data_hash("b", bytes.fromhex(order), bytes.fromhex(half_of(order)))
    return data.Seal(
        order=order,
        offer=offer,
        grant_hash=GRANT,
        package_root=ROOT,
        chunks=Chunks(world.one([1, 2_048])),
        a_commit=hash_at(world),
        b_lock=Hash(lock.hex()),
    )


def ended(world: World, writer: Writer, order: Id, phase: str) -> Said:
    """How an order ends that comes no further: by a party, by nobody, by a panel."""
    row = row_of(world, order)
    if phase == "claimed":
        yield from judged(world, writer, order)
    elif phase == "revealed":
        if world.chance(0.4):
            yield from say(world, writer, row.buyer, data.Accept(order=order))
        else:
            yield from passed(world, order, phase)
        yield from deleted(world, writer, order)
    else:
        stops: list[tuple[Address | None, Message]] = [
            (row.owner, data.WithdrawOrder(order=order)),
            (row.buyer, data.CancelOrder(order=order)),
        ]
        if phase == "confirmed":
            stops[1:] = []
        if world.chance(0.45):
            yield from say(world, writer, *world.one(stops))
        else:
            if phase == "confirmed" and world.chance(0.5):
                yield from say(world, writer, BANK, stopped(world, order, row))
            yield from passed(world, order, phase)
            yield from say(world, writer, *late(world, order, phase))


def late(world: World, order: Id, phase: str) -> tuple[Address | None, Message]:
    """What comes when the order is over: the next step, or `b` all the same."""
    row = row_of(world, order)
    if phase == "confirmed":
        return row.seller, data.Reveal(order=order, b=half_of(order))
    if phase == "open":
        return sealing(world, order, row)
    return row.buyer, data.CancelOrder(order=order)


def stopped(world: World, order: Id, row: data.Order) -> Message:
    """The buyer is suspended, or the order frozen: nobody can reveal."""
    if world.chance(0.5):
        return data.SuspendEnterprise(enterprise=row.buyer)
    return data.Freeze(order=order, until=Time(world.time + 40_000), reason=Small(1))


def passed(world: World, order: Id, phase: str) -> Iterator[list[Draft]]:
    """Blocks come and nobody goes on, until the deadline; now and then the network halts."""
    for _ in range(PATIENCE):
        row = row_of(world, order)
        if row.phase != phase or row.late:
            return
        world.patience = world.one(HALT_MS) if world.chance(0.06) else PASSING_MS
        yield []


def judged(world: World, writer: Writer, order: Id) -> Said:
    """A panel, some of which votes, twice or at odds; after its time a supervisor."""
    row = row_of(world, order)
    right, wrong = world.random.sample([UPHELD, REJECTED], 2)
    votes = world.one([[right] * 2, [right, wrong, right], [right], [wrong, right], [], []])
    for address, verdict in zip(row.panel, votes, strict=False):
        yield from say(world, writer, address, data.Vote(order=order, verdict=verdict))
        if world.chance(0.1):
            yield from say(world, writer, address, data.Vote(order=order, verdict=verdict))
    if row_of(world, order).phase == "claimed":
        yield from passed(world, order, "claimed")
        voted = data.Vote(order=order, verdict=right)
        if world.chance(0.3):
            yield from say(world, writer, row.panel[-1], voted)
        yield from say(world, writer, BANK, voted)
    if world.chance(0.5):
        yield from deleted(world, writer, order)


def deleted(world: World, writer: Writer, order: Id) -> Said:
    """The buyer attests that it has deleted; or it does not."""
    for name, row in list(world.rows[LICENCES].items()):
        if row.order == order and world.chance(0.6):
            said = data.AttestDeletion(licence=name, attestation_hash=hash_at(world))
            yield from say(world, writer, row.buyer, said)


def disturbed(world: World, writer: Writer, order: Id, phase: str) -> Said:
    """Something that is wrong, or that stops the order for a time, before its next step."""
    row = row_of(world, order)
    wrong: list[tuple[Address | None, Message]] = [
        (world.somebody(), forward(world, order, phase)[1])
    ]
    if phase == "confirmed":
        wrong += reveals(world, order, row)
        until = Time(world.time + 2 * STEP_MS)
        wrong.append((BANK, data.Freeze(order=order, until=until, reason=Small(1))))
        wrong.append((BANK, data.SuspendEnterprise(enterprise=row.buyer)))
    if phase == "sealed":
        sender, said = forward(world, order, phase)
        assert isinstance(said, data.Confirm)
        wrong.append((sender, replace(said, package_root=GRANT)))
    if phase in ("open", "sealed"):
        wrong += [(row.owner, data.Retire(batch=row.batches[0]))]
        offers = [name for name, one in world.rows[OFFERS].items() if one.owner == row.owner]
        wrong += [(row.owner, data.WithdrawOffer(offer=name)) for name in offers[:1]]
    if phase == "revealed":
        wrong.append((row.seller, data.Reveal(order=order, b=half_of(order))))
        wrong.append((PLACES[world.one(JUDGES)], data.Serve(serves=False)))
    yield from say(world, writer, *world.one(wrong))


def reveals(world: World, order: Id, row: data.Order) -> list[tuple[Address | None, Message]]:
    """Other halves: any, that of another order, and the right one by a stranger."""
    used = [one.b for one in world.rows[ORDERS].values() if one.b is not None]
    found = [(row.seller, data.Reveal(order=order, b=hash_at(world)))]
    found += [(row.seller, data.Reveal(order=order, b=half)) for half in used[:1]]
    stranger = data.Reveal(order=order, b=half_of(order))
    return [*found, *found, (world.one([row.buyer, PLACES["ann"]]), stranger)]
