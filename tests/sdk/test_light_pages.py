"""A client with a trust file: pages, settings, many rows and many answers; and headers that lie."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import httpx2
import msgspec
import pytest

from tests.fixed_chain import BEGIN, HOUR, FixedChain, key
from tests.node.conftest import Served, serving, serving_chain
from tests.sdk.test_light import Lying, found_by, lied_to, on, pay
from tongbao.kernel import Amount, AssetCode, Module, Page, Registry, Small, View
from tongbao.kernel.kernel_module import BLOCK_ROWS, DUE_ITEMS
from tongbao.modules import asset
from tongbao.modules.registry import registry
from tongbao.sdk.client import Applied
from tongbao.sdk.http import HttpChain
from tongbao.sdk.verification import Finding, VerificationError


@pytest.fixture
def served() -> Iterator[Served]:
    """A node with the usual settings."""
    with serving() as found:
        yield found


def define(served: Served, *codes: str) -> None:
    """Let the bank define more assets."""
    messages = [asset.Define(code=AssetCode(code), scale=Small(0)) for code in codes]
    served.chain.submit(served.fixed.signed("bank", *messages))


def test_each_row_of_a_page_is_proven_and_belongs_to_it(served: Served) -> None:
    """
    Given a node that shows in a page another's row, a wrong value, a row twice, or another order,
    when assets and holdings are listed with trust,
    then each lie is found; that a row is left out can't be.
    """
    fixed = served.fixed
    define(served, "EUR", "THB")
    served.chain.submit(fixed.pay("1.00"))
    honest = served.chain.query(asset.issued_by, fixed.bank)

    def rows(change: Callable[[list[object]], list[object]]) -> Callable[..., bytes]:
        def lie(request: httpx2.Request, body: bytes) -> bytes:
            if not request.url.path.endswith("/issued-by"):
                return body
            page = msgspec.json.decode(body)
            return msgspec.json.encode({**page, "rows": change(page["rows"])})

        return lie

    lies = (
        on("/issued-by", b'"scale":0', b'"scale":1'),
        rows(lambda found: [*found, found[0]]),
        rows(lambda found: found[::-1]),
    )
    for lie in lies:
        with lied_to(served, lie) as chain:
            assert found_by(partial(chain.query, asset.issued_by, fixed.bank)) is (
                Finding.ANSWER_IS_NOT_PROVEN
            )
    shops = served.client.get(f"/v1/accounts/{fixed.shop}/holdings").content

    def another(request: httpx2.Request, body: bytes) -> bytes:
        return shops if request.url.path.endswith("/held-by") else body

    with lied_to(served, another) as chain:
        ask = partial(chain.query, asset.held_by, fixed.alice)
        assert found_by(ask) is Finding.ANSWER_IS_NOT_PROVEN
    with lied_to(served, rows(lambda found: found[1:])) as chain:
        assert chain.query(asset.issued_by, fixed.bank) == Page(honest.rows[1:], None)


def test_pages_go_on_where_they_ended(served: Served) -> None:
    """
    Given more assets than one page holds,
    when they are listed with trust, page after page,
    then pages and cursors are those of the chain.
    """
    define(served, *[f"A{number:03d}" for number in range(120)])
    bank = served.fixed.bank
    with HttpChain(served.address, trust=served.chain.trust()) as chain:
        first = chain.query(asset.issued_by, bank)
        second = chain.query(asset.issued_by, bank, first.after)

    assert first == served.chain.query(asset.issued_by, bank)
    assert second == served.chain.query(asset.issued_by, bank, first.after)
    assert (len(first.rows), len(second.rows)) == (100, 21)


def test_blocks_that_are_made_between_proofs_do_not_mix_states(served: Served) -> None:
    """
    Given a payment that is made after a page was answered and before its rows are proven,
    when holdings are listed with trust,
    then the page is asked for again, and what is returned is of one height.
    """
    fixed = served.fixed
    left = [fixed.pay("1.00"), fixed.pay("2.00")]

    def pays(request: httpx2.Request, body: bytes) -> bytes:
        if request.url.path.endswith("/held-by") and left:
            served.chain.submit(left.pop())
        return body

    with lied_to(served, pays) as chain:
        page = chain.query(asset.held_by, fixed.alice)

    assert left == []
    assert [row for _, row in page.rows] == [asset.Holding(amount=Amount("97.00"))]


EXTRA = Module(1000, "extra", uses=(asset.module,))
LOUD = EXTRA.parameter("loud", default=3, low=1, high=9, meaning="how loud it is")
LATER = EXTRA.feature("later", meaning="what begins later")


@EXTRA.query
def settings(view: View) -> tuple[int, ...]:
    """Settings that genesis fixed, or left at their defaults."""
    return *map(view.parameter, (BLOCK_ROWS, DUE_ITEMS, LOUD)), int(view.active(LATER))


@EXTRA.query
def nothing(view: View) -> int:
    """What reads no row."""
    return 1


def test_settings_that_a_query_reads_are_proven_rows() -> None:
    """
    Given a chain whose genesis sets one parameter, and a client with a module that reads it,
    others and a feature,
    when it is asked with trust,
    then it has the chain's value, the defaults, and no feature; and a lie is found.
    """
    fixed = FixedChain(parameters={BLOCK_ROWS.name: 20_000})
    modules = Registry((*registry().modules[1:], EXTRA))
    with (
        fixed.running(lambda: BEGIN + 60_000) as chain,
        serving_chain(fixed, chain) as served,
        HttpChain(served.address, registry=modules, trust=chain.trust()) as remote,
    ):
        assert remote.query(settings) == (20_000, DUE_ITEMS.default, 3, 0)
        assert found_by(partial(remote.query, nothing)) is Finding.CANNOT_BE_PROVEN
        lying = httpx2.Client(
            base_url=served.address, transport=Lying(on("/proof", b"20000", b"90000"))
        )
        with HttpChain(served.address, client=lying, registry=modules, trust=chain.trust()) as one:
            assert found_by(partial(one.query, settings)) is Finding.ROW_IS_NOT_PROVEN


def test_many_answers_are_checked_at_once(served: Served) -> None:
    """
    Given a connection on which four proofs of transactions must be under way at a time,
    when eight payments are submitted with trust,
    then all are checked: the client does not ask one after the other.
    """
    together = threading.Barrier(4, timeout=20)

    def gathers(request: httpx2.Request, body: bytes) -> bytes:
        if request.url.path.endswith("/proof"):
            together.wait()
        return body

    with lied_to(served, gathers) as chain:
        found = chain.submit_many([served.fixed.pay("1.00") for _ in range(8)])

    assert [type(one) for one in found] == [Applied] * 8


def test_one_lie_among_many_answers_is_told_of_that_one(served: Served) -> None:
    """
    Given a node that tells one of three payments with another amount,
    when they are submitted with trust,
    then that one is an error, and the others are applied.
    """
    wires = [served.fixed.pay(amount) for amount in ("1.00", "2.00", "3.00")]
    with lied_to(served, on("/v1/transactions", b'"2.00"', b'"9.00"')) as chain:
        found = chain.submit_many(wires)

    assert [type(one) for one in found] == [Applied, VerificationError, Applied]


def test_a_header_of_the_future_is_not_believed() -> None:
    """
    Given a chain whose clock is an hour ahead of this computer's,
    when its head and a row are asked for with trust,
    then they are refused: such a header could be kept and shown later.
    """
    fixed = FixedChain()
    ahead = time.time_ns() // 1_000_000 + HOUR
    with (
        fixed.running(lambda: ahead) as chain,
        serving_chain(fixed, chain) as served,
        HttpChain(served.address, trust=chain.trust()) as remote,
    ):
        remote.head()
        chain.wallet(fixed.alice, key("alice")).send(pay(served, "1.00"))
        assert found_by(remote.head) is Finding.HEADER_IS_AHEAD
        assert found_by(lambda: remote.next_nonce(fixed.alice)) is Finding.HEADER_IS_AHEAD


class Switching(httpx2.BaseTransport):
    """A connection to one node, and later to another one."""

    def __init__(self, address: str) -> None:
        """Begin with this one."""
        self._real = httpx2.HTTPTransport()
        self.address = address

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask the node that is meant now."""
        request.url = request.url.copy_with(port=httpx2.URL(self.address).port)
        request.headers["host"] = httpx2.URL(self.address).netloc.decode()
        return self._real.handle_request(request)

    def close(self) -> None:
        """Close the real connections."""
        self._real.close()


