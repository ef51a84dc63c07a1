"""A client with a trust file: what it believes, and which lies it finds."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

import httpx2
import msgspec
import pytest
from msgspec.structs import replace

from tests.fixed_chain import key
from tests.node.conftest import Served, serving
from tongbao.kernel import Amount
from tongbao.modules import asset
from tongbao.sdk import to_json
from tongbao.sdk.client import Applied, Refused
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.verification import Finding, VerificationError


@pytest.fixture
def served() -> Iterator[Served]:
    """A node with the usual settings."""
    with serving() as found:
        yield found


class Lying(httpx2.BaseTransport):
    """A real connection to a node, with somebody on it who changes what it answers."""

    def __init__(self, changes: Callable[[httpx2.Request, bytes], bytes]) -> None:
        """Let `changes` make the body that the client gets."""
        self._real = httpx2.HTTPTransport()
        self._changes = changes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask the node, and change the answer."""
        answer = self._real.handle_request(request)
        body = self._changes(request, answer.read())
        answer.close()
        return httpx2.Response(answer.status_code, content=body)

    def close(self) -> None:
        """Close the real connections."""
        self._real.close()


def lied_to(served: Served, changes: Callable[[httpx2.Request, bytes], bytes]) -> HttpChain:
    """A client with the chain's trust file, behind a liar."""
    client = httpx2.Client(base_url=served.address, transport=Lying(changes))
    return HttpChain(served.address, client=client, trust=served.chain.trust())


def on(path: str, old: bytes, new: bytes) -> Callable[[httpx2.Request, bytes], bytes]:
    """The lie that replaces something in the answers of a path."""

    def change(request: httpx2.Request, body: bytes) -> bytes:
        if not request.url.path.endswith(path):
            return body
        assert old in body, body
        return body.replace(old, new)

    return change


def pay(served: Served, amount: str) -> asset.Transfer:
    """Alice's payment to the shop."""
    return asset.Transfer(asset=served.fixed.cny, amount=Amount(amount), payee=served.fixed.shop)


def found_by(action: Callable[[], object]) -> Finding:
    """What the client finds wrong."""
    with pytest.raises(VerificationError) as caught:
        action()
    return caught.value.finding


def test_an_honest_node_is_believed(served: Served) -> None:
    """
    Given a client with a trust file and an honest node,
    when it pays, is refused, and reads rows that are there and that are not,
    then everything is as it is in process.
    """
    fixed, here = served.fixed, served.chain
    with HttpChain(served.address, trust=to_json(here.trust())) as chain:
        alice = chain.wallet(fixed.alice, key("alice"))
        paid = alice.send(pay(served, "12.50"))
        many = chain.submit_many([fixed.signed("alice", pay(served, "999.00"), nonce=2)])

        assert isinstance(many[0], Refused)
        assert chain.head() == here.head()
        assert chain.status(paid.id).height == paid.height
        assert chain.status("0" * 64).state == "unknown"
        assert chain.next_nonce(fixed.alice) == here.next_nonce(fixed.alice) == 3
        assert chain.next_nonce(fixed.shop) == 1
        assert chain.prove_transaction(paid.id) == here.prove_transaction(paid.id)
        assert chain.trust() == here.trust()
        for owner in (fixed.alice, fixed.shop, fixed.bank):
            assert chain.query(asset.balance, owner, fixed.cny) == here.query(
                asset.balance, owner, fixed.cny
            )


def test_the_asynchronous_client_believes_and_finds_the_same(served: Served) -> None:
    """
    Given the client with `await` and the trust file, and then another authority's,
    when it pays and reads,
    then the first gets what happened, and the second finds who signed.
    """
    trust = served.chain.trust()
    other = replace(trust, keys=(key("mallory").key_id,))
    fixed = served.fixed

    async def story() -> None:
        async with await AsyncHttpChain.connect(served.address, trust=trust) as chain:
            paid = await chain.submit(fixed.pay("1.00"))
            assert isinstance(paid, Applied)
            assert await chain.query(asset.balance, fixed.shop, fixed.cny) == asset.Holding(
                amount=Amount("1.00")
            )
        async with await AsyncHttpChain.connect(served.address, trust=other) as chain:
            with pytest.raises(VerificationError) as caught:
                await chain.head()
            assert caught.value.finding is Finding.SIGNER_IS_NOT_TRUSTED

    asyncio.run(story())


