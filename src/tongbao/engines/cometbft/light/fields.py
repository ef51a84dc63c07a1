"""The numbers of the fields of headers and votes: facts from CometBFT's files at v0.39.4."""

from __future__ import annotations

from typing import Final

from tongbao.engines.cometbft.kinds import Field, Kind, many
from tongbao.engines.cometbft.light import types as t
from tongbao.engines.cometbft.messages import Message, PublicKey, Timestamp

INT32, INT64, BYTES = Kind.INT32, Kind.INT64, Kind.BYTES

LIGHT_FIELDS: Final[dict[type[Message], tuple[Field, ...]]] = {
    t.Consensus: (Field(1, "block", Kind.UINT64), Field(2, "app", Kind.UINT64)),
    t.PartSetHeader: (Field(1, "total", Kind.UINT32), Field(2, "hash", BYTES)),
    t.BlockID: (Field(1, "hash", BYTES), Field(2, "part_set_header", t.PartSetHeader)),
    t.Header: (
        Field(1, "version", t.Consensus),
        Field(2, "chain_id", Kind.STRING),
        Field(3, "height", INT64),
        Field(4, "time", Timestamp),
        Field(5, "last_block_id", t.BlockID),
        Field(6, "last_commit_hash", BYTES),
        Field(7, "data_hash", BYTES),
        Field(8, "validators_hash", BYTES),
        Field(9, "next_validators_hash", BYTES),
        Field(10, "consensus_hash", BYTES),
        Field(11, "app_hash", BYTES),
        Field(12, "last_results_hash", BYTES),
        Field(13, "evidence_hash", BYTES),
        Field(14, "proposer_address", BYTES),
    ),
    t.CommitSig: (
        Field(1, "block_id_flag", INT32),
        Field(2, "validator_address", BYTES),
        Field(3, "timestamp", Timestamp),
        Field(4, "signature", BYTES),
    ),
    t.Commit: (
        Field(1, "height", INT64),
        Field(2, "round", INT32),
        Field(3, "block_id", t.BlockID),
        many(4, "signatures", t.CommitSig),
    ),
    t.Validator: (
        Field(1, "address", BYTES),
        Field(2, "pub_key", PublicKey),
        Field(3, "voting_power", INT64),
        Field(4, "proposer_priority", INT64),
    ),
    t.SimpleValidator: (Field(1, "pub_key", PublicKey), Field(2, "voting_power", INT64)),
    t.ValidatorSet: (
        many(1, "validators", t.Validator),
        Field(2, "proposer", t.Validator),
        Field(3, "total_voting_power", INT64),
    ),
    t.SignedHeader: (Field(1, "header", t.Header), Field(2, "commit", t.Commit)),
    t.LightBlock: (
        Field(1, "signed_header", t.SignedHeader),
        Field(2, "validator_set", t.ValidatorSet),
    ),
}
