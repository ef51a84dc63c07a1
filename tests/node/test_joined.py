"""A node that joined at a block: what it never had is told as gone, and never as unknown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import Struct

from tests.node.process import Node, running
from tests.node.test_submitting import problem
from tests.sdk.joined_chain import BEGINS, Joined, lay
from tongbao.kernel.kernel_module import DAY_MS
from tongbao.sdk.errors import Gone
from tongbao.sdk.http import HttpChain


class Served(Struct, frozen=True):
    """A chain that joined, and the node that serves it."""

    joined: Joined
    node: Node


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A node with blocks 6 and 7."""
    joined = lay(tmp_path_factory.mktemp("joined") / "chain")
    with running(joined.folder) as node:
        yield Served(joined, node)


def test_an_old_transaction_may_have_been_decided(served: Served) -> None:
    """
    Given a payment that was decided before the node joined, and one after it,
    when both are asked for, the first also with the latest time at which it may expire, and with
    one that no older block could have held,
    then the first is 410 and says since when the node knows, unless no older block can hold it;
    and so does its page.
    """
    client, old = served.node.client, served.joined.old.id
    path = f"/v1/transactions/{old}"
    time = client.get(f"/v1/headers/{BEGINS}").json()["time"]
    for query in ({}, {"expires": str(time + DAY_MS)}):
        found = problem(client.get(path, params=query), 410)
        assert f"joined its network at block {BEGINS}" in found["detail"]
    late = client.get(path, params={"expires": str(time + DAY_MS + 1)}).json()
    assert late["state"] == "unknown"
    assert problem(client.get(f"{path}/proof"), 410)
    kept = client.get(f"/v1/transactions/{served.joined.kept.id}").json()
    assert (kept["state"], kept["height"]) == ("applied", BEGINS + 1)
    page = client.get(f"/transactions/{old}", headers={"accept-language": "en"})
    assert page.status_code == 410
    assert f"joined its network at block {BEGINS}" in page.text


def test_it_is_not_told_as_invalid_when_it_is_sent_again(served: Served) -> None:
    """
    Given a payment that was decided before the node joined,
    when its bytes are sent again by a client that waits for the outcome,
    then it learns that the node can't know, and not that its nonce is wrong.
    """
    with HttpChain(served.node.address) as chain, pytest.raises(Gone, match="joined its network"):
        chain.submit(served.joined.wire)


def test_headers_and_lists_begin_where_it_joined(served: Served) -> None:
    """
    Given a node that joined at block 6,
    when headers are asked for and blocks are listed,
    then those of before are gone, and the list ends with block 6.
    """
    client = served.node.client
    for height in (0, BEGINS - 1):
        assert problem(client.get(f"/v1/headers/{height}"), 410)
        assert problem(client.get(f"/v1/blocks/{height}"), 410)
    assert client.get(f"/v1/headers/{BEGINS}").json()["height"] == BEGINS
    listed = client.get("/v1/blocks").json()
    assert [each["height"] for each in listed["blocks"]] == [BEGINS + 1, BEGINS]
    assert not listed.get("before")