def test_a_node_that_lies_about_a_row_is_found(served: Served) -> None:
    """
    Given a node that shows another balance, another row, or none,
    when the balance is asked for,
    then each lie is found.
    """
    fixed = served.fixed

    def other_row(request: httpx2.Request, body: bytes) -> bytes:
        if not request.url.path.endswith("/proof"):
            return body
        return to_json(served.chain.prove_row("asset.holdings", (fixed.shop, fixed.cny)))

    def no_row(request: httpx2.Request, body: bytes) -> bytes:
        members = msgspec.json.decode(body)
        members.pop("value", None)
        return msgspec.json.encode(members)

    lies = (
        (on("/proof", b'"100.00"', b'"900.00"'), Finding.ROW_IS_NOT_PROVEN),
        (on("/proof", b'"value"', b'"worth"'), Finding.PROOF_IS_UNREADABLE),
        (no_row, Finding.ROW_IS_NOT_PROVEN),
        (other_row, Finding.ANSWER_IS_NOT_PROVEN),
    )
    for lie, finding in lies:
        with lied_to(served, lie) as chain:
            ask = partial(chain.query, asset.balance, fixed.alice, fixed.cny)
            assert found_by(ask) is finding


def test_a_node_that_lies_about_a_transaction_is_found(served: Served) -> None:
    """
    Given a node that changes an event, a height or an outcome,
    when a payment is submitted and its status is asked for,
    then each lie is found.
    """
    fixed = served.fixed
    with lied_to(served, on("/v1/transactions", b'"1.00"', b'"7.00"')) as chain:
        wire = fixed.pay("1.00")
        assert found_by(lambda: chain.submit(wire)) is Finding.ANSWER_IS_NOT_PROVEN
    paid = served.chain.submit(fixed.pay("2.00"))
    lies = ((b'"applied"', b'"refused"'), (f'"height":{paid.height}'.encode(), b'"height":1'))
    for old, new in lies:
        with lied_to(served, on(f"/v1/transactions/{paid.id}", old, new)) as chain:
            assert found_by(partial(chain.status, paid.id)) is Finding.ANSWER_IS_NOT_PROVEN


def test_an_older_state_is_refused(served: Served) -> None:
    """
    Given a node that keeps giving the first proof that it gave,
    when a payment was made in between,
    then the second answer is refused as older.
    """
    kept: dict[str, bytes] = {}

    def stale(request: httpx2.Request, body: bytes) -> bytes:
        path = request.url.path
        return kept.setdefault(path, body) if path.startswith("/v1/rows/") else body

    fixed = served.fixed
    with lied_to(served, stale) as chain:
        ask = partial(chain.query, asset.balance, fixed.shop, fixed.cny)
        assert ask() is None
        chain.submit(fixed.pay("3.00"))
        assert found_by(ask) is Finding.STATE_IS_OLDER


def test_what_cannot_be_proven_is_refused(served: Served) -> None:
    """
    Given history, another chain's trust file, and a head with another root,
    when they are asked for,
    then each is refused by name.
    """
    fixed, trust = served.fixed, served.chain.trust()
    other = replace(trust, chain=type(trust.chain)("other-" + "0" * 16))
    with HttpChain(served.address, trust=trust) as chain:
        assert found_by(lambda: chain.movements_of(fixed.alice)) is Finding.CANNOT_BE_PROVEN
    assert found_by(lambda: HttpChain(served.address, trust=other)) is Finding.CHAIN_IS_ANOTHER
    root = served.chain.head().state_root.encode()
    with lied_to(served, on("/v1", root, b"0" * 64)) as chain:
        assert found_by(chain.head) is Finding.ANSWER_IS_NOT_PROVEN


def test_light_verification_imports_no_store() -> None:
    """
    Given a fresh interpreter,
    when it imports the client over HTTP with its light verification,
    then neither node, store nor lmdb is loaded.
    """
    code = (
        "import sys, tongbao.sdk.http, tongbao.sdk.http_asynchronous, tongbao.sdk.light\n"
        "bad = ('lmdb', 'tongbao.store', 'tongbao.node', 'tongbao.engines.solo.engine')\n"
        "print([name for name in sys.modules if name.startswith(bad)])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[]"
