"""What a front judges by itself of a transaction, and what it remembers for it."""

from __future__ import annotations

import pytest

from tests.fixed_chain import FixedChain, forged
from tongbao.engines.payers import STRANGERS
from tongbao.kernel import InvalidTransaction, Time
from tongbao.kernel.nonces import WINDOW
from tongbao.node.processes.admission import Admission, Newest


def test_senders_whom_the_chain_never_answered_share_one_lane() -> None:
    """
    Given a front that knows nobody,
    when a sender's transaction stands in a block,
    then that sender has a lane of its own from then on, and others still share one.
    """
    fixed = FixedChain()
    admission = Admission(fixed.producer.machine.registry, fixed.producer.machine.chain)
    first = admission.read(fixed.pay("1.00"), Time(0))
    assert admission.lane(first) == STRANGERS
    admission.met(first)
    assert admission.lane(first) == first.transaction.payload.sender


def test_what_was_verified_is_not_verified_again() -> None:
    """
    Given a transaction whose signature was found right,
    when it comes again, and then with another signature,
    then the first is known to be right, and the other one is not.
    """
    fixed = FixedChain()
    admission = Admission(fixed.producer.machine.registry, fixed.producer.machine.chain)
    wire = fixed.pay("1.00")
    first = admission.read(wire, Time(0))
    assert not first.is_verified
    admission.verified(first)
    assert admission.read(wire, Time(0)).is_verified
    assert not admission.read(forged(wire), Time(0)).is_verified


def test_a_nonce_that_is_known_to_be_used_is_refused_before_its_signature() -> None:
    """
    Given a front that was told that some of a sender's transactions stand in blocks,
    when they and others of that sender come, with signatures that are wrong,
    then those are refused for their nonces, and the others are left to be judged.
    """
    fixed = FixedChain()
    admission = Admission(fixed.producer.machine.registry, fixed.producer.machine.chain)
    wires = [fixed.pay("1.00") for _ in range(5)]
    first, second, third, fourth, fifth = [admission.read(wire, Time(0)) for wire in wires]
    for told in (second, fourth, second):
        admission.met(told)
    for used in (second, fourth):
        with pytest.raises(InvalidTransaction, match="NONCE_WAS_USED"):
            admission.read(forged(used.transaction.wire), Time(0))
    for free in (first, third, fifth):
        assert not admission.read(forged(free.transaction.wire), Time(0)).is_verified


def test_a_front_that_was_not_told_of_everything_refuses_nothing_that_may_be_free() -> None:
    """
    Given a front that was told of a nonce, and of one that is further away than a window,
    when the nonces between them come, and one that is older than the window,
    then those are left to the core, and the old one is refused.
    """
    fixed = FixedChain()
    admission = Admission(fixed.producer.machine.registry, fixed.producer.machine.chain)
    read = [admission.read(fixed.pay("1.00"), Time(0)) for _ in range(2 * WINDOW + 2)]
    admission.met(read[0])
    admission.met(read[-1])
    for free in read[-WINDOW - 1 : -1]:
        admission.read(free.transaction.wire, Time(0))
    with pytest.raises(InvalidTransaction, match="NONCE_IS_TOO_OLD"):
        admission.read(read[1].transaction.wire, Time(0))


def test_what_is_remembered_is_bounded_and_the_newest_stay() -> None:
    """
    Given a memory of ten,
    when a hundred come, and one that is heavier than all of it,
    then the last five are there, and no more than ten.
    """
    newest: Newest[int, str] = Newest(10)
    for number in range(100):
        newest.put(number, str(number))
    kept = [number for number in range(100) if number in newest]
    assert kept[-5:] == list(range(95, 100))
    assert [newest.get(number) for number in kept] == list(map(str, kept))
    assert len(kept) <= 10
    newest.put(100, "heavy", 11)
    assert 100 not in newest
