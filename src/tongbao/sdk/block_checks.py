"""What one block must be to be believed: signed, in its place, and of what its header commits to.

An audit, a backup and a restore ask the same of each block, in the order of the chain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec
from msgspec import Struct

from tongbao.engines.headers import (
    Header,
    HeaderError,
    LocalHeader,
    decode_header,
    header_hash,
    is_network,
    read_header,
    tree_root,
)
from tongbao.kernel import Genesis, InvalidTransaction, Outcome
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.genesis import chain_id, hash_of
from tongbao.kernel.transaction import id_of
from tongbao.store.record import BlockRecord, HeaderLine, line_of


class BlockChecks:
    """Blocks of one chain, checked one after the other."""

    def __init__(
        self,
        genesis: Genesis,
        last: Header | None = None,
        keys: Collection[str] | None = None,
        *,
        is_own: bool = False,
    ) -> None:
        """Begin with block 0, or with the one that follows `last`, a header that is believed.

        `keys` may sign headers; without them those of the genesis file. With `is_own` the headers
        are of a chain whose node has verified them: signatures are not looked at again.
        """
        self._is_own = is_own
        self._genesis = genesis
        self._keys = genesis.engine.keys if keys is None else keys
        self._last = last
        self.header: Header | None = last

    def of_block(self, record: BlockRecord, height: int) -> list[str]:
        """All that is wrong with the block of a height, each with the block's name in front."""
        found = self.of_line(line_of(record), height)
        if self.header is None:
            return found
        return [*found, *_named(height, _body(record, self.header))]

    def of_line(self, line: HeaderLine, height: int) -> list[str]:
        """All that is wrong with a signed header and its place in the chain.

        `header` is what it says afterwards, None where it is no signed header.
        """
        try:
            self.header, signer = _read(line.header, is_own=self._is_own)
        except HeaderError as error:
            self.header = None
            return _named(height, [str(error)])
        found = list(
            self._inherited(self.header, height) if height <= self._origin else self._own(signer)
        )
        if (line.height, line.time) != (height, self.header.time):
            found.append("the record says another height or time than its header")
        self._last = self.header
        return _named(height, found)

    @property
    def _origin(self) -> int:
        """The last block of the chain from whose rows this one began; -1 where there is none."""
        return -1 if self._genesis.origin is None else self._genesis.origin.height

    def _inherited(self, header: Header, height: int) -> Iterator[str]:
        """A header of the chain from whose rows this one began, or of one before that.

        The genesis file commits to the last of them, and so to all of that chain: whose keys they
        are need not be known here. Those of chains before it are linked among themselves alone.
        """
        last, origin = self._last, self._genesis.origin
        assert origin is not None
        if last is not None and header.chain == last.chain:
            is_linked = header.previous == header_hash(last)
        else:
            # The first of a chain names its genesis file, as the chain's id does.
            is_linked = header.chain.endswith(f"-{header.previous[:8]}")
        if not is_linked:
            yield "it does not follow the block before it"
        if header.height != height:
            yield f"its header says height {header.height}"
        said = (header.chain, header_hash(header), header.state)
        if height == origin.height and said != (origin.chain, origin.header, origin.state):
            yield "it is not the block that the genesis file goes on from"

    def _own(self, signer: str | None) -> Iterator[str]:
        """A header of this chain: of its authority, on the one before it."""
        assert self.header is not None
        yield from unlike(self._genesis, self.header)
        if signer is not None and not is_network(self._genesis) and signer not in self._keys:
            yield f"{signer} is no authority"
        yield from self._links(self.header)

    def _links(self, header: Header) -> Iterator[str]:
        """The header stands on the one before it, the first of the chain on the genesis file."""
        last, begins = self._last, self._origin + 1
        is_first = last is None or header.height == begins
        before = header_hash(last) if last and not is_first else hash_of(self._genesis).hex()
        height = begins if last is None else last.height + 1
        if header.previous != before:
            yield "it does not follow the block before it"
        if header.height != height:
            yield f"its header says height {header.height}"
        if header.chain != chain_id(self._genesis):
            yield f"it is of {header.chain}"
        if last is not None and header.time <= last.time:
            yield "its time is not later than the block's before it"


def unlike(genesis: Genesis, header: Header) -> Iterator[str]:
    """A header that a chain's engine does not make: a network's are unsigned, all others signed."""
    is_local = isinstance(header, LocalHeader)
    if is_local and not is_network(genesis):
        yield "nobody has signed its header"
    if is_network(genesis) and not is_local:
        yield "its header is signed by one key, and this chain is a network's"


def _read(text: bytes, *, is_own: bool) -> tuple[Header, str | None]:
    """A header and who has signed it, whose signature is looked at unless it is our own."""
    return decode_header(text) if is_own else read_header(text)


def _named(height: int, findings: Iterable[str]) -> list[str]:
    return [f"block {height}: {finding}" for finding in findings]


def _body(record: BlockRecord, header: Header) -> Iterator[str]:
    """Transactions and receipts are those that the header commits to."""
    for name, said, counted in (
        ("transactions", header.transactions, tree_root(record.transactions)),
        ("receipts", header.receipts, tree_root(record.receipts)),
    ):
        if said != counted:
            yield f"the {name} root is {counted}, not {said}"
    yield from _outcomes(record)


def _outcomes(record: BlockRecord) -> Iterator[str]:
    """Ids and refusal numbers, which answer questions of status, agree with the receipts."""
    count = len(record.transactions)
    if len(record.receipts) not in (count, count + 1) or len(record.outbox) != count:
        yield f"{count} transactions have {len(record.receipts)} receipts"
    if not all(map(_agree, record.transactions, record.receipts, record.outbox)):
        yield "the outcomes are not those of its receipts"


class _Outcome(Struct):
    """The part of a receipt that a status tells."""

    outcome: str
    number: int = 0


_outcome_decoder: msgspec.json.Decoder[_Outcome] = msgspec.json.Decoder(_Outcome)


def _agree(wire: bytes, receipt: bytes, told: tuple[bytes, int]) -> bool:
    """Whether the id and number that a block tells are those of a transaction and its receipt.

    A network's block may hold invalid ones, from whomever: they have no id where nobody could
    read them, or where their signatures are wrong.
    """
    try:
        said = _outcome_decoder.decode(receipt)
    except msgspec.DecodeError:
        return False
    try:
        own = id_of(decode_envelope(wire).payload)
    except InvalidTransaction:
        own = b""
    found, number = bytes(told[0]), told[1]
    if said.outcome == Outcome.INVALID.value:
        return number == said.number and found in (b"", own)
    return number == said.number and found == own != b""
