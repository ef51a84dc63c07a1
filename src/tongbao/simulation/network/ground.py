"""What a campaign needs on a chain: accounts with money, and registers that several write."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from tongbao.kernel import Address, Amount, AssetCode, Key, PublicKey, Reference, Small, WeightedKey
from tongbao.localnet.network import Network
from tongbao.modules import account, asset
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR
from tongbao.sdk.signer import SoftwareKey
from tongbao.simulation.network.history import WEIGHT, Account, Ground, History, pair_of

FUNDS: Final = 1_000_00
"""Units that each payer begins with; some payments ask for more than anybody has."""
LANES: Final = 4
PATIENCE_S: Final = 120.0
"""A machine that plays a whole network may be slow, and nothing is judged yet."""


def _open(key: SoftwareKey) -> account.Open:
    public = Key(algorithm=Small(1), public=PublicKey(key.key_id))
    ordinary, sensitive = pair_of(0)
    return account.Open(
        keys=(WeightedKey(key=public, weight=Small(WEIGHT)),),
        ordinary=Small(ordinary),
        sensitive=Small(sensitive),
        lanes=Small(LANES),
    )


def lay(network: Network, seed: int, payers: int, registers: int) -> tuple[Ground, History]:
    """Open the accounts through the first member, in three transactions."""
    member = network.plan.members[0]
    with HttpChain(member.address, patience_s=PATIENCE_S) as chain:
        key = Keystore(Path(network.folder) / member.name / "keys").unlock(OPERATOR, network.secret)
        operator = chain.wallet(member.operator, key)
        keys = [
            SoftwareKey.from_seed(sha256(f"{seed}/{place}".encode()).digest())
            for place in range(payers + registers)
        ]
        opened = operator.send(*map(_open, keys), also=tuple(keys))
        made = zip(opened.receipt.ids, keys, strict=True)
        accounts = [Account(Address(address), key) for address, key in made]
        operator.send(asset.Define(code=AssetCode("CNY"), scale=Small(2)))
        coin = operator.asset_id("CNY")
        issued = operator.send(
            *[
                asset.Issue(
                    asset=coin,
                    amount=Amount(f"{FUNDS // 100}.00"),
                    payee=each.address,
                    reference=Reference(f"deposit-{place}"),
                )
                for place, each in enumerate(accounts[:payers])
            ]
        )
        ground = Ground(chain.id, coin, tuple(accounts[:payers]), tuple(accounts[payers:]))
    history = History(
        balances={each.address: FUNDS for each in ground.payers},
        registers={each.address: pair_of(0) for each in ground.registers},
        since=issued.height,
    )
    return ground, history
