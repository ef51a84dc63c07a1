"""A client with a network's trust file: how it follows the votes, and which lies it finds."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest
from msgspec.structs import replace

from tests.fixed_chain import key
from tests.node.conftest import Served, serving_chain
from tests.paper_chain import PaperChain
from tests.paper_network import FOUR, header_of, members, voted, with_header
from tests.sdk.test_light import Lying
from tongbao.engines.cometbft.codec import encode
from tongbao.kernel import Amount
from tongbao.kernel.envelope import encode_base64url
from tongbao.modules import asset
from tongbao.sdk import to_json
from tongbao.sdk.answers import LightBlockAnswer
from tongbao.sdk.folder import trust_file
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.proofs import PERIOD_MS, NetworkTrust
from tongbao.sdk.verification import Finding, VerificationError, verify

Changes = Callable[[httpx2.Request, bytes], bytes]
LIGHT_BLOCK = re.compile(r"/v1/light-blocks/(\d+)")


class ServedNetwork(NamedTuple):
    """A network on paper behind a node, and the paths that were asked for."""

    paper: PaperChain
    served: Served
    asked: list[str]

    def client(self, changes: Changes = lambda _, body: body) -> HttpChain:
        """A client with the genesis's trust file, behind somebody who may change answers."""

        def watched(request: httpx2.Request, body: bytes) -> bytes:
            self.asked.append(request.url.path)
            return changes(request, body)

        http = httpx2.Client(base_url=self.served.address, transport=Lying(watched))
        trust = trust_file(self.paper.genesis)
        return HttpChain(self.served.address, client=http, trust=trust)


@contextmanager
def serving(paper: PaperChain) -> Iterator[ServedNetwork]:
    """A node before a network on paper."""
    nobody: Any = None
    now = time.time_ns() // 1_000_000
    with paper.chain(lambda: now) as chain, serving_chain(nobody, chain) as served:
        yield ServedNetwork(paper, served, [])


