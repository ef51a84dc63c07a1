"""What is answered beside the process that decides is what that process answers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.node.process import Ground, Node, lay, running
from tests.node.told_operations import paths_of, same_of
from tests.sdk.kept_chain import CNY
from tongbao.node.processes.answering import Lifespan
from tongbao.node.processes.inner_app import inner_app
from tongbao.node.processes.recall_beside import RecallBeside
from tongbao.node.settings import Settings
from tongbao.sdk.beside import ChainBeside, open_beside


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A chain on which some can pay."""
    return lay(tmp_path / "chain")


@pytest.fixture
def node(ground: Ground) -> Iterator[Node]:
    """It, served by one process."""
    with running(ground.folder) as found:
        yield found


def ask(chain: ChainBeside, ground: Ground, paths: list[str]) -> list[httpx2.Response]:
    """Answers beside the node, in order."""

    async def asked() -> list[httpx2.Response]:
        with tempfile.TemporaryDirectory(prefix="tb") as sockets:
            recall = RecallBeside(ground.folder, chain.id, Path(sockets))
            app = inner_app(chain, Settings(wait_ms=2_000), recall)
            living = Lifespan(app)
            await living.begin()
            transport = httpx2.ASGITransport(app=app)
            address = "http://127.0.0.1:1"
            async with httpx2.AsyncClient(transport=transport, base_url=address) as client:
                found = [await client.get(path) for path in paths]
            await living.end()
            return found

    return asyncio.run(asked())


def test_every_read_is_answered_beside_as_by_the_node(ground: Ground, node: Node) -> None:
    """Given a node with some history, when every operation that reads and every page is asked of
    it and beside it, then status, type, tag and body are the same.
    """
    paid = [node.send(ground.payment(at, 1, f"r-{at}")).json() for at in range(2)]
    height = max(one["height"] for one in paid)
    known = {
        "id": paid[0]["id"],
        "height": str(height),
        "address": ground.shop,
        "account": ground.shop,
        "issuer": CNY.partition(".")[2],
        "payee": ground.shop,
        "payer": ground.payers[0],
        "asset": CNY,
        "reference": "r-1",
        "number": "1001",
        "table": "asset.holdings",
        "key": ground.shop,
        "hold": "00" * 32,
        "name": "asset",
    }
    assert node.client.get(f"/v1/accounts/{ground.shop}/movements?min_height={height}").is_success
    with open_beside(ground.folder) as chain:
        paths = [
            path
            for path in paths_of(chain.registry, known)
            if "proof" not in path and "light-blocks" not in path
        ]
        assert len(paths) > 60
        for path, found in zip(paths, ask(chain, ground, paths), strict=True):
            assert same_of(found) == same_of(node.client.get(path)), path


def test_who_has_seen_a_block_waits_for_it_beside(ground: Ground, node: Node) -> None:
    """Given payments one after the other, when each is asked for beside with the height that it was
    told at, then it is answered, and a height that there is not is told as 503.
    """
    with open_beside(ground.folder) as chain:
        for nonce in range(1, 6):
            told = node.send(ground.payment(0, nonce)).json()
            path = f"/v1/transactions/{told['id']}?min_height={told['height']}"
            (found,) = ask(chain, ground, [path])
            assert found.json()["state"] == "applied"
        (late,) = ask(chain, ground, [f"/v1?min_height={told['height'] + 1}"])
        assert late.status_code == 503
