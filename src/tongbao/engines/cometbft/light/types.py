"""What a header of CometBFT and the votes on it are made of.

Names and fields are those of `tendermint/types/types.proto`, `validator.proto` and
`version/types.proto` at v0.39.4; `fields.py` has their numbers. Hashes are SHA-256, addresses the
first 20 bytes of the SHA-256 of a public key.
"""

from __future__ import annotations

from typing import Final

from tongbao.engines.cometbft.messages import Message, PublicKey, Timestamp

ZERO_TIME: Final = Timestamp(-62_135_596_800, 0)
"""Go's time that is none, year 1: what stands in the place of a vote that is absent."""


class Consensus(Message, frozen=True):
    """Versions of the block's form and of the application."""

    block: int = 0
    app: int = 0


class PartSetHeader(Message, frozen=True):
    """Into how many parts a block is cut to be sent, and the root over them."""

    total: int = 0
    hash: bytes = b""


class BlockID(Message, frozen=True):
    """A block by the hash of its header and its parts."""

    hash: bytes = b""
    part_set_header: PartSetHeader | None = None


class Header(Message, frozen=True):
    """What a block commits to.

    `app_hash` and `last_results_hash` are of the block before: what it did is in the next header.
    """

    version: Consensus | None = None
    chain_id: str = ""
    height: int = 0
    time: Timestamp | None = None
    last_block_id: BlockID | None = None
    last_commit_hash: bytes = b""
    data_hash: bytes = b""
    validators_hash: bytes = b""
    next_validators_hash: bytes = b""
    consensus_hash: bytes = b""
    app_hash: bytes = b""
    last_results_hash: bytes = b""
    evidence_hash: bytes = b""
    proposer_address: bytes = b""


class CommitSig(Message, frozen=True):
    """One validator's vote, or that there is none; `block_id_flag` is a `BlockIDFlag`."""

    block_id_flag: int = 0
    validator_address: bytes = b""
    timestamp: Timestamp | None = None
    signature: bytes = b""


class Commit(Message, frozen=True):
    """The votes on a block, in the order of its validators."""

    height: int = 0
    round: int = 0
    block_id: BlockID | None = None
    signatures: tuple[CommitSig, ...] = ()


class Validator(Message, frozen=True):
    """Who votes. `proposer_priority` is no part of what a header commits to."""

    address: bytes = b""
    pub_key: PublicKey | None = None
    voting_power: int = 0
    proposer_priority: int = 0


class SimpleValidator(Message, frozen=True):
    """What a header commits to of a validator."""

    pub_key: PublicKey | None = None
    voting_power: int = 0


class ValidatorSet(Message, frozen=True):
    """The validators of one height. Only `validators` are committed to."""

    validators: tuple[Validator, ...] = ()
    proposer: Validator | None = None
    total_voting_power: int = 0


class SignedHeader(Message, frozen=True):
    """A header with the votes on it."""

    header: Header | None = None
    commit: Commit | None = None


class LightBlock(Message, frozen=True):
    """A header, the votes on it, and who may vote."""

    signed_header: SignedHeader | None = None
    validator_set: ValidatorSet | None = None
