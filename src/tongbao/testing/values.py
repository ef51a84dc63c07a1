"""Values of a message's fields out of their types, for messages that have no recipe."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from msgspec import Meta

from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    ChainId,
    Hash,
    Id,
    Name,
    PublicKey,
    Reference,
    Time,
)
from tongbao.kernel.schema import Value, Wire
from tongbao.testing.world import NOBODY, UNKNOWN_ID, World

SEVERAL: Final = 3
SMALLEST: Final = 20


def any_id(world: World) -> Id:
    """The id of some row; at odd times of none."""
    ids = [found for rows in world.rows.values() for found in rows]
    return world.one(ids) if ids and not world.odd() else UNKNOWN_ID


def any_asset(world: World) -> AssetId:
    """Some asset; one of nobody's where there is none."""
    return world.one(list(world.assets)) if world.assets else AssetId(f"NONE.{NOBODY}")


def any_amount(world: World) -> Amount:
    """An amount with two decimals."""
    return world.amount(world.number(1, 10_000), 2)


BY_TYPE: Final[dict[Any, Callable[[World], Any]]] = {
    Address: World.somebody,
    Amount: any_amount,
    AssetCode: lambda world: AssetCode(f"A{world.number(1, 10_000)}"),
    AssetId: any_asset,
    ChainId: lambda world: world.machine.chain,
    Hash: lambda world: Hash(f"{world.random.getrandbits(256):064x}"),
    Id: any_id,
    Name: lambda world: Name(world.one(["red", "green", "blue"])),
    PublicKey: lambda world: PublicKey(world.new_signer().key_id),
    Reference: lambda world: world.reference(any_asset(world)),
    Time: World.soon,
    bool: lambda world: world.chance(0.5),
    NoneType: lambda world: None,
}
"""How a value of each type of the kernel is chosen."""


def message_of(world: World, kind: type[Value] | Any) -> Any:
    """A message or value of a declared type. Raises TypeError where a type needs a recipe."""
    hints = get_type_hints(kind, include_extras=True)
    return kind(**{name: value_of(world, hints[name]) for name in kind.__struct_fields__})


def value_of(world: World, kind: Any) -> Any:
    """A value of a field's type."""
    if kind in BY_TYPE:
        return BY_TYPE[kind](world)
    if isinstance(kind, Wire):
        return message_of(world, kind)
    if hasattr(kind, "__supertype__"):
        return value_of(world, kind.__supertype__)
    if get_origin(kind) in (Union, UnionType):
        return value_of(world, world.one(get_args(kind)))
    if get_origin(kind) is tuple:
        return tuple(_parts(world, get_args(kind), SEVERAL))
    if hasattr(kind, "__metadata__"):
        return _annotated(world, get_args(kind)[0], kind.__metadata__)
    raise TypeError(f"no way to make a {kind}: give its message a recipe")


def _parts(world: World, parts: tuple[Any, ...], most: int) -> list[Any]:
    if parts[1:] == (Ellipsis,):
        return [value_of(world, parts[0]) for _ in range(world.number(1, most))]
    return [value_of(world, part) for part in parts]


def _annotated(world: World, inner: Any, metadata: tuple[Any, ...]) -> Any:
    """A value within the bounds of an Annotated type."""
    metas = [meta for meta in metadata if isinstance(meta, Meta)]
    if inner is int:
        low = max((meta.ge for meta in metas if meta.ge is not None), default=0)
        high = min((meta.le for meta in metas if meta.le is not None), default=SMALLEST)
        near = min(int(high), int(low) + SMALLEST)
        return world.number(int(low), int(high) if world.odd() else near)
    if get_origin(inner) is tuple:
        most = min((meta.max_length for meta in metas if meta.max_length is not None), default=1)
        return tuple(_parts(world, get_args(inner), min(most, SEVERAL)))
    raise TypeError(f"no way to make a {inner} with {metadata}: give its message a recipe")