def recent() -> PaperChain:
    """A network that began ten minutes ago, with a payment in block 2."""
    paper = PaperChain(time.time_ns() // 1_000_000 - 600_000)
    paper.make(paper.pay("12.50"))
    paper.make()
    return paper


def change_everybody(paper: PaperChain, rounds: int) -> None:
    """One validator after the other makes room for a new one, `rounds` times."""
    names = [name for name, _ in FOUR.powers]
    for place in range(rounds):
        names = [*names[1:], f"new{place}"]
        paper.make(after=members(*names))
        paper.make()
    paper.make(paper.pay("7.50"))
    paper.make()


@pytest.fixture
def network() -> Iterator[ServedNetwork]:
    """A network with its first validators."""
    with serving(recent()) as found:
        yield found


def test_a_client_reads_and_writes_on_proofs_alone(network: ServedNetwork) -> None:
    """
    Given a node of a network and a client that trusts nobody but the genesis's validators,
    when it pays, and asks for balances, the head and what became of the payment,
    then all is as the chain has it.
    """
    paper = network.paper
    with network.client() as chain:
        message = asset.Transfer(asset=paper.cny, amount=Amount("1.00"), payee=paper.shop)
        paid = chain.wallet(paper.alice, key("alice")).send(message)
        held = chain.query(asset.balance, paper.shop, paper.cny)
        assert held is not None and held.amount == Amount("13.50")
        assert chain.status(paid.id).height == paid.height
        head = chain.head()
        assert (head.height, head.state_root) == (
            paid.height,
            network.served.chain.light_block(paid.height + 1).state,
        )
    assert not any(LIGHT_BLOCK.fullmatch(path) for path in network.asked)


def test_a_client_with_await_believes_the_same(network: ServedNetwork) -> None:
    """
    Given a node of a network and a client with `await` and the genesis's trust file,
    when it asks for a balance and the head,
    then both are proven.
    """
    paper = network.paper

    async def ask() -> tuple[Any, int]:
        trust = trust_file(paper.genesis)
        async with await AsyncHttpChain.connect(network.served.address, trust=trust) as chain:
            held = await chain.query(asset.balance, paper.shop, paper.cny)
            return held, (await chain.head()).height

    held, height = asyncio.run(ask())
    assert held is not None and held.amount == Amount("12.50")
    assert height == len(paper.network.blocks) - 1


def test_validators_who_changed_are_followed_by_bisection() -> None:
    """
    Given a network in which all validators have changed three times over,
    when a client with the genesis's trust file proves a row twice, and hands the proof on,
    then it asks for some of the light blocks between, once, and the proof verifies offline.
    """
    paper = recent()
    change_everybody(paper, 12)
    with serving(paper) as network, network.client() as chain:
        proof = chain.prove_row("asset.holdings", (paper.shop, paper.cny))
        asked = [path for path in network.asked if LIGHT_BLOCK.fullmatch(path)]
        assert 2 <= len(asked) < len(paper.network.blocks)
        assert 2 <= len(proof.blocks) <= len(asked)
        network.asked.clear()
        assert chain.prove_row("asset.holdings", (paper.shop, paper.cny)) == proof
        assert not any(LIGHT_BLOCK.fullmatch(path) for path in network.asked)
        trust = to_json(trust_file(paper.genesis))
        assert verify(to_json(proof), trust).value == {"@version": 1, "amount": "20.00"}
        with pytest.raises(VerificationError) as caught:
            verify(to_json(replace(proof, blocks=())), trust)
        assert caught.value.finding is Finding.TRUST_IS_TOO_LITTLE


def test_an_old_trust_file_is_made_new_by_the_votes() -> None:
    """
    Given a network whose validators changed and a client with the genesis's trust file,
    when it asks the node for a newer one,
    then it has one that it has checked, with its own period, and later proofs are believable.
    """
    paper = recent()
    change_everybody(paper, 6)
    longer = changing("/v1/trust", setting("period_ms", 10**11))
    with serving(paper) as network, network.client(longer) as chain:
        newer = chain.trust()
        assert isinstance(newer, NetworkTrust)
        assert newer.period_ms == PERIOD_MS
        assert newer.height == len(paper.network.blocks)
        paper.make(paper.pay("0.50"))
        paper.make()
        proof = network.served.chain.prove_row("asset.holdings", (paper.shop, paper.cny))
        assert verify(to_json(proof), to_json(newer)).value["amount"] == "20.50"


def changing(path: str, change: Callable[[Any], None]) -> Changes:
    """Change the members of one answer."""

    def changes(request: httpx2.Request, body: bytes) -> bytes:
        if not re.fullmatch(path, request.url.path):
            return body
        members_ = msgspec.json.decode(body)
        change(members_)
        return msgspec.json.encode(members_)

    return changes


def finding(network: ServedNetwork, changes: Changes, ask: Callable[[HttpChain], object]) -> Any:
    """What a client finds when it asks behind a liar."""
    with pytest.raises(VerificationError) as caught, network.client(changes) as chain:
        ask(chain)
    return caught.value.finding


def holding(paper: PaperChain) -> Callable[[HttpChain], object]:
    """Ask for what the shop holds."""
    return lambda chain: chain.query(asset.balance, paper.shop, paper.cny)


def test_a_node_that_lies_is_found_out(network: ServedNetwork) -> None:
    """
    Given a node that lies about a row, its state, its block, the head or who votes,
    when a client asks,
    then each lie has its finding.
    """
    paper = network.paper
    richer = {"@version": 1, "amount": "9000.00"}
    rows, heads = "/v1/rows/.*/proof", "/v1/light-blocks"
    forged = with_header(paper.network.at(3), app_hash=bytes(32))
    text = encode_base64url(encode(forged))
    before = encode_base64url(encode(header_of(paper.network.at(1))))
    lies: list[tuple[str, str, Any, Callable[[HttpChain], object], Finding]] = [
        (rows, "value", richer, holding(paper), Finding.ROW_IS_NOT_PROVEN),
        (rows, "state", "00" * 32, holding(paper), Finding.ROW_IS_NOT_PROVEN),
        (rows, "block", before, holding(paper), Finding.BLOCK_IS_ANOTHER),
        (rows, "header", text, holding(paper), Finding.BLOCK_IS_ANOTHER),
        (heads, "state", "00" * 32, HttpChain.head, Finding.ANSWER_IS_NOT_PROVEN),
        (heads, "state", "x", HttpChain.head, Finding.ANSWER_IS_NOT_PROVEN),
        (heads, "light_block", text, HttpChain.head, Finding.BLOCK_IS_ANOTHER),
        (heads, "block", before, HttpChain.head, Finding.BLOCK_IS_ANOTHER),
        ("/v1/trust", "time", 0, HttpChain.trust, Finding.ANSWER_IS_NOT_PROVEN),
        ("/v1/trust", "height", 2, HttpChain.trust, Finding.ANSWER_IS_NOT_PROVEN),
        ("/v1/trust", "hash", "00" * 32, HttpChain.trust, Finding.ANSWER_IS_NOT_PROVEN),
    ]
    for path, member, value, ask, expected in lies:
        found = finding(network, changing(path, setting(member, value)), ask)
        assert found is expected, (path, member)


def setting(member: str, value: Any) -> Callable[[Any], None]:
    """Give a member another value."""

    def change(members_: Any) -> None:
        members_[member] = value

    return change


def test_an_older_state_than_was_seen_is_refused(network: ServedNetwork) -> None:
    """
    Given a client that has seen block 2's state,
    when the node answers with a true proof of block 1,
    then the state is older.
    """
    paper = network.paper
    old = network.served.chain.prove_row("asset.holdings", (paper.shop, paper.cny))
    paper.make(paper.pay("1.00"))
    paper.make()

    def changes(request: httpx2.Request, body: bytes) -> bytes:
        return to_json(old) if request.url.path.endswith("/proof") else body

    def ask(chain: HttpChain) -> None:
        chain.head()
        chain.query(asset.balance, paper.shop, paper.cny)

    assert finding(network, changes, ask) is Finding.STATE_IS_OLDER


def test_two_headers_of_one_height_are_kept_as_evidence(network: ServedNetwork) -> None:
    """
    Given validators who have voted for two headers of one height,
    when a client is shown one after the other,
    then it refuses from then on, and has both.
    """
    paper = network.paper
    other = voted(replace(header_of(paper.network.at(3)), evidence_hash=bytes(32)), FOUR)
    text = encode_base64url(encode(other))
    told: list[str] = []

    def change(members_: Any) -> None:
        told.append(members_["light_block"])
        if len(told) > 1:
            members_["light_block"] = text

    with network.client(changing("/v1/light-blocks", change)) as chain:
        chain.head()
        for _ in range(2):
            with pytest.raises(VerificationError) as caught:
                chain.head()
            assert caught.value.finding is Finding.HEADERS_DIFFER
        assert chain.equivocation == (told[0], text)


def test_light_blocks_of_strangers_lead_nowhere() -> None:
    """
    Given a node that answers with another light block than was asked for, or has none,
    when a client must follow changed validators,
    then the answer is not proven, or the trust is too little.
    """
    paper = recent()
    change_everybody(paper, 8)
    with serving(paper) as network:
        first = network.served.chain.light_block(1)

        def another(request: httpx2.Request, body: bytes) -> bytes:
            if not LIGHT_BLOCK.fullmatch(request.url.path):
                return body
            return msgspec.json.encode(first)

        ask = holding(paper)
        assert finding(network, another, ask) is Finding.ANSWER_IS_NOT_PROVEN
        assert isinstance(first, LightBlockAnswer)
