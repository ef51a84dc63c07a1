"""What a node that is killed leaves running: nothing."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from tests.node.process import Node, lay, running
from tongbao.engines.verifier import SMALLEST_BATCH, other_core
from tongbao.sdk.client import Applied
from tongbao.sdk.http import HttpChain

END_MS = 30_000
PAID = 2 * SMALLEST_BATCH


def children_of(node: Node) -> set[int]:
    """The processes that a node has started."""
    tasks = Path(f"/proc/{node.process.pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


@pytest.mark.skipif(not other_core(), reason="NOT TESTED: one core alone starts no helper")
def test_a_killed_node_leaves_no_process_behind(tmp_path: Path) -> None:
    """
    Given a node whose helpers check signatures and feed the index for many payments,
    when the node is killed with signal 9,
    then the helpers end by themselves.
    """
    ground = lay(tmp_path / "chain")
    with running(ground.folder) as node:
        with HttpChain(node.address) as chain:
            payments = [ground.payment(0, nonce) for nonce in range(1, PAID + 1)]
            assert {type(answer) for answer in chain.submit_many(payments)} == {Applied}
        children = children_of(node)
        assert children
        watched = [os.pidfd_open(child) for child in children]
        node.kill()
    for descriptor in watched:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(END_MS), "a helper lives on"
        os.close(descriptor)
