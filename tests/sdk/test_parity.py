"""Four clients, one interface: the same methods, the same signatures, the same typed answers."""

from __future__ import annotations

import asyncio
import inspect
from itertools import islice
from typing import Any

import pytest

from tests.node.conftest import Served, serving
from tongbao.kernel.envelope import decode_envelope
from tongbao.modules import asset
from tongbao.sdk.asynchronous import AsyncChain
from tongbao.sdk.client import Applied, AsyncClient, Client, Refused
from tongbao.sdk.errors import id_and_expiry
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.local import Chain
from tongbao.sdk.proofs import TrustFile
from tongbao.sdk.wallet import Wallet
from tongbao.sdk.wallet_asynchronous import AsyncWallet

HISTORY = frozenset(
    {
        "movements_of",
        "movements_of_asset",
        "transactions_of",
        "by_reference",
        "statement",
        "search",
        "bundle",
    }
)
"""What only a node with an index can tell."""

OVER_HTTP = HISTORY | {"query_at"}
"""That, and the height of an answer, which in process `reading` holds still."""


def methods(kind: type) -> dict[str, str]:
    """The public methods of a class with their signatures, without what makes a colour."""
    found = {}
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            text = str(inspect.signature(method))
            found[name] = text.replace("Async", "").replace("'", "")
    return found


def waits(kind: type) -> set[str]:
    """The public methods whose result is awaited."""
    members = inspect.getmembers(kind, inspect.iscoroutinefunction)
    return {name for name, _ in members if not name.startswith("_") and name != "connect"}


def test_all_clients_have_the_methods_of_the_protocol() -> None:
    """
    Given the protocols of both colours, and the four clients,
    when their public methods and signatures are compared,
    then all have those of the protocol, and over HTTP history and heights, nothing else besides.
    """
    protocol = methods(Client)
    assert methods(AsyncClient) == protocol
    for kind in (Chain, AsyncChain, HttpChain, AsyncHttpChain):
        found = methods(kind)
        assert {name: found.get(name) for name in protocol} == protocol, kind
    for http in (HttpChain, AsyncHttpChain):
        assert set(methods(http)) - set(protocol) == OVER_HTTP, http
    assert methods(AsyncHttpChain) == methods(HttpChain)
    assert set(methods(AsyncChain)) == set(protocol)


def test_the_asynchronous_ones_wait_for_the_same_things() -> None:
    """
    Given the asynchronous protocol, and what has it,
    when one asks which methods are awaited,
    then they are the same ones, and none is in the synchronous clients.
    """
    expected = waits(AsyncClient)
    assert expected == set(methods(Client)) - {"now", "wallet", "happenings"}
    assert waits(AsyncChain) == expected
    assert waits(AsyncHttpChain) == expected | OVER_HTTP
    assert waits(Chain) == waits(HttpChain) == waits(Client) == set()


def test_wallets_of_both_colours_have_the_same_methods() -> None:
    """
    Given the wallet and the one with `await`,
    when their public methods and signatures are compared,
    then they are the same.
    """
    assert methods(AsyncWallet) == methods(Wallet)
    assert waits(AsyncWallet) == {"build", "send", "settle", "open_account"}


def calls_of(served: Served, applied: Applied, refused: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Methods and arguments, whose answers depend on the chain alone."""
    fixed = served.fixed
    wire = served.chain.block(applied.height).transactions[applied.index]
    return [
        ("head", ()),
        ("submit", (wire,)),
        ("submit_many", ([wire],)),
        ("dry_run", (decode_envelope(fixed.pay("5.00")).payload,)),
        ("query", (asset.balance, fixed.shop, fixed.cny)),
        ("query", (asset.show, fixed.cny)),
        ("query", (asset.held_by, fixed.alice)),
        ("query", (asset.held_by, fixed.bank)),
        ("query", (asset.issued_by, fixed.bank)),
        ("next_nonce", (fixed.alice,)),
        ("next_nonce", (fixed.shop,)),
        ("prove_row", ("asset.holdings", (fixed.shop, fixed.cny))),
        ("prove_transaction", (applied.id,)),
        ("trust", ()),
        *[("status", (identifier, 5)) for identifier in (applied.id, refused, "0" * 64)],
    ]


def test_all_clients_say_the_same_of_one_chain() -> None:
    """
    Given one chain in process and behind a node, asked in both colours, with and without trust,
    when every method is called, and what happened is followed,
    then typed answers are equal, those to a transaction that was submitted before as well.
    """
    with serving() as served:
        chain = served.chain
        applied = chain.submit(served.fixed.pay("1.00"))
        refused = served.fixed.pay("999.00")
        with pytest.raises(Refused):
            chain.submit(refused)
        calls = calls_of(served, applied, id_and_expiry(refused)[0])
        expected = [getattr(chain, name)(*given) for name, given in calls]
        happened = list(islice(chain.happenings(after="0.0"), 3))

        async def ask(other: AsyncClient) -> None:
            assert [await getattr(other, name)(*given) for name, given in calls] == expected
            following = other.happenings(after="0.0")
            assert [await anext(following) for _ in happened] == happened
            with pytest.raises(Refused):
                await other.submit(refused)

        async def ask_over_http(trust: TrustFile | None) -> None:
            async with await AsyncHttpChain.connect(served.address, trust=trust) as other:
                await ask(other)

        for trust in (None, chain.trust()):
            with HttpChain(served.address, trust=trust) as remote:
                assert [getattr(remote, name)(*given) for name, given in calls] == expected
                assert list(islice(remote.happenings(after="0.0"), 3)) == happened
                with pytest.raises(Refused):
                    remote.submit(refused)
            asyncio.run(ask_over_http(trust))
        asyncio.run(ask(AsyncChain(chain)))
        assert expected[1] == applied
