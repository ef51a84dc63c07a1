"""How random orders for data come to make sense, from request to verdict."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final

from tongbao.kernel import Address, Amount, Hash, Id, Message, PublicKey, Small, Time
from tongbao.modules import data, member
from tongbao.modules.data import Chunks, Nonce, Order, Schema, Verdict, data_hash
from tongbao.testing import data_recipes as dealing
from tongbao.testing.data_recipes import BATCHES, OFFERS, PURPOSES, hash_at
from tongbao.testing.proof_recipes import prove_two_contents
from tongbao.testing.recipes import Recipe, Recipes
from tongbao.testing.world import UNKNOWN_ASSET, UNKNOWN_ID, World

ORDERS: Final = "data.orders"
LICENCES: Final = "data.licences"
GRANT, ROOT = Hash("01" * 32), Hash("02" * 32)
VERDICTS: Final = (Verdict("upheld"), Verdict("rejected"))
KEY_BYTES: Final = 31
FAR_MS: Final = 10**12

Sender = Callable[[World], Address | None]


def half_of(order: Id) -> Hash:
    """The b of an order: the writer can always find it again."""
    return Hash(data_hash("recipe", bytes.fromhex(order)).hex())


def buyer_key(world: World) -> PublicKey:
    """A key that was not used; at odd times one that was, or none that can be."""
    known = list(world.market["used_keys"])
    if known and world.odd():
        found: PublicKey = world.one(known)
        return found
    last = b"\xff" if world.odd() else b"\x01"
    public = world.random.randbytes(KEY_BYTES) + last
    return PublicKey(urlsafe_b64encode(public).decode().rstrip("="))


def enterprise(world: World) -> Address | None:
    """A registered enterprise; at odd times anybody."""
    listed = world.market["enterprises"].items()
    known = [name for name, row in listed if name in world.people and not row.suspended]
    return world.somebody() if world.odd() else world.one(known) if known else None


def place_order(world: World, sender: Address) -> Message | None:
    """An order that some offer covers; at odd times not quite."""
    row = world.market["enterprises"].get(sender)
    sold = {(batch.owner, batch.schema) for batch in world.rows[BATCHES].values()}
    offers = [one for one in world.rows[OFFERS].values() if (one.owner, one.schema) in sold]
    if not offers or (row is None and not world.odd()):
        return None
    offer = world.one(offers)
    batches = [
        name
        for name, row in world.rows[BATCHES].items()
        if row.owner == offer.owner
        and row.schema == offer.schema
        and not (row.superseded or row.retired)
    ]
    if world.odd() or not batches:
        batches = [UNKNOWN_ID, *world.rows[BATCHES]]
    asks = [] if row is None else [ask for ask in row.asks if ask.schema == offer.schema]
    fields = offer.fields if not asks or world.odd() else asks[0].fields[:1]
    decimals = offer.price.decimals
    price = world.one([offer.price.units, offer.floor.units])
    price = max(1, price - 1 if world.odd() else price)
    chosen = world.one(batches)
    seal_by = Time(world.time + world.one([1_000, 20_000, 50_000]))
    return data.PlaceOrder(
        owner=world.other_than(sender) if world.odd() else offer.owner,
        schema=Schema("none.1") if world.odd() else offer.schema,
        fields=dealing.fields(world) if world.chance(0.1) else fields,
        purpose=world.one(PURPOSES) if world.chance(0.1) else PURPOSES[0],
        mode=world.one(dealing.MODES) if world.chance(0.05) else offer.mode,
        batches=(chosen, chosen) if world.odd() else (chosen,),
        asset=UNKNOWN_ASSET if world.odd() else offer.asset,
        price=world.amount(price, decimals),
        fee=Amount.of(price if world.odd() else price // 10, decimals),
        deletion_bond=Amount.of(world.number(0, 2), decimals),
        request_hash=hash_at(world),
        buyer_key=buyer_key(world),
        seal_by=Time(world.time + 100_000_000) if world.odd() else seal_by,
        delete_by=Time(seal_by + world.one([1, 20_000, 100_000, 20_000_000])),
    )


def acting(phases: str, *roles: str) -> Sender:
    """Who chooses a party to some order in one of the phases; at odd times anybody."""

    def choose(world: World) -> Address | None:
        if world.odd():
            return world.somebody()
        fit = [row for row in world.rows[ORDERS].values() if row.phase in phases.split()]
        known = [getattr(row, role) for row in fit for role in roles]
        open_ones = [name for name in known if name in world.people]
        return world.one(open_ones) if open_ones else None

    return choose


def one_of(world: World, sender: Address, phases: str, *roles: str) -> Id | None:
    """An order in one of the phases of which the sender is a party; at odd times any, or none."""
    rows: dict[Id, Any] = world.rows[ORDERS]
    if world.odd():
        return world.one([UNKNOWN_ID, *rows])
    fit = [
        name
        for name, row in rows.items()
        if row.phase in phases.split() and (not roles or sender in map_of(row, roles))
    ]
    return world.one(fit) if fit else None


def map_of(row: Order, roles: tuple[str, ...]) -> list[Any]:
    """The parties of an order in some roles."""
    return [getattr(row, role) for role in roles]


def sealer(world: World) -> Address | None:
    """An owner of an open order, or an agent of one of its offers; at odd times anybody."""
    if world.odd():
        return world.somebody()
    owners = {row.owner for row in world.rows[ORDERS].values() if row.phase == "open"}
    offers = [row for row in world.rows[OFFERS].values() if row.owner in owners]
    known = [name for row in offers for name in (row.owner, row.agent) if name in world.people]
    return world.one(known) if known else None


def seal(world: World, sender: Address) -> Message | None:
    """An open order, by an offer that lets the sender seal; at odd times another."""
    offers = [
        (name, row) for name, row in world.rows[OFFERS].items() if sender in (row.owner, row.agent)
    ]
    if world.odd() or not offers:
        offers = list(world.rows[OFFERS].items())
    if not offers:
        return None
    offer, found = world.one(offers)
    orders = world.rows[ORDERS]
    fit = [
        name
        for name, row in orders.items()
        if (row.phase, row.owner, row.schema) == ("open", found.owner, found.schema)
    ]
    order = world.one(fit) if fit and not world.odd() else world.one([UNKNOWN_ID, *orders])
    b_lock = data_hash("b", bytes.fromhex(order), bytes.fromhex(half_of(order)))
    return data.Seal(
        order=order,
        offer=UNKNOWN_ID if world.odd() else offer,
        grant_hash=GRANT,
        package_root=ROOT,
        chunks=Chunks(3 if world.odd() else world.one([1, 1_024, 2_048])),
        a_commit=hash_at(world),
        b_lock=Hash(b_lock.hex()),
    )


def confirm(world: World, sender: Address) -> Message | None:
    """What was sealed; at odd times another package."""
    order = one_of(world, sender, "sealed", "buyer")
    if order is None:
        return None
    root = GRANT if world.odd() else ROOT
    nonce = Nonce(f"{world.random.getrandbits(128):032x}")
    return data.Confirm(order=order, grant_hash=GRANT, package_root=root, nonce=nonce)


def reveal(world: World, sender: Address) -> Message | None:
    """The right half; at odd times another."""
    order = one_of(world, sender, "confirmed", "owner", "seller")
    if order is None:
        return None
    return data.Reveal(order=order, b=hash_at(world) if world.odd() else half_of(order))


def accept(world: World, sender: Address) -> Message | None:
    """A revealed order of the sender's."""
    order = one_of(world, sender, "revealed", "buyer")
    return None if order is None else data.Accept(order=order)


