"""Where a history of the market begins: who there is, and what they say in the first blocks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from tongbao.kernel import Address, Amount, AssetCode, AssetId, Genesis, Message, Small, Time
from tongbao.kernel.genesis import section
from tongbao.kernel.kernel_module import DUE_ITEMS
from tongbao.modules import asset, data, member
from tongbao.modules.data import Ask, Chunks, DailyCap, Lasting, Version, Volume
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.simulation import mischief
from tongbao.simulation.playing import DUE_SHARES, FEW, FIRST_DROPS, REGISTRY, USUAL_ROWS
from tongbao.testing.data_recipes import (
    FIELDS,
    METHODS,
    MODES,
    PERIODS,
    PURPOSES,
    REGIONS,
    SCHEMAS,
    hash_at,
)
from tongbao.testing.drafts import Draft
from tongbao.testing.genesis import genesis_of
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

BUYERS: Final = ("insurer", "grocer")
OWNERS: Final = ("alice", "bob")
AGENTS: Final = ("carol", "dan")
JUDGES: Final = ("ann", "ben", "cid", "eve")
PEOPLE: Final = ("bank", "shop", *BUYERS, *OWNERS, *AGENTS, *JUDGES)
PLACES: Final = {name: genesis_address(place) for place, name in enumerate(PEOPLE)}
BANK, SHOP = PLACES["bank"], PLACES["shop"]
MONEY: Final = AssetId(f"CNY.{BANK}")
FUNDS: Final = Amount("100.00")
BOND: Final = Amount("12.00")
PRICE: Final = Amount("4.00")
FLOOR: Final = Amount("2.00")
LONG_MS: Final = 10_000_000
ONE_CHUNK: Final = Chunks(1)
LEIS: Final = "MARKET"
OF_BANK: Final = (data.REGISTRAR, member.SUPERVISOR)


def lei_of(place: int) -> member.Lei:
    """The number of a member."""
    base = f"{LEIS}{place:012d}"
    return member.Lei(base + member.check_digits_of(base))


def members() -> member.Start:
    """The bank registers and supervises; a shop, two buyers and four judges are members too."""
    roles: dict[str, tuple[str, ...]] = {"bank": OF_BANK, "shop": (member.DATA_SOURCE,)}
    roles |= dict.fromkeys(BUYERS, ())
    roles |= dict.fromkeys(JUDGES, (member.ADJUDICATOR,))
    return member.Start(
        members=tuple(
            member.FirstMember(
                lei=lei_of(place),
                name=member.MemberName(name),
                accounts=(PLACES[name],),
                roles=tuple(map(member.Role, given)),
            )
            for place, (name, given) in enumerate(roles.items())
        )
    )


def market_genesis(seed: str) -> Genesis:
    """A genesis of short deadlines, in which limits are felt now and then."""
    random = Random(f"{seed}/genesis")
    chosen = {
        DUE_ITEMS.name: random.choice(DUE_SHARES),
        data.ORDERS_LIMIT.name: random.choice((2, 6, 50)),
        data.OFFERS_LIMIT.name: random.choice((3, 20)),
        data.ADJUDICATORS_LIMIT.name: random.choice((3, 10)),
        data.LEAST_BOND.name: random.choice((1, 3)),
    }
    jars = mischief.Start(jars=tuple(mischief.Jar(drops=Small(drops)) for drops in FIRST_DROPS))
    return genesis_of(
        REGISTRY,
        PEOPLE,
        parameters={**USUAL_ROWS, **FEW, **chosen},
        sections=(section("member", members()), section("mischief", jars)),
        name="market",
    )


def market_opens(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """The first blocks: money for all, schemas, who may buy, bonds, a source, batches, offers."""
    say = writer.address
    yield [say(BANK, (asset.Define(code=AssetCode("CNY"), scale=Small(2)), *issues(world)))]
    first = [say(BANK, (*schemas(), *(enterprise(PLACES[name]) for name in BUYERS)))]
    first += [say(PLACES[name], (bond(),)) for name in (*AGENTS, "shop")]
    first += [say(PLACES[name], (data.Serve(serves=True),)) for name in JUDGES]
    yield first
    admitted = [
        data.AdmitSource(
            source=SHOP,
            schema=SCHEMAS[0],
            method=METHODS[0],
            volume=Volume(world.number(1, 4)),
            asset=MONEY,
            bond=Amount("5.00"),
        )
    ]
    yield [say(BANK, tuple(admitted))]
    told = [
        say(PLACES[name], (batch(world, PLACES[name]), offer(world, place)))
        for place, name in enumerate(OWNERS)
    ]
    told.append(say(SHOP, tuple(attested(world, PLACES[name]) for name in OWNERS[:1])))
    yield told


def issues(world: World) -> list[Message]:
    """Money for everybody."""
    return [
        asset.Issue(asset=MONEY, amount=FUNDS, payee=payee, reference=world.reference(MONEY))
        for payee in PLACES.values()
    ]


def schemas() -> list[Message]:
    """Two kinds of rows."""
    return [data.DefineSchema(schema=schema, fields=FIELDS) for schema in SCHEMAS]


def enterprise(buyer: Address) -> Message:
    """Somebody who may buy."""
    return data.RegisterEnterprise(
        enterprise=buyer,
        region=REGIONS[0],
        purposes=PURPOSES,
        asks=(Ask(schema=SCHEMAS[0], fields=FIELDS[:2]),),
    )


def bond() -> Message:
    """An agent's or the source's."""
    return data.PostBond(asset=MONEY, amount=BOND)


def batch(world: World, owner: Address) -> Message:
    """What a person says of itself."""
    return data.Commit(
        owner=owner,
        subject=hash_at(world),
        schema=SCHEMAS[0],
        period=PERIODS[0],
        version=Version(1),
        commitment=hash_at(world),
        method=data.Method("self"),
    )


def attested(world: World, owner: Address) -> Message:
    """What the shop says of a person."""
    return data.Commit(
        owner=owner,
        subject=hash_at(world),
        schema=SCHEMAS[0],
        period=PERIODS[1],
        version=Version(1),
        commitment=hash_at(world),
        method=METHODS[0],
    )


def offer(world: World, place: int) -> data.MakeOffer:
    """A standing offer, sealed by an agent or by the owner."""
    return data.MakeOffer(
        schema=SCHEMAS[0],
        fields=FIELDS,
        purposes=PURPOSES,
        mode=MODES[0],
        regions=REGIONS[:1],
        retention_ms=Lasting(LONG_MS),
        asset=MONEY,
        price=PRICE,
        floor=FLOOR,
        daily_cap=DailyCap(world.one([2, 50, 50])),
        expires_at=Time(world.time + LONG_MS),
        agent=PLACES[AGENTS[place]] if world.chance(0.75) else None,
    )
