"""The machine, the store under it, and the block that CometBFT has decided and not yet committed.

A block is carried out in memory; keeping it is one append to the log. Whoever reads does so
between two blocks, and never waits long for one: a candidate that stays is taken back, and carried
out again when it is to be kept.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol

from tongbao.engines.cometbft.counting import Counting
from tongbao.engines.cometbft.evidence import Evidence
from tongbao.engines.cometbft.header import BlockHash, LocalHeader, encode_local
from tongbao.engines.cometbft.membership import updates_of
from tongbao.engines.cometbft.messages import ValidatorUpdate
from tongbao.engines.headers import header_hash, read_header, tree_root
from tongbao.kernel import Block, Count, Decided, Hash, InvalidTransaction, Machine, Time
from tongbao.store.errors import DiskFull
from tongbao.store.interface import AnyStore
from tongbao.store.record import BlockRecord

log = logging.getLogger("tongbao.engines.cometbft")

FIRST_BLOCK: Final = 1
WAIT_SECONDS: Final = 0.002
"""How long a check waits for the state at a time, before it looks whether a block has begun."""
PATIENCE_SECONDS: Final = 0.5
"""How long a reader waits for a block that is carried out to be kept."""
ROOM_SECONDS: Final = 1.0
"""How often a full disk is tried again."""


class Listener(Protocol):
    """Who is told what becomes of transactions. Everybody waits until it returns: be quick."""

    def kept(self, record: BlockRecord, decided: Decided, /) -> None:
        """A block is durable. Called between it and the next."""

    def dropped(self, wire: bytes, error: InvalidTransaction, /) -> None:
        """A transaction is not in this node's mempool, or is not any more."""

    def full(self, error: DiskFull, /) -> None:
        """There is no space for a block; it is kept as soon as there is."""

    def roomy(self) -> None:
        """There is space again."""


class Nobody:
    """A listener for those who need none."""

    def kept(self, record: BlockRecord, decided: Decided, /) -> None:
        """Nothing."""

    def dropped(self, wire: bytes, error: InvalidTransaction, /) -> None:
        """Nothing."""

    def full(self, error: DiskFull, /) -> None:
        """Nothing."""

    def roomy(self) -> None:
        """Nothing."""


class Candidate(NamedTuple):
    """A block that is carried out and not kept."""

    record: BlockRecord
    header: LocalHeader
    decided: Decided


class Last(NamedTuple):
    """The last of CometBFT's blocks that was kept, and the root of the state after it."""

    height: int
    root: bytes


