"""The machine behind ABCI: what is kept when, what is asked twice, and what is not ours."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fixed_chain import BEGIN, FIRST_MODULES, FixedChain, fixed_genesis
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.application import MachineApplication, OutOfStep, fitting
from tongbao.engines.cometbft.calls import calls_of
from tongbao.engines.cometbft.fields import REQUESTS
from tongbao.engines.cometbft.messages import CheckTxType, ExecTxResult, Snapshot, Timestamp
from tongbao.kernel import Amount, Machine
from tongbao.modules import asset
from tongbao.store.memory import MemoryStore

SECOND = 1_000
SECONDS = 20


def application(store: MemoryStore) -> MachineApplication:
    """The application of a process that has just started on a store."""
    store.maintain(idle=True)
    last = store.last
    height, time = (-1, 0) if last is None else (last.height, last.time)
    machine = Machine(FIRST_MODULES, fixed_genesis(), store, height, time)
    return MachineApplication(machine, store, lambda: BEGIN + SECOND)


def begin(node: MachineApplication, chain: FixedChain) -> r.ResponseInitChain:
    """Begin the chain."""
    name = chain.producer.machine.chain
    return node.init_chain(q.RequestInitChain(chain_id=name, initial_height=1))


def block(chain: FixedChain, height: int) -> q.RequestFinalizeBlock:
    """A block of the solo chain as CometBFT hands it over."""
    record = chain.store.block(height)
    seconds, rest = divmod(record.time, SECOND)
    return q.RequestFinalizeBlock(
        txs=record.transactions,
        hash=bytes([height]) * 32,
        height=height,
        time=Timestamp(seconds, rest * 1_000_000 + 999_999),
    )


def test_a_chain_has_the_rows_that_solo_gives_it() -> None:
    """
    Given a history of the solo engine with payments, refusals and holds,
    when CometBFT's calls carry it out, each block with a start anew behind it,
    then times, rows, receipts and ids are the same, block for block, and Info says where it is.
    """
    chain = FixedChain()
    chain.make(chain.pay("12.50"), chain.pay("500.00"))
    chain.make(chain.place("5.00", 1_500))
    chain.make()
    chain.make(chain.pay("0.25"))
    store = MemoryStore()
    node = application(store)
    first = begin(node, chain).app_hash
    for height in range(1, chain.store.height + 1):
        answer = node.finalize_block(block(chain, height))
        assert node.info(q.RequestInfo()).last_block_height == height - 1
        assert node.commit(q.RequestCommit()) == r.ResponseCommit()
        before = node.info(q.RequestInfo())
        made, solo = store.block(height), chain.store.block(height)
        assert (made.time, made.rows, made.receipts) == (solo.time, solo.rows, solo.receipts)
        assert made.outbox == solo.outbox
        data = solo.receipts[: len(solo.transactions)]
        codes = [number for _, number in solo.outbox]
        assert answer.tx_results == tuple(
            ExecTxResult(code=code, data=one) for code, one in zip(codes, data, strict=True)
        )
        node = application(store)
        info = node.info(q.RequestInfo())
        assert info == before
        assert (info.last_block_height, info.last_block_app_hash) == (height, answer.app_hash)
        assert answer.app_hash != first


def test_nothing_is_kept_before_the_first_commit() -> None:
    """
    Given a chain that is begun, and whose first block is finalized,
    when the process ends, and everything is asked again, InitChain twice,
    then the answers are the same, the store was empty until Commit, and then has both blocks.
    """
    chain, store = FixedChain(), MemoryStore()
    node = application(store)
    begun = begin(node, chain)
    finalized = node.finalize_block(block(chain, 1))
    assert (store.height, node.info(q.RequestInfo())) == (
        -1,
        r.ResponseInfo(data=chain.producer.machine.chain),
    )
    again = application(store)
    assert [begin(again, chain), begin(again, chain)] == [begun, begun]
    assert again.finalize_block(block(chain, 1)) == finalized
    again.commit(q.RequestCommit())
    assert [line.height for line in store.headers(0, 9)] == [0, 1]


def test_a_block_that_was_not_committed_is_taken_back() -> None:
    """
    Given a block that is finalized when CometBFT ends, and this process goes on,
    when CometBFT begins again and finalizes another block of the same height, and that one,
    then each has the result that it has alone.
    """
    chain = FixedChain()
    chain.make(chain.pay("1.00"))
    node, clean = application(MemoryStore()), application(MemoryStore())
    for one in (node, clean):
        begin(one, chain)
        one.finalize_block(block(chain, 1))
        one.commit(q.RequestCommit())
    empty = q.RequestFinalizeBlock(height=2, time=Timestamp(BEGIN // SECOND + 9))
    before = node.finalize_block(empty).app_hash
    assert node.finalize_block(block(chain, 2)) == clean.finalize_block(block(chain, 2))
    assert node.finalize_block(empty).app_hash == before


def test_a_transaction_is_checked_by_what_is_committed() -> None:
    """
    Given a payment, the same with a used nonce, junk, and one whose signature is of another,
    when they are checked before, within and after the block that carries the first,
    then form and signature are always judged, and the nonce as soon as the block is over.
    """
    chain, node = FixedChain(), application(MemoryStore())
    begin(node, chain)
    node.finalize_block(block(chain, 1))
    node.commit(q.RequestCommit())
    good = chain.pay("1.00")
    chain.make(good)
    head, body, _ = good.split(b".")
    stolen = b".".join((head, body, chain.pay("2.00").split(b".")[2]))

    def check(kind: int = 0) -> list[bool]:
        asked = [q.RequestCheckTx(wire, kind) for wire in (good, b"junk", stolen)]
        return [node.check_tx(one).code == 0 for one in asked]

    assert check() == [True, False, False]
    node.finalize_block(block(chain, 2))
    assert check() == [True, False, False]
    node.commit(q.RequestCommit())
    assert check() == [False, False, False]
    assert check(kind=1) == [False, False, False]
    assert "nonce" in node.check_tx(q.RequestCheckTx(good)).log


def test_a_check_within_a_block_is_made_good_by_the_recheck() -> None:
    """
    Given a payment whose nonce is too far ahead, let in while a block is carried out,
    when it is checked again behind that block,
    then it is judged as if it were new.
    """
    chain, node = FixedChain(), application(MemoryStore())
    begin(node, chain)
    node.finalize_block(block(chain, 1))
    pay = asset.Transfer(asset=chain.cny, amount=Amount("1.00"), payee=chain.shop)
    far = chain.signed("alice", pay, nonce=10_000)
    assert node.check_tx(q.RequestCheckTx(far)).code == 0
    node.commit(q.RequestCommit())
    assert "nonce" in node.check_tx(q.RequestCheckTx(far, CheckTxType.RECHECK)).log


def test_what_a_killed_cometbft_has_forgotten_is_not_kept_here() -> None:
    """
    Given 200 payments let in while a block is carried out, and a CometBFT that dies then,
    when the next one has asked how far this side is, and its first block is kept,
    then nothing of them is remembered as still to be judged.
    """
    chain, node = FixedChain(), application(MemoryStore())
    begin(node, chain)
    node.finalize_block(block(chain, 1))
    for _ in range(200):
        assert node.check_tx(q.RequestCheckTx(chain.pay("0.01"))).code == 0
    assert node.blocks.unjudged == 200
    node.info(q.RequestInfo())
    begin(node, chain)
    node.finalize_block(block(chain, 1))
    node.commit(q.RequestCommit())
    assert node.blocks.unjudged == 0


def test_signatures_that_are_checked_together_are_judged_one_by_one() -> None:
    """
    Given 200 payments of which some have another's signature or are no transactions,
    when CometBFT's mempool brings them together, and then a block that nobody has checked,
    then each has its own answer, the same in both, and the wrong ones are not remembered.
    """
    chain, node = FixedChain(), application(MemoryStore())
    begin(node, chain)
    node.finalize_block(block(chain, 1))
    node.commit(q.RequestCommit())
    wires = [chain.pay("0.01") for _ in range(200)]
    other = wires[0].split(b".")[2]
    for at in (3, 77):
        wires[at] = b".".join((*wires[at].split(b".")[:2], other))
    wires[150] = b"junk"
    asked = [q.RequestCheckTx(wire) for wire in wires]
    answers = node.check_txs(asked)
    codes = [next(answers).code]
    known = [node.blocks.machine.knows(wire) for wire in wires]
    assert [at for at, is_known in enumerate(known) if not is_known] == [3, 77, 150]
    codes += [one.code for one in answers]
    fresh = application(MemoryStore())
    begin(fresh, chain)
    fresh.finalize_block(block(chain, 1))
    fresh.commit(q.RequestCommit())
    time = block(chain, 1).time
    assert time is not None
    later = Timestamp(time.seconds + 1, 0)
    made = fresh.finalize_block(q.RequestFinalizeBlock(txs=tuple(wires), height=2, time=later))
    assert [result.code for result in made.tx_results] == codes
    assert [at for at, code in enumerate(codes) if code] == [3, 77, 150]
    node.close()
    fresh.close()


class GatedStore(MemoryStore):
    """A store that keeps whoever reads a row waiting at a gate, while that is closed."""

    def __init__(self) -> None:
        """Begin with an open gate."""
        super().__init__()
        self.gate, self.waiting = threading.Event(), threading.Event()
        self.gate.set()

    def get(self, key: bytes) -> bytes | None:
        """The value, once the gate is open."""
        if not self.gate.is_set():
            self.waiting.set()
            assert self.gate.wait(SECONDS)
        return super().get(key)


def test_a_check_does_not_wait_for_a_block() -> None:
    """
    Given a block that is being carried out and waits for a row of the store,
    when transactions are checked and Info is asked,
    then they are answered, by form and signature alone; and the block goes on.
    """
    chain, store = FixedChain(), GatedStore()
    node = application(store)
    begin(node, chain)
    node.finalize_block(block(chain, 1))
    node.commit(q.RequestCommit())
    store.maintain(idle=True)
    node = application(store)  # which has no row in memory yet
    chain.make(chain.pay("1.00"))
    store.gate.clear()
    with ThreadPoolExecutor(2) as threads:
        deciding = threads.submit(node.finalize_block, block(chain, 2))
        try:
            assert store.waiting.wait(SECONDS)
            wires = (chain.pay("1.00"), b"junk")
            asked = [threads.submit(node.check_tx, q.RequestCheckTx(wire)) for wire in wires]
            assert [one.result(SECONDS).code == 0 for one in asked] == [True, False]
            assert node.info(q.RequestInfo()).last_block_height == 1
            assert not deciding.done()
        finally:
            store.gate.set()
        assert deciding.result(SECONDS).tx_results[0].code == 0


def test_a_transaction_is_found_by_its_id() -> None:
    """
    Given a chain with a payment,
    when its id is asked for, then an id of nobody, a short one, and another path,
    then the first has its place, the second no value, and the others say what is wrong.
    """
    chain, node = FixedChain(), application(MemoryStore())
    begin(node, chain)
    node.finalize_block(block(chain, 1))
    node.commit(q.RequestCommit())
    paid = chain.store.block(1).outbox[0][0]
    found = node.query(q.RequestQuery(data=paid, path="status"))
    assert found.value == b'{"height":1,"index":0,"number":0}'
    assert node.query(q.RequestQuery(data=bytes(32), path="status")).value == b""
    assert "32 bytes" in node.query(q.RequestQuery(data=b"short", path="status")).log
    assert "there is: status" in node.query(q.RequestQuery(data=paid, path="rows")).log


def test_another_chain_or_block_is_told() -> None:
    """
    Given a chain at its first block,
    when CometBFT begins another chain, at another height or this one anew, or hands over a block
    that is not the next, then the error says what both sides have.
    """
    chain, node = FixedChain(), application(MemoryStore())
    name = chain.producer.machine.chain
    with pytest.raises(OutOfStep, match=f"CometBFT begins other; this chain is {name}"):
        node.init_chain(q.RequestInitChain(chain_id="other", initial_height=1))
    with pytest.raises(OutOfStep, match="CometBFT begins at 7, not at 1"):
        node.init_chain(q.RequestInitChain(chain_id=name, initial_height=7))
    begin(node, chain)
    with pytest.raises(OutOfStep, match="decided block 2; this chain is at 0"):
        node.finalize_block(q.RequestFinalizeBlock(height=2))
    node.finalize_block(block(chain, 1))
    node.commit(q.RequestCommit())
    with pytest.raises(OutOfStep, match="begins anew; this chain is at block 1"):
        begin(node, chain)


def test_a_proposal_holds_what_there_is_room_for() -> None:
    """
    Given transactions of 1, 200 and 3 bytes, which take 2 or 3 more each in a block,
    when a proposal has room for all, for all but a byte, and for none,
    then it has the first of them, in order, and never one in place of an earlier one.
    """
    wires = (b"a", b"b" * 200, b"c" * 3)
    assert [len(fitting(wires, limit)) for limit in (211, 210, 206, 205, 3, 2)] == [
        3,
        2,
        2,
        1,
        1,
        0,
    ]
    node = application(MemoryStore())
    asked = q.RequestPrepareProposal(max_tx_bytes=206, txs=wires, height=2)
    assert node.prepare_proposal(asked).txs == wires[:2]


def test_the_first_block_is_proposed_without_transactions() -> None:
    """
    Given an application whose chain has not begun,
    when it is asked to fill the first block, which carries the time of genesis,
    then it leaves it empty: made at the time of the clock, transactions would not be valid in it.
    """
    node = application(MemoryStore())
    asked = q.RequestPrepareProposal(max_tx_bytes=1_000, txs=(b"a",), height=1)
    assert node.prepare_proposal(asked).txs == ()


def test_what_is_not_used_has_an_answer_too() -> None:
    """
    Given the calls for proposals, vote extensions and snapshots,
    when they are asked,
    then proposals are accepted, extensions are empty, and snapshots neither offered nor taken.
    """
    node = application(MemoryStore())
    asked = [
        (q.RequestProcessProposal(txs=(b"junk",)), r.ResponseProcessProposal(1)),
        (q.RequestExtendVote(), r.ResponseExtendVote()),
        (q.RequestVerifyVoteExtension(), r.ResponseVerifyVoteExtension(1)),
        (q.RequestVerifyVoteExtension(vote_extension=b"x"), r.ResponseVerifyVoteExtension(2)),
        (q.RequestListSnapshots(), r.ResponseListSnapshots()),
        (q.RequestOfferSnapshot(Snapshot(height=5)), r.ResponseOfferSnapshot(2)),
        (q.RequestLoadSnapshotChunk(), r.ResponseLoadSnapshotChunk()),
        (q.RequestApplySnapshotChunk(), r.ResponseApplySnapshotChunk(2)),
    ]
    calls = calls_of(node)
    found = [next(calls[type(request)].answers([request])) for request, _ in asked]
    assert found == [answer for _, answer in asked]
    assert {*calls} == {*REQUESTS.values()} - {q.RequestEcho, q.RequestFlush}
