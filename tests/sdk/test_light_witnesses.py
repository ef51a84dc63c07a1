"""A client that compares what its node says of blocks with nodes of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import httpx2
import msgspec
import pytest
from msgspec.structs import replace

from tests.paper_network import FOUR, header_of, voted, with_header
from tests.sdk.test_light import Lying
from tests.sdk.test_light_network import ServedNetwork, recent, serving
from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.types import LightBlock
from tongbao.kernel.envelope import encode_base64url
from tongbao.modules import asset
from tongbao.sdk.errors import Unreachable
from tongbao.sdk.folder import trust_file
from tongbao.sdk.http import HttpChain
from tongbao.sdk.verification import Finding, VerificationError

NOTHING: Mapping[str, str] = {}
NOWHERE = "http://127.0.0.1:9"
"""Nobody listens on the port that is for throwing away."""


class Nodes(NamedTuple):
    """Three nodes of one network: the client's, and two that may be witnesses."""

    node: ServedNetwork
    first: str
    second: str

    def client(self, *witnesses: str, shown: Mapping[str, str] = NOTHING) -> HttpChain:
        """A client with the genesis's trust file; `shown` is the light block that some show."""

        def changes(request: httpx2.Request, body: bytes) -> bytes:
            place = f"http://{request.url.host}:{request.url.port}"
            if place not in shown or "light-blocks" not in request.url.path:
                return body
            return msgspec.json.encode(msgspec.json.decode(body) | {"light_block": shown[place]})

        address = self.node.served.address
        http = httpx2.Client(base_url=address, transport=Lying(changes))
        trust = trust_file(self.node.paper.genesis)
        return HttpChain(address, client=http, trust=trust, witnesses=witnesses, patience_s=0.5)

    def newest(self) -> LightBlock:
        """The last block that has votes."""
        return self.node.paper.network.at(3)


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """A network with its first validators."""
    paper = recent()
    with serving(paper) as node, serving(paper) as first, serving(paper) as second:
        yield Nodes(node, first.served.address, second.served.address)


@contextmanager
def refused(expected: Finding) -> Iterator[None]:
    """What is asked within is refused with a finding."""
    with pytest.raises(VerificationError) as caught:
        yield
    assert caught.value.finding is expected


def text_of(block: LightBlock) -> str:
    """A light block as a node gives it."""
    return encode_base64url(encode(block))


def test_a_witness_that_has_the_same_blocks_changes_nothing(nodes: Nodes) -> None:
    """
    Given a client with two witnesses that have what its node has,
    when it asks for the head and a balance,
    then both are as they are without witnesses.
    """
    paper = nodes.node.paper
    with nodes.client() as alone, nodes.client(nodes.first, nodes.second + "/") as compared:
        assert alone.head() == compared.head()
        held = compared.query(asset.balance, paper.shop, paper.cny)
        assert held == alone.query(asset.balance, paper.shop, paper.cny)
        assert compared.equivocation is None


def test_another_block_with_the_votes_is_kept_as_evidence(nodes: Nodes) -> None:
    """
    Given validators who have voted for two headers of one height, a node that shows one of them
    and a witness that shows the other,
    when a client asks its node for the head, and again,
    then it refuses both times, and has both light blocks.
    """
    other = voted(replace(header_of(nodes.newest()), evidence_hash=bytes(32)), FOUR)
    shown = {nodes.second: text_of(other)}
    with nodes.client(nodes.first, nodes.second, shown=shown) as chain:
        for _ in range(2):
            with refused(Finding.HEADERS_DIFFER):
                chain.head()
        assert chain.equivocation == (text_of(nodes.newest()), text_of(other))


def test_a_witness_without_the_votes_or_an_answer_is_no_witness(nodes: Nodes) -> None:
    """
    Given a witness that shows a header for which nobody has voted, and one that does not answer,
    when a client has an honest one beside them, and when it has none,
    then the one is answered, and the other is told that nobody has confirmed the block.
    """
    forged = with_header(nodes.newest(), app_hash=bytes(32))
    shown = {nodes.first: text_of(forged)}
    with nodes.client(NOWHERE, nodes.first, nodes.second, shown=shown) as chain:
        assert chain.head().height == 2
        assert chain.equivocation is None
    with nodes.client(NOWHERE, nodes.first, shown=shown) as chain:
        for _ in range(2):
            with pytest.raises(Unreachable, match="no witness has confirmed block 3"):
                chain.head()
