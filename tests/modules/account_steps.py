"""Steps that tests of accounts share."""

from __future__ import annotations

from tongbao.kernel import Address, Amount, Small, WeightedKey
from tongbao.modules import account, asset
from tongbao.modules.account import Account, Open
from tongbao.testing import CNY, Chain, alice, ledger_key, named_key

NOBODY = Address("ab" * 20)
THREE = ("red", "green", "blue")
PAYMENT = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=alice)


def weighted(name: str, weight: int = 1) -> WeightedKey:
    """A key by name, with a weight."""
    return WeightedKey(key=ledger_key(named_key(name)), weight=Small(weight))


def opening(
    *names: str, ordinary: int = 1, sensitive: int = 1, lanes: int = 1, weight: int = 1
) -> Open:
    """An account of named keys that weigh the same."""
    return Open(
        keys=tuple(weighted(name, weight) for name in names),
        ordinary=Small(ordinary),
        sensitive=Small(sensitive),
        lanes=Small(lanes),
    )


def shown(chain: Chain, address: Address) -> Account:
    """An account's row."""
    row = account.show(chain.view(account.module), address)
    assert row is not None
    return row


def two_of_three(chain: Chain) -> Address:
    """An account of dave's with three keys, two of which must sign what is sensitive."""
    opened = chain.apply("bank", opening(*THREE, ordinary=1, sensitive=2), also_sign=THREE)
    assert opened is not None
    dave = chain.name("dave", opened, "red")
    chain.apply("alice", asset.Transfer(asset=CNY, amount=Amount("10.00"), payee=dave))
    return dave
