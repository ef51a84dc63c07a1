"""A parcel: a text for one reader, by whatever way it goes.

    parcel   4-byte length of the head || head || chunks
    head     RFC 8785 form of {"context","count","envelope","kind","root"}
    chunks   as those of a package, under 32 random bytes, `context` and the number of them
    envelope HPKE of that key to the reader's key; info = H("parcel", kind, context, root)

`context` is what it is about, 32 bytes: a batch's commitment, or an order's id and 12 zero bytes.
Who left a parcel it does not tell: what is inside does. A parcel opens whole or not at all, but for
evidence in a file, of which pieces come before the last chunk is known to be right.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, NewType

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import jcs, merkle
from tongbao.kernel.identifiers import Hash
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.chunk_file import ChunkFile
from tongbao.rights.chunks import (
    DoesNotOpen,
    chunk_count,
    chunk_hash,
    chunks_root,
    open_chunks,
    seal_chunks,
)
from tongbao.rights.hpke import BadKey, DoesNotArrive, open_for, seal_for
from tongbao.rights.limits import (
    COPY_CHUNKS_LIMIT,
    EVIDENCE_CHUNKS_LIMIT,
    KEY_BYTES,
    ORDER_BYTES,
    PARCEL_HEAD_BYTES_LIMIT,
    SEALED_CHUNK_BYTES,
)

Kind = Literal["batch", "copy", "evidence"]
"""From a source to a person, from a person to an agent, from a buyer to an adjudicator."""

LIMITS: Final[dict[Kind, int]] = {
    "batch": COPY_CHUNKS_LIMIT,
    "copy": COPY_CHUNKS_LIMIT,
    "evidence": EVIDENCE_CHUNKS_LIMIT,
}
"""The most chunks that a parcel of each kind has."""

_FRAME_BYTES: Final = 4

Envelope = NewType("Envelope", Annotated[str, Meta(pattern=r"^[0-9a-f]{160}\Z")])


class BadParcel(ValueError):
    """A parcel is none, or not of this kind and for this reader; the text says which."""


class Parcel(Struct, frozen=True):
    """What came: what it is about, and the text."""

    context: bytes
    text: bytes


class _Head(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    context: Hash
    count: Annotated[int, Meta(ge=1, le=EVIDENCE_CHUNKS_LIMIT)]
    envelope: Envelope
    kind: Kind
    root: Hash


_decoder = jcs.decoder(_Head)


def evidence_context(order: bytes) -> bytes:
    """The context of evidence on an order, whose id has 20 bytes."""
    assert len(order) == ORDER_BYTES
    return order.ljust(KEY_BYTES, b"\x00")


def seal_parcel(kind: Kind, context: bytes, receiver_key: bytes, text: bytes) -> bytes:
    """A parcel for the holder of an X25519 key. Raises BadParcel for a bad key, TooLarge."""
    key = secrets.token_bytes(KEY_BYTES)
    count = chunk_count(len(text), LIMITS[kind])
    chunks = tuple(seal_chunks(key, context, (text,), len(text), count))
    head = _head(kind, context, count, chunks_root(chunks))
    return b"".join((_frame(_with_key(head, receiver_key, key)), *chunks))


def open_parcel(kind: Kind, secret: bytes, parcel: bytes) -> Parcel:
    """What is in a parcel of this kind for the key of `secret`. Raises BadParcel.

    The context is what the sealer said: the caller compares it with what it expects.
    """
    head, begin = _read_head(kind, parcel[: _FRAME_BYTES + PARCEL_HEAD_BYTES_LIMIT])
    if len(parcel) - begin != head.count * SEALED_CHUNK_BYTES:
        raise BadParcel("a parcel has as many whole chunks as its head says")
    places = range(begin, len(parcel), SEALED_CHUNK_BYTES)
    chunks = [parcel[place : place + SEALED_CHUNK_BYTES] for place in places]
    try:
        text = b"".join(_opened(head, secret, chunks))
    except DoesNotOpen as error:
        raise BadParcel(str(error)) from None
    return Parcel(bytes.fromhex(head.context), text)


def seal_parcel_file(
    kind: Kind,
    context: bytes,
    receiver_key: bytes,
    pieces: Iterable[bytes],
    text_bytes: int,
    path: Path,
) -> None:
    """As `seal_parcel`, of a text in pieces of `text_bytes` together, into a new file.

    The head comes last, so a file that was not finished is no parcel. Raises FileExistsError.
    """
    key = secrets.token_bytes(KEY_BYTES)
    count = chunk_count(text_bytes, LIMITS[kind])
    # A head of this count is equally long whatever its hashes are.
    place_of_head = _frame(
        _with_key(_head(kind, context, count, bytes(KEY_BYTES)), receiver_key, key)
    )
    with path.open("xb") as file:
        file.seek(len(place_of_head))
        hashes = []
        for index, chunk in enumerate(seal_chunks(key, context, pieces, text_bytes, count)):
            hashes.append(chunk_hash(index, chunk))
            file.write(chunk)
        head = _head(kind, context, count, merkle.root(hashes))
        file.seek(0)
        file.write(_frame(_with_key(head, receiver_key, key)))


def open_parcel_file(kind: Kind, secret: bytes, path: Path) -> tuple[bytes, Iterator[bytes]]:
    """The context of a parcel in a file, and its text in pieces. Raises BadParcel.

    The pieces raise it too, at the chunk that is wrong: nothing holds before their end.
    """
    with path.open("rb") as file:
        head, begin = _read_head(kind, file.read(_FRAME_BYTES + PARCEL_HEAD_BYTES_LIMIT))
    try:
        chunks = ChunkFile(path, begin=begin, limit=LIMITS[kind])
    except DoesNotOpen as error:
        raise BadParcel(str(error)) from None
    if len(chunks) != head.count:
        raise BadParcel("a parcel has as many whole chunks as its head says")
    return bytes.fromhex(head.context), _pieces(_opened(head, secret, chunks))


def _pieces(opened: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from opened
    except DoesNotOpen as error:
        raise BadParcel(str(error)) from None


def _opened(head: _Head, secret: bytes, chunks: Sequence[bytes]) -> Iterator[bytes]:
    """The text. The root is looked at first: the key is bound to it, not to the chunks."""
    if chunks_root(chunks).hex() != head.root:
        raise BadParcel("the chunks are not those of the head")
    try:
        key = open_for(secret, bytes.fromhex(head.envelope), _info(head))
    except DoesNotArrive:
        raise BadParcel("the parcel is for another reader, or of another kind or text") from None
    return open_chunks(key, bytes.fromhex(head.context), chunks, LIMITS[head.kind])


def _head(kind: Kind, context: bytes, count: int, root: bytes) -> _Head:
    assert len(context) == KEY_BYTES
    told = Hash(context.hex()), Hash(root.hex())
    return _Head(context=told[0], count=count, envelope=Envelope(""), kind=kind, root=told[1])


def _with_key(head: _Head, receiver_key: bytes, key: bytes) -> _Head:
    try:
        sealed = seal_for(receiver_key, key, _info(head))
    except BadKey as error:
        raise BadParcel(str(error)) from None
    return msgspec.structs.replace(head, envelope=Envelope(sealed.hex()))


def _info(head: _Head) -> bytes:
    context, root = bytes.fromhex(head.context), bytes.fromhex(head.root)
    return data_hash("parcel", head.kind.encode("ascii"), context, root)


def _frame(head: _Head) -> bytes:
    text = jcs.encode(head)
    return len(text).to_bytes(_FRAME_BYTES, "big") + text


def _read_head(kind: Kind, beginning: bytes) -> tuple[_Head, int]:
    """The head, and where the chunks begin. Raises BadParcel."""
    begin = _FRAME_BYTES + int.from_bytes(beginning[:_FRAME_BYTES], "big")
    if not _FRAME_BYTES < begin <= len(beginning):
        raise BadParcel(f"a parcel begins with a head of at most {PARCEL_HEAD_BYTES_LIMIT} bytes")
    try:
        head: _Head = jcs.decode_canonical(_decoder, beginning[_FRAME_BYTES:begin])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadParcel(f"the head is none of a parcel: {error}") from None
    if head.kind != kind:
        raise BadParcel(f"the parcel is of kind {head.kind}, not {kind}")
    if kind == "evidence" and any(bytes.fromhex(head.context)[ORDER_BYTES:]):
        raise BadParcel("the context of evidence is an order's id and 12 zero bytes")
    return head, begin
