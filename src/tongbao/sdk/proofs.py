"""Proof files and trust files: what one party hands another that trusts no node.

Both are JSON in any spelling; `verification.py` reads them. A proof file names the engine whose
header it carries; a trust file says, agreed out of band, whose signatures count for a chain.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Raw, Struct

from tongbao.kernel import ChainId, PublicKey, jcs
from tongbao.kernel.trie_proof import Proof

FORMAT: Final = 1
KEYS_LIMIT: Final = 1_000


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


class TransactionProof(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
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


ProofFile = RowProof | TransactionProof


class TrustFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may sign headers of a chain."""

    format: int
    chain: ChainId
    engine: Literal["solo"]
    keys: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=KEYS_LIMIT)]


def key_parts(forms: tuple[str, ...], key: Any) -> tuple[KeyPart, ...]:
    """A row key as the parts of a proof file; `forms` come from the table's codec."""
    values = key if isinstance(key, tuple) else (key,)
    return tuple(KeyPart(**{form: value}) for form, value in zip(forms, values, strict=True))


def to_json(value: ProofFile | TrustFile) -> bytes:
    """A proof or trust file as bytes, in RFC 8785 form."""
    return jcs.encode(value)