def test_two_headers_of_one_height_are_kept_and_named() -> None:
    """
    Given an authority that shows two people two histories,
    when one client is led from the one to the other,
    then it keeps both headers as evidence, and believes this authority no more.
    """
    with ExitStack() as stack:
        nodes = []
        for amount in ("1.00", "2.00"):
            fixed = FixedChain()
            chain = stack.enter_context(fixed.running(lambda: BEGIN + 60_000))
            nodes.append(stack.enter_context(serving_chain(fixed, chain)))
            chain.submit(fixed.pay(amount))
        trust = nodes[0].chain.trust()
        switching = Switching(nodes[0].address)
        client = httpx2.Client(base_url=nodes[0].address, transport=switching)
        with HttpChain(nodes[0].address, client=client, trust=trust) as remote:
            remote.head()
            assert remote.equivocation is None
            switching.address = nodes[1].address
            ask = partial(remote.query, asset.balance, nodes[0].fixed.shop, nodes[0].fixed.cny)
            assert found_by(ask) is Finding.HEADERS_DIFFER
            switching.address = nodes[0].address
            assert found_by(ask) is Finding.HEADERS_DIFFER
            evidence = remote.equivocation
        headers = tuple(node.chain.block(2).header.decode() for node in nodes)

    assert evidence == headers
