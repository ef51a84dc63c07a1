"""How random business with data comes to make sense: who takes part, bonds, batches, offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tongbao.kernel import Address, Amount, AssetId, Hash, Id, Message, Time
from tongbao.modules import data, member
from tongbao.modules.data import (
    Ask,
    DailyCap,
    Field,
    Lasting,
    Method,
    Mode,
    Period,
    Purpose,
    Region,
    Schema,
    Version,
    Volume,
)
from tongbao.testing.world import UNKNOWN_ASSET, UNKNOWN_ID, World

SCHEMAS: Final = (Schema("eggs.1"), Schema("sport.1"))
UNKNOWN_SCHEMA: Final = Schema("none.1")
FIELDS: Final = tuple(map(Field, ("day", "count", "shop")))
PURPOSES: Final = tuple(map(Purpose, ("dpv:AcademicResearch", "dpv:Marketing")))
REGIONS: Final = (Region("CN"), Region("DE"))
METHODS: Final = (Method("scan"), Method("check-in"))
MODES: Final = (Mode("view"), Mode("store"))
PERIODS: Final = (Period("2026-01"), Period("2026-02"))
BATCHES: Final = "data.batches"
OFFERS: Final = "data.offers"
LONG_MS: Final = 10_000_000
UNITS: Final = 2_000

Sender = Callable[[World], Address | None]


def with_role(role: str) -> Sender:
    """Who chooses an account of an active member with a role; at odd times anybody."""

    def choose(world: World) -> Address | None:
        if world.odd():
            return world.somebody()
        active = {lei for lei, row in world.members.items() if role in row.roles}
        found = [name for name, acts in world.acting.items() if acts.member in active]
        return world.one(found) if found else None

    return choose


registrar: Final = with_role(data.REGISTRAR)


def hash_at(world: World) -> Hash:
    """A hash that nobody has had."""
    return Hash(f"{world.random.getrandbits(256):064x}")


def schema(world: World) -> Schema:
    """One that is defined, if any is; at odd times another."""
    known = list(world.market["schemas"]) or SCHEMAS
    return UNKNOWN_SCHEMA if world.odd() else world.one(known)


def is_open(world: World) -> bool:
    """Whether there is anything to trade; at odd times not."""
    return bool(world.market["schemas"]) or world.odd()


def some(world: World, words: Any) -> Any:
    """The first few of some words; at odd times one of them twice, or none that is known."""
    chosen = words[: world.number(1, len(words))]
    return world.one([(words[0], words[0]), chosen]) if world.odd() else chosen


def fields(world: World) -> tuple[Field, ...]:
    """Fields of a schema; at odd times another one."""
    found: tuple[Field, ...] = some(world, FIELDS)
    return (Field("name"),) if world.odd() else found


def money_of(world: World, sender: Address) -> tuple[AssetId, Amount] | None:
    """An asset that a sender holds, and a small amount of it."""
    held = world.holdings.get(sender)
    if world.odd() or not held:
        return (UNKNOWN_ASSET, Amount("1.00")) if world.odd() else None
    found, amount = max(held, key=lambda pair: (pair[1].units, pair[0]))
    return found, world.amount(max(1, min(amount.units // 4, UNITS)), amount.decimals)


def define_schema(world: World, sender: Address) -> Message:
    """A schema, mostly one that is new."""
    named = some(world, FIELDS) if world.odd() else FIELDS
    return data.DefineSchema(schema=world.one(SCHEMAS), fields=named, sensitive=world.odd())


def register_enterprise(world: World, sender: Address) -> Message:
    """Somebody who may buy from now on."""
    ask = Ask(schema=schema(world), fields=fields(world))
    return data.RegisterEnterprise(
        enterprise=world.other_than(sender),
        region=REGIONS[0] if world.chance(0.8) else REGIONS[1],
        purposes=PURPOSES if world.chance(0.7) else some(world, PURPOSES),
        asks=(ask, ask) if world.odd() else (ask,),
    )


def suspend_enterprise(world: World, sender: Address) -> Message | None:
    """An enterprise, mostly one that is registered."""
    known = list(world.market["enterprises"])
    if not known and not world.odd():
        return None
    unknown = not known or world.odd()
    return data.SuspendEnterprise(
        enterprise=world.other_than(sender) if unknown else world.one(known)
    )


def admit_source(world: World, sender: Address) -> Message | None:
    """A source that has posted a bond; at odd times any account."""
    posted = list(world.market["bonds"])
    found = with_role(member.DATA_SOURCE)(world)
    own = [asset for party, asset in posted if party == found]
    if found is None or (not own and not world.odd()):
        return None
    asset = world.one(own) if own else UNKNOWN_ASSET
    bond = world.market["bonds"].get((found, asset))
    decimals = 2 if bond is None else bond.amount.decimals
    return data.AdmitSource(
        source=world.other_than(sender) if world.odd() else found,
        schema=schema(world),
        method=Method("self") if world.odd() else world.one(METHODS),
        volume=Volume(world.number(1, 4)),
        asset=asset,
        bond=world.amount(world.number(1, 3), decimals),
    )


def end_source(world: World, sender: Address) -> Message | None:
    """A source that was admitted; at odd times none."""
    known = list(world.market["sources"])
    if world.odd() or not known:
        return data.EndSource(source=sender, schema=schema(world)) if world.odd() else None
    source, found = world.one(known)
    return data.EndSource(source=source, schema=found)


def post_bond(world: World, sender: Address) -> Message | None:
    """Part of what the sender holds."""
    found = money_of(world, sender)
    return None if found is None else data.PostBond(asset=found[0], amount=found[1])


def party(table: str) -> Sender:
    """Who chooses somebody with a bond, or with earnings; at odd times anybody."""

    def choose(world: World) -> Address | None:
        known = [name for name, _ in world.market[table]]
        return world.somebody() if world.odd() else world.one(known) if known else None

    return choose


def withdraw_bond(world: World, sender: Address) -> Message | None:
    """Part of the sender's bond, or more than is free."""
    own = [(asset, row) for (name, asset), row in world.market["bonds"].items() if name == sender]
    if not own:
        return None
    asset, bond = world.one(own)
    units = bond.amount.units if world.chance(0.2) else 1
    return data.WithdrawBond(asset=asset, amount=world.amount(units, bond.amount.decimals))


