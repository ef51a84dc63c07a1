"""A dry run says what a block would do, and judges all of it but signatures."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from tests.fixed_chain import BEGIN, FixedChain
from tongbao.kernel import (
    Address,
    Amount,
    Invalid,
    InvalidTransaction,
    Outcome,
    Time,
    TransactionReference,
)
from tongbao.modules import asset
from tongbao.sdk.builder import payload_bytes

NOBODY = Address("ab" * 20)
HASH = TransactionReference("5e" * 32)


def payload(chain: FixedChain, **changed: Any) -> bytes:
    """A payment of alice, with some members changed."""
    members: dict[str, Any] = {"sender": chain.alice, "nonce": 1, "expires": Time(BEGIN + 60_000)}
    members |= changed
    message = asset.Transfer(asset=chain.cny, amount=Amount("1.00"), payee=chain.shop)
    sender, nonce, expires = (members.pop(name) for name in ("sender", "nonce", "expires"))
    identity = chain.producer.machine.chain
    return payload_bytes(identity, sender, nonce, expires, (message,), **members)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sender": NOBODY}, Invalid.SENDER_IS_UNKNOWN),
        ({"sponsor": NOBODY}, Invalid.SPONSOR_IS_UNKNOWN),
        ({"lane": 7}, Invalid.LANE_IS_NOT_DECLARED),
        ({"nonce": 300}, Invalid.NONCE_IS_TOO_FAR),
        ({"expires": Time(BEGIN)}, Invalid.EXPIRY_HAS_PASSED),
        ({"reference": "a" * 70_000}, Invalid.TRANSACTION_IS_TOO_LARGE),
        ({"reference": "a" * 36}, Invalid.PAYLOAD_IS_MALFORMED),
    ],
)
def test_what_no_block_would_take_is_invalid_in_a_dry_run(
    changed: dict[str, Any], why: Invalid
) -> None:
    """
    Given a payload that is invalid whoever signs it,
    when it is tried,
    then it is invalid for the same reason, and no byte has changed.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    root = machine.state_root
    with pytest.raises(InvalidTransaction) as caught:
        machine.dry_run(payload(chain, **changed), Time(machine.time + 1))
    assert (caught.value.why, machine.state_root) == (why, root)


def test_a_salted_hash_may_be_a_transactions_reference() -> None:
    """
    Given payments whose reference is an order's number, and a hash,
    when they are tried,
    then both would be applied.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    for reference in (TransactionReference("order-7"), HASH):
        tried = machine.dry_run(payload(chain, reference=reference), Time(machine.time + 1))
        assert tried.outcome is Outcome.APPLIED


def test_dry_runs_leave_no_memory_behind() -> None:
    """
    Given a chain that makes no block meanwhile,
    when two thousand dry runs of a payment are taken back, and two thousand more,
    then the later ones have left less than ten bytes each.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    tried, time = payload(chain), Time(BEGIN + 30_000)
    held = []
    tracemalloc.start()
    try:
        for _ in range(2):
            for _ in range(2_000):
                machine.dry_run(tried, time)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[1] - held[0] < 20_000
