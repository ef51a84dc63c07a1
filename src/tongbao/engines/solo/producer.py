"""Making solo blocks: decide, sign, make durable, commit. No thread and no clock in here."""

from __future__ import annotations

from typing import Protocol

from tongbao.engines.headers import header_hash, is_network, read_header
from tongbao.engines.solo.header import Header, HeaderSigner, sign_header
from tongbao.engines.solo.header import tree_root as root_of
from tongbao.kernel import Block, Count, Decided, Hash, Machine, Outcome, Time
from tongbao.store.interface import AnyStore
from tongbao.store.record import BlockRecord


class Clock(Protocol):
    """Where block times come from."""

    def __call__(self) -> int:
        """Milliseconds UTC."""


class Made:
    """A block that is durable, and the transactions that were left out as invalid."""

    def __init__(
        self, record: BlockRecord | None, decided: Decided, invalid: dict[bytes, int]
    ) -> None:
        """Keep the record (None: all were invalid), what was decided, numbers by wire bytes."""
        self.record = record
        self.decided = decided
        self.invalid = invalid


class Producer:
    """Turns transactions into durable, signed blocks, one after the other."""

    def __init__(self, machine: Machine, store: AnyStore, signer: HeaderSigner | None) -> None:
        """Work on a machine and the store that it stands on; without a signer only reading."""
        self.machine = machine
        self.store = store
        self.signer = signer
        last = store.last
        self.previous = (
            Hash(machine.genesis_hash.hex())
            if last is None or self.is_at_origin
            else header_hash(read_header(last.header)[0])
        )

    @property
    def why_read_only(self) -> str | None:
        """Why no blocks are made here; None where they are."""
        if self.signer is not None:
            return None
        if is_network(self.machine.genesis_file):
            return "this chain is open for reading: `tongbao run` starts this node of its network"
        return "this chain is open for reading: the authority's key is locked"

    @property
    def is_at_origin(self) -> bool:
        """Whether the last block is still that of the chain from whose rows this one begins."""
        origin = self.machine.genesis_file.origin
        return origin is not None and self.machine.height == origin.height

    def begin(self) -> None:
        """Decide, sign and store the first block: block 0, or an empty one behind the origin."""
        if self.is_at_origin:
            self.make((), int(self.machine.genesis_file.time), even_empty=True)
        else:
            self._finish(self.machine.genesis(), ())

    def next_time(self, now: int) -> Time:
        """The time that a block made now would carry: later than the last, whatever the clock."""
        return Time(max(now, self.machine.time + 1))

    def make(
        self, transactions: tuple[bytes, ...], now: int, *, even_empty: bool = False
    ) -> Made | None:
        """Make one block out of those transactions that are valid, and of due work.

        Invalid ones change nothing, so they are left out; None when nothing is left to do, unless
        a block is wanted `even_empty`. Errors of the store and of the signer pass through after
        the candidate was taken back.
        """
        machine, invalid = self.machine, dict[bytes, int]()
        time = self.next_time(now)
        decided = self._apply(transactions, time)
        for wire, result in zip(transactions, decided.results, strict=True):
            if result.outcome is Outcome.INVALID:
                invalid[wire] = result.number
        if invalid:
            machine.discard()
            transactions = tuple(wire for wire in transactions if wire not in invalid)
            decided = self._apply(transactions, time)
        if not transactions and decided.due is None and not even_empty:
            machine.discard()
            return Made(None, decided, invalid) if invalid else None
        return Made(self._finish(decided, transactions), decided, invalid)

    def _apply(self, transactions: tuple[bytes, ...], time: Time) -> Decided:
        height = Count(self.machine.height + 1)
        return self.machine.apply(Block(height=height, time=time, transactions=transactions))

    def _finish(self, decided: Decided, transactions: tuple[bytes, ...]) -> BlockRecord:
        """Sign what was decided, append it durably, and only then commit it."""
        assert self.signer is not None
        receipts = decided.receipts
        header = Header(
            chain=self.machine.chain,
            height=decided.height,
            time=decided.time,
            previous=self.previous,
            transactions=root_of(transactions),
            receipts=root_of(receipts),
            state=Hash(decided.state_root.hex()),
        )
        try:
            record = BlockRecord(
                height=decided.height,
                time=decided.time,
                header=sign_header(header, self.signer),
                transactions=transactions,
                receipts=receipts,
                rows=decided.rows,
                outbox=tuple((result.id, result.number) for result in decided.results),
            )
            self.store.append(record)
        except BaseException:
            self.machine.discard()
            raise
        self.machine.commit()
        self.previous = header_hash(header)
        return record

    def maintain(self, idle: bool) -> None:
        """Let the store bring its fast copy up to the log, and the machine forget its overlay."""
        if self.store.maintain(idle, self.machine.row_count) is not None:
            self.machine.flushed()

    def find_room(self) -> bool:
        """Whether the disk has space again: rows are up to the log, and some could be written."""
        self.maintain(idle=True)
        return self.store.has_room()