def claim(world: World, sender: Address) -> Message | None:
    """A revealed order of the sender's, which is said to be faulty."""
    order = one_of(world, sender, "revealed", "buyer")
    return None if order is None else data.Claim(order=order, evidence_hash=hash_at(world))


def voter(world: World) -> Address | None:
    """One of a panel, now and then a supervisor; at odd times anybody."""
    if world.odd() or world.chance(0.2):
        return dealing.with_role(member.SUPERVISOR)(world)
    rows = [row for row in world.rows[ORDERS].values() if row.phase == "claimed"]
    known = [name for row in rows for name in row.panel if name in world.people]
    return world.one(known) if known else None


def vote(world: World, sender: Address) -> Message | None:
    """A verdict on some claim."""
    order = one_of(world, sender, "claimed")
    return None if order is None else data.Vote(order=order, verdict=world.one(VERDICTS))


def cancel_order(world: World, sender: Address) -> Message | None:
    """An order that the sender has not confirmed."""
    order = one_of(world, sender, "open sealed", "buyer")
    return None if order is None else data.CancelOrder(order=order)


def withdraw_order(world: World, sender: Address) -> Message | None:
    """An order for the sender's rows."""
    order = one_of(world, sender, "open sealed confirmed", "owner")
    return None if order is None else data.WithdrawOrder(order=order)


