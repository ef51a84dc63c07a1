"""The form of an attestation: what a source signs about a batch, as everybody reads it.

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

from tongbao.kernel import Address, Hash, ed25519, envelope, jcs
from tongbao.kernel.identifiers import SAFE_INTEGER
from tongbao.kernel.reasons import InvalidTransaction
from tongbao.modules.data.types import ATTESTATION_BYTES_LIMIT, Period, Schema

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
    schema: Schema
    sub: Hash
    supersedes: Hash | None = None
    version: VersionNumber

    @property
    def subject_of_claim(self) -> tuple[str, str, str, str, int]:
        """What must be attested once: (iss, sub, schema, period, version)."""
        return (self.iss, self.sub, self.schema, self.period, self.version)


class Attested(Struct, frozen=True):
    """An attestation as it was read: what it says, and the signature that it came with."""

    said: Attestation
    signature: envelope.Signature

    @property
    def is_signed(self) -> bool:
        """Whether the signature is valid; whose the key is, the ledger says."""
        found = self.signature
        return ed25519.verify(found.public_key, found.signed, found.signature)


_decoder = jcs.decoder(Attestation)


def decode_attestation(jws: bytes) -> Attested:
    """Read an attestation by its form, not its signature. Raises BadAttestation."""
    if len(jws) > ATTESTATION_BYTES_LIMIT:
        raise BadAttestation(f"longer than {ATTESTATION_BYTES_LIMIT} bytes")
    try:
        payload, signature = envelope.decode_compact(jws, TYPE)
    except InvalidTransaction as error:
        raise BadAttestation(f"no compact JWS of type {TYPE}: {error}") from None
    return Attested(said=_read_payload(payload), signature=signature)


def _read_payload(payload: bytes) -> Attestation:
    try:
        read: Attestation = jcs.decode_canonical(_decoder, payload)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadAttestation(f"the payload is no attestation: {error}") from None
    if (read.supersedes is None) != (read.version == 1):
        raise BadAttestation("version 1 supersedes nothing; every later one names its predecessor")
    return read


def contradict(one: Attestation, other: Attestation) -> bool:
    """Whether two attestations say two things of one subject, schema, period and version."""
    return one.subject_of_claim == other.subject_of_claim and one.batch != other.batch
