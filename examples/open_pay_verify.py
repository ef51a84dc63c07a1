"""Open a chain, pay, and verify the payment without trusting the node: the README's ten lines."""

import tempfile
from contextlib import chdir

from tongbao.kernel import Amount, AssetCode, Reference, Small
from tongbao.modules import asset
from tongbao.sdk import SoftwareKey, create_chain, to_json, verify

with tempfile.TemporaryDirectory() as folder, chdir(folder):
    chain, bank = create_chain("my-chain", passphrase="correct horse battery staple")
    alice, shop = (bank.open_account(SoftwareKey.generate()) for _ in range(2))
    bank.send(asset.Define(code=AssetCode("CNY"), scale=Small(2)))
    cny = bank.asset_id("CNY")
    hundred, why = Amount("100.00"), Reference("deposit-1")
    bank.send(asset.Issue(asset=cny, amount=hundred, payee=alice.address, reference=why))
    paid = alice.send(asset.Transfer(asset=cny, amount=Amount("12.50"), payee=shop.address))
    proof, trust = chain.prove_transaction(paid.id), chain.trust()
    print(verify(to_json(proof), to_json(trust)).receipt)
    chain.close()