def freeze(world: World, sender: Address) -> Message | None:
    """An order that is not revealed yet."""
    order = one_of(world, sender, "open sealed confirmed")
    if order is None:
        return None
    wait = FAR_MS if world.odd() else world.number(1, 30_000)
    until = world.time + wait
    return data.Freeze(order=order, until=Time(until), reason=Small(1))


def licensee(world: World) -> Address | None:
    """Somebody with a licence; at odd times anybody."""
    known = [row.buyer for row in world.rows[LICENCES].values()]
    return world.somebody() if world.odd() else world.one(known) if known else None


def attest_deletion(world: World, sender: Address) -> Message | None:
    """A licence of the sender's; at odd times any, or none."""
    rows = world.rows[LICENCES]
    own = [name for name, row in rows.items() if row.buyer == sender]
    if world.odd() or not own:
        own = [UNKNOWN_ID, *rows]
    return data.AttestDeletion(licence=world.one(own), attestation_hash=hash_at(world))


DATA_RECIPES: Final[Recipes] = {
    data.DefineSchema: Recipe(2, dealing.registrar, dealing.define_schema),
    data.RegisterEnterprise: Recipe(4, dealing.registrar, dealing.register_enterprise),
    data.SuspendEnterprise: Recipe(1, dealing.registrar, dealing.suspend_enterprise),
    data.AdmitSource: Recipe(3, dealing.registrar, dealing.admit_source),
    data.EndSource: Recipe(1, dealing.registrar, dealing.end_source),
    data.PostBond: Recipe(4, World.somebody, dealing.post_bond),
    data.WithdrawBond: Recipe(1, dealing.party("bonds"), dealing.withdraw_bond),
    data.Commit: Recipe(8, dealing.committer, dealing.commit),
    data.Retire: Recipe(1, dealing.owner_of(BATCHES), dealing.retire),
    data.MakeOffer: Recipe(6, dealing.owner_of(BATCHES), dealing.make_offer),
    data.WithdrawOffer: Recipe(1, dealing.owner_of(OFFERS), dealing.withdraw_offer),
    data.PlaceOrder: Recipe(14, enterprise, place_order),
    data.Seal: Recipe(14, sealer, seal),
    data.Confirm: Recipe(10, acting("sealed", "buyer"), confirm),
    data.Reveal: Recipe(10, acting("confirmed", "owner", "seller"), reveal),
    data.Accept: Recipe(2, acting("revealed", "buyer"), accept),
    data.CancelOrder: Recipe(1, acting("open sealed", "buyer"), cancel_order),
    data.WithdrawOrder: Recipe(1, acting("open sealed confirmed", "owner"), withdraw_order),
    data.Freeze: Recipe(1, dealing.with_role(member.SUPERVISOR), freeze),
    data.AttestDeletion: Recipe(2, licensee, attest_deletion),
    data.Pull: Recipe(2, dealing.party("earnings"), dealing.pull),
    data.Serve: Recipe(2, dealing.with_role(member.ADJUDICATOR), dealing.serve),
    data.Claim: Recipe(4, acting("revealed", "buyer"), claim),
    data.Vote: Recipe(4, voter, vote),
    data.ProveTwoContents: Recipe(1, World.somebody, prove_two_contents),
}
