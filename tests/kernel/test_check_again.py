"""A transaction that passed its check is checked again: quickly, while that is enough."""

from __future__ import annotations

import pytest

from tests.fixed_chain import BEGIN, HOUR, FixedChain, key
from tongbao.kernel import InvalidTransaction, Machine, Time
from tongbao.kernel.authentication import Algorithm, Key
from tongbao.kernel.identifiers import PublicKey, Small
from tongbao.kernel.reasons import Invalid, Reason
from tongbao.modules import account
from tongbao.sdk.builder import payload_bytes, sign

MINUTE = 60_000


def why(machine: Machine, wire: bytes, time: int) -> Reason | None:
    """Why a transaction is not let in again, or None."""
    try:
        machine.check_again(wire, Time(time))
    except InvalidTransaction as error:
        return error.why
    return None


def test_expiry_and_nonce_are_looked_at_each_time() -> None:
    """
    Given two payments of one nonce that passed their check,
    when they are checked again now, when one is in a block, and at the end of their day,
    then both pass, then neither's nonce is free, and then neither's time has not passed.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    first = chain.pay("1.00")
    second = chain.signed("alice", *machine.decode(chain.pay("2.00")).payload.messages, nonce=1)
    now = BEGIN + MINUTE
    for wire in (first, second):
        machine.check(wire, Time(now))
    assert [why(machine, wire, now) for wire in (first, second)] == [None, None]
    chain.make(first)
    assert why(machine, second, now) is Invalid.NONCE_WAS_USED
    assert why(machine, first, now) is Invalid.NONCE_WAS_USED
    assert why(machine, second, BEGIN + 24 * HOUR) is Invalid.EXPIRY_HAS_PASSED


@pytest.mark.parametrize("blocks", [0, 1])
def test_whoever_has_lost_their_key_has_nothing_in_the_mempool(blocks: int) -> None:
    """
    Given a payment that passed its check,
    when its sender's key is replaced, and all is checked again behind that block,
    then it does not pass; one of another does, also behind the blocks that follow.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    waiting, other = chain.pay("1.00"), chain.signed("shop", account.SetLanes(lanes=Small(2)))
    for wire in (waiting, other):
        machine.check(wire, Time(BEGIN + MINUTE))
    new = Key(algorithm=Small(Algorithm.ED25519.value), public=PublicKey(key("new").key_id))
    rotate = account.RotateKey(old=PublicKey(key("alice").key_id), new=new)
    day = Time(BEGIN + 24 * HOUR)
    payload = payload_bytes(machine.chain, chain.alice, 2, day, (rotate,))
    chain.make(sign(payload, (key("alice"), key("new"))))
    assert why(machine, waiting, BEGIN + MINUTE) is Invalid.THRESHOLD_IS_NOT_MET
    assert why(machine, other, BEGIN + MINUTE) is None
    for _ in range(blocks):
        chain.make(chain.signed("bank", account.SetLanes(lanes=Small(2))))
    assert why(machine, other, BEGIN + MINUTE) is None
