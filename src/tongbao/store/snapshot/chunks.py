"""Chunks of a snapshot: whole subtrees of the state trie, as bytes that depend on the rows alone.

The rows below a node are one chunk when their bytes are at most `CHUNK_BYTES`; otherwise each of
its four children is cut likewise. A chunk without rows is left out. Neither the history of the
rows nor the depth of a node's own trie plays a part.

A chunk is nothing but its rows in ascending order of their paths, each with this layout:

| bytes | what                                |
|-------|-------------------------------------|
| 2     | length of the key, big endian       |
| 4     | length of the value, big endian     |
| ...   | the full key, table's prefix first  |
| ...   | the value                           |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from struct import Struct as Packing
from typing import Final

from msgspec import Struct

from tongbao.kernel.trie_bucket import subtree_hash, with_leaves
from tongbao.kernel.trie_proof import EMPTY, LEVELS, digit
from tongbao.store.record import KEY_LIMIT
from tongbao.store.snapshot.errors import BadSnapshot

CHUNK_BYTES: Final = 8 * 1024 * 1024
"""The most bytes of a chunk."""

CHUNKS_LIMIT: Final = 65_536
"""The most chunks that a snapshot may have: some 500 GB of rows."""

LENGTHS: Final = Packing(">HI")

Row = tuple[bytes, bytes]
"""The full key of a hashed row, and its value."""


class Chunk(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a chunk before it is there.

    `prefix` has the digits 0 to 3 that lead from the root of the trie to the chunk's node, `root`
    is that node's hash, `size` is in bytes.
    """

    prefix: str
    rows: int
    size: int
    sha256: bytes
    root: bytes


def cut(
    rows: Iterable[Row], chunk_bytes: int = CHUNK_BYTES, prefix: str = ""
) -> Iterator[tuple[Chunk, bytes]]:
    """The chunks of these rows in order of their prefixes. The rows, in any order, have no twins.

    They are all rows below the node `prefix`; the rows below the one above it are more than a chunk
    holds. All are in memory meanwhile. Raises BadSnapshot where a row is larger than a chunk.
    """
    encoded = [(sha256(key).digest(), key, value) for key, value in rows]
    encoded.sort()
    yield from _cut(prefix, encoded, chunk_bytes)


def _cut(
    prefix: str, rows: Sequence[tuple[bytes, bytes, bytes]], chunk_bytes: int
) -> Iterator[tuple[Chunk, bytes]]:
    if not rows:
        return
    size = sum(LENGTHS.size + len(key) + len(value) for _, key, value in rows)
    if size <= chunk_bytes:
        yield _chunk(prefix, rows)
        return
    if len(rows) == 1:
        raise BadSnapshot(f"a row of {size} bytes is larger than a chunk may be ({chunk_bytes})")
    level = len(prefix)
    for taken in range(4):
        below = [row for row in rows if digit(row[0], level) == taken]
        yield from _cut(f"{prefix}{taken}", below, chunk_bytes)


def _chunk(prefix: str, rows: Sequence[tuple[bytes, bytes, bytes]]) -> tuple[Chunk, bytes]:
    data = b"".join([write_row(key, value) for _, key, value in rows])
    entries = with_leaves([path + sha256(value).digest() for path, _, value in rows])
    root = subtree_hash(entries, len(prefix))
    return Chunk(prefix, len(rows), len(data), sha256(data).digest(), root), data


def write_row(key: bytes, value: bytes) -> bytes:
    """The bytes of a row."""
    return LENGTHS.pack(len(key), len(value)) + key + value


def read_chunk(chunk: Chunk, data: bytes) -> list[Row]:
    """The rows of a chunk, once its bytes are what was said of it. Raises BadSnapshot.

    The chunk's own root is proven by its rows; that it is part of the state, by `root_of`.
    """
    check_bytes(chunk, data)
    name = _name(chunk)
    rows = list(read_rows(name, data))
    if len(rows) != chunk.rows:
        raise BadSnapshot(f"{name} has {len(rows)} rows, its manifest says {chunk.rows}")
    paths = [sha256(key).digest() for key, _ in rows]
    if any(left >= right for left, right in pairwise(paths)):
        raise BadSnapshot(f"{name} has rows that are not in order of their paths")
    for path in {paths[0], paths[-1]} if paths else ():
        if any(digit(path, level) != int(taken) for level, taken in enumerate(chunk.prefix)):
            raise BadSnapshot(f"{name} has a row that belongs elsewhere")
    hashed = [path + sha256(value).digest() for path, (_, value) in zip(paths, rows, strict=True)]
    if subtree_hash(with_leaves(hashed), len(chunk.prefix)) != chunk.root:
        raise BadSnapshot(f"{name} has other rows than the state whose root is signed")
    return rows


