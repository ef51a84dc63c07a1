"""The envelope of a transaction: JWS (RFC 7515), in one spelling for each number of signatures.

One signature: compact. Two to sixteen: the RFC 8785 form of the general JSON serialization, with
signatures in ascending order of their keys. The ledger and the mempool take only that spelling;
`normalise` makes it from whatever a JOSE library writes, and no signature covers the difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import pairwise, permutations
from typing import Any, Final

import msgspec
from msgspec import Struct
from pybase64 import b64decode, b64encode

from tongbao.kernel import jcs
from tongbao.kernel.reasons import Invalid, InvalidTransaction

TYPE: Final = "tongbao-tx+jws"
ALGORITHMS: Final = ("Ed25519", "EdDSA")
SIGNATURES_LIMIT: Final = 16
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
SIGNATURE_LENGTH: Final = "a signature has 64 bytes"
KID_CHARACTERS: Final = 43
HEADERS_REMEMBERED: Final = 131_072
"""Half a kilobyte each: 62 MB when that many keys sign."""
SPELLING_BYTES_LIMIT: Final = 2_097_152
"""Twice the most that a genesis can allow for a transaction: other spellings are longer."""
USUAL_BEGINNING: Final = b'{"alg":"Ed25519","kid":"'
USUAL_ENDING: Final = f'","typ":"{TYPE}"}}'.encode()
URL_SAFE: Final = b"-_"
"""The last two of the 64 characters (RFC 4648 section 5)."""
_PADDING: Final = (b"", b"===", b"==", b"=")
"""What a text lacks, by its length modulo 4: no text of one character more is right."""


Decode = Callable[[bytes], bytes]


class Signature(Struct, frozen=True, gc=False):
    """One signature and all that is needed to check it."""

    kid: str
    public_key: bytes
    signed: bytes
    signature: bytes


class Envelope(Struct, frozen=True, gc=False):
    """A decoded envelope: the payload's bytes and who signed them."""

    payload: bytes
    signatures: tuple[Signature, ...]


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    """The members of a protected header."""

    alg: str
    kid: str
    typ: str


class _SignaturePart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One member of `signatures` in the general JSON serialization."""

    protected: str
    signature: str


class _General(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The general JSON serialization."""

    payload: str
    signatures: tuple[_SignaturePart, ...]


class _Flattened(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The flattened JSON serialization, read by `normalise` only."""

    payload: str
    protected: str
    signature: str


_header_decoder = jcs.decoder(_Header)
_general_decoder = jcs.decoder(_General)
_headers: dict[bytes, tuple[str, bytes]] = {}


def encode_base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return b64encode(data, URL_SAFE).rstrip(b"=").decode("ascii")


def decode_base64url(text: bytes) -> bytes:
    """Bytes of base64url text in its one spelling; anything else is invalid."""
    # pybase64 takes the other alphabet too, and versions differ in how they frown at it.
    if b"+" in text or b"/" in text:
        raise InvalidTransaction(Invalid.BASE64_IS_NOT_CANONICAL)
    return _decode_plain(text)


def _decode_plain(text: bytes) -> bytes:
    """As `decode_base64url`, of text that is known to have neither + nor / in it."""
    try:
        data = b64decode(text + _PADDING[len(text) & 3], URL_SAFE, validate=True)
    except ValueError:
        raise InvalidTransaction(Invalid.BASE64_IS_NOT_CANONICAL) from None
    if b64encode(data, URL_SAFE).rstrip(b"=") != text:
        raise InvalidTransaction(Invalid.BASE64_IS_NOT_CANONICAL)
    return data


def decode_compact(text: bytes, typ: str) -> tuple[bytes, Signature]:
    """The payload and the signature of a compact JWS of our making, such as a signed header.

    Checks its form, not the signature. Raises InvalidTransaction.
    """
    parts = text.split(b".")
    if len(parts) != 3:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED)
    protected, payload, signature = parts
    kid, public_key = _decode_header(protected, typ, decode_base64url)
    found = _signature(kid, public_key, protected + b"." + payload, signature)
    return decode_base64url(payload), found


def decode_envelope(wire: bytes) -> Envelope:
    """Read an envelope in the ledger's spelling. Raises InvalidTransaction."""
    if wire[:1] == b"{":
        return _decode_general(wire)
    parts = wire.split(b".")
    if len(parts) != 3:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED)
    protected, payload, signature = parts
    # The parts in their order, since the first that is wrong says why; one look for all of them.
    decode = decode_base64url if b"+" in wire or b"/" in wire else _decode_plain
    kid, public_key = _headers.get(protected) or _signer(protected, decode)
    data = decode(signature)
    if len(data) != SIGNATURE_BYTES:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED, SIGNATURE_LENGTH)
    signed = wire[: -1 - len(signature)]
    return Envelope(decode(payload), (Signature(kid, public_key, signed, data),))


