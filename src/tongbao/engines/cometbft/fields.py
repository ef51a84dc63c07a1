"""The numbers of ABCI's fields: facts from CometBFT's `types.proto` files at v0.39.4.

`proto/tendermint/abci/types.proto`, `types/params.proto` and `crypto/*.proto`; a test compares
every line with the descriptors that the program itself was compiled with.
"""

from __future__ import annotations

from typing import Final

from tongbao.engines.cometbft import messages as m
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.kinds import Field, Kind, choice, many
from tongbao.engines.cometbft.light.fields import LIGHT_FIELDS

INT32, INT64, UINT32, UINT64 = Kind.INT32, Kind.INT64, Kind.UINT32, Kind.UINT64
BOOL, STRING, BYTES = Kind.BOOL, Kind.STRING, Kind.BYTES

_RESULT: Final = (
    Field(1, "code", UINT32),
    Field(2, "data", BYTES),
    Field(3, "log", STRING),
    Field(4, "info", STRING),
    Field(5, "gas_wanted", INT64),
    Field(6, "gas_used", INT64),
    many(7, "events", m.Event),
    Field(8, "codespace", STRING),
)
_BLOCK: Final = (
    many(3, "misbehavior", m.Misbehavior),
    Field(4, "hash", BYTES),
    Field(5, "height", INT64),
    Field(6, "time", m.Timestamp),
    Field(7, "next_validators_hash", BYTES),
    Field(8, "proposer_address", BYTES),
)

FIELDS: Final[dict[type[m.Message], tuple[Field, ...]]] = {
    m.Timestamp: (Field(1, "seconds", INT64), Field(2, "nanos", INT32)),
    m.Duration: (Field(1, "seconds", INT64), Field(2, "nanos", INT32)),
    m.PublicKey: (
        choice(1, "ed25519", BYTES),
        choice(2, "secp256k1", BYTES),
        choice(3, "bls12381", BYTES),
    ),
    m.ProofOp: (Field(1, "type", STRING), Field(2, "key", BYTES), Field(3, "data", BYTES)),
    m.ProofOps: (many(1, "ops", m.ProofOp),),
    m.BlockParams: (Field(1, "max_bytes", INT64), Field(2, "max_gas", INT64)),
    m.EvidenceParams: (
        Field(1, "max_age_num_blocks", INT64),
        Field(2, "max_age_duration", m.Duration),
        Field(3, "max_bytes", INT64),
    ),
    m.ValidatorParams: (many(1, "pub_key_types", STRING),),
    m.VersionParams: (Field(1, "app", UINT64),),
    m.ABCIParams: (Field(1, "vote_extensions_enable_height", INT64),),
    m.AuthorityParams: (Field(1, "authority", STRING),),
    m.ConsensusParams: (
        Field(1, "block", m.BlockParams),
        Field(2, "evidence", m.EvidenceParams),
        Field(3, "validator", m.ValidatorParams),
        Field(4, "version", m.VersionParams),
        Field(5, "abci", m.ABCIParams),
        Field(6, "authority", m.AuthorityParams),
    ),
    m.Validator: (Field(1, "address", BYTES), Field(3, "power", INT64)),
    m.ValidatorUpdate: (Field(1, "pub_key", m.PublicKey), Field(2, "power", INT64)),
    m.VoteInfo: (Field(1, "validator", m.Validator), Field(3, "block_id_flag", INT32)),
    m.ExtendedVoteInfo: (
        Field(1, "validator", m.Validator),
        Field(3, "vote_extension", BYTES),
        Field(4, "extension_signature", BYTES),
        Field(5, "block_id_flag", INT32),
    ),
    m.CommitInfo: (Field(1, "round", INT32), many(2, "votes", m.VoteInfo)),
    m.ExtendedCommitInfo: (Field(1, "round", INT32), many(2, "votes", m.ExtendedVoteInfo)),
    m.Misbehavior: (
        Field(1, "type", INT32),
        Field(2, "validator", m.Validator),
        Field(3, "height", INT64),
        Field(4, "time", m.Timestamp),
        Field(5, "total_voting_power", INT64),
    ),
    m.EventAttribute: (
        Field(1, "key", STRING),
        Field(2, "value", STRING),
        Field(3, "index", BOOL),
    ),
    m.Event: (Field(1, "type", STRING), many(2, "attributes", m.EventAttribute)),
    m.ExecTxResult: _RESULT,
    m.Snapshot: (
        Field(1, "height", UINT64),
        Field(2, "format", UINT32),
        Field(3, "chunks", UINT32),
        Field(4, "hash", BYTES),
        Field(5, "metadata", BYTES),
    ),
    q.RequestEcho: (Field(1, "message", STRING),),
    q.RequestFlush: (),
    q.RequestInfo: (
        Field(1, "version", STRING),
        Field(2, "block_version", UINT64),
        Field(3, "p2p_version", UINT64),
        Field(4, "abci_version", STRING),
    ),
    q.RequestInitChain: (
        Field(1, "time", m.Timestamp),
        Field(2, "chain_id", STRING),
        Field(3, "consensus_params", m.ConsensusParams),
        many(4, "validators", m.ValidatorUpdate),
        Field(5, "app_state_bytes", BYTES),
        Field(6, "initial_height", INT64),
    ),
    q.RequestQuery: (
        Field(1, "data", BYTES),
        Field(2, "path", STRING),
        Field(3, "height", INT64),
        Field(4, "prove", BOOL),
    ),
    q.RequestCheckTx: (Field(1, "tx", BYTES), Field(2, "type", INT32)),
    q.RequestCommit: (),
    q.RequestListSnapshots: (),
    q.RequestOfferSnapshot: (Field(1, "snapshot", m.Snapshot), Field(2, "app_hash", BYTES)),
    q.RequestLoadSnapshotChunk: (
        Field(1, "height", UINT64),
        Field(2, "format", UINT32),
        Field(3, "chunk", UINT32),
    ),
    q.RequestApplySnapshotChunk: (
        Field(1, "index", UINT32),
        Field(2, "chunk", BYTES),
        Field(3, "sender", STRING),
    ),
    q.RequestPrepareProposal: (
        Field(1, "max_tx_bytes", INT64),
        many(2, "txs", BYTES),
        Field(3, "local_last_commit", m.ExtendedCommitInfo),
        many(4, "misbehavior", m.Misbehavior),
        Field(5, "height", INT64),
        Field(6, "time", m.Timestamp),
        Field(7, "next_validators_hash", BYTES),
        Field(8, "proposer_address", BYTES),
    ),
    q.RequestProcessProposal: (
        many(1, "txs", BYTES),
        Field(2, "proposed_last_commit", m.CommitInfo),
        *_BLOCK,
    ),
    q.RequestExtendVote: (
        Field(1, "hash", BYTES),
        Field(2, "height", INT64),
        Field(3, "time", m.Timestamp),
        many(4, "txs", BYTES),
        Field(5, "proposed_last_commit", m.CommitInfo),
        many(6, "misbehavior", m.Misbehavior),
        Field(7, "next_validators_hash", BYTES),
        Field(8, "proposer_address", BYTES),
    ),
    q.RequestVerifyVoteExtension: (
        Field(1, "hash", BYTES),
        Field(2, "validator_address", BYTES),
        Field(3, "height", INT64),
        Field(4, "vote_extension", BYTES),
    ),
    q.RequestFinalizeBlock: (
        many(1, "txs", BYTES),
        Field(2, "decided_last_commit", m.CommitInfo),
        *_BLOCK,
    ),
    r.ResponseException: (Field(1, "error", STRING),),
    r.ResponseEcho: (Field(1, "message", STRING),),
    r.ResponseFlush: (),
    r.ResponseInfo: (
        Field(1, "data", STRING),
        Field(2, "version", STRING),
        Field(3, "app_version", UINT64),
        Field(4, "last_block_height", INT64),
        Field(5, "last_block_app_hash", BYTES),
    ),
    r.ResponseInitChain: (
        Field(1, "consensus_params", m.ConsensusParams),
        many(2, "validators", m.ValidatorUpdate),
        Field(3, "app_hash", BYTES),
    ),
    r.ResponseQuery: (
        Field(1, "code", UINT32),
        Field(3, "log", STRING),
        Field(4, "info", STRING),
        Field(5, "index", INT64),
        Field(6, "key", BYTES),
        Field(7, "value", BYTES),
        Field(8, "proof_ops", m.ProofOps),
        Field(9, "height", INT64),
        Field(10, "codespace", STRING),
    ),
    r.ResponseCheckTx: _RESULT,
    r.ResponseCommit: (Field(3, "retain_height", INT64),),
    r.ResponseListSnapshots: (many(1, "snapshots", m.Snapshot),),
    r.ResponseOfferSnapshot: (Field(1, "result", INT32),),
    r.ResponseLoadSnapshotChunk: (Field(1, "chunk", BYTES),),
    r.ResponseApplySnapshotChunk: (
        Field(1, "result", INT32),
        many(2, "refetch_chunks", UINT32),
        many(3, "reject_senders", STRING),
    ),
    r.ResponsePrepareProposal: (many(1, "txs", BYTES),),
    r.ResponseProcessProposal: (Field(1, "status", INT32),),
    r.ResponseExtendVote: (Field(1, "vote_extension", BYTES),),
    r.ResponseVerifyVoteExtension: (Field(1, "status", INT32),),
    r.ResponseFinalizeBlock: (
        many(1, "events", m.Event),
        many(2, "tx_results", m.ExecTxResult),
        many(3, "validator_updates", m.ValidatorUpdate),
        Field(4, "consensus_param_updates", m.ConsensusParams),
        Field(5, "app_hash", BYTES),
    ),
    **LIGHT_FIELDS,
}

