"""Start a node on a free port, pay over HTTP, and believe no answer that is not proven."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tongbao.modules import asset
from tongbao.sdk import Amount, HttpChain, SoftwareKey, create_chain, operator_wallet, to_json

SECRET = "correct horse battery staple"

with tempfile.TemporaryDirectory() as parent:
    folder, secret = Path(parent, "chain"), Path(parent, "secret")
    secret.write_text(SECRET)
    chain, _ = create_chain(folder, passphrase=SECRET)
    trust = to_json(chain.trust())  # who signs here: get it from somebody you trust, not the node
    chain.close()

    tongbao = Path(sys.executable).with_name("tongbao")
    options = f"--folder {folder} --passphrase-file {secret} --port 0 --log-level error".split()
    node = subprocess.Popen([tongbao, "run", *options], stderr=subprocess.PIPE, text=True)
    address = node.stderr.readline().split()[-1]  # "chain ... is served at http://127.0.0.1:..."

    try:
        with HttpChain(address, trust=trust) as ledger:
            bank = operator_wallet(ledger, folder, SECRET)
            shop = bank.open_account(SoftwareKey.generate())
            bank.send(asset.Define(code="CNY", scale=2))
            cny = bank.asset_id("CNY")
            hundred = Amount("100.00")
            issue = asset.Issue(
                asset=cny, amount=hundred, payee=shop.address, reference="deposit-1"
            )
            paid = bank.send(issue)
            print(f"proven in block {paid.height} of {ledger.id}: {paid.receipt.events}")
            print(ledger.query(asset.held_by, shop.address).rows)
            print(next(ledger.happenings(after="0.0")).id, "was the first")
    finally:
        node.terminate()
        node.wait()
