"""Evidence against validators: counted once, logged with who and where, and told to Prometheus."""

from __future__ import annotations

import logging

import pytest
from msgspec.structs import replace

from tests.engines.cometbft.test_application import application, begin, block
from tests.fixed_chain import FixedChain
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft.evidence import LINES_LIMIT, Evidence
from tongbao.engines.cometbft.messages import Misbehavior, MisbehaviorType, Validator
from tongbao.node.metrics import Metrics
from tongbao.store.memory import MemoryStore

ADDRESS = bytes(range(20))


def caught(kind: int = MisbehaviorType.DUPLICATE_VOTE) -> Misbehavior:
    """Evidence of something at height 7."""
    return Misbehavior(type=kind, validator=Validator(address=ADDRESS, power=10), height=7)


def told(metrics: Metrics, kind: str) -> str:
    """The line of a kind."""
    name = f'tongbao_misbehaviour_total{{kind="{kind}"}} '
    lines = metrics.text().decode().splitlines()
    return next(line.removeprefix(name) for line in lines if line.startswith(name))


def test_evidence_in_a_block_is_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    Given a block with evidence of two votes at height 7 and of something that nobody knows,
    when CometBFT hands it over, again before Commit, and the next block without any,
    then each kind is counted once, the log names the validator's address and the height, and the
    metrics tell every kind, also after they are read a second time.
    """
    chain, node, metrics = FixedChain(), application(MemoryStore()), Metrics()
    chain.make(chain.pay("1.00"))
    begin(node, chain)
    bad = replace(block(chain, 1), misbehavior=(caught(), caught(99)))
    with caplog.at_level(logging.ERROR):
        node.finalize_block(bad)
        node.finalize_block(bad)
        node.commit(q.RequestCommit())
        node.finalize_block(block(chain, 2))

    counts = node.blocks.evidence.counts
    assert counts == {"unknown": 1, "duplicate_vote": 1, "light_client_attack": 0}
    assert [record.getMessage() for record in caplog.records] == [
        f"block 1 has evidence ({kind}) of block 7 against validator {ADDRESS.hex().upper()}"
        for kind in ("duplicate_vote", "unknown")
    ]
    assert told(metrics, "duplicate_vote") == "0.0"
    for _ in range(2):
        metrics.count_misbehaviour(counts)
        assert [told(metrics, kind) for kind in counts] == ["1.0", "1.0", "0.0"]


def test_a_block_full_of_evidence_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """
    Given a block with a thousand pieces of evidence, one without a validator among them,
    when it is seen,
    then all are counted, and few lines are logged.
    """
    evidence = Evidence()
    with caplog.at_level(logging.ERROR):
        evidence.saw(3, [Misbehavior(), *[caught(MisbehaviorType.LIGHT_CLIENT_ATTACK)] * 999])

    assert evidence.counts == {"unknown": 1, "duplicate_vote": 0, "light_client_attack": 999}
    assert len(caplog.records) == LINES_LIMIT