def pull(world: World, sender: Address) -> Message:
    """What the sender has earned; at odd times nothing."""
    own = [asset for name, asset in world.market["earnings"] if name == sender]
    return data.Pull(asset=world.one(own) if own else UNKNOWN_ASSET)


def serve(world: World, sender: Address) -> Message:
    """An adjudicator comes, seldom goes."""
    return data.Serve(serves=not world.chance(0.1))


def committer(world: World) -> Address | None:
    """A source, or a person itself."""
    if not is_open(world):
        return None
    known = [source for source, _ in world.market["sources"]]
    return world.one(known) if known and world.chance(0.5) else world.somebody()


def commit(world: World, sender: Address) -> Message:
    """A month, or a correction of one."""
    earlier = [
        (name, row)
        for name, row in world.rows[BATCHES].items()
        if row.source == sender and not (row.superseded or row.retired)
    ]
    own = {found: row for (name, found), row in world.market["sources"].items() if name == sender}
    commitment = hash_at(world)
    if world.odd() and world.rows[BATCHES]:
        commitment = world.one(list(world.rows[BATCHES].values())).commitment
    if earlier and world.chance(0.3):
        name, row = world.one(earlier)
        return data.Commit(
            owner=world.somebody() if world.odd() else row.owner,
            subject=row.subject,
            schema=row.schema,
            period=row.period,
            version=row.version if world.odd() else Version(row.version + 1),
            commitment=commitment,
            method=row.method,
            supersedes=None if world.odd() else name,
        )
    found = world.one(list(own)) if own and world.chance(0.8) else schema(world)
    method = own[found].method if found in own else Method("self")
    return data.Commit(
        owner=sender if method == "self" and not world.odd() else world.other_than(sender),
        subject=hash_at(world),
        schema=found,
        period=world.one(PERIODS),
        version=Version(2 if world.odd() else 1),
        commitment=commitment,
        method=world.one(METHODS) if world.odd() else method,
        supersedes=UNKNOWN_ID if world.odd() else None,
    )


def owner_of(table: str) -> Sender:
    """Who chooses an owner of a batch or offer; at odd times anybody."""

    def choose(world: World) -> Address | None:
        known = [row.owner for row in world.rows[table].values() if row.owner in world.people]
        return world.somebody() if world.odd() else world.one(known) if known else None

    return choose


def one_of(world: World, table: str, owner: Address) -> Id:
    """A batch or offer of an owner's; at odd times any, or none that is known."""
    rows = world.rows[table]
    own = [name for name, row in rows.items() if row.owner == owner]
    return world.one([UNKNOWN_ID, *rows]) if world.odd() or not own else world.one(own)


def retire(world: World, sender: Address) -> Message:
    """A batch of the sender's."""
    return data.Retire(batch=one_of(world, BATCHES, sender))


def make_offer(world: World, sender: Address) -> Message | None:
    """An offer in an asset that somebody holds, to be sealed by the owner or an agent."""
    found = money_of(world, world.somebody())
    if found is None or not is_open(world):
        return None
    asset, amount = found
    agents = [name for name, _ in world.market["bonds"]]
    agent = world.one(agents) if agents and world.chance(0.7) else None
    price = max(amount.units, 1)
    floor = price + 1 if world.odd() else max(1, price // world.number(2, 9))
    return data.MakeOffer(
        schema=schema(world),
        fields=fields(world),
        purposes=some(world, PURPOSES),
        mode=MODES[0] if world.chance(0.8) else MODES[1],
        regions=REGIONS if world.chance(0.7) else some(world, REGIONS),
        retention_ms=Lasting(world.one([60_000, LONG_MS])),
        asset=asset,
        price=Amount.of(price, amount.decimals),
        floor=world.amount(floor, amount.decimals),
        daily_cap=DailyCap(world.number(1, 5)),
        expires_at=world.soon() if world.chance(0.2) else Time(world.time + LONG_MS),
        agent=world.other_than(sender) if world.odd() else agent,
    )


def withdraw_offer(world: World, sender: Address) -> Message:
    """An offer of the sender's."""
    return data.WithdrawOffer(offer=one_of(world, OFFERS, sender))
