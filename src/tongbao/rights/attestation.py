"""An attestation: a source's signature that a batch is what it knows of a person in a month.

Its form is the ledger's, which reads two of them as a proof: `tongbao.modules.data.attestation`.
"""

from __future__ import annotations

from collections.abc import Collection

from tongbao.kernel import ed25519, envelope, jcs
from tongbao.modules.data.attestation import (
    TYPE,
    About,
    Attestation,
    BadAttestation,
    Method,
    contradict,
    decode_attestation,
)
from tongbao.rights.batch import Header, commitment_of

__all__ = [
    "TYPE",
    "About",
    "Attestation",
    "BadAttestation",
    "Method",
    "check_attested",
    "proves_two_contents",
    "read_attestation",
    "read_signed",
    "sign_attestation",
]


def sign_attestation(attestation: Attestation, seed: bytes) -> bytes:
    """The JWS of an attestation by the source with this 32-byte seed."""
    kid = envelope.encode_base64url(ed25519.public_key_of(seed))
    signed = envelope.signing_input(kid, jcs.encode(attestation), TYPE)
    signature = envelope.encode_base64url(ed25519.sign(seed, signed))
    return signed + b"." + signature.encode("ascii")


def read_attestation(jws: bytes, source_key: bytes) -> Attestation:
    """What the holder of `source_key` attests. Raises BadAttestation.

    Whether that key is one of the source `iss`, the ledger says.
    """
    attested = decode_attestation(jws)
    if attested.signature.public_key != source_key:
        raise BadAttestation("signed by another key than the source's")
    if not attested.is_signed:
        raise BadAttestation("the signature is not valid")
    return attested.said


def read_signed(jws: bytes) -> tuple[Attestation, bytes]:
    """What is attested, and the key that signed it. Raises BadAttestation.

    Whoever gets an attestation asks the ledger whether that key is one of the source `iss`.
    """
    key = decode_attestation(jws).signature.public_key
    return read_attestation(jws, key), key


def check_attested(attestation: Attestation, header: Header) -> None:
    """Whether a header is of the batch that is attested. Raises BadAttestation."""
    told = (attestation.iss, attestation.sub, attestation.schema, attestation.period)
    if told != (header.source, header.subject, header.schema, header.period):
        raise BadAttestation("source, subject, schema or period differ from the batch's header")
    if attestation.batch != commitment_of(header).hex():
        raise BadAttestation("the commitment is of another batch")


def proves_two_contents(first: bytes, second: bytes, source_keys: Collection[bytes]) -> bool:
    """Whether two JWS are a source's proof against itself: one tuple, two contents.

    By one key of the source's or by two. Anybody can show it (`data.prove_two_contents`), and the
    ledger takes the source's bond for it.
    """
    try:
        one, other = decode_attestation(first), decode_attestation(second)
    except BadAttestation:
        return False
    signed = all(
        found.signature.public_key in source_keys and found.is_signed for found in (one, other)
    )
    return signed and contradict(one.said, other.said)
