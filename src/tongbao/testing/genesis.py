"""The genesis of a chain in memory: named accounts, a fixed time, more modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Address, AssetId, Count, Genesis, Module, Registry
from tongbao.kernel.genesis import Section, Setting, read_genesis, write_genesis
from tongbao.kernel.kernel_module import SettingName
from tongbao.modules.registry import MODULES
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.testing.keys import named_key

GENESIS_TIME: Final = 1_790_000_000_000
"""The time of block 0, in ms UTC: no day of anybody's."""

PEOPLE: Final = ("bank", "alice", "bob", "carol", "mallory")
bank, alice, bob, carol, mallory = (genesis_address(place) for place in range(len(PEOPLE)))
CNY: Final = AssetId(f"CNY.{bank}")

ADDRESSES: Final[Mapping[str, Address]] = dict(
    zip(PEOPLE, (bank, alice, bob, carol, mallory), strict=True)
)


def registry_with(*modules: Module, without: tuple[Module, ...] = ()) -> Registry:
    """The built-in modules, less those that an older chain is `without`, and above them others."""
    own = (module for module in MODULES if module not in without)
    return Registry((*own, *modules))


def genesis_of(
    registry: Registry,
    people: tuple[str, ...] = PEOPLE,
    parameters: Mapping[str, int] | None = None,
    sections: tuple[Section, ...] = (),
    name: str = "test",
    features: Mapping[str, int] | None = None,
) -> Genesis:
    """A genesis that opens an account for each of the people, under a key of that name.

    `features` begin at the heights given.
    """
    genesis = build_genesis(
        registry,
        name,
        GENESIS_TIME,
        named_key("authority").key_id,
        tuple(single_key(named_key(person).key_id) for person in people),
        parameters,
        sections,
    )
    lines = tuple(
        Setting(name=SettingName(feature), value=Count(height))
        for feature, height in sorted((features or {}).items())
    )
    return read_genesis(write_genesis(replace(genesis, features=lines)))
