"""The files of `history/`: what a snapshot has beside the rows that the signed root is of.

`outcomes` has where each transaction stands that blocks 0 to P have decided, `entries` every local
row (index entries) at P. Both have this layout, integers big endian:

| bytes | what                                                             |
|-------|------------------------------------------------------------------|
| 8     | `TBOUT` or `TBENT`, two zero bytes, the format (1)               |
| 40    | the chain's id in ASCII, padded with zero bytes                  |
| 8     | P, the height of the block that they are of                      |
| ...   | the records, strictly ascending by their id or key               |
| 8     | how many records there are                                       |
| 32    | SHA-256 of everything before                                     |

An outcome is 48 bytes: the transaction's id (32), the height of its block (8), its place there (4),
its outcome's number (4). An entry is a row as `chunks.py` has it: the length of the key (2), the
length of the value (4), the key, the value.

No header commits to them: they are whole by their own hash, and believed of whoever hands them
over. Nothing here keeps more than a block of bytes and one record in memory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from struct import Struct as Packing
from typing import BinaryIO, Final, NamedTuple

from tongbao.store.errors import WrongChain, WrongVersion
from tongbao.store.headers import HEAD_BYTES, read_lines, write_line
from tongbao.store.record import ID_BYTES, KEY_LIMIT, HeaderLine, Status
from tongbao.store.snapshot.chunks import LENGTHS, Row, write_row
from tongbao.store.snapshot.errors import BadSnapshot

FORMAT: Final = 1
OUTCOMES_MAGIC: Final = b"TBOUT\0\0"
ENTRIES_MAGIC: Final = b"TBENT\0\0"
HEAD: Final = Packing(">7sB40sQ")
OUTCOME: Final = Packing(">32sQII")
COUNT_BYTES: Final = 8
TAIL_BYTES: Final = COUNT_BYTES + 32

ENTRY_VALUE_LIMIT: Final = 1024 * 1024
"""The most bytes of a local row's value; an index entry has a row's key there, 511 at most."""

BLOCK_BYTES: Final = 1024 * 1024
"""So many bytes are written, or hashed, at once."""

OUTCOMES_AT_ONCE: Final = 4096

Outcome = tuple[bytes, Status]
"""A transaction's id, and where it stands."""


