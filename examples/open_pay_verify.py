"""Open a chain, pay, and verify the payment without trusting the node: the README's ten lines."""

import tempfile

from tongbao.modules import asset
from tongbao.sdk import Amount, SoftwareKey, create_chain, to_json, verify

with tempfile.TemporaryDirectory() as folder:
    chain, bank = create_chain(folder, passphrase="correct horse battery staple")
    alice, shop = (bank.open_account(SoftwareKey.generate()) for _ in range(2))
    bank.send(asset.Define(code="CNY", scale=2))
    cny = bank.asset_id("CNY")
    hundred = Amount("100.00")
    bank.send(asset.Issue(asset=cny, amount=hundred, payee=alice.address, reference="deposit-1"))
    paid = alice.send(asset.Transfer(asset=cny, amount=Amount("12.50"), payee=shop.address))
    proof, trust = chain.prove_transaction(paid.id), chain.trust()
    print(verify(to_json(proof), to_json(trust)).receipt)
    print(chain.query(asset.balance, shop.address, cny))
    chain.close()
