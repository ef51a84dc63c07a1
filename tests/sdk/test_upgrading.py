"""A running node that reaches an upgrade it is not: it stops by itself, and can still be read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from msgspec.structs import replace

from tongbao.engines.solo import Producer, SoloEngine
from tongbao.engines.solo.engine import EngineStopped, StoppedForUpgrade
from tongbao.kernel import AssetCode, AssetId, Count, Hash, Machine, PublicKey, Small, Time
from tongbao.modules import asset, upgrade
from tongbao.modules.registry import registry
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.choosing import code_of
from tongbao.sdk.client import Applied
from tongbao.sdk.local import Chain
from tongbao.store.memory import MemoryStore
from tongbao.testing import alice, named_key
from tongbao.testing.genesis import genesis_of

AUTHORITY = named_key("authority")
CLOCK_S = 30.0
HOUR_MS = 3_600_000


BEGINS = 4


@pytest.fixture
def chain() -> Chain:
    """A chain that runs towards an upgrade."""
    return chain_before_an_upgrade()


def chain_before_an_upgrade() -> Chain:
    """A running chain on which the authority has scheduled other code of asset from block 4 on."""
    genesis, store = genesis_of(registry()), MemoryStore()
    machine = Machine(registry(), genesis, store, -1, 0, code=code_of(registry()))
    producer = Producer(machine, store, AUTHORITY)
    producer.begin()
    engine = SoloEngine(producer)
    engine.start()
    chain = Chain(engine, store, genesis)
    line = next(line for line in genesis.modules if line.name == "asset")
    message = upgrade.Schedule(
        authority=PublicKey(AUTHORITY.key_id),
        height=Count(BEGINS),
        modules=(replace(line, hash=Hash("ab" * 32)),),
    )
    chain.wallet(alice, named_key("alice"), AUTHORITY).send(message)
    return chain


def define(code: str) -> asset.Define:
    """An asset of alice's."""
    return asset.Define(code=AssetCode(code), scale=Small(2))


def stop(chain: Chain) -> None:
    """Let the chain make its last blocks, until it has stopped by itself."""
    wallet = chain.wallet(alice, named_key("alice"))
    for code in ("ONE", "TWO"):
        wallet.send(define(code))
    with pytest.raises(StoppedForUpgrade):
        wallet.send(define("THREE"))


def test_a_running_node_stops_before_the_upgrade_and_can_be_read(chain: Chain) -> None:
    """
    Given a running chain with an upgrade from block 4 on that its code is not,
    when transactions come until it takes no more,
    then blocks 2 and 3 are made, the node says by itself why it has stopped, each later one has an
    answer with that exit code and is in no block, and what was applied can be read.
    """
    with chain:
        wallet = chain.wallet(alice, named_key("alice"))
        stopped = Event()
        chain.listen(lambda height: stopped.set() if height == 3 else None)
        assert chain.why_stopped is None
        assert wallet.send(define("ONE")).height == 2
        assert wallet.send(define("TWO")).height == 3
        assert stopped.wait(CLOCK_S)
        with pytest.raises(StoppedForUpgrade, match="from block 4 on this chain needs") as told:
            wallet.send(define("THREE"))
        assert (told.value.exit_code, isinstance(told.value, EngineStopped)) == (78, True)
        assert str(chain.why_stopped).startswith("stopped for an upgrade: from block 4 on")
        assert chain.head().height == 3
        known = [chain.query(asset.show, AssetId(f"{code}.{alice}")) for code in ("TWO", "THREE")]
        assert [row is not None for row in known] == [True, False]
        assert chain.prove_row("asset.definitions", AssetId(f"TWO.{alice}")).value
        assert chain.audit() == []


def test_of_many_at_once_none_is_answered_and_lost(chain: Chain) -> None:
    """
    Given the same chain,
    when 200 transactions come at once from four threads,
    then those that were answered as applied are exactly those in blocks, and none is above 3.
    """
    with chain:
        expires = Time(chain.now() + HOUR_MS)
        wires = [
            sign(
                payload_bytes(chain.id, alice, at + 2, expires, (define(f"M{at}"),)),
                [named_key("alice")],
            )
            for at in range(200)
        ]
        with ThreadPoolExecutor(4) as pool:
            parts = list(pool.map(chain.submit_many, (wires[at::4] for at in range(4))))
        answers = [answer for part in parts for answer in part]
        applied = {answer.id for answer in answers if isinstance(answer, Applied)}
        assert all(isinstance(answer, Applied | StoppedForUpgrade) for answer in answers)
        height = chain.head().height
        kept = {found.hex() for at in range(2, height + 1) for found, _ in chain.block(at).outbox}
        assert (applied, height <= 3) == (kept, True)
        assert len(applied) > 0