REQUESTS: Final[dict[int, type[m.Message]]] = {
    1: q.RequestEcho,
    2: q.RequestFlush,
    3: q.RequestInfo,
    5: q.RequestInitChain,
    6: q.RequestQuery,
    8: q.RequestCheckTx,
    11: q.RequestCommit,
    12: q.RequestListSnapshots,
    13: q.RequestOfferSnapshot,
    14: q.RequestLoadSnapshotChunk,
    15: q.RequestApplySnapshotChunk,
    16: q.RequestPrepareProposal,
    17: q.RequestProcessProposal,
    18: q.RequestExtendVote,
    19: q.RequestVerifyVoteExtension,
    20: q.RequestFinalizeBlock,
}
"""Which field of a `Request` holds which message."""

RESPONSES: Final[dict[int, type[m.Message]]] = {
    1: r.ResponseException,
    2: r.ResponseEcho,
    3: r.ResponseFlush,
    4: r.ResponseInfo,
    6: r.ResponseInitChain,
    7: r.ResponseQuery,
    9: r.ResponseCheckTx,
    12: r.ResponseCommit,
    13: r.ResponseListSnapshots,
    14: r.ResponseOfferSnapshot,
    15: r.ResponseLoadSnapshotChunk,
    16: r.ResponseApplySnapshotChunk,
    17: r.ResponsePrepareProposal,
    18: r.ResponseProcessProposal,
    19: r.ResponseExtendVote,
    20: r.ResponseVerifyVoteExtension,
    21: r.ResponseFinalizeBlock,
}
"""Which field of a `Response` holds which message."""
