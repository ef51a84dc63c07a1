"""Due work on a network: blocks are asked for when there is some, and for nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from tests.engines.cometbft.following import Node
from tests.engines.cometbft.looking import until
from tests.engines.cometbft.whole_node import FREE, begun, held
from tests.fixed_chain import FIRST_MODULES, FixedChain
from tests.sdk.kept_chain import CNY, OWNER
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft.due_work import NOTHING_IS_DUE, WORK_IS_DUE
from tongbao.engines.cometbft.messages import CheckTxType
from tongbao.kernel import Amount, Time
from tongbao.kernel.reasons import InvalidTransaction
from tongbao.modules import hold

HOUR_MS = 3_600_000
SOON_MS = 4_000
FEW = 10


def test_the_request_for_a_block_is_taken_while_work_is_due_by_the_nodes_clock() -> None:
    """
    Given a hold that ends at a time, on a node of a network,
    when its clock comes to that time, and a block returns the hold,
    then the request is refused before, taken from then on, and leaves the mempool behind the block
    in which nothing is due any more; what waits beside it is judged as ever.
    """
    chain = FixedChain()
    chain.make(chain.place("5.00", 1_500))
    node = Node(chain, FIRST_MODULES, 0)
    due = node.application.blocks.machine.next_due()
    assert due is not None
    payment = chain.pay("1.00")
    node.clock = due - 1
    assert node.check(WORK_IS_DUE) == [NOTHING_IS_DUE]
    node.clock = due
    assert node.check(payment, WORK_IS_DUE) == [0, 0]
    again = (WORK_IS_DUE, payment)
    assert node.check(*again, kind=CheckTxType.RECHECK) == [0, 0]
    while chain.producer.machine.next_due() is not None:
        chain.make()
    node.follow()
    assert node.check(*again, kind=CheckTxType.RECHECK) == [NOTHING_IS_DUE, 0]
    assert node.check(WORK_IS_DUE) == [NOTHING_IS_DUE]


def test_the_request_for_a_block_is_in_none() -> None:
    """
    Given a mempool with the request for a block between two payments,
    when a block is proposed, and a hostile proposer puts the request into one nevertheless,
    then the payments alone are proposed, and what is no transaction has no effect.
    """
    chain = FixedChain()
    node = Node(chain, FIRST_MODULES, 0)
    wires = (chain.pay("1.00"), WORK_IS_DUE, chain.pay("2.00"))
    height = chain.store.height + 1
    asked = q.RequestPrepareProposal(txs=wires, height=height, max_tx_bytes=1_000_000)
    assert node.application.prepare_proposal(asked).txs == (wires[0], wires[2])
    with pytest.raises(InvalidTransaction):
        node.application.blocks.machine.decode(WORK_IS_DUE)
    root = node.application.blocks.machine.state_root
    made = q.RequestFinalizeBlock(txs=(WORK_IS_DUE,), hash=bytes(32), height=height)
    [result] = node.application.finalize_block(made).tx_results
    assert result.code != 0
    node.application.commit(q.RequestCommit())
    assert node.application.blocks.machine.state_root == root


def test_due_work_is_done_on_a_network_where_nobody_sends_anything(tmp_path: Path) -> None:
    """
    Given a network that makes an empty block once an hour, and a hold that ends in seconds,
    when nobody sends anything,
    then the hold is returned at its time, and few blocks were made for that.
    """
    seldom = msgspec.structs.replace(FREE, empty_blocks_after_ms=HOUR_MS)
    with begun(tmp_path, seldom) as (chain, operator, shop):
        ends = Time(time.time_ns() // 1_000_000 + SOON_MS)
        place = hold.Place(asset=CNY, amount=Amount("5.00"), payee=shop, expires_at=ends)
        placed = operator.send(place)
        until(lambda: held(chain, OWNER) == Amount("1000.00"), "the hold's return")
        returned = chain.head()
        assert returned.time >= ends
        assert returned.height - placed.height <= FEW
