"""Steps that tests of assets share."""

from __future__ import annotations

from tongbao.kernel import Address, Amount, AssetCode, AssetId, Reference, Small
from tongbao.modules import asset
from tongbao.modules.asset import Define, Issue, Redeem, Transfer
from tongbao.testing import CNY, Chain, bob, carol

NOBODY = Address("ab" * 20)
HUNDRED = Amount("100.00")
GOLD = AssetId(f"GOLD.{carol}")
MANY = 101


def units(chain: Chain, owner: Address, held: AssetId = CNY) -> int:
    """What somebody holds, in units."""
    row = asset.balance(chain.view(asset.module), owner, held)
    return 0 if row is None else row.amount.units


def define_gold(chain: Chain, cap: str | None = "500", scale: int = 0) -> AssetId:
    """Carol's own asset, without decimals and with a cap unless told."""
    limit = None if cap is None else Amount(cap)
    chain.apply("carol", Define(code=AssetCode("GOLD"), scale=Small(scale), cap=limit))
    return GOLD


def issue(amount: str, reference: str = "r1", of: AssetId = GOLD, payee: Address = bob) -> Issue:
    """Gold for bob unless told."""
    return Issue(asset=of, amount=Amount(amount), payee=payee, reference=Reference(reference))


def redeem(amount: str, reference: str = "r2", of: AssetId = GOLD) -> Redeem:
    """Gold that ends."""
    return Redeem(asset=of, amount=Amount(amount), reference=Reference(reference))


def pay(amount: str, payee: Address, of: AssetId = CNY) -> Transfer:
    """A payment."""
    return Transfer(asset=of, amount=Amount(amount), payee=payee)
