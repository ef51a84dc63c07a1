"""A chain in a folder, with an asset and some payments, for tests that open what others left."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.fixed_chain import key
from tongbao.engines.solo import Options
from tongbao.kernel import Address, Amount, AssetCode, AssetId, Reference, Small
from tongbao.modules import asset
from tongbao.sdk.client import Head
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.sdk.keystore import Cost, Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY, OPERATOR, create_chain, open_chain
from tongbao.sdk.wallet import Wallet

PASSPHRASE: Final = "correct horse battery"
CHEAP: Final = Cost(memory_kib=8, iterations=1)
ALONE: Final = Options(verify_elsewhere=False)
OWNER: Final = genesis_address(0)
CENT: Final = "0.01"
CNY: Final = AssetId(f"CNY.{OWNER}")


class Kept(Struct, frozen=True):
    """What a chain was when it was closed."""

    folder: Path
    head: Head
    shop: Address


def with_cheap_keys(folder: Path) -> Path:
    """A folder with both keys, whose passphrases cost little: as a start cut short leaves it."""
    keys = Keystore(folder / "keys", CHEAP)
    for name in (AUTHORITY, OPERATOR):
        keys.create(name, PASSPHRASE)
    return folder


def begin(folder: Path, name: str = "kept") -> tuple[Chain, Wallet]:
    """A new chain, open, and its operator's wallet."""
    with_cheap_keys(folder)
    return create_chain(folder, passphrase=PASSPHRASE, name=name, options=ALONE)


def reopen(folder: Path) -> Chain:
    """Open a chain to write."""
    return open_chain(folder, passphrase=PASSPHRASE, options=ALONE)


def pay(shop: Address, amount: str) -> asset.Transfer:
    """A payment of the operator's to the shop."""
    return asset.Transfer(asset=CNY, amount=Amount(amount), payee=shop)


def fund(operator: Wallet) -> Address:
    """Define CNY, issue 1,000.00 to the operator itself; the address of a new shop."""
    shop = operator.open_account(key("shop"))
    operator.send(
        asset.Define(code=AssetCode("CNY"), scale=Small(2)),
        asset.Issue(
            asset=CNY, amount=Amount("1000.00"), payee=OWNER, reference=Reference("deposit-1")
        ),
    )
    return shop.address


def keep(folder: Path, name: str = "kept") -> Kept:
    """A closed chain of six blocks, in which the operator has paid the shop three times."""
    chain, operator = begin(folder, name)
    with chain:
        shop = fund(operator)
        for amount in ("1.00", "2.00", "3.00"):
            operator.send(pay(shop, amount))
        return Kept(folder, chain.head(), shop)


def rows_of(kept: Kept, chain: Chain) -> tuple[Head, asset.Holding | None, asset.Holding | None]:
    """The head, and what the operator and the shop hold."""
    owners = (OWNER, kept.shop)
    first, second = (chain.query(asset.balance, owner, CNY) for owner in owners)
    return chain.head(), first, second


def whole(kept: Kept) -> tuple[Head, asset.Holding | None, asset.Holding | None]:
    """What `rows_of` tells of a chain that is as `keep` left it."""
    return (
        kept.head,
        asset.Holding(amount=Amount("994.00")),
        asset.Holding(amount=Amount("6.00")),
    )
