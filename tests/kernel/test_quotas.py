"""The arithmetic of buckets, and what of them a chain proves, takes back and keeps."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from tests.modules.sponsor_steps import first, paid, pay, share
from tongbao.kernel import Count, Time
from tongbao.kernel.kernel_module import Bucket, Share, Tokens, buckets, shares
from tongbao.kernel.quotas import TOKEN, again_at, level_at
from tongbao.kernel.trie_proof import verify_inclusion
from tongbao.modules.sponsor import Grant
from tongbao.testing.genesis import alice, bank

TOKENS = st.integers(1, 100_000_000)
NOW = Time(1_790_000_000_000)


@given(TOKENS, TOKENS, st.integers(0, 10**13), st.integers(1, 256), st.integers(0, 10**12))
def test_a_bucket_can_pay_from_the_time_that_is_told_and_not_before(
    capacity: int, per_minute: int, level: int, cost: int, later: int
) -> None:
    """
    Given a bucket of any size with anything in it,
    when it is asked when it can pay,
    then at that time it can, a millisecond before it could not, and it is never more than full.
    """
    rate = Share(capacity=Tokens(capacity), per_minute=Tokens(per_minute))
    bucket = Bucket(level=Count(min(level, capacity * TOKEN)), at=NOW)
    time = again_at(bucket.level, rate, cost, NOW)
    assert 0 <= level_at(bucket, rate, Time(NOW + later)) <= level_at(None, rate, NOW)
    assert level_at(None, rate, NOW) == capacity * TOKEN
    if time is None:
        assert cost > capacity
        return
    assert level_at(bucket, rate, time) >= cost * TOKEN
    assert time == NOW or level_at(bucket, rate, Time(time - 1)) < cost * TOKEN


@given(TOKENS, TOKENS, st.lists(st.integers(0, 10**9), max_size=9))
def test_a_bucket_gains_the_same_however_often_it_is_looked_at(
    capacity: int, per_minute: int, waits: list[int]
) -> None:
    """
    Given an empty bucket,
    when it is written down at many times on the way, and when it is not,
    then in the end there is the same in it.
    """
    rate = Share(capacity=Tokens(capacity), per_minute=Tokens(per_minute))
    once = bucket = Bucket(level=Count(0), at=NOW)
    time = NOW
    for wait in waits:
        time = Time(time + wait)
        bucket = Bucket(level=Count(level_at(bucket, rate, time)), at=time)
    assert bucket.level == level_at(once, rate, time)


def test_buckets_are_proven_read_at_their_height_and_kept_over_a_restart() -> None:
    """
    Given a sponsor, and alice with a share of its tokens,
    when she has paid, and again,
    then both rows are proven under the root, the row of before is read at its height, and a
    machine that begins anew from the rows decides the next payment to the same bytes.
    """
    chain = paid(first(capacity=30))
    chain.apply("bank", Grant(account=alice, share=share(9, 1)))
    chain.apply("alice", pay())
    height, before = chain.machine.height, chain.machine.row(buckets, bank)
    chain.apply("alice", pay())
    for table, key in ((buckets, bank), (shares, alice)):
        row = chain.machine.row(table, key)
        assert row is not None
        path, value = sha256(table.full_key(key)).digest(), sha256(row).digest()
        proof = chain.machine.prove(table, key)
        assert verify_inclusion(chain.machine.state_root, path, value, proof)
    assert chain.machine.row(buckets, bank, height) == before
    block = chain.ledger.block(chain.time, (chain.sign("alice", pay()),))
    decided = chain.machine.apply(block)
    chain.machine.discard()
    chain.ledger.restart()
    assert chain.ledger.machine.apply(block) == decided
