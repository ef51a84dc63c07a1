"""Stories about data that random messages would seldom tell: a market opens, rows are sold."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Address, Amount, AssetCode, AssetId, Hash, Id, Message, Small, Time
from tongbao.modules import asset as assets
from tongbao.modules import data, member
from tongbao.modules.data import Ask, Chunks, DailyCap, Lasting, Method, Nonce, Version, data_hash
from tongbao.testing import data_recipes as dealing
from tongbao.testing.data_recipes import BATCHES, FIELDS, OFFERS, PURPOSES, REGIONS, hash_at
from tongbao.testing.drafts import Draft
from tongbao.testing.order_recipes import (
    GRANT,
    LICENCES,
    ORDERS,
    ROOT,
    VERDICTS,
    buyer_key,
    half_of,
)
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

SHORT_MS: Final = 1_000
FAR_MS: Final = 10**12
LONG_MS: Final = 10_000_000
WAITS_MS: Final = 70_000
ENOUGH: Final = 100
MOST_PAYEES: Final = 6

Said = Iterator[list[Draft]]


def say(world: World, writer: Writer, sender: Address, message: Message) -> Said:
    """One message, soon, of somebody who is still there."""
    if sender in world.people:
        world.patience = SHORT_MS
        yield [writer.address(sender, (message,))]


def registrar_of(world: World) -> Address | None:
    """An account of an active registrar."""
    return next((name for name in world.acting if acts_as(world, name, data.REGISTRAR)), None)


def acts_as(world: World, address: Address, role: str) -> bool:
    """Whether an open account acts for an active member with a role."""
    acts = world.acting.get(address)
    row = None if acts is None else world.members.get(acts.member)
    fits = row is not None and row.status == "active" and role in row.roles
    return fits and address in world.people


def market_opens(world: World, writer: Writer) -> Said:
    """Schemas are defined, adjudicators serve, and a source posts a bond and is admitted."""
    registrar = registrar_of(world)
    if registrar is None:
        return
    for schema in dealing.SCHEMAS:
        said = data.DefineSchema(schema=schema, fields=FIELDS)
        yield from say(world, writer, registrar, said)
    # Registrars last: they trade as well, and are one too many where three may serve.
    for address in sorted(world.people, key=lambda name: acts_as(world, name, data.REGISTRAR)):
        if acts_as(world, address, member.ADJUDICATOR):
            yield from say(world, writer, address, data.Serve(serves=True))
    for address in [*world.people]:
        if acts_as(world, address, member.DATA_SOURCE):
            posted = dealing.post_bond(world, address)
            if posted is not None:
                yield from say(world, writer, address, posted)
            admitted = dealing.admit_source(world, registrar)
            if admitted is not None:
                yield from say(world, writer, registrar, admitted)


Sale = tuple[Address, Address, Id, data.PlaceOrder]
"""A buyer, an owner, the owner's offer, and what the buyer could ask for."""


def rows_are_sold(world: World, writer: Writer) -> Said:
    """An owner commits, offers and sells to a buyer, until somebody does not go on."""
    sale = yield from sold_by(world, writer)
    if sale is None:
        return
    buyer, owner, offer, asked = sale
    before = set(world.rows[ORDERS])
    yield from say(world, writer, buyer, asked)
    made = newly(world, ORDERS, before, owner)
    row = world.rows[OFFERS].get(offer)
    if made and row is not None:
        yield from deliver(world, writer, made[0], offer, row.agent or owner)


