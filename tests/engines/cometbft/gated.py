"""An application of the ABCI server that answers with what it was asked, when it may."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.messages import ExecTxResult, ProposalStatus, VerifyStatus

SECONDS = 60
"""How long a call waits for its gate before the test has failed."""


class Gated:
    """Each answer carries the question. `block` and `mempool` are gates; both begin open.

    `began` is set when a block or the first transaction has reached its gate. What is asked to
    fail raises.
    """

    def __init__(self) -> None:
        """Begin with open gates."""
        self.block, self.mempool = threading.Event(), threading.Event()
        self.block.set()
        self.mempool.set()
        self.began = threading.Event()
        self.checked = 0
        self.together: list[int] = []
        self.threads: dict[str, str] = {}

    def _note(self, call: str) -> None:
        self.threads[call] = threading.current_thread().name

    def _pass(self, gate: threading.Event) -> None:
        self.began.set()
        assert gate.wait(SECONDS)

    def init_chain(self, request: q.RequestInitChain, /) -> r.ResponseInitChain:
        """The state's bytes as the hash."""
        return r.ResponseInitChain(app_hash=request.app_state_bytes)

    def prepare_proposal(self, request: q.RequestPrepareProposal, /) -> r.ResponsePrepareProposal:
        """What was offered."""
        return r.ResponsePrepareProposal(request.txs)

    def process_proposal(self, request: q.RequestProcessProposal, /) -> r.ResponseProcessProposal:
        """Yes."""
        return r.ResponseProcessProposal(ProposalStatus.ACCEPT)

    def extend_vote(self, request: q.RequestExtendVote, /) -> r.ResponseExtendVote:
        """The block's hash."""
        return r.ResponseExtendVote(request.hash)

    def verify_vote_extension(
        self, request: q.RequestVerifyVoteExtension, /
    ) -> r.ResponseVerifyVoteExtension:
        """Yes."""
        return r.ResponseVerifyVoteExtension(VerifyStatus.ACCEPT)

    def finalize_block(self, request: q.RequestFinalizeBlock, /) -> r.ResponseFinalizeBlock:
        """A result for each transaction, once the gate is open."""
        self._note("finalize_block")
        self._pass(self.block)
        results = tuple(ExecTxResult(data=wire) for wire in request.txs)
        return r.ResponseFinalizeBlock(tx_results=results, app_hash=request.hash)

    def commit(self, request: q.RequestCommit, /) -> r.ResponseCommit:
        """Keep everything from 1 on."""
        self._note("commit")
        return r.ResponseCommit(1)

    def check_txs(self, requests: list[q.RequestCheckTx], /) -> Iterator[r.ResponseCheckTx]:
        """How many came before each, once the gate is open; notes how many came together."""
        self.together.append(len(requests))
        for request in requests:
            self._note("check_tx")
            self._pass(self.mempool)
            self.checked += 1
            yield r.ResponseCheckTx(code=self.checked, data=request.tx)

    def info(self, request: q.RequestInfo, /) -> r.ResponseInfo:
        """The version of who asks."""
        return r.ResponseInfo(version=request.version)

    def query(self, request: q.RequestQuery, /) -> r.ResponseQuery:
        """The key, or a failure."""
        self._note("query")
        if request.path == "fail":
            raise ZeroDivisionError("the test asked for it")
        return r.ResponseQuery(key=request.data)

    def list_snapshots(self, request: q.RequestListSnapshots, /) -> r.ResponseListSnapshots:
        """None."""
        return r.ResponseListSnapshots()

    def offer_snapshot(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Unknown."""
        return r.ResponseOfferSnapshot()

    def load_snapshot_chunk(
        self, request: q.RequestLoadSnapshotChunk, /
    ) -> r.ResponseLoadSnapshotChunk:
        """The chunk's number."""
        self._note("load_snapshot_chunk")
        return r.ResponseLoadSnapshotChunk(bytes((request.chunk,)))

    def apply_snapshot_chunk(
        self, request: q.RequestApplySnapshotChunk, /
    ) -> r.ResponseApplySnapshotChunk:
        """Ask for it again from another."""
        return r.ResponseApplySnapshotChunk(0, (request.index,), (request.sender,))
