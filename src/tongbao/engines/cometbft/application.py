"""The machine and its store behind the ABCI server.

A block is carried out in memory and kept by Commit alone: one append to the log. Until then
nothing of it is on the disk, so this side may lag behind CometBFT, which replays blocks, and is
never ahead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Final

import msgspec

from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.membership import (
    FILTERS,
    answer_filter,
    first_validators,
    updates_of,
)
from tongbao.engines.cometbft.messages import (
    ApplyResult,
    CheckTxType,
    ExecTxResult,
    OfferResult,
    ProposalStatus,
    Timestamp,
    VerifyStatus,
)
from tongbao.engines.cometbft.wire import write_varint
from tongbao.kernel import Block, Count, Decided, InvalidTransaction, Machine, Time
from tongbao.store.interface import AnyStore
from tongbao.store.record import ID_BYTES, BlockRecord

APP_DOMAIN: Final = b"tongbao/app/1"
FIRST_BLOCK: Final = 1
WAIT_SECONDS: Final = 0.002
"""How long a check waits for the state at a time, before it looks whether a block has begun."""
UNKNOWN_PATH: Final = 1
BAD_KEY: Final = 2


class OutOfStep(Exception):
    """CometBFT and this chain are not the same chain, or not at the same block; says which."""


def app_hash(state_root: bytes) -> bytes:
    """What stands in the next header: only the state, or idle blocks would never stop."""
    return sha256(APP_DOMAIN + state_root).digest()


def milliseconds(time: Timestamp | None) -> int:
    """CometBFT's time in the kernel's unit, rounded down."""
    return 0 if time is None else time.seconds * 1_000 + time.nanos // 1_000_000


def fitting(transactions: tuple[bytes, ...], limit: int) -> tuple[bytes, ...]:
    """As many of the first transactions as a block of `limit` bytes holds, tags included."""
    used = 0
    for count, wire in enumerate(transactions):
        used += 1 + len(write_varint(len(wire))) + len(wire)
        if used > limit:
            return transactions[:count]
    return transactions


class MachineApplication:
    """Answers CometBFT with what one machine decides. An `Application` of the server.

    The machine, and the store under it, belong to whoever holds the lock. A check never waits for
    a block: see `check_tx`.
    """

    def __init__(
        self, machine: Machine, store: AnyStore, clock: Callable[[], int], version: str = ""
    ) -> None:
        """Stand on a machine and its store; `clock` gives milliseconds UTC. Raises OutOfStep."""
        if machine.genesis_file.origin is not None:
            raise OutOfStep("a chain that begins with the rows of another has no network yet")
        self._machine = machine
        self._store = store
        self._clock = clock
        self._version = version
        self._lock = threading.Lock()
        self._deciding = False
        self._begun: BlockRecord | None = None
        """Block 0, from InitChain until the first Commit keeps it."""
        self._block: BlockRecord | None = None
        self._last = (max(machine.height, 0), b"")
        if machine.height >= FIRST_BLOCK:
            self._last = (machine.height, app_hash(machine.state_root))

    # Consensus

    def init_chain(self, request: q.RequestInitChain, /) -> r.ResponseInitChain:
        """Decide genesis in memory; asked again before the first Commit, answer the same.

        Raises OutOfStep, GenesisError.
        """
        machine = self._machine
        if request.chain_id != machine.chain:
            raise OutOfStep(f"CometBFT begins {request.chain_id}; this chain is {machine.chain}")
        if request.initial_height != FIRST_BLOCK:
            raise OutOfStep(f"CometBFT begins at {request.initial_height}, not at {FIRST_BLOCK}")
        with self._lock:
            self._take_back()
            if machine.height < 0:
                self._begun = record_of(machine.genesis(), (), b"")
                machine.commit()
            if machine.height > 0:
                raise OutOfStep(f"CometBFT begins anew; this chain is at block {machine.height}")
            return r.ResponseInitChain(
                validators=first_validators(machine), app_hash=app_hash(machine.state_root)
            )

    def prepare_proposal(self, request: q.RequestPrepareProposal, /) -> r.ResponsePrepareProposal:
        """The mempool's transactions in its order, as many as there is room for."""
        return r.ResponsePrepareProposal(fitting(request.txs, request.max_tx_bytes))

    def process_proposal(self, request: q.RequestProcessProposal, /) -> r.ResponseProcessProposal:
        """Yes: whatever the transactions are, each has a result that all nodes agree on.

        A correct proposer may hold what was valid once and is not any more, so that no content of
        a block tells a hostile one.
        """
        return r.ResponseProcessProposal(ProposalStatus.ACCEPT)

    def extend_vote(self, request: q.RequestExtendVote, /) -> r.ResponseExtendVote:
        """Nothing: no vote is extended."""
        return r.ResponseExtendVote()

    def verify_vote_extension(
        self, request: q.RequestVerifyVoteExtension, /
    ) -> r.ResponseVerifyVoteExtension:
        """Nothing is right, anything is wrong."""
        wrong = bool(request.vote_extension)
        return r.ResponseVerifyVoteExtension(VerifyStatus.REJECT if wrong else VerifyStatus.ACCEPT)

    def finalize_block(self, request: q.RequestFinalizeBlock, /) -> r.ResponseFinalizeBlock:
        """Carry a block out in memory: one result for each transaction, whatever its bytes are.

        Raises OutOfStep, UpgradeNeeded.
        """
        self._deciding = True
        machine = self._machine
        with self._lock:
            self._take_back()
            if request.height != machine.height + 1:
                raise OutOfStep(
                    f"CometBFT decided block {request.height}; this chain is at {machine.height}"
                )
            time = Time(max(milliseconds(request.time), machine.time + 1))
            block = Block(height=Count(request.height), time=time, transactions=request.txs)
            decided = machine.apply(block)
            self._block = record_of(decided, request.txs, request.hash)
            return r.ResponseFinalizeBlock(
                tx_results=tuple(
                    ExecTxResult(code=result.number, data=result.receipt)
                    for result in decided.results
                ),
                validator_updates=updates_of(machine, decided),
                app_hash=app_hash(decided.state_root),
            )

    def commit(self, request: q.RequestCommit, /) -> r.ResponseCommit:
        """Keep the block: the first one brings block 0 with it. Raises StoreError."""
        with self._lock:
            assert self._block is not None, "nothing was finalized"
            if self._begun is not None:
                self._store.append(self._begun)
                self._begun = None
            self._store.append(self._block)
            self._machine.commit()
            self._last = (self._block.height, app_hash(self._machine.state_root))
            self._block = None
            if self._store.maintain(idle=False) is not None:
                self._machine.flushed()
        self._deciding = False
        return r.ResponseCommit()

    def _take_back(self) -> None:
        """Forget a block that was finalized and never committed: CometBFT began again."""
        if self._block is not None:
            self._machine.discard()
            self._block = None

    # Mempool

    def check_tx(self, request: q.RequestCheckTx, /) -> r.ResponseCheckTx:
        """Judge a transaction against the committed state, without running a handler.

        Form and signatures need no state. While a block is being carried out the rest is left to
        the recheck that follows it: a check never waits for a block.
        """
        try:
            if request.type != CheckTxType.RECHECK:
                self._machine.decode(request.tx)
            while not self._lock.acquire(timeout=WAIT_SECONDS):
                if self._deciding:
                    return r.ResponseCheckTx()
            try:
                if self._block is None and self._machine.height >= 0:
                    now = max(self._clock(), self._machine.time + 1)
                    self._machine.check(request.tx, Time(now))
            finally:
                self._lock.release()
        except InvalidTransaction as error:
            return r.ResponseCheckTx(code=error.why.number, log=str(error))
        return r.ResponseCheckTx()

    # Query

    def info(self, request: q.RequestInfo, /) -> r.ResponseInfo:
        """The last block that was committed, never one in progress."""
        height, last_hash = self._last
        return r.ResponseInfo(
            data=self._machine.chain,
            version=self._version,
            last_block_height=height,
            last_block_app_hash=last_hash,
        )

    def query(self, request: q.RequestQuery, /) -> r.ResponseQuery:
        """`status` of a transaction's id, as JSON, or no value for an id that no block holds; and
        whether CometBFT may speak to a node.
        """
        if request.path.startswith(FILTERS):
            with self._lock:
                return answer_filter(self._machine, request.path)
        if request.path != "status":
            return r.ResponseQuery(code=UNKNOWN_PATH, log="the path is not known; there is: status")
        if len(request.data) != ID_BYTES:
            return r.ResponseQuery(code=BAD_KEY, log=f"an id has {ID_BYTES} bytes")
        with self._lock:
            found = self._store.status(request.data)
        value = b"" if found is None else msgspec.json.encode(msgspec.structs.asdict(found))
        return r.ResponseQuery(key=request.data, value=value, height=self._last[0])

    # Snapshots: none are offered, none are taken

    def list_snapshots(self, request: q.RequestListSnapshots, /) -> r.ResponseListSnapshots:
        """None."""
        return r.ResponseListSnapshots()

    def offer_snapshot(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Not wanted."""
        return r.ResponseOfferSnapshot(OfferResult.ABORT)

    def load_snapshot_chunk(
        self, request: q.RequestLoadSnapshotChunk, /
    ) -> r.ResponseLoadSnapshotChunk:
        """Not there."""
        return r.ResponseLoadSnapshotChunk()

    def apply_snapshot_chunk(
        self, request: q.RequestApplySnapshotChunk, /
    ) -> r.ResponseApplySnapshotChunk:
        """Not wanted."""
        return r.ResponseApplySnapshotChunk(ApplyResult.ABORT)


def record_of(decided: Decided, transactions: tuple[bytes, ...], block_hash: bytes) -> BlockRecord:
    """What the log keeps of a block; in the header's place CometBFT's hash of it."""
    return BlockRecord(
        height=decided.height,
        time=decided.time,
        header=block_hash,
        transactions=transactions,
        receipts=decided.receipts,
        rows=decided.rows,
        outbox=tuple((result.id, result.number) for result in decided.results),
    )