def _decode_general(wire: bytes) -> Envelope:
    try:
        general = _general_decoder.decode(wire)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED) from error
    if not 2 <= len(general.signatures) <= SIGNATURES_LIMIT:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED, "2 to 16 signatures")
    if jcs.encode(general) != wire:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_NOT_CANONICAL)
    payload = _ascii(general.payload)
    signatures = tuple(_part_signature(part, payload) for part in general.signatures)
    keys = [signature.public_key for signature in signatures]
    if any(low >= high for low, high in pairwise(keys)):
        raise InvalidTransaction(Invalid.SIGNATURES_ARE_NOT_SORTED)
    return Envelope(decode_base64url(payload), signatures)


def _ascii(text: str) -> bytes:
    """The bytes of base64url text; other characters are invalid."""
    try:
        return text.encode("ascii")
    except UnicodeEncodeError:
        raise InvalidTransaction(Invalid.BASE64_IS_NOT_CANONICAL) from None


def _part_signature(part: _SignaturePart, payload: bytes) -> Signature:
    protected = _ascii(part.protected)
    kid, public_key = _signer(protected, decode_base64url)
    return _signature(kid, public_key, protected + b"." + payload, _ascii(part.signature))


def _signer(protected: bytes, decode: Decode) -> tuple[str, bytes]:
    """The kid and key of a transaction's protected header; wallets repeat theirs all day."""
    known = _headers.get(protected)
    if known is None:
        known = _decode_header(protected, TYPE, decode)
        if len(_headers) >= HEADERS_REMEMBERED:
            _headers.clear()
        _headers[protected] = known
    return known


def _signature(kid: str, public_key: bytes, signed: bytes, signature: bytes) -> Signature:
    data = decode_base64url(signature)
    if len(data) != SIGNATURE_BYTES:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED, SIGNATURE_LENGTH)
    return Signature(kid, public_key, signed, data)


def _decode_header(protected: bytes, typ: str, decode: Decode) -> tuple[str, bytes]:
    """The key that a protected header names. Its three members come in any order."""
    text = decode(protected)
    ending = USUAL_ENDING if typ == TYPE else f'","typ":"{typ}"}}'.encode()
    if text.startswith(USUAL_BEGINNING) and text.endswith(ending):
        kid = text[len(USUAL_BEGINNING) : -len(ending)]
        if len(kid) == KID_CHARACTERS and len(key := decode_base64url(kid)) == KEY_BYTES:
            return kid.decode("ascii"), key
    return _decode_any_header(text, typ)


def _decode_any_header(text: bytes, typ: str) -> tuple[str, bytes]:
    """The slow way, for the spellings of other libraries and for what is refused."""
    try:
        header = _header_decoder.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidTransaction(Invalid.HEADER_IS_NOT_ALLOWED) from error
    if header.typ != typ or header.alg not in ALGORITHMS or text not in _spellings(header):
        raise InvalidTransaction(Invalid.HEADER_IS_NOT_ALLOWED)
    public_key = decode_base64url(_ascii(header.kid))
    if len(public_key) != KEY_BYTES:
        raise InvalidTransaction(Invalid.HEADER_IS_NOT_ALLOWED, "kid is the key's 32 bytes")
    return header.kid, public_key


