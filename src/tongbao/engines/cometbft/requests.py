"""What CometBFT asks: the requests of ABCI 2.0, by the names of its specification."""

from __future__ import annotations

from tongbao.engines.cometbft.messages import (
    CommitInfo,
    ConsensusParams,
    ExtendedCommitInfo,
    Message,
    Misbehavior,
    Snapshot,
    Timestamp,
    ValidatorUpdate,
)


class RequestEcho(Message, frozen=True):
    """Say this again."""

    message: str = ""


class RequestFlush(Message, frozen=True):
    """Send what you have."""


class RequestInfo(Message, frozen=True):
    """Which block did you commit last? Comes with the versions of the one who asks."""

    version: str = ""
    block_version: int = 0
    p2p_version: int = 0
    abci_version: str = ""


class RequestInitChain(Message, frozen=True):
    """Begin a chain."""

    time: Timestamp | None = None
    chain_id: str = ""
    consensus_params: ConsensusParams | None = None
    validators: tuple[ValidatorUpdate, ...] = ()
    app_state_bytes: bytes = b""
    initial_height: int = 0


class RequestQuery(Message, frozen=True):
    """Read state at a height, 0 for the last."""

    data: bytes = b""
    path: str = ""
    height: int = 0
    prove: bool = False


class RequestCheckTx(Message, frozen=True):
    """May this transaction enter the mempool, or stay there?"""

    tx: bytes = b""
    type: int = 0


class RequestCommit(Message, frozen=True):
    """Keep what was finalized."""


class RequestListSnapshots(Message, frozen=True):
    """Which snapshots are there?"""


class RequestOfferSnapshot(Message, frozen=True):
    """Peers have this snapshot, and a light client has verified this hash for its height."""

    snapshot: Snapshot | None = None
    app_hash: bytes = b""


class RequestLoadSnapshotChunk(Message, frozen=True):
    """Give a chunk for a peer."""

    height: int = 0
    format: int = 0
    chunk: int = 0


class RequestApplySnapshotChunk(Message, frozen=True):
    """Take in a chunk that this sender gave."""

    index: int = 0
    chunk: bytes = b""
    sender: str = ""


class RequestPrepareProposal(Message, frozen=True):
    """Choose the transactions of a block that this node proposes."""

    max_tx_bytes: int = 0
    txs: tuple[bytes, ...] = ()
    local_last_commit: ExtendedCommitInfo | None = None
    misbehavior: tuple[Misbehavior, ...] = ()
    height: int = 0
    time: Timestamp | None = None
    next_validators_hash: bytes = b""
    proposer_address: bytes = b""


class RequestProcessProposal(Message, frozen=True):
    """Accept or reject another's proposal."""

    txs: tuple[bytes, ...] = ()
    proposed_last_commit: CommitInfo | None = None
    misbehavior: tuple[Misbehavior, ...] = ()
    hash: bytes = b""
    height: int = 0
    time: Timestamp | None = None
    next_validators_hash: bytes = b""
    proposer_address: bytes = b""


class RequestExtendVote(Message, frozen=True):
    """Add to this node's vote."""

    hash: bytes = b""
    height: int = 0
    time: Timestamp | None = None
    txs: tuple[bytes, ...] = ()
    proposed_last_commit: CommitInfo | None = None
    misbehavior: tuple[Misbehavior, ...] = ()
    next_validators_hash: bytes = b""
    proposer_address: bytes = b""


class RequestVerifyVoteExtension(Message, frozen=True):
    """Judge what another added to its vote."""

    hash: bytes = b""
    validator_address: bytes = b""
    height: int = 0
    vote_extension: bytes = b""


class RequestFinalizeBlock(Message, frozen=True):
    """Carry out a block that is decided."""

    txs: tuple[bytes, ...] = ()
    decided_last_commit: CommitInfo | None = None
    misbehavior: tuple[Misbehavior, ...] = ()
    hash: bytes = b""
    height: int = 0
    time: Timestamp | None = None
    next_validators_hash: bytes = b""
    proposer_address: bytes = b""
