"""Making a genesis file: the modules that are installed, one authority, the first accounts."""

from __future__ import annotations

from collections.abc import Mapping

from tongbao.kernel import (
    Address,
    Genesis,
    Key,
    Name,
    PublicKey,
    Registry,
    Small,
    Time,
    WeightedKey,
)
from tongbao.kernel.genesis import (
    FORMAT,
    ChainName,
    EngineLine,
    Section,
    Setting,
    section,
    write_genesis,
)
from tongbao.kernel.identifiers import Count, derived_id
from tongbao.kernel.kernel_module import ModuleLine, SettingName
from tongbao.modules import account
from tongbao.sdk.packages import module_hash


def single_key(public: str) -> account.Open:
    """The opening of an account that one Ed25519 key controls, with one lane."""
    key = Key(algorithm=Small(1), public=PublicKey(public))
    return account.Open(
        keys=(WeightedKey(key=key, weight=Small(1)),),
        ordinary=Small(1),
        sensitive=Small(1),
        lanes=Small(1),
    )


def genesis_address(place: int) -> Address:
    """The id of the account that genesis opens at `place`, counted from 0."""
    number = account.module.number.to_bytes(2, "big")
    return Address(derived_id(b"genesis-id", number, place.to_bytes(4, "big")))


def module_lines(registry: Registry) -> tuple[ModuleLine, ...]:
    """What genesis says of the installed modules."""
    return tuple(
        ModuleLine(
            number=Small(module.number),
            name=Name(module.name),
            version=Small(module.version),
            hash=module_hash(module),
        )
        for module in registry.modules
    )


def build_genesis(
    registry: Registry,
    chain: str,
    time: int,
    authority: str,
    accounts: tuple[account.Open, ...],
    parameters: Mapping[str, int] | None = None,
    sections: tuple[Section, ...] = (),
) -> Genesis:
    """A genesis for the solo engine; `authority` is the base64url key that signs headers."""
    settings = sorted((parameters or {}).items())
    first = section("account", account.Start(accounts=accounts))
    return Genesis(
        format=Small(FORMAT),
        chain=ChainName(chain),
        time=Time(time),
        engine=EngineLine(name=Name("solo"), keys=(PublicKey(authority),)),
        authentication=Name("account"),
        modules=module_lines(registry),
        parameters=tuple(
            Setting(name=SettingName(name), value=Count(value)) for name, value in settings
        ),
        sections=(first, *sections),
    )


__all__ = ["build_genesis", "genesis_address", "module_lines", "single_key", "write_genesis"]
