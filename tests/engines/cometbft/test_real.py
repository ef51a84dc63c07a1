"""A real CometBFT drives the machine: blocks, kills of either side, and the same state as solo."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM, running
from tests.fixed_chain import FIRST_MODULES, FixedChain, fixed_genesis, key
from tongbao.engines.cometbft.light.hashes import app_hash
from tongbao.kernel import (
    Amount,
    AssetCode,
    Block,
    ChainId,
    Count,
    Invalid,
    Machine,
    Message,
    Reference,
    Small,
    Time,
)
from tongbao.modules import asset
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.store.interface import AnyStore
from tongbao.store.memory import MemoryStore
from tongbao.store.record import FIRST_REFUSAL


@pytest.fixture(autouse=True)
def program() -> None:
    """CometBFT, or no test."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))


CNY = FixedChain.cny
CRASH_POINTS = 10


def signed(chain: ChainId, name: str, nonce: int, *messages: Message) -> bytes:
    """A transaction of now."""
    expires = Time(time.time_ns() // 1_000_000 + 3_600_000)
    sender = getattr(FixedChain, name)
    return sign(payload_bytes(chain, sender, nonce, expires, messages), [key(name)])


def pay(chain: ChainId, nonce: int, amount: str = "1.00") -> bytes:
    """Alice's payment to the shop."""
    message = asset.Transfer(asset=CNY, amount=Amount(amount), payee=FixedChain.shop)
    return signed(chain, "alice", nonce, message)


def funding(chain: ChainId) -> bytes:
    """The bank defines the asset and issues 100.00 of it to alice."""
    define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
    issue = asset.Issue(
        asset=CNY, amount=Amount("100.00"), payee=FixedChain.alice, reference=Reference("deposit-1")
    )
    return signed(chain, "bank", 1, define, issue)


def replayed(store: AnyStore, until: int) -> Machine:
    """A machine that was given the same blocks without any engine."""
    machine = Machine(FIRST_MODULES, fixed_genesis(), MemoryStore(), -1, 0)
    machine.genesis()
    machine.commit()
    for height in range(1, until + 1):
        record = store.block(height)
        transactions = record.transactions
        block = Block(height=Count(height), time=Time(record.time), transactions=transactions)
        assert machine.apply(block).rows == record.rows
        machine.commit()
    return machine


def transactions_of(store: AnyStore) -> list[bytes]:
    """Every transaction that a block applied or refused.

    An invalid one may be in a block too, with no effect: one that was let into the mempool while
    the block that makes it invalid was carried out, and proposed before it was checked again.
    """
    records = map(store.block, range(1, store.height + 1))
    return [
        wire
        for record in records
        for wire, (_, number) in zip(record.transactions, record.outbox, strict=True)
        if number == 0 or number >= FIRST_REFUSAL
    ]


def test_a_real_cometbft_orders_what_the_machine_decides(tmp_path: Path) -> None:
    """
    Given CometBFT with one validator over a new chain,
    when an asset is issued, 200 payments go in at once, one too many follows, CometBFT is killed
    and started again, and one more is paid,
    then each is in one block, in order, the one too many as refused, also when that is sent again
    before another; and the history gives the same rows and hash without an engine.
    """
    with TemporaryDirectory() as short, running(Path(short), tmp_path) as (node, store, chain):
        assert node.finish(funding(chain)) == 0
        payments = [pay(chain, nonce, "0.10") for nonce in range(1, 201)]
        assert [node.send(wire) for wire in payments] == [0] * 200
        too_much, more = pay(chain, 201, "500.00"), pay(chain, 202)
        assert node.finish(too_much) >= FIRST_REFUSAL
        node.kill()
        node.start()
        assert node.finish(more) == 0
        again = node.send(too_much)  # 0 while an empty block is carried out, until the recheck
        assert again in (0, Invalid.NONCE_WAS_USED.number)
        last = pay(chain, 203)
        assert node.finish(last) == 0
        height, last_hash = node.info()
        node.kill()
        assert transactions_of(store)[1:] == [*payments, too_much, more, last]
        assert app_hash(replayed(store, height).state_root) == last_hash


def test_an_application_that_lags_behind_is_given_the_blocks_again(tmp_path: Path) -> None:
    """
    Given a chain whose folder is copied after two payments, and that goes on for three more,
    when both sides end and the application begins again on the copy, or on an empty folder,
    then CometBFT hands it the blocks that it lacks, and one more payment goes in on top of them.
    """
    before, empty = tmp_path / "before", tmp_path / "empty"
    with TemporaryDirectory() as short:
        with running(Path(short), tmp_path / "chain") as (node, store, chain):
            assert node.finish(funding(chain)) == 0
            assert [node.finish(pay(chain, nonce)) for nonce in (1, 2)] == [0, 0]
            node.kill()
            shutil.copytree(tmp_path / "chain", before)
            node.start()
            assert [node.finish(pay(chain, nonce)) for nonce in (3, 4, 5)] == [0, 0, 0]
            node.kill()
            wires = transactions_of(store)
        for nonce, folder in ((6, before), (7, empty)):
            with running(Path(short), folder, node) as (_, store, _):
                assert transactions_of(store)[: len(wires)] == wires
                wires.append(pay(chain, nonce))
                assert node.finish(wires[-1]) == 0
                height, last_hash = node.info()
                node.kill()
                assert transactions_of(store) == wires
                assert app_hash(replayed(store, height).state_root) == last_hash


def test_cometbft_dies_at_each_of_its_crash_points(tmp_path: Path) -> None:
    """
    Given CometBFT, which has ten places in the making of a block where it can be told to die,
    when it dies at each of them with a payment on its way, while the application goes on, and is
    started again,
    then every payment is in one block, once, in order, and the rows are those of the history.
    """
    with TemporaryDirectory() as short, running(Path(short), tmp_path) as (node, store, chain):
        wanted = [funding(chain)]
        assert node.finish(wanted[0]) == 0
        for point in range(CRASH_POINTS):
            node.kill()
            node.start(fail_at=point)
            caught, after = pay(chain, 2 * point + 1, "0.10"), pay(chain, 2 * point + 2, "0.10")
            node.offer(caught)
            node.wait_for_crash(point)
            node.start()
            node.offer(caught)
            assert node.finish(after) == 0
            wanted += [caught, after]
        height, last_hash = node.info()
        node.kill()
        assert transactions_of(store) == wanted
        assert app_hash(replayed(store, height).state_root) == last_hash
