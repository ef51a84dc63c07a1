"""A node on a real, very small disk, which is full while it serves, or read-only when it starts.

`unshare -rm python small_disk_node.py STORY FOLDER` lays a file system over FOLDER, where only this
process and its children see it. Exit code 69: this machine lets nobody mount.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx2
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.node.process import PAYERS, Ground, Node, lay, owned, run_to_end, running
from tests.sdk.kept_chain import CNY
from tests.small_mount import BLOCK_BYTES, CANNOT_MOUNT, fill, mount
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of
from tongbao.sdk.http import HttpChain

SIZE: Final = "64m"
TRIES: Final = 200
STORAGE_IS_FULL: Final = 507


WHY: Final = "disk full: no transactions are taken until there is space"
AGAIN: Final = "there is space on the disk again: transactions are taken"
WAITING: Final = 50
PATIENCE_S: Final = 30
DISK_FULL: Final = 73
LEFT: Final = (0, 1, 2, 3)
"""Blocks of the disk that are free when a node is started."""


def full(folder: Path) -> None:
    """Reads go on while the disk is full; writes are refused, and taken again afterwards."""
    ground = lay(folder / "chain")
    with running(ground.folder) as node:
        assert node.send(ground.payment(0, 1)).status_code == 200
        filler = folder / "filler"
        fill(filler)
        nonce, refused = _pay_until_refused(node, ground.payment)
        problem = "the node's disk is full: nothing was done; try again later"
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["detail"] == problem
        assert int(refused.headers["retry-after"]) > 0, refused.headers
        _only_reads(node, ground, nonce)
        filler.unlink()
        ready = _when_ready(node)
        again = node.send(ground.payment(0, nonce))
        assert again.status_code == 200, again.text
        assert owned(node, ground.shop) == f"{nonce / 100:.2f}"
        assert ready == {"ready": True, "reasons": []}
        assert metric(node, "tongbao_disk_full") == 0
        _index_has(node, again.json()["height"])
        told = [line["event"].partition(" (")[0] for line in node.log()]
        assert [line for line in told if line in (WHY, AGAIN)] == [WHY, AGAIN], told
        assert node.stop() == 0
    with running(ground.folder) as node:
        assert owned(node, ground.shop) == f"{nonce / 100:.2f}"
        assert node.stop() == 0


def _only_reads(node: Node, ground: Ground, nonce: int) -> None:
    """Transactions are refused at once, however they come; all that reads goes on."""
    for _ in range(WAITING):
        for asked in ("applied", "none"):
            refused = node.send(ground.payment(1, 1), wait=asked)
            assert refused.status_code == STORAGE_IS_FULL, refused.text
    many = {"transactions": [ground.payment(payer, 9).decode() for payer in range(1, PAYERS)]}
    answers = node.client.post("/v1/transactions", json=many).json()["results"]
    assert [answer["state"] for answer in answers] == ["not taken"] * (PAYERS - 1)
    identifier = id_of(decode_envelope(ground.payment(1, 1)).payload).hex()
    status = node.client.get(f"/v1/transactions/{identifier}").json()
    assert status["state"] == "unknown", status
    ready = node.client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"ready": False, "reasons": [WHY]})
    assert owned(node, ground.shop) == f"{(nonce - 1) / 100:.2f}"
    assert metric(node, "tongbao_disk_full") == 1
    assert metric(node, "tongbao_queue") == 0
    with HttpChain(node.address) as chain:
        assert chain.prove_row("asset.holdings", (ground.shop, CNY)).name == "asset.holdings"
    for path in ("/livez", "/", "/v1/blocks"):
        assert node.client.get(path).status_code == 200, path
    with node.client.stream("GET", "/v1/events", params={"after": "0.0"}) as stream:
        assert next(line for line in stream.iter_lines() if line.startswith("id:"))


def _when_ready(node: Node) -> object:
    """What the node says once it takes transactions again, which it finds out by itself."""
    until = time.monotonic() + PATIENCE_S
    while (found := node.client.get("/readyz")).status_code != 200:
        assert time.monotonic() < until, found.text
    return found.json()


def _index_has(node: Node, height: int) -> None:
    """The index comes to the end as well."""
    until = time.monotonic() + 2 * PATIENCE_S
    while metric(node, "tongbao_index_height") < height:
        assert time.monotonic() < until, node.text()


def metric(node: Node, name: str) -> float:
    """The value of a metric without labels."""
    families = text_string_to_metric_families(node.client.get("/metrics").text)
    return next(one.samples[0].value for one in families if one.name == name)


def _pay_until_refused(
    node: Node, payment: Callable[[int, int], bytes]
) -> tuple[int, httpx2.Response]:
    """The first nonce that there was no space for, and the answer."""
    for nonce in range(2, TRIES):
        answer = node.send(payment(0, nonce))
        if answer.status_code == STORAGE_IS_FULL:
            return nonce, answer
        assert answer.status_code == 200, answer.text
    raise AssertionError("the disk is not full")


def start(folder: Path) -> None:
    """A node that is started on a full disk says so, whichever file finds no space first."""
    ground = lay(folder / "chain")
    filler = folder / "filler"
    for left in LEFT:
        fill(filler, but=left * BLOCK_BYTES)
        ended = run_to_end(ground.folder, "--port", "0")
        assert ended.returncode == DISK_FULL, (left, ended)
        assert "no space" in ended.stderr and "Traceback" not in ended.stderr, ended.stderr
        assert "do: make room" in ended.stderr, ended.stderr
        filler.unlink()
    with running(ground.folder) as node:
        assert owned(node, ground.shop) == "0.00"
        assert node.stop() == 0


def read_only(folder: Path) -> None:
    """A folder that can't be written to is told before anything else happens."""
    ground = lay(folder / "chain")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    ended = run_to_end(ground.folder, "--port", "0")
    assert ended.returncode == 74, ended
    assert "can't be written to" in ended.stderr, ended.stderr
    assert "check the folder" in ended.stderr, ended.stderr


STORIES: Final = {"full": full, "read-only": read_only, "start": start}


def main(story: str, folder: Path) -> int:
    """Mount, and play a story."""
    if not mount(folder, SIZE):
        return CANNOT_MOUNT
    STORIES[story](folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
