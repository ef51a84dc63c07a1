"""Proof files and trust files: what one party hands another that trusts no node.

Both are JSON in any spelling; `verification.py` reads them. A proof file names the engine whose
header it carries; a trust file says, agreed out of band, whose signatures count for a chain.

Under CometBFT `header` is the base64url of protobuf's `tendermint.types.LightBlock` of the height
after the one that the proof speaks of, since that one's header says what a block came to. `block`
is the base64url of the `Header` of the block itself; it is left out where that is block 0. `state`
is the state root in hex. `blocks` are further light blocks in ascending order, each of which makes
the next one, and the last `header`, believable to who trusts an early block.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Raw, Struct

from tongbao.kernel import ChainId, Count, PublicKey, Time, jcs
from tongbao.kernel.trie_proof import Proof

FORMAT: Final = 1
KEYS_LIMIT: Final = 1_000
BLOCKS_LIMIT: Final = 64
"""Light blocks that a proof may bring along."""
POWER_LIMIT: Final = 2**53 - 1
"""What every JSON reader keeps exactly."""
DAY_MS: Final = 86_400_000
PERIOD_MS: Final = 14 * DAY_MS
PERIOD_LIMIT_MS: Final = 3_660 * DAY_MS
"""Ten years: longer than anybody should trust keys."""
SOLO: Final = "solo"
COMETBFT: Final = "cometbft"

Blocks = Annotated[tuple[str, ...], Meta(max_length=BLOCKS_LIMIT)]


NO_VALUE: Final = Raw()
"""Stands for a member `value` that is not there: the row is absent."""


class KeyPart(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One part of a row key: exactly one member is there, and it says how it is encoded."""

    id: str | None = None
    text: str | None = None
    integer: int | None = None


class RowProof(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="row",
):
    """That a row has a value, or (without the member `value`) none, under one signed header."""

    format: int
    engine: str
    header: str
    module: int
    table: int
    name: str
    key: tuple[KeyPart, ...]
    proof: Proof
    value: Raw = NO_VALUE
    state: str | None = None
    block: str | None = None
    blocks: Blocks = ()


class TransactionProof(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="transaction",
):
    """That a transaction stands in a block, and what its receipt says.

    `size` and `receipts` are the numbers of leaves of the two RFC 6962 trees; paths are hex.
    """

    format: int
    engine: str
    header: str
    transaction: str
    receipt: Raw
    index: int
    size: int
    receipts: int
    transaction_path: tuple[str, ...]
    receipt_path: tuple[str, ...]
    block: str | None = None
    blocks: Blocks = ()


ProofFile = RowProof | TransactionProof


class SoloTrust(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="engine", tag=SOLO
):
    """Who may sign headers of a chain that has one authority."""

    format: int
    chain: ChainId
    keys: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=KEYS_LIMIT)]

    @property
    def engine(self) -> str:
        """Whose headers are meant."""
        return SOLO


class TrustedValidator(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One who votes on blocks, and with how much power."""

    key: PublicKey
    power: Annotated[int, Meta(ge=1, le=POWER_LIMIT)]


class NetworkTrust(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="engine", tag=COMETBFT
):
    """A block of a network that is believed, and who votes on the next one.

    `time` is the block's in ms UTC, rounded down, and `hash` its CometBFT hash, empty where the
    genesis file itself is trusted: at height 0, or, for a chain that goes on from another, at the
    last height of that one. Whoever voted then may have given away their keys since: after
    `period_ms` the file makes no header believable any more.
    """

    format: int
    chain: ChainId
    height: Count
    time: Time
    hash: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]
    validators: Annotated[tuple[TrustedValidator, ...], Meta(min_length=1, max_length=KEYS_LIMIT)]
    period_ms: Annotated[int, Meta(ge=1, le=PERIOD_LIMIT_MS)] = PERIOD_MS

    @property
    def engine(self) -> str:
        """Whose headers are meant."""
        return COMETBFT

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """Whose votes count for the next block."""
        return tuple(one.key for one in self.validators)


TrustFile = SoloTrust | NetworkTrust


def key_parts(forms: tuple[str, ...], key: Any) -> tuple[KeyPart, ...]:
    """A row key as the parts of a proof file; `forms` come from the table's codec."""
    values = key if isinstance(key, tuple) else (key,)
    return tuple(KeyPart(**{form: value}) for form, value in zip(forms, values, strict=True))


def to_json(value: ProofFile | TrustFile) -> bytes:
    """A proof or trust file as bytes, in RFC 8785 form."""
    return jcs.encode(value)
