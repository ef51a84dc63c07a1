"""What a buyer says when it has deleted what it got: the document behind `attestation_hash`.

    attestation_hash   H("deletion", RFC 8785 form of the attestation), in AttestDeletion

The transaction is its signature. It proves that the buyer said so, never that it is so.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tongbao.kernel import Address, ChainId, Id, jcs
from tongbao.modules.data import data_hash
from tongbao.rights.limits import DELETION_BYTES_LIMIT
from tongbao.rights.receipt_terms import Moment


class BadDeletion(ValueError):
    """The bytes are no attestation of a deletion; the text says why."""


class Deletion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That everything of one order is deleted: rows, package, keys and copies of them.

    `account` is the buyer's; `deleted_at` is ms UTC.
    """

    account: Address
    chain: ChainId
    deleted_at: Moment
    licence: Id
    order: Id


_decoder = jcs.decoder(Deletion)


def deletion_bytes(deletion: Deletion) -> bytes:
    """The one form of an attestation, which is hashed and kept."""
    return jcs.encode(deletion)


def read_deletion(text: bytes) -> Deletion:
    """An attestation in its one form. Raises BadDeletion."""
    if len(text) > DELETION_BYTES_LIMIT:
        raise BadDeletion(f"longer than {DELETION_BYTES_LIMIT} bytes")
    try:
        found: Deletion = jcs.decode_canonical(_decoder, text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadDeletion(f"no attestation of a deletion: {error}") from None
    return found


def deletion_hash(text: bytes) -> bytes:
    """The 32 bytes by which the ledger knows an attestation, given its bytes."""
    return data_hash("deletion", text)
