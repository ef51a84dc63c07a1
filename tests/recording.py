"""A small chain of this version, written down with all that it came to: `make recording`.

Every later version plays it again and must come to the same bytes. A recording is added with each
release and never written again: whoever changes what one says has forked every ledger.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tests.recorded_story import CAROLS, Story
from tongbao import __version__
from tongbao.engines.solo import Producer
from tongbao.kernel import Genesis, Machine, Outcome, Registry, Result
from tongbao.kernel.code import NOT_FIXED
from tongbao.kernel.genesis import read_genesis, write_genesis
from tongbao.kernel.kernel_module import Upgrade
from tongbao.modules import upgrade
from tongbao.modules.registry import registry
from tongbao.sdk.announced import registry_of
from tongbao.store.memory import MemoryStore
from tongbao.store.record import BlockRecord
from tongbao.testing import named_key
from tongbao.testing.genesis import PEOPLE, genesis_of
from tongbao.testing.histories import History

FOLDER: Final = Path(__file__).resolve().parent / "golden" / "recorded"
SEED: Final = "recorded_17"
TRANSACTIONS: Final = 40
AUTHORITY: Final = named_key("authority")
BYTES_LIMIT: Final = 200_000


class Block(Struct, frozen=True):
    """A block: its time, what it holds, and what that came to."""

    time: int
    transactions: tuple[str, ...]
    header: str
    receipts: tuple[str, ...]
    outcomes: tuple[tuple[str, int], ...]


class Recording(Struct, frozen=True):
    """A chain from its genesis file on; block 0 is the first."""

    genesis: str
    blocks: tuple[Block, ...]


def block_of(record: BlockRecord) -> Block:
    """What is written down of a block."""
    return Block(
        time=record.time,
        transactions=tuple(wire.decode() for wire in record.transactions),
        header=record.header.decode(),
        receipts=tuple(receipt.decode() for receipt in record.receipts),
        outcomes=tuple((found.hex(), number) for found, number in record.outbox),
    )


def begun(modules: Registry, genesis: Genesis) -> Producer:
    """A chain in memory after block 0."""
    store = MemoryStore()
    producer = Producer(Machine(modules, genesis, store, -1, 0), store, AUTHORITY)
    producer.begin()
    return producer


def blocks_of(producer: Producer) -> tuple[Block, ...]:
    """Every block of a chain."""
    heights = range(producer.machine.height + 1)
    return tuple(block_of(producer.store.block(height)) for height in heights)


def record(seed: str = SEED) -> Recording:
    """The story, then a random history of every module, as a solo chain keeps them."""
    genesis = genesis_of(registry(), name="recorded")
    lines = tuple(replace(line, hash=NOT_FIXED) for line in genesis.modules)
    genesis = replace(genesis, modules=lines)
    producer = begun(registry(), genesis)
    story = Story(producer.machine)
    for time, wires in story.blocks():
        producer.make(wires, time, even_empty=True)
        producer.maintain(idle=False)
    history = History(
        producer.machine, seed, TRANSACTIONS, list(map(named_key, (*PEOPLE, *CAROLS)))
    )
    for sender, highest in story.nonces.items():
        history.world.used[sender, 0] = set(range(1, highest + 1))
    for step in history.steps():
        wires = tuple(found.wire for found in step.submissions)
        made = producer.make(wires, step.time, even_empty=True)
        producer.maintain(idle=False)
        assert made is not None
        kept = iter(made.decided.results)
        invalid = made.invalid
        results = tuple(
            Result(b"", Outcome.INVALID, invalid[wire], b"") if wire in invalid else next(kept)
            for wire in wires
        )
        history.learn(step, results)
    return Recording(write_genesis(genesis).decode(), blocks_of(producer))


def played(recording: Recording) -> Producer:
    """The chain that the code of today makes of a recording's transactions and times."""
    genesis = read_genesis(recording.genesis.encode())
    producer = begun(registry_of(genesis.modules), genesis)
    for block in recording.blocks[1:]:
        wires = tuple(wire.encode() for wire in block.transactions)
        producer.make(wires, block.time, even_empty=True)
        producer.maintain(idle=False)
    return producer


def play(recording: Recording) -> tuple[Block, ...]:
    """The blocks of that chain."""
    return blocks_of(played(recording))


def begun_upgrades(recording: Recording) -> list[Upgrade]:
    """The upgrades whose height a recording has reached."""
    machine = played(recording).machine
    known = upgrade.known(machine.view(upgrade.module)).rows
    return [row for height, row in known if height <= machine.height]


def read(path: Path) -> Recording:
    """A recording out of its file."""
    return msgspec.json.decode(path.read_bytes(), type=Recording)


def applied(recording: Recording) -> Counter[str]:
    """How often each message was applied."""
    genesis = read_genesis(recording.genesis.encode())
    machine = begun(registry_of(genesis.modules), genesis).machine
    found: Counter[str] = Counter()
    for block in recording.blocks:
        for wire, (_, number) in zip(block.transactions, block.outcomes, strict=True):
            if number == 0:
                messages = machine.parse(wire.encode()).payload.messages
                found.update(type(message).__struct_config__.tag for message in messages)
    return found


def main() -> int:
    """Record this version's chain, unless there is one; the last line is the verdict."""
    path = FOLDER / f"{__version__}.json"
    if path.exists():
        print(f"recording: FAILED: {path.name} is there, and a recording is never written again")
        return 1
    text = msgspec.json.format(msgspec.json.encode(record()), indent=1) + b"\n"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text)
    print(f"recording: {path.name} has {len(text)} bytes; commit it with the release")
    return 0


if __name__ == "__main__":
    sys.exit(main())