class Blocks:
    """The state of a chain, one block at a time. Its methods are called in many threads."""

    def __init__(self, machine: Machine, store: AnyStore) -> None:
        """Stand on a machine and its store."""
        self.listener: Listener = Nobody()
        self.lack: DiskFull | None = None
        """Why a block can't be kept; None while blocks can."""
        self.evidence = Evidence()
        self._changed = threading.Condition(threading.RLock())
        self._stopping = threading.Event()
        self._deciding = False
        self._adopt(machine, store)

    def _adopt(self, machine: Machine, store: AnyStore) -> None:
        self.machine, self.store = machine, store
        self._begun: Candidate | None = None
        """Block 0, from InitChain until the first block is kept."""
        self._wanted: tuple[Block, BlockHash] | None = None
        self._candidate: Candidate | None = None
        self._unjudged: set[bytes] = set()
        """What was let into the mempool while a block was carried out: the recheck judges it."""
        self._counting = Counting(machine)
        self._next_due: Time | None = None
        last, origin = store.last, machine.genesis_file.origin
        self.last: Last | None = None
        self.first = FIRST_BLOCK if origin is None else origin.height + 1
        """The height of CometBFT's first block."""
        self._previous = (
            Hash(machine.genesis_hash.hex())
            if last is None or last.height < self.first - 1 or self._is_at_origin
            else header_hash(read_header(last.header)[0])
        )
        if self.is_begun:
            self.last = Last(machine.height, machine.state_root)
            self._next_due = machine.next_due()

    def is_due(self, clock: int) -> bool:
        """Whether work that is due by a clock waits for a block; never waits for one itself."""
        return self._next_due is not None and self._next_due <= clock

    def adopt(self, machine: Machine, store: AnyStore) -> None:
        """Go on from other rows: a snapshot's, on a chain that has not begun here."""
        with self._changed:
            assert self._candidate is None, "a block is being decided"
            self._adopt(machine, store)

    @property
    def _is_at_origin(self) -> bool:
        """Whether the last block is still that of the chain from whose rows this one begins."""
        origin = self.machine.genesis_file.origin
        return origin is not None and self.machine.height == origin.height

    @property
    def is_begun(self) -> bool:
        """Whether a block of CometBFT's was kept."""
        return self.machine.height >= self.first

    # Reading

    @contextmanager
    def reading(self) -> Iterator[Blocks]:
        """Between two blocks. A candidate that is not kept for long is taken back for this."""
        with self._changed:
            until = time.monotonic() + PATIENCE_SECONDS
            while self._candidate is not None and self.lack is None:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            self._take_back()
            yield self

    def check(self, wire: bytes, clock: int) -> None:
        """Judge a transaction by the committed state, without running a handler.

        Form and signatures need no state. While a block is being carried out the rest is left to
        the recheck behind it. Raises InvalidTransaction.
        """
        self.machine.decode(wire)
        if not self._held_for((wire,)):
            return
        try:
            self._unjudged.discard(wire)
            time = self._next_time(clock)
            self._counting.add(self.machine.check(wire, time), time)
        finally:
            self._changed.release()

    def check_again(self, wires: Sequence[bytes], clock: int) -> list[InvalidTransaction | None]:
        """Judge again what was let in: what is wrong with each, or None.

        Their form and signatures are not looked at. While a block is being carried out all are
        left to the recheck behind it.
        """
        if not self._held_for(wires):
            return [None] * len(wires)
        try:
            machine, unjudged, time = self.machine, self._unjudged, self._next_time(clock)
            found: list[InvalidTransaction | None] = []
            counts = self._counting.is_on
            for wire in wires:
                try:
                    if wire in unjudged:
                        unjudged.discard(wire)
                        machine.check(wire, time)
                    else:
                        machine.check_again(wire, time)
                    if counts:
                        self._counting.add(machine.decode(wire), time)
                except InvalidTransaction as error:
                    found.append(error)
                else:
                    found.append(None)
            return found
        finally:
            self._changed.release()

    def _held_for(self, wires: Sequence[bytes]) -> bool:
        """Hold the state, to be released, if no block is carried out; else note these for later."""
        while not self._changed.acquire(timeout=WAIT_SECONDS):
            if self._deciding:
                self._unjudged.update(wires)
                return False
        if self._candidate is None and self.machine.height >= 0:
            return True
        self._unjudged.update(wires)
        self._changed.release()
        return False

    def _next_time(self, clock: int) -> Time:
        """The earliest time that the next block can have."""
        return Time(max(clock, self.machine.time + 1))

    @property
    def unjudged(self) -> int:
        """How many in the mempool the next recheck judges as if they were new."""
        return len(self._unjudged)

    def forget_unjudged(self) -> None:
        """CometBFT has started, and its mempool is empty: nothing in it waits to be judged."""
        self._unjudged.clear()

    # Deciding

    def begin(self) -> bytes:
        """The root of the state from which CometBFT's first block goes on; may be asked twice."""
        with self._changed:
            self._take_back()
            if self.machine.height < 0:
                decided = self.machine.genesis()
                self._begun = self._of(decided, (), BlockHash(""))
                self.machine.commit()
                self._previous = header_hash(self._begun.header)
            return self.machine.state_root

    def begin_here(self) -> None:
        """Keep block 0 before CometBFT asks for it, so that a chain that is open has a block.

        The rows of a snapshot, where the node joins by one, take its place. Raises StoreError.
        """
        with self._changed:
            self.begin()
            if self._begun is not None:
                self.store.append(self._begun.record)
                self._begun = None

    def carry_out(self, block: Block, block_hash: bytes) -> Decided:
        """Carry a block out in memory. Raises UpgradeNeeded."""
        self._deciding = True
        with self._changed:
            self._take_back()
            self._wanted = block, BlockHash(block_hash.hex())
            return self._candidate_again().decided

    def validator_updates(self, decided: Decided) -> tuple[ValidatorUpdate, ...]:
        """What the block that was carried out changes of the validators."""
        with self._changed:
            return updates_of(self.machine, decided)

    def _candidate_again(self) -> Candidate:
        """The block that is wanted, carried out, unless that is done."""
        if self._candidate is None:
            assert self._wanted is not None, "nothing was finalized"
            block, block_hash = self._wanted
            decided = self.machine.apply(block)
            self._candidate = self._of(decided, block.transactions, block_hash)
        return self._candidate

    def keep(self) -> bool:
        """Keep the block that was carried out, as soon as there is space for it.

        False where it was not kept because this side is told to stop. Raises StoreError.
        """
        while True:
            try:
                self._keep()
                return True
            except DiskFull as error:
                self._lose(error)
            while self.lack is not None:
                if self._stopping.wait(ROOM_SECONDS):
                    return False
                self._look()

    def _keep(self) -> None:
        with self._changed:
            candidate = self._candidate_again()
            if self._begun is not None:
                self.store.append(self._begun.record)
                self._begun = None
            self.store.append(candidate.record)
            self.machine.commit()
            self._previous = header_hash(candidate.header)
            self.last = Last(candidate.record.height, self.machine.state_root)
            self._next_due = self.machine.next_due()
            self._candidate = self._wanted = None
            self._unjudged.difference_update(candidate.record.transactions)
            self._deciding = False
            self._counting.begin()
            self._maintain(idle=False)
            self.listener.kept(candidate.record, candidate.decided)
            self._changed.notify_all()

    def _take_back(self) -> None:
        """Forget what was carried out and not kept: CometBFT began again, or somebody reads."""
        if self._candidate is not None:
            self.machine.discard()
            self._candidate = None

    def _of(
        self, decided: Decided, transactions: tuple[bytes, ...], block_hash: BlockHash
    ) -> Candidate:
        """A block as the log will have it."""
        receipts = decided.receipts
        header = LocalHeader(
            chain=self.machine.chain,
            height=decided.height,
            time=decided.time,
            previous=self._previous,
            transactions=tree_root(transactions),
            receipts=tree_root(receipts),
            state=Hash(decided.state_root.hex()),
            block=block_hash,
        )
        record = BlockRecord(
            height=decided.height,
            time=decided.time,
            header=encode_local(header),
            transactions=transactions,
            receipts=receipts,
            rows=decided.rows,
            outbox=tuple((result.id, result.number) for result in decided.results),
        )
        return Candidate(record, header, decided)

    def after_last(self, height: int, milliseconds: int, wires: tuple[bytes, ...]) -> Block:
        """A block of CometBFT's with the time that it has here: later than the one before."""
        time = Time(max(milliseconds, self.machine.time + 1))
        return Block(height=Count(height), time=time, transactions=wires)

    # Space, and rest

    def rest(self) -> None:
        """Nothing is to be done: let the rows follow, and look whether there is space again."""
        with self._changed:
            if self._candidate is None:
                self._maintain(idle=True)

    def probe(self) -> None:
        """Nothing comes from CometBFT: look whether it is the disk that is full. Raises StoreError.

        What CometBFT can't write it may not even be able to say.
        """
        with self._changed:
            if self.lack is None and self._candidate is None and not self.store.has_room():
                self._lose(DiskFull("there is no space for the next blocks"))

    def _maintain(self, *, idle: bool) -> None:
        if self.store.maintain(idle, self.machine.row_count) is not None:
            self.machine.flushed()
        lack = self.store.lack
        if lack is not None:
            self._lose(lack)
        elif self.lack is not None and self._wanted is None and self.store.has_room():
            self._find_room()

    def _lose(self, error: DiskFull) -> None:
        """A write found no space: said once, until there is some."""
        with self._changed:
            self._take_back()
            if self.lack is None:
                log.error("disk full: no block is kept until there is space (%s)", error)
            self.lack = error
            self._changed.notify_all()
        self.listener.full(error)

    def _look(self) -> None:
        with self._changed:
            self._take_back()
            if self.store.maintain(True, self.machine.row_count) is not None:
                self.machine.flushed()
            if self.store.lack is None and self.store.has_room():
                self._find_room()

    def _find_room(self) -> None:
        self.lack = None
        log.warning("there is space on the disk again: blocks are kept")
        self.listener.roomy()

    def stop(self) -> None:
        """Wait for nothing any more: CometBFT is gone, and what was not kept it tells again."""
        self._stopping.set()
