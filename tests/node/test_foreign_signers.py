"""Transactions that were signed by libraries of others, sent over HTTP as those write them.

The programs are those of `examples/`: `joserfc` with `rfc8785` in Python, `jose` with
`canonicalize` in Node.js. Nothing of Tongbao signs, spells or packs what they send.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.fixed_chain import BEGIN, HOUR, key
from tests.node.conftest import Served
from tongbao.kernel import Address, Amount, Key, Reference, Small, WeightedKey
from tongbao.kernel.envelope import decode_envelope
from tongbao.modules import account, asset
from tongbao.sdk.builder import combine, sign
from tongbao.sdk.http import HttpChain

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
LIBRARIES: Final = {
    "joserfc": ([sys.executable], EXAMPLES / "python", "py"),
    "jose": (["node"], EXAMPLES / "javascript", "mjs"),
}


class Foreign:
    """A program of somebody else's that makes keys and signs."""

    def __init__(self, name: str) -> None:
        """Know how it is started; install what its lock names."""
        self._command, self._folder, self._suffix = LIBRARIES[name]
        if name == "jose" and not (self._folder / "node_modules" / ".package-lock.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=self._folder, check=True)

    def _run(self, program: str, *arguments: str, text: str = "") -> str:
        script = str(self._folder / f"{program}.{self._suffix}")
        run = subprocess.run(
            [*self._command, script, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip()

    def keys(self, count: int) -> list[dict[str, Any]]:
        """Private JWKs that it made."""
        return list(json.loads(self._run("keys", str(count))))

    def sign(self, payload: dict[str, Any], keys: list[dict[str, Any]]) -> str:
        """A transaction: compact for one key, general JSON for several."""
        return self._run("sign", text=json.dumps({"payload": payload, "keys": keys}))


def open_account(
    served: Served, foreign: Foreign, keys: list[dict[str, Any]], threshold: int
) -> Address:
    """An account of the bank's for foreign keys, with 10.00 CNY; the keys sign for it, too."""
    fixed = served.fixed
    one = Small(1)
    weighted = tuple(
        WeightedKey(key=Key(algorithm=one, public=jwk["x"]), weight=one) for jwk in keys
    )
    needed = Small(threshold)
    opening = account.Open(keys=weighted, ordinary=needed, sensitive=needed, lanes=one)
    by_bank = fixed.signed("bank", opening)
    payload = decode_envelope(by_bank).payload
    assert sign(payload, [key("bank")]) == by_bank
    by_them = foreign.sign(json.loads(payload), keys).encode()
    with HttpChain(served.address) as chain:
        address = Address(chain.submit(combine([by_bank, by_them])).made)
        gift = asset.Issue(
            asset=fixed.cny,
            amount=Amount("10.00"),
            payee=address,
            reference=Reference(address[:20]),
        )
        chain.wallet(fixed.bank, key("bank")).send(gift)
    fixed.nonces[fixed.bank] += 1
    return address


def spellings(signed: str) -> list[tuple[str, bytes]]:
    """The media type and bytes of a transaction as people may send it."""
    if not signed.startswith("{"):
        return [("application/jose", signed.encode())]
    members = json.loads(signed)
    turned = {
        name: [dict(reversed(one.items())) for one in part] if name == "signatures" else part
        for name, part in reversed(members.items())
    }
    return [
        ("application/jose+json", json.dumps(turned, indent=3).encode()),
        ("application/jose+json; charset=utf-8", signed.encode()),
    ]


@pytest.mark.needs("node", "npm")
@pytest.mark.parametrize("name", sorted(LIBRARIES))
@pytest.mark.parametrize("threshold", [1, 2])
def test_what_other_libraries_sign_is_taken_over_http(
    served: Served, name: str, threshold: int
) -> None:
    """
    Given an account whose one key, or any two of three, must sign, held by another library,
    when it signs a payment with ordinary JOSE calls, and the payment is posted as it is, in other
    member order and with spaces, and once more,
    then it is applied once, found by its id with what was signed, and the shop has the money.
    """
    foreign = Foreign(name)
    keys = foreign.keys(1 if threshold == 1 else 3)
    sender = open_account(served, foreign, keys, threshold)
    signing = [keys[0]] if threshold == 1 else [keys[0], keys[2]]
    payload = {
        "messages": [
            {"@type": "asset.transfer", "asset": served.fixed.cny, "amount": "2.50"}
            | {"payee": served.fixed.shop, "reference": "tea-1"}
        ],
        "nonce": 1,
        "sender": sender,
        "chain": served.chain.id,
        "expires": BEGIN + HOUR,
    }
    answers = [
        served.client.post("/v1/transactions", content=body, headers={"content-type": media_type})
        for media_type, body in spellings(foreign.sign(payload, signing))
    ]

    assert answers[0].status_code == 200, answers[0].text
    found = served.client.get(f"/v1/transactions/{answers[0].json()['id']}").json()
    assert (found["state"], found["payload"]) == ("applied", payload)
    assert [answer.json()["number"] for answer in answers[1:]] == [15] * (len(answers) - 1)
    asked = {"account": served.fixed.shop, "asset": served.fixed.cny}
    held = served.client.get("/v1/asset/balance", params=asked).json()["value"]
    assert held == {"@version": 1, "amount": "2.50"}
