"""Whether headers, votes and validators are well-formed, before anything of them is believed.

The rules are the `ValidateBasic` methods of CometBFT v0.39.4 (`types/block.go`, `types/light.go`,
`types/validator_set.go`), and three of this ledger: only Ed25519 keys, at most 1,000 validators,
and bytes in the one spelling that the codec writes, without what nothing commits to.
"""

from __future__ import annotations

from typing import Final, TypeVar

from tongbao.engines.cometbft.codec import decode, encode
from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.hashes import ADDRESS_BYTES, address_of
from tongbao.engines.cometbft.light.types import (
    ZERO_TIME,
    BlockID,
    Commit,
    CommitSig,
    Header,
    LightBlock,
    PartSetHeader,
    SignedHeader,
    Validator,
    ValidatorSet,
)
from tongbao.engines.cometbft.messages import BlockIDFlag, Message, PublicKey, Timestamp
from tongbao.engines.cometbft.wire import WireError

BLOCK_PROTOCOL: Final = 11
"""The version of the block's form, `version.BlockProtocol`."""
CHAIN_ID_LIMIT: Final = 50
HASH_BYTES: Final = 32
KEY_BYTES: Final = 32
Kept = TypeVar("Kept", bound=Message)
SIGNATURE_LIMIT: Final = 96
VALIDATORS_LIMIT: Final = 1_000
TOTAL_POWER_LIMIT: Final = ((1 << 63) - 1) // 8
LIGHT_BLOCK_BYTES_LIMIT: Final = 524_288
"""A light block of 1,000 validators has some 180 KB."""
HEADER_BYTES_LIMIT: Final = 4_096
NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
_FIRST_SECOND: Final = -62_135_596_800
_END_SECOND: Final = 253_402_300_800
"""Protobuf's times are of the years 1 to 9999 (`google/protobuf/timestamp.proto`)."""
_HEADER_HASHES: Final = (
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "last_results_hash",
    "evidence_hash",
)


def nanoseconds(time: Timestamp) -> int:
    """A time in nanoseconds since 1970, UTC."""
    return time.seconds * NS_PER_SECOND + time.nanos


def milliseconds(time: Timestamp) -> int:
    """A time in the kernel's unit, rounded down."""
    return nanoseconds(time) // NS_PER_MS


def read_light_block(data: bytes) -> LightBlock:
    """A light block out of its bytes, well-formed. Raises LightError."""
    if len(data) > LIGHT_BLOCK_BYTES_LIMIT:
        raise _malformed(f"a light block of {len(data)} bytes")
    block = _read(LightBlock, data)
    check_light_block(block)
    return block


def read_header(data: bytes) -> Header:
    """A header out of its bytes, well-formed. Raises LightError."""
    if len(data) > HEADER_BYTES_LIMIT:
        raise _malformed(f"a header of {len(data)} bytes")
    header = _read(Header, data)
    check_header(header)
    return header


def parts_of(block: LightBlock) -> tuple[Header, Commit, tuple[Validator, ...]]:
    """Header, votes and validators of a light block that has them. Raises LightError."""
    signed = block.signed_header or SignedHeader()
    if signed.header is None or signed.commit is None or block.validator_set is None:
        raise _malformed("header, votes or validators are missing")
    return signed.header, signed.commit, block.validator_set.validators


def check_light_block(block: LightBlock) -> None:
    """Raises LightError where a part is not well-formed. Whether they fit is asked elsewhere."""
    header, commit, _ = parts_of(block)
    check_header(header)
    _check_commit(commit)
    assert block.validator_set is not None
    _check_set(block.validator_set)


