"""Rows of the index: chunks of entries, and postings that say in which chunks a name occurs.

An account stands in a posting as a number of 64 bits, which keeps them small and quick, beside a
number of the asset that it moved there. Two names may have one number: a reader picks out what is
asked by the whole name. Assets and references stand as they are, so that prefixes are found.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from tongbao.index.cursor import place_of
from tongbao.index.entries import Entry, entries_of
from tongbao.kernel import Address, is_vault
from tongbao.store.record import BlockRecord

CHUNK: Final = 32
"""Transactions in one chunk, at most, all of one block: what reading one looks through."""

CHUNK_MOVEMENTS: Final = 256
"""Movements after which a chunk takes no more transactions."""

NONE: Final = 0
SEVERAL: Final = -1
"""Kinds of a posting whose account moved no asset in the chunk, or more than one."""

KINDS: Final = 2**15 - 1
KINDS_REMEMBERED: Final = 4_096

MIDDLE: Final = 2**63
"""What makes a number of 64 bits one of a database's, which have a sign."""

DIGITS: Final = 16
"""Of an address, in its number: the first, so that numbers ascend as addresses do."""

ChunkRow = tuple[int, int, bytes]
Posting = tuple[int, int, int]
Text = tuple[bytes, int]

_encode: Final = msgspec.msgpack.Encoder().encode


def number_of(account: str) -> int:
    """The number that an account's postings stand under, the same in every process.

    An address is hash enough already; the number of a vault is its module's, before all others.
    """
    digits = account[-DIGITS:] if is_vault(Address(account)) else account[:DIGITS]
    return int(digits, 16) - MIDDLE


@lru_cache(KINDS_REMEMBERED)
def kind_of(asset: str) -> int:
    """The number of an asset beside an account in a posting, from 1 on."""
    return int.from_bytes(sha256(asset.encode()).digest()[:8], "big") % KINDS + 1


def packed(entries: list[Entry]) -> bytes:
    """A chunk: the length of each entry, and all of them one after the other.

    So a reader finds a name in all of it at once, and decodes those alone that have it.
    """
    parts = [_encode(entry) for entry in entries]
    return _encode((list(map(len, parts)), b"".join(parts)))


class Rows:
    """The rows of some blocks: of chunks, of postings, and of texts."""

    def __init__(self) -> None:
        """None yet."""
        self.chunks: list[ChunkRow] = []
        self.postings: list[Posting] = []
        self.texts: list[Text] = []

    def add(self, record: BlockRecord) -> None:
        """Append the rows of one block."""
        waiting: list[Entry] = []
        moves = first = 0
        for index, entry in enumerate(entries_of(record)):
            if not waiting:
                first = place_of(record.height, index)
            waiting.append(entry)
            moves += len(entry.moved)
            if len(waiting) == CHUNK or moves >= CHUNK_MOVEMENTS:
                self._close(record, first, waiting)
                waiting, moves = [], 0
        if waiting:
            self._close(record, first, waiting)

    def _close(self, record: BlockRecord, first: int, entries: list[Entry]) -> None:
        accounts: dict[str, int] = {}
        texts: dict[str, None] = {}
        for entry in entries:
            _name(entry, accounts, texts)
        self.chunks.append((first, record.time, packed(entries)))
        self.texts += [(text.encode(), first) for text in texts]
        numbers: dict[int, int] = {}
        for account, kind in accounts.items():
            number = number_of(account)
            numbers[number] = _joined(numbers.get(number, NONE), kind)
        self.postings += [(number, first, kind) for number, kind in numbers.items()]


def _name(entry: Entry, accounts: dict[str, int], texts: dict[str, None]) -> None:
    """All names that an entry is found by; of accounts with the kind of what they moved."""
    if entry.sender:
        accounts.setdefault(entry.sender, NONE)
    for moving in entry.moved:
        texts[moving.asset] = None
        kind = kind_of(moving.asset)
        for account in (moving.payer, moving.payee):
            if account is not None:
                accounts[account] = _joined(accounts.get(account, NONE), kind)
    for reference in entry.references:
        texts[reference] = None


def _joined(one: int, other: int) -> int:
    """The kind of a posting that stands for both."""
    if one in (NONE, other):
        return other
    return one if other == NONE else SEVERAL
