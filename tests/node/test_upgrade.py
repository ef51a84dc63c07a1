"""A node that has stopped for an upgrade: it says so, and answers whoever asks."""

from __future__ import annotations

import pytest

from tests.fixed_chain import FixedChain
from tests.node.conftest import serving_chain
from tests.node.test_submitting import problem
from tests.sdk.test_upgrading import BEGINS, chain_before_an_upgrade, define, stop
from tongbao.kernel import Time
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.http import HttpChain
from tongbao.sdk.local import Chain
from tongbao.testing import alice, named_key


@pytest.fixture
def stopped() -> Chain:
    """A chain whose engine has made the last block before an upgrade that its code is not."""
    chain = chain_before_an_upgrade()
    stop(chain)
    return chain


def test_a_node_that_stopped_for_an_upgrade_is_not_ready_and_can_be_read(stopped: Chain) -> None:
    """
    Given a node that has made the last block before an upgrade which its code is not,
    when it is asked whether it is ready, for the upgrade, and to take a transaction,
    then it names the block and the module it needs, shows the upgrade, and may be tried later.
    """
    with stopped, serving_chain(FixedChain(), stopped) as served:
        ready = served.client.get("/readyz")
        (reason,) = ready.json()["reasons"]
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert reason.startswith(f"stopped for an upgrade: from block {BEGINS} on this chain needs")
        assert "module asset 2" in reason
        listed = served.client.get("/v1/upgrade/known").json()
        assert [row["key"] for row in listed["rows"]] == [BEGINS]
        shown = served.client.get("/v1").json()
        assert shown["height"] == BEGINS - 1
        [wanted] = [each for each in shown["modules"] if each["name"] == "asset"]
        assert wanted["hash"] == "ab" * 32
        refused = served.send(define_wire(stopped))
        problem(refused, 503)
        with HttpChain(served.address) as remote:
            assert remote.head().height == BEGINS - 1


def define_wire(chain: Chain) -> bytes:
    """A good transaction that comes too late."""
    expires = Time(chain.now() + 60_000)
    payload = payload_bytes(chain.id, alice, 9, expires, (define("LATE"),))
    return sign(payload, [named_key("alice")])