def outcomes_file(chain: str, height: int, outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """The bytes of a file of outcomes, piece by piece, for the caller to write and sync.

    They ascend by id, and none is of a block above `height`.
    """
    yield from _file(OUTCOMES_MAGIC, chain, height, _outcomes(height, outcomes))


def _outcomes(height: int, outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    before = b""
    for identifier, status in outcomes:
        assert before < identifier, "ids ascend"
        assert len(identifier) == ID_BYTES
        assert status.height <= height
        yield OUTCOME.pack(identifier, status.height, status.index, status.number)
        before = identifier


def entries_file(chain: str, height: int, entries: Iterable[Row]) -> Iterator[bytes]:
    """The bytes of a file of local rows, piece by piece, for the caller to write and sync.

    They ascend by key.
    """
    yield from _file(ENTRIES_MAGIC, chain, height, _entries(entries))


def _entries(entries: Iterable[Row]) -> Iterator[bytes]:
    before = b""
    for key, value in entries:
        assert before < key, "keys ascend"
        assert len(key) <= KEY_LIMIT
        assert len(value) <= ENTRY_VALUE_LIMIT
        yield write_row(key, value)
        before = key


def _file(magic: bytes, chain: str, height: int, records: Iterable[bytes]) -> Iterator[bytes]:
    """Head, records and tail, in pieces of about a block."""
    digest = sha256()
    piece = bytearray(HEAD.pack(magic, FORMAT, chain.encode("ascii"), height))
    count = 0
    for record in records:
        piece += record
        count += 1
        if len(piece) >= BLOCK_BYTES:
            digest.update(piece)
            yield bytes(piece)
            piece.clear()
    piece += count.to_bytes(COUNT_BYTES, "big")
    digest.update(piece)
    yield bytes(piece) + digest.digest()


def read_outcomes(path: Path, chain: str, height: int) -> Iterator[Outcome]:
    """The outcomes in a file, which is hashed whole before the first is given.

    Raises BadSnapshot (damaged, a link, missing, of another height), WrongChain, WrongVersion,
    OSError.
    """
    with _whole(path, OUTCOMES_MAGIC, chain, height) as found:
        if found.size != found.records * OUTCOME.size:
            raise BadSnapshot(f"{path} says {found.records} outcomes in {found.size} bytes")
        before, left = b"", found.size
        while left:
            data = _exactly(found.file, min(left, OUTCOMES_AT_ONCE * OUTCOME.size), path)
            left -= len(data)
            for identifier, at, index, number in OUTCOME.iter_unpack(data):
                if before >= identifier:
                    raise BadSnapshot(f"{path} has outcomes that are not in order of their ids")
                if at > height:
                    raise BadSnapshot(f"{path} has an outcome of block {at}, after block {height}")
                yield identifier, Status(at, index, number)
                before = identifier


def read_entries(path: Path, chain: str, height: int) -> Iterator[Row]:
    """The local rows in a file, which is hashed whole before the first is given.

    Raises BadSnapshot (damaged, a link, missing, of another height), WrongChain, WrongVersion,
    OSError.
    """
    with _whole(path, ENTRIES_MAGIC, chain, height) as found:
        before, left = b"", found.size
        for _ in range(found.records):
            if left < LENGTHS.size:
                raise BadSnapshot(f"{path} has fewer rows than it says")
            key_bytes, value_bytes = LENGTHS.unpack(_exactly(found.file, LENGTHS.size, path))
            left -= LENGTHS.size + key_bytes + value_bytes
            if not 0 < key_bytes <= KEY_LIMIT or value_bytes > ENTRY_VALUE_LIMIT or left < 0:
                raise BadSnapshot(f"{path} has a row of impossible lengths")
            row = _exactly(found.file, key_bytes + value_bytes, path)
            key = row[:key_bytes]
            if before >= key:
                raise BadSnapshot(f"{path} has rows that are not in order of their keys")
            yield key, row[key_bytes:]
            before = key
        if left:
            raise BadSnapshot(f"{path} has more rows than it says")


def read_headers(path: Path, chain: str, height: int) -> Iterator[HeaderLine]:
    """The lines of the headers 0 to `height` in a file of nothing else, as `headers.py` has them.

    What the headers say, and who has signed them, is for others to check. Raises BadSnapshot,
    OSError.
    """
    with open_plain(path) as file:
        following, end = 0, HEAD_BYTES
        for line, data in islice(read_lines(file, chain), height + 1):
            if write_line(line) != data:
                break
            yield line
            following += 1
            end += len(data)
        if following <= height:
            raise BadSnapshot(f"{path} has no whole header of block {following}: fetch it again")
        if os.fstat(file.fileno()).st_size != end:
            raise BadSnapshot(f"{path} has more than the headers up to block {height}")


class _Whole(NamedTuple):
    """A file that is what was written, open at its first record.

    `records` is how many there are, `size` the bytes of all of them.
    """

    file: BinaryIO
    records: int
    size: int


@contextmanager
def _whole(path: Path, magic: bytes, chain: str, height: int) -> Iterator[_Whole]:
    """Open a file and hash it. Raises BadSnapshot, WrongChain, WrongVersion, OSError."""
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size - HEAD.size - TAIL_BYTES
        if size < 0:
            raise BadSnapshot(f"{path} is too short: fetch it again")
        digest = sha256(_head(file, path, magic, chain, height))
        left = size + COUNT_BYTES
        while left:
            data = _exactly(file, min(left, BLOCK_BYTES), path)
            left -= len(data)
            digest.update(data)
        if _exactly(file, 32, path) != digest.digest():
            raise BadSnapshot(f"{path} is damaged: fetch it again")
        file.seek(HEAD.size + size)
        count = int.from_bytes(_exactly(file, COUNT_BYTES, path), "big")
        file.seek(HEAD.size)
        yield _Whole(file, count, size)


def _head(file: BinaryIO, path: Path, magic: bytes, chain: str, height: int) -> bytes:
    """The head of a file that is of this chain and height."""
    head = _exactly(file, HEAD.size, path)
    found, version, name, of = HEAD.unpack(head)
    if found != magic:
        raise BadSnapshot(f"{path} is no such file of a snapshot: it begins otherwise")
    if version != FORMAT:
        raise WrongVersion(
            f"{path} has format {version}, this version reads {FORMAT}: "
            "use the version of tongbao that made it"
        )
    if head != HEAD.pack(magic, FORMAT, chain.encode("ascii"), of):
        other = name.rstrip(b"\0").decode("ascii", "replace")
        raise WrongChain(f"{path} is of chain {other!r}, not {chain}: ask for one of this chain")
    if of != height:
        raise BadSnapshot(f"{path} is of block {of}, not {height}: it belongs to another snapshot")
    return head


def _exactly(file: BinaryIO, size: int, path: Path) -> bytes:
    """The next `size` bytes. Raises BadSnapshot where there are fewer."""
    data = file.read(size)
    if len(data) != size:
        raise BadSnapshot(f"{path} has become shorter while it was read")
    return data


def open_plain(path: Path) -> BinaryIO:
    """Open a file to read that is a file, and no link to one. Raises BadSnapshot, OSError."""
    try:
        named = os.lstat(path)
        if not stat.S_ISREG(named.st_mode):
            raise BadSnapshot(f"{path} is no plain file")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise BadSnapshot(f"{path} is missing: fetch the snapshot again") from error
    # A link that has come since then leads to another file than the one that had the name.
    if not os.path.samestat(named, os.fstat(file.fileno())):
        file.close()
        raise BadSnapshot(f"{path} is no plain file")
    return file
