"""What the application answers: the responses of ABCI 2.0, by the names of its specification."""

from __future__ import annotations

from tongbao.engines.cometbft.messages import (
    ConsensusParams,
    Event,
    ExecTxResult,
    Message,
    ProofOps,
    Snapshot,
    ValidatorUpdate,
)


class ResponseException(Message, frozen=True):
    """This could not be answered. CometBFT ends when it reads one."""

    error: str = ""


class ResponseEcho(Message, frozen=True):
    """What was said."""

    message: str = ""


class ResponseFlush(Message, frozen=True):
    """Everything before is sent."""


class ResponseInfo(Message, frozen=True):
    """The last block committed, and its application hash."""

    data: str = ""
    version: str = ""
    app_version: int = 0
    last_block_height: int = 0
    last_block_app_hash: bytes = b""


class ResponseInitChain(Message, frozen=True):
    """The first validators, and the hash that the first block carries."""

    consensus_params: ConsensusParams | None = None
    validators: tuple[ValidatorUpdate, ...] = ()
    app_hash: bytes = b""


class ResponseQuery(Message, frozen=True):
    """What was read, at which height; `code` 0 when it could be."""

    code: int = 0
    log: str = ""
    info: str = ""
    index: int = 0
    key: bytes = b""
    value: bytes = b""
    proof_ops: ProofOps | None = None
    height: int = 0
    codespace: str = ""


class ResponseCheckTx(Message, frozen=True):
    """Whether a transaction may be in the mempool: `code` 0 when it may."""

    code: int = 0
    data: bytes = b""
    log: str = ""
    info: str = ""
    gas_wanted: int = 0
    gas_used: int = 0
    events: tuple[Event, ...] = ()
    codespace: str = ""


class ResponseCommit(Message, frozen=True):
    """Kept. Blocks below `retain_height` may go; 0 keeps all."""

    retain_height: int = 0


class ResponseListSnapshots(Message, frozen=True):
    """The snapshots that are there."""

    snapshots: tuple[Snapshot, ...] = ()


class ResponseOfferSnapshot(Message, frozen=True):
    """An `OfferResult`."""

    result: int = 0


class ResponseLoadSnapshotChunk(Message, frozen=True):
    """The chunk, or nothing when it is not there."""

    chunk: bytes = b""


class ResponseApplySnapshotChunk(Message, frozen=True):
    """An `ApplyResult`, chunks to fetch again, and senders to refuse."""

    result: int = 0
    refetch_chunks: tuple[int, ...] = ()
    reject_senders: tuple[str, ...] = ()


class ResponsePrepareProposal(Message, frozen=True):
    """The transactions of the proposal."""

    txs: tuple[bytes, ...] = ()


class ResponseProcessProposal(Message, frozen=True):
    """A `ProposalStatus`."""

    status: int = 0


class ResponseExtendVote(Message, frozen=True):
    """What is added to the vote."""

    vote_extension: bytes = b""


class ResponseVerifyVoteExtension(Message, frozen=True):
    """A `VerifyStatus`."""

    status: int = 0


class ResponseFinalizeBlock(Message, frozen=True):
    """One result for each transaction, in order, and the hash that the next block carries."""

    events: tuple[Event, ...] = ()
    tx_results: tuple[ExecTxResult, ...] = ()
    validator_updates: tuple[ValidatorUpdate, ...] = ()
    consensus_param_updates: ConsensusParams | None = None
    app_hash: bytes = b""
