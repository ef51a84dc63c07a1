"""The hashes that a header of CometBFT is made of, all RFC 6962 trees of SHA-256.

CometBFT specification, "Core data structures"; `types/block.go`, `types/validator_set.go`,
`types/tx.go` and `types/results.go` at v0.39.4. A leaf that has no value is the empty one.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.types import (
    BlockID,
    Commit,
    Consensus,
    Header,
    SimpleValidator,
    Validator,
)
from tongbao.engines.cometbft.messages import ExecTxResult, PublicKey, Timestamp
from tongbao.engines.cometbft.wire import MASK_64, write_varint
from tongbao.kernel import merkle

ADDRESS_BYTES: Final = 20
APP_DOMAIN: Final = b"tongbao/app/1"
_VALUE_NUMBER: Final = b"\x08"
_VALUE_BYTES: Final = b"\x0a"
"""The tags of the one field of protobuf's wrappers (`google/protobuf/wrappers.proto`)."""


def address_of(public_key: bytes) -> bytes:
    """The 20 bytes by which CometBFT names the holder of an Ed25519 key."""
    return sha256(public_key).digest()[:ADDRESS_BYTES]


def header_hash(header: Header) -> bytes:
    """The hash by which votes and the next header name a block: 14 leaves, a field each."""
    return merkle.root(
        [
            encode(header.version or Consensus()),
            _text(header.chain_id),
            _number(header.height),
            encode(header.time or Timestamp()),
            encode(header.last_block_id or BlockID()),
            _bytes(header.last_commit_hash),
            _bytes(header.data_hash),
            _bytes(header.validators_hash),
            _bytes(header.next_validators_hash),
            _bytes(header.consensus_hash),
            _bytes(header.app_hash),
            _bytes(header.last_results_hash),
            _bytes(header.evidence_hash),
            _bytes(header.proposer_address),
        ]
    )


def validators_hash(validators: Iterable[Validator]) -> bytes:
    """The root over keys and powers, in the order that they have."""
    return merkle.root(
        [
            encode(SimpleValidator(pub_key=one.pub_key, voting_power=one.voting_power))
            for one in validators
        ]
    )


def commit_hash(commit: Commit) -> bytes:
    """`last_commit_hash` of the next header."""
    return merkle.root([encode(vote) for vote in commit.signatures])


def app_hash(state_root: bytes) -> bytes:
    """What stands in the next header: only the state, or idle blocks would never stop."""
    return sha256(APP_DOMAIN + state_root).digest()


def transaction_leaf(wire: bytes) -> bytes:
    """A transaction's leaf under `data_hash`: its SHA-256, which is hashed again."""
    return sha256(wire).digest()


def data_hash(transactions: Iterable[bytes]) -> bytes:
    """The root over a block's transactions."""
    return merkle.root([transaction_leaf(wire) for wire in transactions])


def result_leaf(code: int, data: bytes) -> bytes:
    """A transaction's leaf under the next header's `last_results_hash`.

    Of a result only code, data and gas are agreed on; this ledger has no gas. `code` is a uint32.
    """
    return encode(ExecTxResult(code=code, data=data))


def results_hash(results: Iterable[tuple[int, bytes]]) -> bytes:
    """The root over the codes and data of a block's transactions."""
    return merkle.root([result_leaf(code, data) for code, data in results])


def validator(public_key: bytes, power: int) -> Validator:
    """A validator with an Ed25519 key."""
    return Validator(
        address=address_of(public_key), pub_key=PublicKey(ed25519=public_key), voting_power=power
    )


def in_order(validators: Iterable[Validator]) -> tuple[Validator, ...]:
    """As CometBFT orders a set: the greatest power first, then by address."""
    return tuple(sorted(validators, key=lambda one: (-one.voting_power, one.address)))


def _text(value: str) -> bytes:
    return _bytes(value.encode())


def _bytes(value: bytes) -> bytes:
    return _VALUE_BYTES + write_varint(len(value)) + value if value else b""


def _number(value: int) -> bytes:
    return _VALUE_NUMBER + write_varint(value & MASK_64) if value else b""