def _spellings(header: _Header) -> set[bytes]:
    """The six texts that a header may have: no spaces, no doubled names, any order."""
    members = (f'"alg":"{header.alg}"', f'"kid":"{header.kid}"', f'"typ":"{header.typ}"')
    return {("{" + ",".join(order) + "}").encode() for order in permutations(members)}


def protected_header(kid: str, typ: str = TYPE) -> bytes:
    """The base64url text of the header that our own wallets write."""
    header = _Header(alg=ALGORITHMS[0], kid=kid, typ=typ)
    return encode_base64url(jcs.encode(header)).encode("ascii")


def signing_input(kid: str, payload: bytes, typ: str = TYPE) -> bytes:
    """The bytes that a wallet with key `kid` signs for `payload` (RFC 7515 section 5.1)."""
    return protected_header(kid, typ) + b"." + encode_base64url(payload).encode("ascii")


def assemble(payload: bytes, signatures: dict[str, bytes]) -> bytes:
    """The envelope of `payload` with signatures by kid, in the ledger's spelling."""
    parts = [
        _SignaturePart(
            protected=protected_header(kid).decode(), signature=encode_base64url(signature)
        )
        for kid, signature in signatures.items()
    ]
    return _spell(encode_base64url(payload), parts)


def normalise(text: bytes) -> bytes:
    """Rewrite a JWS of any serialization, member order and spacing to the ledger's spelling.

    Doubled names, unprotected headers and unknown members stay what they are: invalid. What no
    chain would take in any spelling is refused before it is read.
    """
    text = _trimmed(text)
    return text if text[:1] != b"{" else _spell(*_read_any(text))


def combine(texts: Iterable[bytes]) -> bytes:
    """One transaction out of several that carry signatures of the same payload.

    Raises InvalidTransaction, and ValueError when the payloads differ.
    """
    read = [_read_any(text) for text in texts]
    if len({payload for payload, _ in read}) != 1:
        raise ValueError("the transactions do not have the same payload")
    return _spell(read[0][0], [part for _, parts in read for part in parts])


def _trimmed(text: bytes) -> bytes:
    """The text without the space around it, unless it is too long to be a transaction."""
    text = text.strip(b" \t\r\n")
    if len(text) > SPELLING_BYTES_LIMIT:
        raise InvalidTransaction(Invalid.TRANSACTION_IS_TOO_LARGE, f"{len(text)} bytes")
    return text


def _read_any(text: bytes) -> tuple[str, list[_SignaturePart]]:
    """The payload text and the signatures of any JWS serialization."""
    text = _trimmed(text)
    try:
        if text[:1] != b"{":
            protected, payload, signature = text.decode("ascii").split(".")
            return payload, [_SignaturePart(protected=protected, signature=signature)]
        members = json.loads(text, object_pairs_hook=_without_doubled_names)
        if "signatures" in members:
            general = msgspec.convert(members, _General)
            return general.payload, list(general.signatures)
        flat = msgspec.convert(members, _Flattened)
        return flat.payload, [_SignaturePart(protected=flat.protected, signature=flat.signature)]
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED) from error


def _without_doubled_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of `pairs`, unless two have the same name."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is doubled")
    return members


def _spell(payload: str, parts: list[_SignaturePart]) -> bytes:
    """The one spelling of a payload text and its signatures."""
    if not 1 <= len(parts) <= SIGNATURES_LIMIT:
        raise InvalidTransaction(Invalid.ENVELOPE_IS_MALFORMED, "1 to 16 signatures")
    for text in (payload, *(text for part in parts for text in (part.protected, part.signature))):
        _ascii(text)
    if len(parts) == 1:
        return f"{parts[0].protected}.{payload}.{parts[0].signature}".encode()
    keyed = [(_signer(_ascii(part.protected), decode_base64url)[1], part) for part in parts]
    keyed.sort(key=lambda pair: pair[0])
    ordered = tuple(part for _, part in keyed)
    return jcs.encode(_General(payload=payload, signatures=ordered))
