"""How `a` gets to the buyer alone: HPKE (RFC 9180), base mode, one shot.

    DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
    info     = H("envelope", order, grant hash, package_root, a_commit, b_lock)
    envelope = encapsulated key (32 bytes) || sealed `a` (48 bytes); no additional data

The info ties an envelope to what stands on the ledger: taken to another order, or with another
package, it does not open.
"""

from __future__ import annotations

from typing import Final

from tongbao.modules.data.hashing import data_hash
from tongbao.rights.halves import a_commit_of
from tongbao.rights.hpke import BadKey, DoesNotArrive, open_for, seal_for
from tongbao.rights.limits import KEY_BYTES, TAG_BYTES
from tongbao.rights.seal import Sealed

ENVELOPE_BYTES: Final = KEY_BYTES + KEY_BYTES + TAG_BYTES


class BadEnvelope(ValueError):
    """An envelope does not bring the half that was committed to; the text says why."""


def envelope_info(order: bytes, grant_hash: bytes, sealed: Sealed) -> bytes:
    """What an envelope is bound to."""
    return data_hash(
        "envelope", order, grant_hash, sealed.package_root, sealed.a_commit, sealed.b_lock
    )


def put_into_envelope(buyer_key: bytes, a: bytes, info: bytes) -> bytes:
    """`a` for the holder of `buyer_key` alone. Raises BadEnvelope for a key that is not taken."""
    try:
        return seal_for(buyer_key, a, info)
    except BadKey:
        raise BadEnvelope("the buyer's key is not one that the ledger takes") from None


def take_out_of_envelope(
    buyer_secret: bytes, envelope: bytes, order: bytes, grant_hash: bytes, sealed: Sealed
) -> bytes:
    """The `a` that an envelope brings; it opens `a_commit`. Raises BadEnvelope: don't confirm."""
    if len(envelope) != ENVELOPE_BYTES:
        raise BadEnvelope(f"an envelope has {ENVELOPE_BYTES} bytes")
    info = envelope_info(order, grant_hash, sealed)
    try:
        a = open_for(buyer_secret, envelope, info)
    except DoesNotArrive:
        raise BadEnvelope("the envelope is of another order, or for another key") from None
    if a_commit_of(order, a) != sealed.a_commit:
        raise BadEnvelope("the half in the envelope is not the one that was committed to")
    return a
