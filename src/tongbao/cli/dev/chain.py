"""The chain of a developer: named people with money, keys in the open, each edit an upgrade."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.cli.book import AccountBook
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Amount, AssetCode, AssetId, Reference, Registry, Small
from tongbao.modules import asset
from tongbao.sdk.folder import OPEN_PASSPHRASE, Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.keystore import Cost, Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY

NAME: Final = "dev"
BANK: Final = "bank"
FUNDED: Final = ("alice", "bob", "shop")
PEOPLE: Final = (BANK, *FUNDED)
FIRST_MONEY: Final = Amount("1000.00")
PASSPHRASE: Final = "for development only"
CHEAP: Final = Cost(memory_kib=64, iterations=1)
"""Whoever has the folder has the passphrase too: guessing need not be costly."""


class Person(Struct, frozen=True):
    """Somebody on the chain: name, address, and what they hold of the bank's CNY."""

    name: str
    address: str
    balance: str


def begin(folder: Path, registry: Registry) -> None:
    """Lay out a new chain: genesis, keys, names, and the passphrase in the open."""
    folder.mkdir(parents=True, exist_ok=True)
    keystore = Keystore(folder / "keys", CHEAP)
    authority, *keys = (keystore.create(name, PASSPHRASE) for name in (AUTHORITY, *PEOPLE))
    accounts = tuple(single_key(key.key_id) for key in keys)
    genesis = build_genesis(registry, NAME, wall_clock(), authority.key_id, accounts)
    (folder / OPEN_PASSPHRASE).write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    book = AccountBook(folder)
    for place, name in enumerate(PEOPLE):
        book.remember(name, genesis_address(place))
    Folder(folder).lay_out(genesis)


def fund(chain: Chain, folder: Path) -> None:
    """Define CNY and give everybody their first money, once."""
    bank = genesis_address(0)
    cny = AssetId(f"CNY.{bank}")
    if chain.query(asset.show, cny) is not None:
        return
    wallet = chain.wallet(bank, Keystore(folder / "keys").unlock(BANK, PASSPHRASE))
    wallet.send(
        asset.Define(code=AssetCode("CNY"), scale=Small(2)),
        *(
            asset.Issue(
                asset=cny,
                amount=FIRST_MONEY,
                payee=genesis_address(place),
                reference=Reference(f"first-money-of-{name}"),
            )
            for place, name in enumerate(PEOPLE)
            if name in FUNDED
        ),
    )


def people(chain: Chain) -> list[Person]:
    """Everybody with their balance of the bank's CNY."""
    cny = AssetId(f"CNY.{genesis_address(0)}")
    found = []
    for place, name in enumerate(PEOPLE):
        held = chain.query(asset.balance, genesis_address(place), cny)
        balance = "issues CNY" if name == BANK else f"{'0.00' if held is None else held.amount} CNY"
        found.append(Person(name, genesis_address(place), balance))
    return found
