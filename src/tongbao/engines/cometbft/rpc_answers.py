"""The answers of CometBFT's RPC that this project reads, by the names of its JSON.

Numbers of 64 bits stand in texts there and are numbers here. Bytes are base64 there and bytes here;
hashes and addresses are upper-case hex in both, times RFC 3339 with nine decimals at most.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

VALIDATORS_LIMIT: Final = 1_000
"""More validators than this project lets into a set are no answer."""
PAGE_VALIDATORS: Final = 100
"""What CometBFT gives on one page at most."""

SIGNATURES_LIMIT: Final = 10_000
"""CometBFT's own limit of a validator set, and of the votes in a commit."""


class Broadcast(Struct):
    """What CheckTx says to a transaction: 0, or the number of why it is not let in."""

    code: int
    hash: str
    log: str = ""


class NodeInfo(Struct):
    """Who a node is: its id (40 hex digits), chain and moniker."""

    id: str
    network: str
    moniker: str
    listen_addr: str = ""


class SyncInfo(Struct):
    """How far a node has come; `catching_up` while it fetches blocks that others have."""

    latest_block_height: int
    latest_block_hash: str
    latest_app_hash: str
    latest_block_time: str
    earliest_block_height: int
    catching_up: bool


class KeyJson(Struct):
    """A public key: `tendermint/PubKeyEd25519` and 32 bytes."""

    type: str
    value: bytes


class ValidatorInfo(Struct):
    """This node's own validator; power 0, when it is none."""

    address: str
    pub_key: KeyJson
    voting_power: int


class Status(Struct):
    """The answer of `status`."""

    node_info: NodeInfo
    sync_info: SyncInfo
    validator_info: ValidatorInfo


class PeerJson(Struct):
    """One peer of a node."""

    node_info: NodeInfo
    is_outbound: bool
    remote_ip: str


class NetInfo(Struct):
    """The answer of `net_info`."""

    listening: bool
    n_peers: int
    peers: list[PeerJson]


class JsonParts(Struct):
    """How a block was cut into parts."""

    total: int
    hash: str


class JsonBlockId(Struct):
    """A block's hash and its parts; both hashes are empty for the block before the first one."""

    hash: str
    parts: JsonParts


class JsonVersion(Struct):
    """The versions of the block protocol and of the application."""

    block: int
    app: int = 0


class JsonHeader(Struct):
    """A header, as `commit` gives it."""

    version: JsonVersion
    chain_id: str
    height: int
    time: str
    last_block_id: JsonBlockId
    last_commit_hash: str
    data_hash: str
    validators_hash: str
    next_validators_hash: str
    consensus_hash: str
    app_hash: str
    last_results_hash: str
    evidence_hash: str
    proposer_address: str


class JsonVote(Struct):
    """One validator's part in a commit; the flag is 1 absent, 2 for the block, 3 for none."""

    block_id_flag: int
    validator_address: str
    timestamp: str
    signature: bytes | None = None


class JsonCommit(Struct):
    """The votes for a block, in the order of its validators."""

    height: int
    round: int
    block_id: JsonBlockId
    signatures: Annotated[list[JsonVote], Meta(max_length=SIGNATURES_LIMIT)]


class SignedHeaderJson(Struct):
    """A header and the votes for it."""

    header: JsonHeader
    commit: JsonCommit


class CommitAnswer(Struct):
    """The answer of `commit`; canonical once the next block holds these votes."""

    signed_header: SignedHeaderJson
    canonical: bool


class JsonValidator(Struct):
    """One member of a validator set. Its priority decides who proposes and is not hashed."""

    address: str
    pub_key: KeyJson
    voting_power: int
    proposer_priority: int


class ValidatorsAnswer(Struct):
    """One page of the answer of `validators`."""

    block_height: int
    total: int
    count: int
    validators: list[JsonValidator] = field(default_factory=list)
