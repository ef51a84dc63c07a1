"""The solo engine: when blocks are made, who is answered what, and what stops it."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.engines.clock import Clock, held_by_alice
from tests.fixed_chain import FixedChain, key
from tongbao.engines.solo import Busy, EngineStopped, Options, SoloEngine, read_header
from tongbao.kernel import Amount, AssetCode, Invalid, InvalidTransaction, Outcome, Small
from tongbao.modules import asset
from tongbao.sdk.client import Applied, Refused
from tongbao.sdk.local import Chain


@pytest.fixture
def fixed() -> FixedChain:
    """A chain in memory."""
    return FixedChain()


@pytest.fixture
def chain(fixed: FixedChain) -> Iterator[Chain]:
    """The same behind a running engine."""
    with fixed.running(Clock()) as running:
        yield running


def test_many_payments_share_blocks_and_each_has_its_own_answer(
    fixed: FixedChain, chain: Chain
) -> None:
    """
    Given two hundred payments,
    when they are submitted at once,
    then all are applied, in order, in far fewer blocks.
    """
    answers = chain.submit_many([fixed.pay("0.10") for _ in range(200)])
    applied = [answer for answer in answers if isinstance(answer, Applied)]
    assert len(applied) == 200
    places = [(answer.height, answer.index) for answer in applied]
    assert places == sorted(places)
    assert len({height for height, _ in places}) < 100


def test_nothing_to_do_makes_no_block(fixed: FixedChain, chain: Chain) -> None:
    """
    Given an idle chain,
    when an hour of its clock passes and one payment comes,
    then only that payment's block was made.
    """
    before = chain.head().height
    assert chain.submit(fixed.pay("1.00")).height == before + 1
    assert chain.head().height == before + 1


def test_who_gives_up_waiting_stops_nothing(fixed: FixedChain) -> None:
    """
    Given a payment that waits for its block, and somebody who waits for it in an event loop,
    when they are cancelled before the block is made,
    then the payment happens all the same, and so does the next one.
    """
    options = Options(linger_ms=60_000, block_transactions=2)
    with fixed.running(Clock(), options) as chain:
        future = chain.send(fixed.pay("1.00"))

        async def give_up() -> None:
            waiting = asyncio.wrap_future(future)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        asyncio.run(give_up())
        assert chain.submit(fixed.pay("1.00")).index == 1

        assert future.result(timeout=10).outcome is Outcome.APPLIED


def test_the_same_bytes_again_get_the_same_answer(fixed: FixedChain, chain: Chain) -> None:
    """
    Given a payment that is submitted twice at once,
    when both are answered,
    then it happened once.
    """
    payment = fixed.pay("1.00")
    first, second = (chain.send(payment) for _ in range(2))
    assert first.result() == second.result()
    held = chain.query(asset.balance, fixed.shop, fixed.cny)
    assert held is not None and str(held.amount) == "1.00"


def test_a_payment_sent_again_later_is_invalid_and_its_status_stands(
    fixed: FixedChain, chain: Chain
) -> None:
    """
    Given a payment that was applied,
    when the same bytes come again,
    then they are invalid, no block is made and the status is still applied, as who submits is told.
    """
    payment = fixed.pay("1.00")
    applied = chain.submit(payment)
    with pytest.raises(InvalidTransaction) as caught:
        chain.queue(payment).result()
    assert chain.submit(payment) == applied
    assert caught.value.why is Invalid.NONCE_WAS_USED
    assert chain.head().height == applied.height
    assert chain.status(applied.id).state == "applied"


def test_two_payments_with_one_nonce_give_one_of_them_an_answer(
    fixed: FixedChain, chain: Chain
) -> None:
    """
    Given two different payments with the same nonce,
    when both are submitted at once,
    then the first is applied, and the second is invalid and in no block.
    """
    message = asset.Transfer(asset=fixed.cny, amount=Amount("1.00"), payee=fixed.shop)
    other = asset.Transfer(asset=fixed.cny, amount=Amount("2.00"), payee=fixed.shop)
    wires = [fixed.signed("alice", one, nonce=7) for one in (message, other)]
    first, second = chain.submit_many(wires)
    assert isinstance(first, Applied)
    assert isinstance(second, InvalidTransaction) and second.why is Invalid.NONCE_WAS_USED
    assert len(chain.block(first.height).transactions) == 1


def test_a_wrong_signature_is_told_to_its_sender_alone(fixed: FixedChain, chain: Chain) -> None:
    """
    Given a good payment and one whose signature was made over other bytes,
    when both are submitted together,
    then the good one is applied and the other is invalid.
    """
    good, bad = fixed.pay("1.00"), fixed.pay("2.00")
    head, _, _ = bad.rpartition(b".")
    forged = head + b"." + good.rpartition(b".")[2]
    answers = chain.submit_many([forged, good])
    assert isinstance(answers[0], InvalidTransaction)
    assert answers[0].why is Invalid.SIGNATURE_IS_WRONG
    assert isinstance(answers[1], Applied)


def test_hundreds_of_signatures_are_checked_elsewhere_with_the_same_answers(
    fixed: FixedChain, chain: Chain
) -> None:
    """
    Given a batch large enough for the helper process, with one forged signature in it,
    when it is submitted at once,
    then exactly the forged one is invalid.
    """
    wires = [fixed.pay("0.01") for _ in range(240)]
    wires[100] = wires[100].rpartition(b".")[0] + b"." + wires[101].rpartition(b".")[2]
    answers = chain.submit_many(wires)
    wrong = [at for at, answer in enumerate(answers) if not isinstance(answer, Applied)]
    assert wrong == [100]


def test_a_refusal_carries_its_number_and_uses_the_nonce(fixed: FixedChain, chain: Chain) -> None:
    """
    Given a payment of more than there is,
    when it is submitted,
    then it is refused by number, in a block, and its nonce is gone.
    """
    with pytest.raises(Refused) as caught:
        chain.submit(fixed.pay("100.01"))
    assert caught.value.number == asset.Why.BALANCE_IS_TOO_LOW.number
    assert chain.status(caught.value.transaction_id).state == "refused"
    assert chain.next_nonce(fixed.alice) == 2


def test_due_work_alone_makes_a_block(fixed: FixedChain) -> None:
    """
    Given a hold that expires while nobody submits anything,
    when the engine's clock passes that time,
    then a block returns the value.
    """
    clock = Clock()
    with fixed.running(clock) as chain:
        placed = chain.submit(fixed.place("40.00", for_ms=5_000_000))
        assert held_by_alice(fixed, chain) == 6_000
        clock.now += 10_000_000
        # Any payment wakes the engine; the due block is decided before or with it.
        chain.submit(fixed.signed("bank", asset.Define(code=AssetCode("EUR"), scale=Small(2))))
        assert chain.head().height > placed.height
        assert held_by_alice(fixed, chain) == 10_000


def test_time_never_goes_back(fixed: FixedChain) -> None:
    """
    Given a wall clock that is set back by a day,
    when the next block is made,
    then its time is still later than the last one's.
    """
    clock = Clock()
    with fixed.running(clock) as chain:
        first = chain.submit(fixed.pay("1.00"))
        clock.now -= 86_400_000
        second = chain.submit(fixed.pay("1.00"))
        times = [chain.block(answer.height).time for answer in (first, second)]
        assert times[1] == times[0] + 1


def test_a_full_queue_takes_nothing_more_in(fixed: FixedChain) -> None:
    """
    Given an engine that is not started and whose queue holds two,
    when a third payment comes,
    then it is turned away and may come again.
    """
    engine = SoloEngine(fixed.producer, Options(queue_transactions=2), Clock())
    engine.submit(fixed.pay("1.00"))
    engine.submit(fixed.pay("1.00"))
    with pytest.raises(Busy):
        engine.submit(fixed.pay("1.00"))


def test_a_closed_engine_says_so(fixed: FixedChain) -> None:
    """
    Given an engine that was closed,
    when a payment comes,
    then it is told, and closing again does no harm.
    """
    chain = fixed.running(Clock())
    chain.close()
    chain.close()
    with pytest.raises(EngineStopped):
        chain.submit(fixed.pay("1.00"))


def test_what_is_queued_is_answered_before_the_end(fixed: FixedChain) -> None:
    """
    Given a hundred queued payments,
    when the chain is closed at once,
    then every one has an answer.
    """
    chain = fixed.running(Clock())
    futures = [chain.send(fixed.pay("0.01")) for _ in range(100)]
    chain.close()
    assert all(future.done() and future.exception() is None for future in futures)


def test_payments_from_many_threads_are_all_applied_once(fixed: FixedChain, chain: Chain) -> None:
    """
    Given four threads that each submit fifty of the same account's payments,
    when all are done,
    then the shop has exactly their sum.
    """
    wires = [[fixed.pay("0.10") for _ in range(50)] for _ in range(4)]
    threads = [threading.Thread(target=chain.submit_many, args=(part,)) for part in wires]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = chain.query(asset.balance, fixed.shop, fixed.cny)
    assert held is not None and str(held.amount) == "20.00"


def test_a_reader_may_not_write(fixed: FixedChain) -> None:
    """
    Given a chain that was opened without the authority's key,
    when a payment is submitted,
    then it is told that the chain is open for reading.
    """
    fixed.producer.signer = None
    with fixed.running(Clock()) as chain, pytest.raises(EngineStopped, match="reading"):
        chain.submit(fixed.pay("1.00"))


def test_the_authority_signs_every_header(fixed: FixedChain, chain: Chain) -> None:
    """
    Given a chain with a few blocks,
    when every header is read,
    then the authority signed each.
    """
    chain.submit_many([fixed.pay("1.00") for _ in range(3)])
    signers = {
        read_header(chain.block(height).header)[1] for height in range(chain.head().height + 1)
    }
    assert signers == {key("authority").key_id}