def sold_by(world: World, writer: Writer) -> Generator[list[Draft], None, Sale | None]:
    """Whatever there must be before an order; the sale, if all of it came to be."""
    if not world.market["schemas"]:
        yield from market_opens(world, writer)
    if registrar_of(world) is None or not world.market["schemas"]:
        return None
    if not rich_people(world):
        yield from value_comes(world, writer)
    rich = rich_people(world)
    registrar = registrar_of(world)
    if registrar is None or not rich:
        return None
    buyer, asset, amount = world.one(rich)
    others = [name for name in traders(world) if name != buyer]
    if not others:
        return None
    owner = world.one(others)
    posted = [name for name, found, _ in rich if found == asset and name != buyer]
    agent = world.one(posted) if posted and world.chance(0.7) else None
    scale = 10**amount.decimals
    units = scale if amount.units > 4 * scale else max(1, amount.units // 9)
    price = Amount.of(units, amount.decimals)
    before = {*world.rows[OFFERS], *world.rows[BATCHES]}
    yield from prepare(world, writer, (registrar, buyer, owner), agent, asset, price)
    offers = newly(world, OFFERS, before, owner)
    batches = newly(world, BATCHES, before, owner)
    if not offers or not batches:
        return None
    return buyer, owner, offers[0], request(world, owner, batches[0], asset, price)


def rich_people(world: World) -> list[tuple[Address, AssetId, Amount]]:
    """Whoever holds enough of something to buy with it."""
    trading = traders(world)
    return [
        (name, found, amount)
        for name, held in world.holdings.items()
        for found, amount in held
        if name in trading and amount.units > ENOUGH
    ]


def traders(world: World) -> list[Address]:
    """Who buys and sells: mostly whoever can't be called to a panel then, so that claims happen."""
    everybody = [*world.people]
    plain = [
        name
        for name in everybody
        if acts_as(world, name, data.REGISTRAR) or not acts_as(world, name, member.ADJUDICATOR)
    ]
    return everybody if world.odd() or len(plain) <= 1 else plain


def value_comes(world: World, writer: Writer) -> Said:
    """Somebody defines an asset and issues it to all."""
    issuer = world.somebody()
    code = AssetCode(f"DATA{len(world.assets)}")
    yield from say(world, writer, issuer, assets.Define(code=code, scale=Small(2)))
    found = AssetId(f"{code}.{issuer}")
    if found in world.assets:
        for payee in traders(world)[:MOST_PAYEES]:
            issued = assets.Issue(
                asset=found,
                amount=Amount("100.00"),
                payee=payee,
                reference=world.reference(found),
            )
            yield from say(world, writer, issuer, issued)


def newly(world: World, table: str, before: set[Id], owner: Address) -> list[Id]:
    """What an owner has in a table that was not there before."""
    rows = world.rows[table].items()
    return [name for name, row in rows if row.owner == owner and name not in before]


def prepare(
    world: World,
    writer: Writer,
    parties: tuple[Address, Address, Address],
    agent: Address | None,
    asset: AssetId,
    price: Amount,
) -> Said:
    """Whatever an order needs: an enterprise, a bond, a batch, an offer."""
    registrar, buyer, owner = parties
    schema = dealing.SCHEMAS[0]
    enterprise = data.RegisterEnterprise(
        enterprise=buyer,
        region=REGIONS[0],
        purposes=PURPOSES,
        asks=(Ask(schema=schema, fields=FIELDS[: world.number(1, 3)]),),
    )
    yield from say(world, writer, registrar, enterprise)
    if agent is not None:
        yield from say(world, writer, agent, data.PostBond(asset=asset, amount=price))
    batch = data.Commit(
        owner=owner,
        subject=hash_at(world),
        schema=schema,
        period=dealing.PERIODS[0],
        version=Version(1),
        commitment=hash_at(world),
        method=Method("self"),
    )
    yield from say(world, writer, owner, batch)
    offer = data.MakeOffer(
        schema=schema,
        fields=FIELDS,
        purposes=PURPOSES[: world.number(1, 2)],
        mode=dealing.MODES[0],
        regions=REGIONS[:1],
        retention_ms=Lasting(LONG_MS),
        asset=asset,
        price=price,
        floor=Amount.of(1, price.decimals),
        daily_cap=DailyCap(2),
        expires_at=Time(world.time + LONG_MS),
        agent=agent,
    )
    yield from say(world, writer, owner, offer)


def request(
    world: World, owner: Address, batch: Id, asset: AssetId, price: Amount
) -> data.PlaceOrder:
    """The order of the story."""
    seal_by = Time(world.time + 20_000)
    return data.PlaceOrder(
        owner=owner,
        schema=dealing.SCHEMAS[0],
        fields=FIELDS[:1],
        purpose=PURPOSES[0],
        mode=dealing.MODES[0],
        batches=(batch,),
        asset=asset,
        price=price,
        fee=Amount.of(price.units // 10, price.decimals),
        deletion_bond=Amount.of(world.number(0, 9), price.decimals),
        request_hash=hash_at(world),
        buyer_key=buyer_key(world),
        seal_by=seal_by,
        delete_by=Time(seal_by + world.one([20_000, 200_000])),
    )


def deliver(
    world: World,
    writer: Writer,
    order: Id,
    offer: Id,
    seller: Address,
    *,
    strangely: bool = False,
) -> Said:
    """Seal, confirm, reveal; then the buyer accepts, claims, or says nothing."""
    buyer = world.rows[ORDERS][order].buyer
    raw = bytes.fromhex(order)
    b_lock = data_hash("b", raw, bytes.fromhex(half_of(order)))
    steps: list[tuple[Address, Message]] = [
        (
            seller,
            data.Seal(
                order=order,
                offer=offer,
                grant_hash=GRANT,
                package_root=ROOT,
                chunks=Chunks(1),
                a_commit=hash_at(world),
                b_lock=Hash(b_lock.hex()),
            ),
        ),
        (
            buyer,
            data.Confirm(order=order, grant_hash=GRANT, package_root=ROOT, nonce=Nonce("0c" * 16)),
        ),
        (seller, data.Reveal(order=order, b=half_of(order))),
    ]
    for sender, message in steps:
        if world.chance(0.08):
            world.patience = WAITS_MS
            yield []
        if strangely:
            for wrong_sender, wrong in strange(world, order, message):
                if wrong_sender is not None:
                    yield from say(world, writer, wrong_sender, wrong)
        elif world.chance(0.3):
            yield from disturbed(world, writer, order, message)
        yield from say(world, writer, sender, message)
    if world.rows[ORDERS][order].phase != "revealed":
        return
    if world.chance(0.6):
        yield from disputed(world, writer, order)
    elif world.chance(0.5):
        yield from say(world, writer, buyer, data.Accept(order=order))
    for name, row in list(world.rows[LICENCES].items()):
        if row.order == order and world.chance(0.5):
            attested = data.AttestDeletion(licence=name, attestation_hash=hash_at(world))
            yield from say(world, writer, buyer, attested)


def disturbed(world: World, writer: Writer, order: Id, message: Message) -> Said:
    """A stranger says it, or what is said is wrong, or the buyer or the order is stopped."""
    row = world.rows[ORDERS][order]
    wrong: list[tuple[Address | None, Message]] = [
        (world.somebody(), message),
        (world.somebody(), data.WithdrawOrder(order=order)),
        (world.somebody(), data.CancelOrder(order=order)),
        (row.seller, data.Reveal(order=order, b=hash_at(world))),
        (
            row.buyer,
            data.Confirm(order=order, grant_hash=ROOT, package_root=ROOT, nonce=Nonce("0d" * 16)),
        ),
        (registrar_of(world), data.SuspendEnterprise(enterprise=row.buyer)),
    ]
    for address in [*world.people]:
        if acts_as(world, address, member.SUPERVISOR):
            until = Time(world.time + (5 * SHORT_MS if world.chance(0.8) else FAR_MS))
            wrong += [(address, data.Freeze(order=order, until=until, reason=Small(1)))] * 2
    sender, said = world.one(wrong)
    if sender is not None:
        yield from say(world, writer, sender, said)


def strange(world: World, order: Id, message: Message) -> list[tuple[Address | None, Message]]:
    """What is wrong about the next step of an order, by whom it could be said."""
    row = world.rows[ORDERS][order]
    if isinstance(message, data.Reveal):
        other = data.Reveal(order=order, b=Hash("ee" * 32))
        return [(row.seller, other), (world.somebody(), data.Reveal(order=order, b=half_of(order)))]
    if isinstance(message, data.Confirm):
        wrong = replace(message, grant_hash=ROOT, nonce=Nonce("0d" * 16))
        return [(row.buyer, wrong), (world.somebody(), message)]
    if isinstance(message, data.Seal):
        odd = replace(message, chunks=Chunks(3))
        return [(world.somebody(), odd), (world.somebody(), message)]
    return [(world.somebody(), message)]


def disputed(world: World, writer: Writer, order: Id) -> Said:
    """A claim, and what the panel says of it, or a supervisor when it says nothing."""
    buyer = world.rows[ORDERS][order].buyer
    yield from say(world, writer, buyer, data.Claim(order=order, evidence_hash=hash_at(world)))
    for address in world.rows[ORDERS][order].panel:
        if world.chance(0.8):
            verdict = VERDICTS[0] if world.chance(0.6) else VERDICTS[1]
            voted = data.Vote(order=order, verdict=verdict)
            yield from say(world, writer, address, voted)
            if world.chance(0.7):
                yield from say(world, writer, address, voted)
            if world.chance(0.2):
                yield from say(world, writer, buyer, voted)
    if world.rows[ORDERS][order].phase == "claimed":
        world.patience = WAITS_MS
        yield []
        for address in [*world.people]:
            if acts_as(world, address, member.SUPERVISOR):
                voted = data.Vote(order=order, verdict=world.one(VERDICTS))
                yield from say(world, writer, address, voted)