def check_header(header: Header) -> None:
    """Raises LightError where a header is not well-formed."""
    if header.version is None or header.version.block != BLOCK_PROTOCOL:
        raise _malformed(f"the block's form is not version {BLOCK_PROTOCOL}")
    if len(header.chain_id.encode()) > CHAIN_ID_LIMIT:
        raise _malformed(f"a chain's id has at most {CHAIN_ID_LIMIT} bytes")
    if header.height < 1:
        raise _malformed(f"height {header.height}")
    _check_time(header.time)
    _check_block_id(header.last_block_id)
    for name in _HEADER_HASHES:
        _check_hash(name, getattr(header, name))
    if len(header.validators_hash) != HASH_BYTES:
        raise _malformed("a header without validators has no hash")
    if len(header.proposer_address) != ADDRESS_BYTES:
        raise _malformed("proposer_address")


def check_validators(validators: tuple[Validator, ...]) -> None:
    """Raises LightError for none, too many, wrong ones, or too much power."""
    if not 0 < len(validators) <= VALIDATORS_LIMIT:
        raise _malformed(f"{len(validators)} validators, not 1 to {VALIDATORS_LIMIT}")
    for each in validators:
        key = (each.pub_key or PublicKey()).ed25519
        if key is None or len(key) != KEY_BYTES or each.address != address_of(key):
            raise _malformed("a validator's key or address")
        if each.voting_power < 0:
            raise _malformed("a validator's power is negative")
    if sum(each.voting_power for each in validators) > TOTAL_POWER_LIMIT:
        raise _malformed("the validators' power together is too much")


def _check_set(found: ValidatorSet) -> None:
    check_validators(found.validators)
    if found.proposer is not None or found.total_voting_power:
        raise _malformed("a set of validators has proposer and total left out")
    if any(each.proposer_priority for each in found.validators):
        raise _malformed("validators have their priority left out")


def _check_commit(commit: Commit) -> None:
    if commit.height < 1 or commit.round < 0:
        raise _malformed("height or round of the votes")
    _check_block_id(commit.block_id)
    assert commit.block_id is not None
    if commit.block_id == BlockID(part_set_header=PartSetHeader()):
        raise _malformed("the votes are for no block")
    if not 0 < len(commit.signatures) <= VALIDATORS_LIMIT:
        raise _malformed(f"{len(commit.signatures)} votes, not 1 to {VALIDATORS_LIMIT}")
    for vote in commit.signatures:
        _check_vote(vote)


def _check_vote(vote: CommitSig) -> None:
    _check_time(vote.timestamp)
    match vote.block_id_flag:
        case BlockIDFlag.ABSENT:
            if vote.validator_address or vote.signature or vote.timestamp != ZERO_TIME:
                raise _malformed("a vote that is absent says something")
        case BlockIDFlag.COMMIT | BlockIDFlag.NIL:
            if len(vote.validator_address) != ADDRESS_BYTES:
                raise _malformed("a voter's address")
            if not 0 < len(vote.signature) <= SIGNATURE_LIMIT:
                raise _malformed(f"a vote's signature of {len(vote.signature)} bytes")
        case other:
            raise _malformed(f"a vote of kind {other}")


def _check_block_id(block_id: BlockID | None) -> None:
    if block_id is None or block_id.part_set_header is None:
        raise _malformed("a block's id is missing")
    _check_hash("a block's hash", block_id.hash)
    _check_hash("the hash of a block's parts", block_id.part_set_header.hash)


def _check_hash(name: str, value: bytes) -> None:
    if len(value) not in (0, HASH_BYTES):
        raise _malformed(f"{name} has {len(value)} bytes")


def _check_time(time: Timestamp | None) -> None:
    if time is None or not _FIRST_SECOND <= time.seconds < _END_SECOND:
        raise _malformed("a time is missing or beyond the years 1 to 9999")
    if not 0 <= time.nanos < NS_PER_SECOND:
        raise _malformed(f"{time.nanos} nanoseconds")


def _read(kind: type[Kept], data: bytes) -> Kept:
    try:
        found = decode(kind, data)
        spelled = encode(found)
    except WireError as error:
        raise _malformed(str(error)) from error
    if spelled != data:
        raise _malformed("the bytes have another spelling than the one")
    return found


def _malformed(detail: str) -> LightError:
    return LightError(Fault.MALFORMED, detail)