def check_bytes(chunk: Chunk, data: bytes) -> None:
    """Refuse other bytes than those that were said. Raises BadSnapshot."""
    if len(data) != chunk.size or sha256(data).digest() != chunk.sha256:
        raise BadSnapshot(f"{_name(chunk)} has other bytes than its manifest says: fetch it again")


def _name(chunk: Chunk) -> str:
    return f"chunk {chunk.prefix or 'of the whole state'}"


def read_rows(name: str, data: bytes) -> Iterator[Row]:
    """The rows in `data`, which an error calls `name`. Raises BadSnapshot."""
    at = 0
    while at < len(data):
        start = at + LENGTHS.size
        if start > len(data):
            raise BadSnapshot(f"{name} ends within a row")
        key_bytes, value_bytes = LENGTHS.unpack_from(data, at)
        middle = start + key_bytes
        at = middle + value_bytes
        if not 0 < key_bytes <= KEY_LIMIT or at > len(data):
            raise BadSnapshot(f"{name} has a row of impossible lengths")
        yield data[start:middle], data[middle:at]


def root_of(chunks: Sequence[Chunk], chunk_bytes: int = CHUNK_BYTES) -> bytes:
    """The state root that these chunks make together, without their bytes. Raises BadSnapshot.

    They must be cut exactly as `cut` does it: one state has one snapshot.
    """
    if len(chunks) > CHUNKS_LIMIT:
        raise BadSnapshot(f"a snapshot has at most {CHUNKS_LIMIT} chunks")
    for chunk in chunks:
        _check_said(chunk, chunk_bytes)
    if any(left.prefix >= right.prefix for left, right in pairwise(chunks)):
        raise BadSnapshot("chunks ascend by their prefixes, none twice")
    leaves = {chunk.prefix: chunk for chunk in chunks}
    totals: dict[str, int] = {}
    for chunk in chunks:
        for level in range(len(chunk.prefix)):
            above = chunk.prefix[:level]
            if above in leaves:
                raise BadSnapshot(f"chunk {chunk.prefix} is also part of chunk {above or 'of all'}")
            totals[above] = totals.get(above, 0) + chunk.size
    for prefix, size in totals.items():
        if size <= chunk_bytes:
            raise BadSnapshot(f"the chunks below {prefix or 'the root'} should be one chunk")
    return _node("", leaves, totals)


def _check_said(chunk: Chunk, chunk_bytes: int) -> None:
    """Refuse what no chunk can be."""
    if len(chunk.prefix) > LEVELS or not set(chunk.prefix) <= set("0123"):
        raise BadSnapshot("a chunk's prefix has up to 128 digits from 0 to 3")
    if len(chunk.sha256) != 32 or len(chunk.root) != 32:
        raise BadSnapshot(f"chunk {chunk.prefix} needs hashes of 32 bytes")
    least = chunk.rows * (LENGTHS.size + 1)
    if chunk.rows < 1 or not least <= chunk.size <= chunk_bytes:
        raise BadSnapshot(f"chunk {chunk.prefix} says {chunk.rows} rows in {chunk.size} bytes")


def _node(prefix: str, leaves: Mapping[str, Chunk], totals: Mapping[str, int]) -> bytes:
    """The hash of a node; what is cut in four has several rows, so no lone leaf is lifted."""
    if prefix in leaves:
        return leaves[prefix].root
    if prefix not in totals:
        return EMPTY
    children = [_node(f"{prefix}{taken}", leaves, totals) for taken in range(4)]
    return sha256(b"\x01" + b"".join(children)).digest()
