"""What an application answers, one method for each request, and in which thread each is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.messages import Message


class Lane(Enum):
    """One thread each: calls of one lane come one after the other, lanes don't wait for others."""

    CONSENSUS = "consensus"
    MEMPOOL = "mempool"
    QUERY = "query"
    SNAPSHOT = "snapshot"


class Application(Protocol):
    """The state machine behind the socket.

    Methods of different lanes are called at the same time. What any of them raises is a bug: the
    server answers with an exception, calls nothing more and tells its owner; so an application
    says no to a transaction or a query by a code, never by raising.
    """

    def init_chain(self, request: q.RequestInitChain, /) -> r.ResponseInitChain:
        """Begin a chain. May come twice. Consensus lane, as are the next six."""

    def prepare_proposal(self, request: q.RequestPrepareProposal, /) -> r.ResponsePrepareProposal:
        """Choose the transactions of a block."""

    def process_proposal(self, request: q.RequestProcessProposal, /) -> r.ResponseProcessProposal:
        """Accept or reject a proposal."""

    def extend_vote(self, request: q.RequestExtendVote, /) -> r.ResponseExtendVote:
        """Add to this node's vote."""

    def verify_vote_extension(
        self, request: q.RequestVerifyVoteExtension, /
    ) -> r.ResponseVerifyVoteExtension:
        """Judge what another added to its vote."""

    def finalize_block(self, request: q.RequestFinalizeBlock, /) -> r.ResponseFinalizeBlock:
        """Carry out a block in memory."""

    def commit(self, request: q.RequestCommit, /) -> r.ResponseCommit:
        """Keep the block that was carried out."""

    def check_txs(self, requests: list[q.RequestCheckTx], /) -> Iterator[r.ResponseCheckTx]:
        """Say of each whether it may be in the mempool, in their order. Mempool lane.

        They have come together, so that what is cheaper for all at once can be done so.
        """

    def info(self, request: q.RequestInfo, /) -> r.ResponseInfo:
        """Say which block is the last. Query lane, as is the next."""

    def query(self, request: q.RequestQuery, /) -> r.ResponseQuery:
        """Read state."""

    def list_snapshots(self, request: q.RequestListSnapshots, /) -> r.ResponseListSnapshots:
        """Say which snapshots are there. Snapshot lane, as are the next three."""

    def offer_snapshot(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Say whether a snapshot of others is wanted."""

    def load_snapshot_chunk(
        self, request: q.RequestLoadSnapshotChunk, /
    ) -> r.ResponseLoadSnapshotChunk:
        """Give a chunk."""

    def apply_snapshot_chunk(
        self, request: q.RequestApplySnapshotChunk, /
    ) -> r.ResponseApplySnapshotChunk:
        """Take in a chunk."""


class Call(NamedTuple):
    """The thread that answers a kind of request, and what answers a batch of them, in its order."""

    lane: Lane
    answers: Callable[[list[Any]], Iterator[Message]]


def _each(lane: Lane, method: Callable[[Any], Message]) -> Call:
    """A call whose requests are answered one by one, when the answer is asked for."""
    return Call(lane, lambda requests: map(method, requests))


def calls_of(application: Application) -> dict[type[Message], Call]:
    """How an application answers each request; the server answers Echo and Flush itself."""
    consensus, snapshot = Lane.CONSENSUS, Lane.SNAPSHOT
    return {
        q.RequestInitChain: _each(consensus, application.init_chain),
        q.RequestPrepareProposal: _each(consensus, application.prepare_proposal),
        q.RequestProcessProposal: _each(consensus, application.process_proposal),
        q.RequestExtendVote: _each(consensus, application.extend_vote),
        q.RequestVerifyVoteExtension: _each(consensus, application.verify_vote_extension),
        q.RequestFinalizeBlock: _each(consensus, application.finalize_block),
        q.RequestCommit: _each(consensus, application.commit),
        q.RequestCheckTx: Call(Lane.MEMPOOL, application.check_txs),
        q.RequestInfo: _each(Lane.QUERY, application.info),
        q.RequestQuery: _each(Lane.QUERY, application.query),
        q.RequestListSnapshots: _each(snapshot, application.list_snapshots),
        q.RequestOfferSnapshot: _each(snapshot, application.offer_snapshot),
        q.RequestLoadSnapshotChunk: _each(snapshot, application.load_snapshot_chunk),
        q.RequestApplySnapshotChunk: _each(snapshot, application.apply_snapshot_chunk),
    }


HERE: Final[dict[type[Message], Callable[[Any], Message]]] = {
    q.RequestEcho: lambda request: r.ResponseEcho(request.message),
    q.RequestFlush: lambda request: r.ResponseFlush(),
}
"""What needs no application: answered as soon as all before it is."""
