"""The machine and its store behind the ABCI server.

A block is carried out in memory and kept by Commit alone: one append to the log. Until then
nothing of it is on the disk, so this side may lag behind CometBFT, which replays blocks, and is
never ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tongbao.engines.cometbft import due_work
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.ahead import Ahead
from tongbao.engines.cometbft.blocks import Blocks
from tongbao.engines.cometbft.codec import ACCEPTED
from tongbao.engines.cometbft.due_work import WORK_IS_DUE
from tongbao.engines.cometbft.light.hashes import app_hash
from tongbao.engines.cometbft.membership import FILTERS, answer_filter, first_validators
from tongbao.engines.cometbft.messages import (
    CheckTxType,
    ExecTxResult,
    ProposalStatus,
    Timestamp,
    VerifyStatus,
)
from tongbao.engines.cometbft.snapshots import NoSnapshots, Snapshots
from tongbao.engines.cometbft.wire import write_varint
from tongbao.kernel import InvalidTransaction, Machine
from tongbao.store.interface import AnyStore
from tongbao.store.record import ID_BYTES

NEW: Final = CheckTxType.NEW.value
UNKNOWN_PATH: Final = 1
BAD_KEY: Final = 2
NOT_HERE: Final = 3


class OutOfStep(Exception):
    """CometBFT and this chain are not the same chain, or not at the same block; says which."""


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

    The machine, and the store under it, belong to `blocks`, which also others read.
    """

    def __init__(
        self, machine: Machine, store: AnyStore, clock: Callable[[], int], version: str = ""
    ) -> None:
        """Stand on a machine and its store; `clock` gives milliseconds UTC."""
        self.blocks = Blocks(machine, store)
        self._ahead = Ahead()
        self.snapshots: Snapshots = NoSnapshots()
        self._clock = clock
        self._version = version
        self.chosen_peers: frozenset[str] = frozenset()
        """The nodes whom this node's own configuration names, admitted or not."""

    # Consensus

    def init_chain(self, request: q.RequestInitChain, /) -> r.ResponseInitChain:
        """Decide genesis in memory; asked again before the first Commit, answer the same.

        Raises OutOfStep, GenesisError.
        """
        blocks, machine = self.blocks, self.blocks.machine
        if request.chain_id != machine.chain:
            raise OutOfStep(f"CometBFT begins {request.chain_id}; this chain is {machine.chain}")
        if request.initial_height != blocks.first:
            raise OutOfStep(f"CometBFT begins at {request.initial_height}, not at {blocks.first}")
        if blocks.is_begun:
            raise OutOfStep(f"CometBFT begins anew; this chain is at block {machine.height}")
        begun = app_hash(blocks.begin())
        return r.ResponseInitChain(validators=first_validators(machine), app_hash=begun)

    def prepare_proposal(self, request: q.RequestPrepareProposal, /) -> r.ResponsePrepareProposal:
        """The mempool's transactions in its order, as many as there is room for.

        None in CometBFT's first block: it carries the time of genesis, at which a transaction that
        was made later would expire too far in the future, and be invalid.
        """
        if request.height == self.blocks.first:
            return r.ResponsePrepareProposal(())
        wires = due_work.without(request.txs)
        return r.ResponsePrepareProposal(fitting(wires, request.max_tx_bytes))

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
        blocks = self.blocks
        last = blocks.machine.height
        if request.height != last + 1:
            raise OutOfStep(f"CometBFT decided block {request.height}; this chain is at {last}")
        self._check_joined(milliseconds(request.time))
        block = blocks.after_last(request.height, milliseconds(request.time), request.txs)
        self._ahead.look(blocks.machine, request.txs)
        decided = blocks.carry_out(block, request.hash)
        blocks.evidence.saw(request.height, request.misbehavior)
        return r.ResponseFinalizeBlock(
            tx_results=tuple(
                ExecTxResult(code=result.number, data=result.receipt) for result in decided.results
            ),
            validator_updates=blocks.validator_updates(decided),
            app_hash=app_hash(decided.state_root),
        )

    def _check_joined(self, time: int) -> None:
        """Whether the block that this node joined at has the time that it was said to have.

        Nothing proves it. One that is too early changes nothing, for each block has CometBFT's own
        time; one that is too late would give the next block another time than everywhere else.
        Raises OutOfStep.
        """
        machine, store = self.blocks.machine, self.blocks.store
        if 0 < store.begins == machine.height and time <= machine.time:
            raise OutOfStep(
                f"the snapshot of block {machine.height} had a wrong time: remove the chain's "
                "`log`, `state`, `headers`, `base-...` and CometBFT's `data`, but for "
                "`priv_validator_state.json`, and join again"
            )

    def commit(self, request: q.RequestCommit, /) -> r.ResponseCommit:
        """Keep the block: the first one brings block 0 with it. Raises StoreError.

        A full disk makes this wait, and the network goes on without this node.
        """
        if not self.blocks.keep():
            return r.ResponseCommit()
        return r.ResponseCommit(self.snapshots.committed())

    # Mempool

    def check_txs(self, requests: list[q.RequestCheckTx], /) -> Iterator[r.ResponseCheckTx]:
        """Answer all: signatures of many are checked on another core, rechecks in one go."""
        new = [request.tx for request in requests if request.type == NEW]
        if not new:
            yield from self._check_again([request.tx for request in requests])
            return
        self._ahead.look(self.blocks.machine, new)
        for request in requests:
            yield self.check_tx(request)

    def close(self) -> None:
        """End what was started for `check_txs`; nothing is asked any more."""
        self._ahead.close()

    def check_tx(self, request: q.RequestCheckTx, /) -> r.ResponseCheckTx:
        """Judge a transaction against the committed state, without running a handler.

        Form and signatures need no state. While a block is being carried out the rest is left to
        the recheck that follows it: a check never waits for a block.
        """
        if request.tx == WORK_IS_DUE:
            return self._due()
        if request.type != NEW:
            return next(self._check_again([request.tx]))
        try:
            self.blocks.check(request.tx, self._clock())
        except InvalidTransaction as error:
            return self._dropped(request.tx, error)
        return ACCEPTED

    def _check_again(self, wires: list[bytes]) -> Iterator[r.ResponseCheckTx]:
        errors = iter(self.blocks.check_again(due_work.without(wires), self._clock()))
        for wire in wires:
            if wire == WORK_IS_DUE:
                yield self._due()
                continue
            error = next(errors)
            yield ACCEPTED if error is None else self._dropped(wire, error)

    def _due(self) -> r.ResponseCheckTx:
        return due_work.judged(is_due=self.blocks.is_due(self._clock()))

    def _dropped(self, wire: bytes, error: InvalidTransaction) -> r.ResponseCheckTx:
        self.blocks.listener.dropped(wire, error)
        return r.ResponseCheckTx(code=error.why.number, log=str(error))

    # Query

    def info(self, request: q.RequestInfo, /) -> r.ResponseInfo:
        """The last block that was committed, never one in progress.

        CometBFT asks when it starts, with an empty mempool.
        """
        self.blocks.forget_unjudged()
        last = self.blocks.last
        return r.ResponseInfo(
            data=self.blocks.machine.chain,
            version=self._version,
            last_block_height=0 if last is None else last.height,
            last_block_app_hash=b"" if last is None else app_hash(last.root),
        )

    def query(self, request: q.RequestQuery, /) -> r.ResponseQuery:
        """`status` of a transaction's id, as JSON, or no value for an id that no block holds; and
        whether CometBFT may speak to a node.
        """
        if request.path.startswith(FILTERS):
            with self.blocks.reading() as now:
                return answer_filter(now.machine, request.path, self.chosen_peers)
        if request.path != "status":
            return r.ResponseQuery(code=UNKNOWN_PATH, log="the path is not known; there is: status")
        if len(request.data) != ID_BYTES:
            return r.ResponseQuery(code=BAD_KEY, log=f"an id has {ID_BYTES} bytes")
        with self.blocks.reading() as now:
            found, height = now.store.status(request.data), now.machine.height
            begins = now.store.begins
        if found is None and begins:
            return r.ResponseQuery(
                code=NOT_HERE, log=f"this node joined at block {begins} and may have missed it"
            )
        value = b"" if found is None else msgspec.json.encode(msgspec.structs.asdict(found))
        return r.ResponseQuery(key=request.data, value=value, height=height)

    # Snapshots

    def list_snapshots(self, request: q.RequestListSnapshots, /) -> r.ResponseListSnapshots:
        """Those that are here."""
        return self.snapshots.list_snapshots(request)

    def offer_snapshot(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Whether one of others is wanted."""
        return self.snapshots.offer_snapshot(request)

    def load_snapshot_chunk(
        self, request: q.RequestLoadSnapshotChunk, /
    ) -> r.ResponseLoadSnapshotChunk:
        """The bytes of a chunk."""
        return self.snapshots.load_snapshot_chunk(request)

    def apply_snapshot_chunk(
        self, request: q.RequestApplySnapshotChunk, /
    ) -> r.ResponseApplySnapshotChunk:
        """Take a chunk in."""
        return self.snapshots.apply_snapshot_chunk(request)
