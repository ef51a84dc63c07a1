"""What was, at earlier heights, while a block is decided too; and what can't be told."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.fixed_chain import FIRST_MODULES, FixedChain
from tongbao.kernel import Block, Count, Machine, Time
from tongbao.kernel.history import ROW_BLOCKS, TRIE_BLOCKS
from tongbao.kernel.trie_proof import verify_inclusion
from tongbao.modules.asset.tables import holdings


def amount(chain: FixedChain, height: int | None = None) -> bytes | None:
    """What the shop holds at a height, as its row's bytes."""
    return chain.producer.machine.row(holdings, (chain.shop, chain.cny), height)


def test_a_row_is_told_at_each_of_the_last_heights_and_at_no_other() -> None:
    """
    Given a payment of a cent in each of more blocks than undo records are kept for,
    when the payee's row is asked for at every height,
    then it is what it was where records reach, and an error before, and for a height to come.
    """
    chain = FixedChain()
    seen = {1: amount(chain)}
    for height in range(2, ROW_BLOCKS + 10):
        chain.make(chain.pay("0.01"))
        seen[height] = amount(chain)
    last = chain.producer.machine.height
    for height in range(last - ROW_BLOCKS, last + 1):
        assert amount(chain, height) == seen[height]
    for height in (last - ROW_BLOCKS - 1, 0, -1, last + 1):
        with pytest.raises(LookupError):
            amount(chain, height)


def test_proofs_are_of_the_height_that_was_asked_for() -> None:
    """
    Given a payment in each of ten blocks,
    when the row is proven at each height that trie nodes are kept for, and one before,
    then each proof verifies under that height's root, and the last is an error.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    roots = {}
    for _ in range(TRIE_BLOCKS + 2):
        chain.make(chain.pay("0.01"))
        roots[machine.height] = machine.state_root
    key = (chain.shop, chain.cny)
    for height in range(machine.height - TRIE_BLOCKS, machine.height + 1):
        assert_proven(machine, chain, roots[height], height)
    with pytest.raises(LookupError):
        machine.prove(holdings, key, machine.height - TRIE_BLOCKS - 1)


def assert_proven(machine: Machine, chain: FixedChain, root: bytes, height: int | None) -> None:
    """The shop's row at a height is proven under a root."""
    key = (chain.shop, chain.cny)
    row = machine.row(holdings, key, height)
    assert row is not None
    path = sha256(holdings.full_key(key)).digest()
    proof = machine.prove(holdings, key, height)
    assert verify_inclusion(root, path, sha256(row).digest(), proof)


def test_a_candidate_is_not_told_before_it_is_committed() -> None:
    """
    Given a block that is decided and not committed,
    when the row that it writes is read and proven at the committed height, and at the one before,
    then both are what they were, and its own height is still to come.
    """
    chain = FixedChain()
    chain.make(chain.pay("0.01"))
    machine = chain.producer.machine
    before, root, last = amount(chain), machine.state_root, machine.height
    earlier = amount(chain, last - 1)
    wire = chain.pay("5.00")
    machine.apply(Block(height=Count(last + 1), time=Time(machine.time + 1), transactions=(wire,)))

    assert machine.state_root != root
    assert amount(chain) == amount(chain, last) == before
    assert amount(chain, last - 1) == earlier
    assert_proven(machine, chain, root, None)
    with pytest.raises(LookupError):
        amount(chain, last + 1)
    machine.discard()
    assert amount(chain) == before


def test_a_machine_that_has_just_opened_tells_nothing_of_before() -> None:
    """
    Given the rows of a chain of three blocks,
    when another machine opens on them and is asked for an earlier height,
    then that is an error, rather than what is true now.
    """
    chain = FixedChain()
    chain.make(chain.pay("0.01"))
    chain.make(chain.pay("0.01"))
    known = chain.producer.machine
    machine = Machine(FIRST_MODULES, chain.genesis, chain.store, known.height, known.time)
    key = (chain.shop, chain.cny)
    assert machine.row(holdings, key) == machine.row(holdings, key, known.height) == amount(chain)
    for height in (known.height - 1, known.height + 1):
        with pytest.raises(LookupError):
            machine.row(holdings, key, height)
        with pytest.raises(LookupError):
            machine.prove(holdings, key, height)
