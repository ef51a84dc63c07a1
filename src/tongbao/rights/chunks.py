"""Padded and sealed: how a text of any length becomes chunks that tell nothing of it.

    plain    length of the text as 8 bytes || text || zeros, to a power of two of at least 64 KiB
    chunk    AES-256-GCM of 64 KiB, nonce = index as 12 bytes,
             additional data = context || index as 4 bytes || number of chunks as 4 bytes
    root     RFC 6962 over H("chunk", index as 4 bytes, chunk)

Integers are big-endian. A key seals one text, so no nonce comes twice under it. The context is what
the chunks belong to: an order's id, or a batch's commitment. One chunk is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tongbao.kernel import merkle
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.limits import (
    CHUNK_BYTES,
    CHUNKS_LIMIT,
    LENGTH_BYTES,
    SEALED_CHUNK_BYTES,
)


class DoesNotOpen(ValueError):
    """Chunks are not what was sealed under this key, or not a padded text; it says which."""


class TooLarge(ValueError):
    """A text is longer than a package may be."""


def chunk_count(text_bytes: int, limit: int = CHUNKS_LIMIT) -> int:
    """How many chunks a text of this length becomes: a power of two. Raises TooLarge."""
    longest = limit * CHUNK_BYTES - LENGTH_BYTES
    if text_bytes > longest:
        raise TooLarge(f"{text_bytes} bytes; {limit} chunks hold at most {longest}")
    needed = -(-(LENGTH_BYTES + text_bytes) // CHUNK_BYTES)
    return 1 << (needed - 1).bit_length()


def chunk_hash(index: int, chunk: bytes) -> bytes:
    """What a sealed chunk is in the tree of its package."""
    return data_hash("chunk", index.to_bytes(4, "big"), chunk)


def chunks_root(chunks: Iterable[bytes]) -> bytes:
    """The root over sealed chunks in their order."""
    return merkle.root([chunk_hash(index, chunk) for index, chunk in enumerate(chunks)])


def seal_chunks(
    key: bytes, context: bytes, pieces: Iterable[bytes], text_bytes: int, count: int
) -> Iterator[bytes]:
    """The sealed chunks of a text that comes in pieces of any size.

    `count` is at least `chunk_count(text_bytes)`: more hides more. The pieces have `text_bytes`
    together.
    """
    assert count >= chunk_count(text_bytes, count) and count.bit_count() == 1
    cipher = AESGCM(key)
    for index, plain in enumerate(_plain_chunks(pieces, text_bytes, count)):
        yield cipher.encrypt(_nonce(index), plain, _bound_to(context, index, count))


def open_chunks(
    key: bytes, context: bytes, chunks: Sequence[bytes], limit: int = CHUNKS_LIMIT
) -> Iterator[bytes]:
    """The text that the chunks hold, piece by piece. Raises DoesNotOpen, at the chunk it is in.

    Nothing of a chunk is given before it is known to be as it was sealed.
    """
    count = len(chunks)
    if not 1 <= count <= limit or count.bit_count() != 1:
        raise DoesNotOpen("the number of chunks is no power of two")
    opened = _opened(AESGCM(key), context, chunks)
    first = next(opened)
    left = int.from_bytes(first[:LENGTH_BYTES], "big")
    if left > count * CHUNK_BYTES - LENGTH_BYTES:
        raise DoesNotOpen("the text would be longer than its package")
    for plain in chain((first[LENGTH_BYTES:],), opened):
        taken, left = plain[:left], max(0, left - len(plain))
        if plain.count(0, len(taken)) != len(plain) - len(taken):
            raise DoesNotOpen("what follows the text is not zero")
        if taken:
            yield taken


def _opened(cipher: AESGCM, context: bytes, chunks: Sequence[bytes]) -> Iterator[bytes]:
    count = len(chunks)
    for index, chunk in enumerate(chunks):
        if len(chunk) != SEALED_CHUNK_BYTES:
            raise DoesNotOpen(f"chunk {index} has not {SEALED_CHUNK_BYTES} bytes")
        try:
            yield cipher.decrypt(_nonce(index), chunk, _bound_to(context, index, count))
        except InvalidTag:
            raise DoesNotOpen(f"chunk {index} was not sealed under this key") from None


def _plain_chunks(pieces: Iterable[bytes], text_bytes: int, count: int) -> Iterator[bytes]:
    """64 KiB each: the length, the text, zeros."""
    waiting = bytearray(text_bytes.to_bytes(LENGTH_BYTES, "big"))
    given, seen = 0, 0
    for piece in pieces:
        seen += len(piece)
        waiting += piece
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
            given += 1
    assert seen == text_bytes, "the pieces are not of the length that was told"
    while given < count:
        yield bytes(waiting).ljust(CHUNK_BYTES, b"\x00")
        waiting.clear()
        given += 1


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _bound_to(context: bytes, index: int, count: int) -> bytes:
    return context + index.to_bytes(4, "big") + count.to_bytes(4, "big")
