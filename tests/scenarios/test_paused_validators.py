"""Two of four validators stand still around a reveal: nobody is robbed by that."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tests.scenarios.paused import HALT_MS, PARAMETERS, Validators
from tongbao.localnet.network import Network
from tongbao.modules import data


@pytest.fixture(scope="module")
def validators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validators]:
    """Four validators with a market of their operators."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    folder = tmp_path_factory.mktemp("paused") / "net"
    network = Network.open_or_begin(folder, 4, "paused", print, parameters=PARAMETERS)
    try:
        found = Validators(network)
        with found.chain:
            found.open()
            yield found
    finally:
        network.close()


def test_no_order_lapses_while_a_mempool_saw_b(validators: Validators) -> None:
    """
    Given two confirmed orders, and two of four validators that stand still,
    when the one's `b` comes to a mempool, and both deadlines pass before the two go on,
    then the first is revealed, deadlines have grown by the halt, the second can be revealed still.
    """
    (first, b), (second, other) = validators.confirmed(), validators.confirmed()
    wallet, deadline = validators.wallets["carol"], validators.row(second).deadline
    grown = validators.grown()
    validators.pause()
    transaction = wallet.build(data.Reveal(order=first, b=b))
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(wallet.settle, transaction)
        try:
            validators.until_pending(transaction)
            validators.until_past(deadline + HALT_MS)
            halted = [validators.row(order).phase for order in (first, second)]
        finally:
            validators.resume()
        sending.result()
    validators.send("carol", data.Reveal(order=second, b=other))

    assert (deadline is None, halted) == (False, ["confirmed", "confirmed"])
    assert [validators.row(order).phase for order in (first, second)] == ["revealed", "revealed"]
    assert validators.grown() - grown >= HALT_MS


def test_a_network_that_nobody_uses_is_not_taken_for_a_halted_one(validators: Validators) -> None:
    """
    Given a confirmed order whose seller is silent, on a network that makes an empty block only
    after three halts,
    when nobody sends anything,
    then the order lapses at its deadline, which has not grown.
    """
    order, _ = validators.confirmed()
    deadline, grown = validators.row(order).deadline, validators.grown()
    validators.reach(order, "lapsed")
    ended = validators.row(order).ended_at

    assert ended is not None
    assert validators.grown() == grown
    assert deadline <= ended < deadline + HALT_MS


def test_an_order_lapses_by_its_grown_deadline_where_nobody_reveals(validators: Validators) -> None:
    """
    Given a confirmed order whose seller is silent, and a halt longer than its time to reveal,
    when blocks are made again,
    then it lapses only after the time that was left before the halt.
    """
    order, _ = validators.confirmed()
    deadline, grown = validators.row(order).deadline, validators.grown()
    validators.pause()
    try:
        validators.until_past(deadline + HALT_MS)
    finally:
        validators.resume()
    validators.reach(order, "lapsed")
    ended = validators.row(order).ended_at

    assert ended is not None
    assert ended >= deadline + validators.grown() - grown - 1
    assert validators.grown() - grown >= HALT_MS
