"""Blocks of a network may hold what nobody could read: whoever checks them must take that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.fixed_chain import BEGIN, FIRST_MODULES, HOUR, FixedChain, fixed_genesis
from tongbao.console.history import briefs
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.messages import Timestamp
from tongbao.index.history import Index
from tongbao.kernel import Machine
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.happened import happenings_of
from tongbao.store.memory import MemoryStore
from tongbao.store.record import BlockRecord

SIGN = "outcomes are not those"


def hostile_block() -> tuple[BlockRecord, BlockRecord]:
    """Block 0, and one with bytes of nobody, a wrong signature, a payment, and that one again."""
    chain = FixedChain()
    store = MemoryStore()
    machine = Machine(FIRST_MODULES, fixed_genesis(), store, -1, 0)
    node = MachineApplication(machine, store, lambda: BEGIN + HOUR)
    node.init_chain(q.RequestInitChain(chain_id=machine.chain, initial_height=1))
    opening = chain.store.block(1).transactions
    paid, again = chain.pay("12.50"), chain.pay("1.00")
    head, dot, signature = again.rpartition(b".")
    forged = head + dot + signature[:10] + bytes([signature[10] ^ 1]) + signature[11:]
    wires = (*opening, b"", b"nothing", forged, paid, paid)
    time = Timestamp(BEGIN // 1_000 + 60, 0)
    node.finalize_block(q.RequestFinalizeBlock(txs=wires, hash=bytes(32), height=1, time=time))
    node.commit(q.RequestCommit())
    return store.block(0), store.block(1)


def findings(record: BlockRecord) -> list[str]:
    """What is said of the outcomes of a block; the rest is of a solo chain."""
    checks = BlockChecks(fixed_genesis())
    return [found for found in checks.of_block(record, record.height) if SIGN in found]


def test_invalid_transactions_in_a_block_are_no_damage() -> None:
    """
    Given a block with bytes that are no transaction, a wrong signature and a doubled payment,
    when it is checked as an audit, a backup and a restore do,
    then its outcomes are those of its receipts.
    """
    begun, made = hostile_block()
    assert [number for _, number in made.outbox] == [0, 2, 2, made.outbox[3][1], 0, 15]
    assert findings(begun) == [] and findings(made) == []


Outbox = tuple[tuple[bytes, int], ...]


def renumber(outbox: Outbox) -> Outbox:
    """What was invalid for one reason is told with another's number."""
    return (outbox[0], (outbox[1][0], 7), *outbox[2:])


def rename(outbox: Outbox) -> Outbox:
    """What was invalid has the id of a payment."""
    return (outbox[0], (outbox[4][0], outbox[1][1]), *outbox[2:])


def unname(outbox: Outbox) -> Outbox:
    """What was applied has no id."""
    return (*outbox[:4], (b"", 0), outbox[5])


@pytest.mark.parametrize("harm", [renumber, rename, unname])
def test_other_outcomes_than_the_receipts_are_damage(harm: Callable[[Outbox], Outbox]) -> None:
    """
    Given such a block,
    when a number or an id is another one, or is missing where something happened,
    then that is found.
    """
    _, made = hostile_block()
    assert findings(replace(made, outbox=harm(made.outbox)))


def test_streams_index_and_pages_pass_over_what_nobody_could_read(tmp_path: Path) -> None:
    """
    Given such a block,
    when streams, the index and the pages read it,
    then they have what happened, each in its place, and nothing of the rest.
    """
    begun, made = hostile_block()
    assert [str(each.place) for each in happenings_of(made)] == ["1.0", "1.4"]
    assert [each.index for each in briefs(made, 0, 6)] == [0, 4]
    with Index.open(tmp_path / "index.sqlite", FixedChain().producer.machine.chain) as index:
        index.add([begun, made])
        (sent,) = index.transactions_of(FixedChain.alice).transactions[:1]
        assert (sent.height, sent.index, sent.number) == (1, 4, 0)
        (moved,) = index.movements_of(FixedChain.shop).movements
        assert (moved.height, moved.index) == (1, 4)
