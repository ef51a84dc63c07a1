"""The parts of ABCI messages: what requests and responses are made of.

Names and fields are those of CometBFT's `types.proto` files at v0.39.4; their numbers are in
`fields.py`. A part that is not there is None, where protobuf tells it from an empty one.
Enumerations are open in protobuf, so fields are plain integers; the classes here name the known.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Message(msgspec.Struct, frozen=True):
    """Anything that has bytes on the wire."""


class CheckTxType(IntEnum):
    """Whether a transaction is new to the mempool or is asked about again after a block."""

    NEW = 0
    RECHECK = 1


class BlockIDFlag(IntEnum):
    """How a validator voted on the block before."""

    UNKNOWN = 0
    ABSENT = 1
    COMMIT = 2
    NIL = 3


class MisbehaviorType(IntEnum):
    """What a validator was caught at."""

    UNKNOWN = 0
    DUPLICATE_VOTE = 1
    LIGHT_CLIENT_ATTACK = 2


class OfferResult(IntEnum):
    """What to do with an offered snapshot."""

    UNKNOWN = 0
    ACCEPT = 1
    ABORT = 2
    REJECT = 3
    REJECT_FORMAT = 4
    REJECT_SENDER = 5


class ApplyResult(IntEnum):
    """What became of a snapshot's chunk."""

    UNKNOWN = 0
    ACCEPT = 1
    ABORT = 2
    RETRY = 3
    RETRY_SNAPSHOT = 4
    REJECT_SNAPSHOT = 5


class ProposalStatus(IntEnum):
    """The vote on a proposal."""

    UNKNOWN = 0
    ACCEPT = 1
    REJECT = 2


class VerifyStatus(IntEnum):
    """The verdict on another's vote extension."""

    UNKNOWN = 0
    ACCEPT = 1
    REJECT = 2


class Timestamp(Message, frozen=True):
    """A time in UTC: seconds since 1970, and nanoseconds from 0 to 999,999,999 on top."""

    seconds: int = 0
    nanos: int = 0


class Duration(Message, frozen=True):
    """A length of time: seconds, and nanoseconds of the same sign."""

    seconds: int = 0
    nanos: int = 0


class PublicKey(Message, frozen=True):
    """One key: exactly one of these is not None."""

    ed25519: bytes | None = None
    secp256k1: bytes | None = None
    bls12381: bytes | None = None


class ProofOp(Message, frozen=True):
    """One step of a proof in an answer to a query."""

    type: str = ""
    key: bytes = b""
    data: bytes = b""


class ProofOps(Message, frozen=True):
    """The steps of a proof."""

    ops: tuple[ProofOp, ...] = ()


class BlockParams(Message, frozen=True):
    """How large a block may be: bytes, and gas or -1."""

    max_bytes: int = 0
    max_gas: int = 0


class EvidenceParams(Message, frozen=True):
    """How old and large evidence of misbehavior may be."""

    max_age_num_blocks: int = 0
    max_age_duration: Duration | None = None
    max_bytes: int = 0


class ValidatorParams(Message, frozen=True):
    """Which keys validators may have, such as `ed25519`."""

    pub_key_types: tuple[str, ...] = ()


class VersionParams(Message, frozen=True):
    """The application's version."""

    app: int = 0


class ABCIParams(Message, frozen=True):
    """From which height on votes carry extensions; 0 for never."""

    vote_extensions_enable_height: int = 0


class AuthorityParams(Message, frozen=True):
    """Who may change parameters, where an application wants that."""

    authority: str = ""


class ConsensusParams(Message, frozen=True):
    """What all nodes agree on about consensus; a part that is None is left as it was."""

    block: BlockParams | None = None
    evidence: EvidenceParams | None = None
    validator: ValidatorParams | None = None
    version: VersionParams | None = None
    abci: ABCIParams | None = None
    authority: AuthorityParams | None = None


class Validator(Message, frozen=True):
    """A validator by address: the first 20 bytes of its key's SHA-256."""

    address: bytes = b""
    power: int = 0


class ValidatorUpdate(Message, frozen=True):
    """A validator's new power; 0 takes it out."""

    pub_key: PublicKey | None = None
    power: int = 0


class VoteInfo(Message, frozen=True):
    """How one validator voted."""

    validator: Validator | None = None
    block_id_flag: int = 0


class ExtendedVoteInfo(Message, frozen=True):
    """How one validator voted, with the extension of its vote."""

    validator: Validator | None = None
    vote_extension: bytes = b""
    extension_signature: bytes = b""
    block_id_flag: int = 0


class CommitInfo(Message, frozen=True):
    """The votes on the block before."""

    round: int = 0
    votes: tuple[VoteInfo, ...] = ()


class ExtendedCommitInfo(Message, frozen=True):
    """The votes on the block before, with their extensions."""

    round: int = 0
    votes: tuple[ExtendedVoteInfo, ...] = ()


class Misbehavior(Message, frozen=True):
    """Evidence against a validator."""

    type: int = 0
    validator: Validator | None = None
    height: int = 0
    time: Timestamp | None = None
    total_voting_power: int = 0


class EventAttribute(Message, frozen=True):
    """One name and value of an event; `index` is not agreed on."""

    key: str = ""
    value: str = ""
    index: bool = False


class Event(Message, frozen=True):
    """Something that is told, and not agreed on."""

    type: str = ""
    attributes: tuple[EventAttribute, ...] = ()


class ExecTxResult(Message, frozen=True):
    """A transaction's result. `code`, `data` and gas are agreed on; the rest is told."""

    code: int = 0
    data: bytes = b""
    log: str = ""
    info: str = ""
    gas_wanted: int = 0
    gas_used: int = 0
    events: tuple[Event, ...] = ()
    codespace: str = ""


class Snapshot(Message, frozen=True):
    """A snapshot that nodes offer to one another."""

    height: int = 0
    format: int = 0
    chunks: int = 0
    hash: bytes = b""
    metadata: bytes = b""
