"""An attestation: a source's signature that a batch is what it knows of a person in a month.

A JWS (RFC 7515) in compact form. Header: `alg` (Ed25519 or EdDSA), `kid` (the source's public key,
32 bytes in base64url) and `typ` = "tongbao-attestation+jws". Payload, in RFC 8785 form:

    {about, batch, iat, iss, method, period, schema, sub, supersedes, version}

`batch` is the commitment; `supersedes` the commitment of the version before, left out of the first;
`iat` seconds since 1970 (RFC 7519). Unknown members are refused: what nobody reads, nobody signs.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import ed25519, envelope, jcs
from tongbao.kernel.identifiers import SAFE_INTEGER, Address, Hash
from tongbao.kernel.reasons import InvalidTransaction
from tongbao.rights.batch import Header, Period, commitment_of
from tongbao.rights.limits import ATTESTATION_BYTES_LIMIT
from tongbao.rights.schema import SchemaName

TYPE: Final = "tongbao-attestation+jws"

Method = Literal["scan", "device", "check-in", "self"]
"""How the rows came to be known; `self`: the person said so, without a source beside them."""

About = Literal["person", "household"]

VersionNumber = Annotated[int, Meta(ge=1, le=1_000)]


class BadAttestation(ValueError):
    """An attestation is not one, or not of this source; the text says why."""


class Attestation(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """What a source attests, as it stands in the payload."""

    about: About
    batch: Hash
    iat: Annotated[int, Meta(ge=0, le=SAFE_INTEGER)]
    iss: Address
    method: Method
    period: Period
    schema: SchemaName
    sub: Hash
    supersedes: Hash | None = None
    version: VersionNumber

    @property
    def subject_of_claim(self) -> tuple[str, str, str, str, int]:
        """What must be attested once: (iss, sub, schema, period, version)."""
        return (self.iss, self.sub, self.schema, self.period, self.version)


_decoder = jcs.decoder(Attestation)


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
    payload, signature = _decode(jws)
    if signature.public_key != source_key:
        raise BadAttestation("signed by another key than the source's")
    if not ed25519.verify(source_key, signature.signed, signature.signature):
        raise BadAttestation("the signature is not valid")
    return _read_payload(payload)


def read_signed(jws: bytes) -> tuple[Attestation, bytes]:
    """What is attested, and the key that signed it. Raises BadAttestation.

    Whoever gets an attestation asks the ledger whether that key is one of the source `iss`.
    """
    _, signature = _decode(jws)
    return read_attestation(jws, signature.public_key), signature.public_key


def _decode(jws: bytes) -> tuple[bytes, envelope.Signature]:
    if len(jws) > ATTESTATION_BYTES_LIMIT:
        raise BadAttestation(f"longer than {ATTESTATION_BYTES_LIMIT} bytes")
    try:
        return envelope.decode_compact(jws, TYPE)
    except InvalidTransaction as error:
        raise BadAttestation(f"no compact JWS of type {TYPE}: {error}") from None


def _read_payload(payload: bytes) -> Attestation:
    try:
        read: Attestation = jcs.decode_canonical(_decoder, payload)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadAttestation(f"the payload is no attestation: {error}") from None
    if (read.supersedes is None) != (read.version == 1):
        raise BadAttestation("version 1 supersedes nothing; every later one names its predecessor")
    return read


def check_attested(attestation: Attestation, header: Header) -> None:
    """Whether a header is of the batch that is attested. Raises BadAttestation."""
    told = (attestation.iss, attestation.sub, attestation.schema, attestation.period)
    if told != (header.source, header.subject, header.schema, header.period):
        raise BadAttestation("source, subject, schema or period differ from the batch's header")
    if attestation.batch != commitment_of(header).hex():
        raise BadAttestation("the commitment is of another batch")


def proves_two_contents(first: bytes, second: bytes, source_key: bytes) -> bool:
    """Whether two JWS are a source's proof against itself: one tuple, two contents.

    Anybody can show it; the ledger takes the source's bond for it.
    """
    try:
        one, other = read_attestation(first, source_key), read_attestation(second, source_key)
    except BadAttestation:
        return False
    return one.subject_of_claim == other.subject_of_claim and one.batch != other.batch
