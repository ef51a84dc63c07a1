"""What a source sends its person each month: a batch whole, and the attestation of it.

    text   RFC 8785 form of {"attestation","batch"}: the JWS, and the batch as in `batch_text.py`

It goes as a parcel of kind `batch`, whose context is the batch's commitment.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from tongbao.kernel import jcs
from tongbao.rights.attestation import BadAttestation, check_attested, read_signed
from tongbao.rights.batch import Batch, batch_is_true
from tongbao.rights.batch_text import BatchText, batch_text
from tongbao.rights.copies import Compact
from tongbao.rights.limits import ATTESTATION_BYTES_LIMIT, BATCH_BYTES_LIMIT

_AROUND: Final = len(b'{"attestation":"","batch":}')
DELIVERED_BYTES_LIMIT: Final = BATCH_BYTES_LIMIT + ATTESTATION_BYTES_LIMIT + _AROUND


class BadDelivery(ValueError):
    """What came is no attested batch that holds together; the text says what is wrong."""


class _Delivered(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    attestation: Compact
    batch: BatchText


_decoder = jcs.decoder(_Delivered)


def batch_parcel_text(attestation: bytes, batch: Batch) -> bytes:
    """The text for the person, given the JWS. Raises TooLarge."""
    text = batch_text(batch)
    return b"".join((b'{"attestation":"', attestation, b'","batch":', text, b"}"))


def read_batch_parcel(text: bytes) -> tuple[bytes, Batch]:
    """The JWS and the batch that it attests, whose rows give its root. Raises BadDelivery.

    Whether the key of the JWS is the source's, and the commitment is there, the ledger says.
    """
    if len(text) > DELIVERED_BYTES_LIMIT:
        raise BadDelivery(f"longer than {DELIVERED_BYTES_LIMIT} bytes")
    try:
        read: _Delivered = jcs.decode_canonical(_decoder, text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadDelivery(f"no attestation with its batch: {error}") from None
    attestation, batch = read.attestation.encode("ascii"), read.batch.batch()
    if not batch_is_true(batch):
        raise BadDelivery("header, secret and rows of the batch do not belong together")
    try:
        check_attested(read_signed(attestation)[0], batch.header)
    except BadAttestation as error:
        raise BadDelivery(f"the attestation: {error}") from None
    return attestation, batch
