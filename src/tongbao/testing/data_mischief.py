"""Stories about data in which something is refused that random messages would seldom come to."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tongbao.kernel import Address, Id, Small, Time
from tongbao.modules import data, member
from tongbao.modules.data import Schema
from tongbao.testing.data_chapters import (
    FAR_MS,
    Said,
    acts_as,
    deliver,
    newly,
    registrar_of,
    request,
    say,
    sold_by,
)
from tongbao.testing.data_recipes import FIELDS, OFFERS, PURPOSES, hash_at
from tongbao.testing.drafts import Draft
from tongbao.testing.order_recipes import ORDERS, ROOT
from tongbao.testing.proof_recipes import attestation, key_of, signed
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

MANY = 4


def orders_in_vain(world: World, writer: Writer) -> Said:
    """An owner has offered; a buyer asks too much, too often, and what is wrong is said of it."""
    sale = yield from sold_by(world, writer)
    if sale is None:
        return
    buyer, owner, offer, asked = sale
    yield from registered_in_vain(world, writer, buyer)
    yield from say(world, writer, buyer, replace(asked, purpose=PURPOSES[1]))
    before = set(world.rows[ORDERS])
    for _ in range(MANY):
        again = request(world, owner, asked.batches[0], asked.asset, asked.price)
        yield from say(world, writer, buyer, again)
    made = newly(world, ORDERS, before, owner)
    for order in made:
        yield from stopped_in_vain(world, writer, order)
        yield from deliver(world, writer, order, offer, owner, strangely=True)


def registered_in_vain(world: World, writer: Writer, buyer: Address) -> Said:
    """A sensitive schema, a buyer that is registered for one purpose, an offer for ever."""
    registrar = registrar_of(world)
    row = world.market["enterprises"].get(buyer)
    if registrar is None or row is None:
        return
    odd = data.DefineSchema(schema=Schema("blood.1"), fields=FIELDS, sensitive=True)
    yield from say(world, writer, registrar, odd)
    reserved = data.DefineSchema(schema=Schema("milk.1"), fields=(data.Field("event"),))
    yield from say(world, writer, registrar, reserved)
    fewer = data.RegisterEnterprise(
        enterprise=buyer, region=row.region, purposes=PURPOSES[:1], asks=row.asks
    )
    yield from say(world, writer, registrar, fewer)


def stopped_in_vain(world: World, writer: Writer, order: Id) -> Said:
    """A freeze by a stranger, and one for ever by a supervisor."""
    until = Time(world.time + FAR_MS)
    frozen = data.Freeze(order=order, until=until, reason=Small(1))
    yield from say(world, writer, world.somebody(), frozen)
    for address in [*world.people]:
        if acts_as(world, address, member.SUPERVISOR):
            yield from say(world, writer, address, frozen)


def offers_end_together(world: World, writer: Writer) -> Said:
    """Several offers expire at one time, when an order is sealed by the last of them."""
    sale = yield from sold_by(world, writer)
    if sale is None:
        return
    buyer, owner, offer, asked = sale
    row = world.rows[OFFERS].get(offer)
    yield from say(world, writer, buyer, asked)
    made = newly(world, ORDERS, set(), owner)
    fresh = [name for name in made if world.rows[ORDERS][name].request_hash == asked.request_hash]
    if row is None or not fresh:
        return
    ends = Time(world.time + 3_000)
    same = data.MakeOffer(
        schema=row.schema,
        fields=row.fields,
        purposes=row.purposes,
        mode=row.mode,
        regions=row.regions,
        retention_ms=row.retention_ms,
        asset=row.asset,
        price=row.price,
        floor=row.floor,
        daily_cap=row.daily_cap,
        expires_at=ends,
    )
    for_ever = replace(same, expires_at=Time(world.time + FAR_MS))
    if owner not in world.people:
        return
    world.patience = 1
    yield [writer.address(owner, (one,)) for one in (same, for_ever, same)]
    found = [name for name, one in world.rows[OFFERS].items() if one.expires_at == ends]
    if found and owner in world.people and world.time < ends:
        world.patience = ends - world.time
        sealed = data.Seal(
            order=fresh[0],
            offer=max(found),
            grant_hash=ROOT,
            package_root=ROOT,
            chunks=data.Chunks(1),
            a_commit=ROOT,
            b_lock=ROOT,
        )
        yield [writer.address(owner, (sealed,))]


def too_much_of_a_month(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """A source says more of a month than it may."""
    for (source, schema), row in list(world.market["sources"].items()):
        for _ in range(MANY + 1):
            batch = data.Commit(
                owner=world.somebody(),
                subject=hash_at(world),
                schema=schema,
                period=data.Period("2026-03"),
                version=data.Version(1),
                commitment=hash_at(world),
                method=row.method,
            )
            yield from say(world, writer, source, batch)


def lies_are_proven(world: World, writer: Writer) -> Said:
    """A source signs two contents of a month; what proves nothing is shown before what does."""
    for source, schema in list(world.market["sources"])[:1]:
        one = attestation(world, source, schema)
        other = replace(one, batch=hash_at(world))
        first, second = (signed(world, said, key_of(world, source)) for said in (one, other))
        stranger = world.new_signer().key_id
        shown = [
            (first, first),
            (first, data.SignedText(f"{second[0:9]}{second[10:]}")),
            (first, signed(world, other, stranger)),
            (first, data.SignedText(f"{second[:-86]}{first[-86:]}")),
            (first, second),
            (second, first),
        ]
        for pair in shown:
            proof = data.ProveTwoContents(first=pair[0], second=pair[1])
            yield from say(world, writer, world.somebody(), proof)
