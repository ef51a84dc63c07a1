"""Wallets that were not written for Tongbao: `jose` in Node.js, `joserfc` in Python.

Each makes its own keys, signs a payment and a 2-of-3 payment with ordinary JOSE calls
(`javascript/sign.mjs`, `python/sign.py`), and a chain accepts them.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tongbao.kernel import Key, WeightedKey
from tongbao.modules import account, asset
from tongbao.sdk import Amount, Chain, SoftwareKey, Wallet, create_chain
from tongbao.sdk.builder import combine

HERE = Path(__file__).parent
WALLETS = {
    "joserfc (Python)": ([sys.executable], HERE / "python", "py"),
    "jose (Node.js)": (["node"], HERE / "javascript", "mjs"),
}


class ForeignWallet:
    """A program in another language, or at least another library, that holds keys and signs."""

    def __init__(self, command: list[str], folder: Path, suffix: str) -> None:
        """Say how its two scripts are started."""
        self.keys_command = [*command, str(folder / f"keys.{suffix}")]
        self.sign_command = [*command, str(folder / f"sign.{suffix}")]

    def make_keys(self, count: int) -> list[dict[str, Any]]:
        """Private JWKs that it made."""
        return list(json.loads(_run([*self.keys_command, str(count)], "")))

    def sign(self, payload: dict[str, Any], keys: list[dict[str, Any]]) -> bytes:
        """A transaction as it writes them."""
        return _run(self.sign_command, json.dumps({"payload": payload, "keys": keys}))


def _run(command: list[str], text: str) -> bytes:
    return subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def opening(keys: list[dict[str, Any]], threshold: int) -> account.Open:
    """An account of several keys, each of weight 1."""
    weighted = tuple(WeightedKey(key=Key(algorithm=1, public=key["x"]), weight=1) for key in keys)
    return account.Open(keys=weighted, ordinary=threshold, sensitive=threshold, lanes=1)


def open_and_fund(
    chain: Chain, bank: Wallet, wallet: ForeignWallet, keys: list[dict[str, Any]], threshold: int
) -> str:
    """Open an account: the bank sends, the new keys sign too, each on its own machine."""
    by_bank = bank.build(opening(keys, threshold))
    payload = json.loads(_payload_of(by_bank))
    address = chain.submit(combine([by_bank, wallet.sign(payload, keys)])).made
    bank.send(
        asset.Issue(
            asset=bank.asset_id("CNY"),
            amount=Amount("50.00"),
            payee=address,
            reference=f"gift-{address[:20]}",
        )
    )
    return address


def _payload_of(transaction: bytes) -> bytes:
    from tongbao.kernel.envelope import decode_envelope

    return decode_envelope(transaction).payload


def pay(
    chain: Chain, wallet: ForeignWallet, sender: str, signing: list[dict[str, Any]], task: Any
) -> None:
    """Send one payment that the foreign wallet built and signed."""
    payload = {
        "chain": chain.id,
        "sender": sender,
        "nonce": chain.next_nonce(sender),
        "expires": chain.now() + 60_000,
        "messages": [{"@type": "asset.transfer", **task}],
    }
    chain.submit(wallet.sign(payload, signing))


def main() -> None:
    """Let both wallets pay, alone and 2-of-3."""
    with tempfile.TemporaryDirectory() as folder:
        chain, bank = create_chain(folder, passphrase="correct horse battery staple")
        shop = bank.open_account(SoftwareKey.generate())
        bank.send(asset.Define(code="CNY", scale=2))
        cny = bank.asset_id("CNY")
        task = {"asset": cny, "amount": "12.50", "payee": shop.address, "reference": "tea-1"}
        with chain:
            for name, (command, place, suffix) in WALLETS.items():
                wallet = ForeignWallet(command, place, suffix)
                keys = wallet.make_keys(3)
                alone = open_and_fund(chain, bank, wallet, keys[:1], 1)
                pay(chain, wallet, alone, keys[:1], task)
                together = open_and_fund(chain, bank, wallet, keys, 2)
                pay(chain, wallet, together, [keys[0], keys[2]], task)
                print(f"{name}: one signature accepted, 2 of 3 accepted")
            held = chain.query(asset.balance, shop.address, cny)
            assert held is not None and held.amount == Amount("50.00"), held
            print(f"the shop holds {held.amount} CNY")


if __name__ == "__main__":
    main()
