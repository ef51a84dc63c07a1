"""Random attestations, and proofs that a source has signed two contents of one month."""

from __future__ import annotations

from msgspec.structs import replace

from tongbao.kernel import Address, Message, envelope, jcs
from tongbao.modules import data
from tongbao.modules.data import Schema, SignedText
from tongbao.modules.data.attestation import TYPE, Attestation
from tongbao.testing import data_recipes as dealing
from tongbao.testing.world import World

MADE_AT = 1_793_000_000


def signed(world: World, said: Attestation, key: str) -> SignedText:
    """An attestation as the holder of a key signs it."""
    text = envelope.signing_input(key, jcs.encode(said), TYPE)
    signature = envelope.encode_base64url(world.signers[key].sign(text))
    return SignedText(f"{text.decode()}.{signature}")


def key_of(world: World, source: Address) -> str:
    """A key that signs alone for an account, if there is one; at odd times anybody's."""
    row = world.people.get(source)
    own = () if row is None else row.keys
    alone = [str(one.key.public) for one in own if row and one.weight >= row.ordinary]
    return world.one(alone) if alone and not world.odd() else world.one(sorted(world.signers))


def attestation(world: World, source: Address, schema: Schema) -> Attestation:
    """What a source could say of a month that nobody has heard of."""
    return Attestation(
        about="person",
        batch=dealing.hash_at(world),
        iat=MADE_AT,
        iss=source,
        method="scan",
        period=world.one(dealing.PERIODS),
        schema=schema,
        sub=dealing.hash_at(world),
        version=1,
    )


def accused(world: World) -> tuple[Address, Schema]:
    """A source that is admitted; at odd times, or where there is none, anybody."""
    known: list[tuple[Address, Schema]] = list(world.market["sources"])
    if not known or world.odd():
        return world.somebody(), dealing.schema(world)
    return world.one(known)


def prove_two_contents(world: World, sender: Address) -> Message | None:
    """A lie; at odd times none, or one that is nobody's, or that can't be read."""
    if not world.market["sources"] and not world.odd():
        return None
    one = attestation(world, *accused(world))
    other = one if world.odd() else replace(one, batch=dealing.hash_at(world))
    if world.odd():
        other = replace(other, version=2)
    key = key_of(world, one.iss)
    return data.ProveTwoContents(first=signed(world, one, key), second=signed(world, other, key))
