"""Payload and transaction files: what people hand to each other until all have signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import read_file
from tongbao.kernel import Registry
from tongbao.kernel.envelope import (
    Envelope,
    assemble,
    decode_envelope,
    encode_base64url,
    normalise,
)
from tongbao.kernel.transaction import Payload, decode_payload

ENVELOPE_MEMBERS = (b'"payload"', b'"signatures"')
SPACE = b" \t\r\n"


class Draft(Struct, frozen=True):
    """A payload and the signatures that it has so far, if any."""

    payload: bytes
    wire: bytes | None
    decoded: Payload[Any]

    @property
    def envelope(self) -> Envelope | None:
        """The signatures so far."""
        return None if self.wire is None else decode_envelope(self.wire)


def read_draft(path: Path, registry: Registry) -> Draft:
    """Read a payload, or a transaction in any JWS serialization.

    Raises InvalidTransaction with the kernel's numbered reason, CommandError.
    """
    text = read_file(path).strip(SPACE)
    if not text:
        raise CommandError(f"{path} is empty", "name a payload or transaction file", Exit.NO_INPUT)
    wire = None if _is_payload(text) else normalise(text)
    payload = text if wire is None else decode_envelope(wire).payload
    return Draft(payload, wire, decode_payload(registry.payload_decoder, payload))


def _is_payload(text: bytes) -> bool:
    """Whether a file holds a bare payload: JSON that is no envelope."""
    return text[:1] == b"{" and not any(member in text for member in ENVELOPE_MEMBERS)


def add_signatures(draft: Draft, signatures: dict[str, bytes]) -> bytes:
    """The transaction with more signatures, by kid; those that are there keep their headers."""
    parts = []
    for signature in () if draft.envelope is None else draft.envelope.signatures:
        if signature.kid not in signatures:
            protected = signature.signed.partition(b".")[0].decode()
            written = encode_base64url(signature.signature)
            parts.append({"protected": protected, "signature": written})
    if not parts:
        return assemble(draft.payload, signatures)
    for kid, data in signatures.items():
        protected = assemble(draft.payload, {kid: data}).partition(b".")[0].decode()
        parts.append({"protected": protected, "signature": encode_base64url(data)})
    general = {"payload": encode_base64url(draft.payload), "signatures": parts}
    return normalise(json.dumps(general).encode())
