"""The chain of a campaign: funded payers, a shop, and keys that cost little to open."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tongbao.engines.solo import Options
from tongbao.kernel import Address, AssetCode, Reference, Small
from tongbao.modules import asset
from tongbao.sdk.keystore import Cost, Keystore
from tongbao.sdk.opening import AUTHORITY, OPERATOR, create_chain
from tongbao.simulation.crash.book import FUNDS, Ground, payer_key
from tongbao.simulation.crash.serving import PASSPHRASE

PAYERS: Final = 6
CHEAP: Final = Cost(memory_kib=8, iterations=1)
"""A start opens the authority's key; what a guess at its passphrase costs is not what is tried."""


def lay(folder: Path) -> Ground:
    """Begin a chain in a folder, and close it."""
    keys = Keystore(folder / "keys", CHEAP)
    for name in (AUTHORITY, OPERATOR):
        keys.create(name, PASSPHRASE)
    options = Options(verify_elsewhere=False)
    chain, operator = create_chain(folder, passphrase=PASSPHRASE, name="crash", options=options)
    with chain:
        shop = operator.open_account(payer_key(PAYERS))
        operator.send(asset.Define(code=AssetCode("CNY"), scale=Small(2)))
        coin = operator.asset_id("CNY")
        payers = []
        for place in range(PAYERS):
            payer = Address(operator.open_account(payer_key(place)).address)
            reference = Reference(f"deposit-{place}")
            operator.send(asset.Issue(asset=coin, amount=FUNDS, payee=payer, reference=reference))
            payers.append(payer)
        return Ground(chain.id, coin, Address(shop.address), tuple(payers))
