"""Seal a package for one order: what goes to the store, and what goes on the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from tongbao.kernel import merkle
from tongbao.rights.batch import Sellable
from tongbao.rights.chunks import chunk_count, chunk_hash, seal_chunks
from tongbao.rights.halves import Halves, a_commit_of, b_lock_of, package_key
from tongbao.rights.limits import CHUNKS_LIMIT
from tongbao.rights.package_text import package_bytes, package_lines


class Sealed(Struct, frozen=True, kw_only=True):
    """What the ledger is told of a sealed package: hashes and a number, nothing of the data."""

    package_root: bytes
    chunk_count: int
    a_commit: bytes
    b_lock: bytes


def seal_package(
    order: bytes,
    halves: Halves,
    batches: Sequence[Sellable],
    fields: Sequence[str],
    write: Callable[[bytes], object],
    *,
    least_chunks: int = 1,
) -> Sealed:
    """Write the chunks of a package, one after the other, and tell what stands for it.

    Every row of every batch is in it, the granted `fields` open, all other cells as hashes.
    Halves seal one text in one length: under the same key a nonce must not come twice, so draw new
    ones for whatever is sealed anew. `least_chunks` (a power of two) makes packages of different
    people equally long. The text is never whole in memory: batches are gone through twice, first
    to count its bytes, and one is held at a time if the sequence loads them so. Batches and
    copies of them (`copies.py`) give the same package; what else a copy shows stays hidden.

    Raises BadRow for fields that are none or that a copy hides, TooLarge; then nothing is written.
    """
    text_bytes = package_bytes(batches, fields)
    pieces = package_lines(batches, fields)
    count = max(chunk_count(text_bytes), least_chunks)
    assert count <= CHUNKS_LIMIT
    key = package_key(order, halves.a, halves.b)
    hashes = []
    for index, chunk in enumerate(seal_chunks(key, order, pieces, text_bytes, count)):
        hashes.append(chunk_hash(index, chunk))
        write(chunk)
    return Sealed(
        package_root=merkle.root(hashes),
        chunk_count=count,
        a_commit=a_commit_of(order, halves.a),
        b_lock=b_lock_of(order, halves.b),
    )
