"""Headers, votes and validators out of what CometBFT's RPC answers to `commit` and `validators`.

What comes out is as unproven as what went in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.types import (
    BlockID,
    Commit,
    CommitSig,
    Consensus,
    Header,
    LightBlock,
    PartSetHeader,
    SignedHeader,
    Validator,
    ValidatorSet,
)
from tongbao.engines.cometbft.messages import PublicKey, Timestamp
from tongbao.engines.cometbft.rpc_answers import (
    JsonBlockId,
    JsonCommit,
    JsonHeader,
    JsonValidator,
    JsonVote,
    SignedHeaderJson,
)

KEY_TYPE: Final = "tendermint/PubKeyEd25519"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


def light_block_of(signed: SignedHeaderJson, validators: Iterable[JsonValidator]) -> LightBlock:
    """A light block out of a commit and all validators of that height. Raises LightError."""
    try:
        return LightBlock(
            signed_header=SignedHeader(
                header=header_of(signed.header), commit=_commit(signed.commit)
            ),
            validator_set=ValidatorSet(validators=tuple(map(_validator, validators))),
        )
    except ValueError as error:
        raise LightError(Fault.MALFORMED, f"an answer of CometBFT: {error}") from error


def header_of(found: JsonHeader) -> Header:
    """A header. Raises ValueError."""
    return Header(
        version=Consensus(block=found.version.block, app=found.version.app),
        chain_id=found.chain_id,
        height=found.height,
        time=timestamp_of(found.time),
        last_block_id=_block_id(found.last_block_id),
        last_commit_hash=bytes.fromhex(found.last_commit_hash),
        data_hash=bytes.fromhex(found.data_hash),
        validators_hash=bytes.fromhex(found.validators_hash),
        next_validators_hash=bytes.fromhex(found.next_validators_hash),
        consensus_hash=bytes.fromhex(found.consensus_hash),
        app_hash=bytes.fromhex(found.app_hash),
        last_results_hash=bytes.fromhex(found.last_results_hash),
        evidence_hash=bytes.fromhex(found.evidence_hash),
        proposer_address=bytes.fromhex(found.proposer_address),
    )


def timestamp_of(text: str) -> Timestamp:
    """A time of RFC 3339 in UTC, with up to nine digits of a second. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"no time in UTC: {text[:40]!r}")
    moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return Timestamp((moment - _EPOCH) // _SECOND, int((found[2] or "").ljust(9, "0")))


def _commit(found: JsonCommit) -> Commit:
    return Commit(
        height=found.height,
        round=found.round,
        block_id=_block_id(found.block_id),
        signatures=tuple(map(_vote, found.signatures)),
    )


def _vote(found: JsonVote) -> CommitSig:
    return CommitSig(
        block_id_flag=found.block_id_flag,
        validator_address=bytes.fromhex(found.validator_address),
        timestamp=timestamp_of(found.timestamp),
        signature=found.signature or b"",
    )


def _block_id(found: JsonBlockId) -> BlockID:
    parts = PartSetHeader(total=found.parts.total, hash=bytes.fromhex(found.parts.hash))
    return BlockID(hash=bytes.fromhex(found.hash), part_set_header=parts)


def _validator(found: JsonValidator) -> Validator:
    if found.pub_key.type != KEY_TYPE:
        raise ValueError(f"a validator's key is of type {found.pub_key.type!r}")
    return Validator(
        address=bytes.fromhex(found.address),
        pub_key=PublicKey(ed25519=found.pub_key.value),
        voting_power=found.voting_power,
    )
