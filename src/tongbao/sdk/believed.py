"""What a believed header says, whichever engine's it is: all that a proof is checked against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tongbao.engines.cometbft.light.hashes import result_leaf, transaction_leaf
from tongbao.engines.solo.header import Header, header_hash
from tongbao.sdk.proofs import COMETBFT, SOLO

Leaves = tuple[bytes, bytes]
CODE_LIMIT: Final = 2**32 - 1


class Believed(Struct, frozen=True, kw_only=True):
    """A block that somebody trusted stands for. Hashes are SHA-256 in hex, `time` is ms UTC.

    `transactions` and `receipts` are RFC 6962 roots, over the leaves that the engine gives them.
    `identity` is the hash of the header that says all that.
    """

    engine: str
    chain: str
    height: int
    time: int
    state: str
    transactions: str
    receipts: str
    identity: str

    @property
    def more_receipts(self) -> int:
        """How many receipts a block may have beyond its transactions': one of due work, or none.

        A network agrees on results of transactions alone.
        """
        return 1 if self.engine == SOLO else 0

    def leaves(self, wire: bytes, receipt: bytes) -> Leaves:
        """The leaves of a transaction and its canonical receipt. Raises ValueError."""
        return _LEAVES[self.engine](wire, receipt)


def believed_of(header: Header) -> Believed:
    """A solo header, once its signer is trusted."""
    return Believed(
        engine=SOLO,
        chain=header.chain,
        height=header.height,
        time=header.time,
        state=header.state,
        transactions=header.transactions,
        receipts=header.receipts,
        identity=header_hash(header),
    )


def _as_they_are(wire: bytes, receipt: bytes) -> Leaves:
    return wire, receipt


def _as_results(wire: bytes, receipt: bytes) -> Leaves:
    """CometBFT hashes transactions before they are leaves, and receipts behind their number."""
    members: Any = msgspec.json.decode(receipt)
    number = members.get("number", 0) if isinstance(members, dict) else None
    if type(number) is not int or not 0 <= number <= CODE_LIMIT:
        raise ValueError("a receipt's number is 0 to 2^32 - 1")
    return transaction_leaf(wire), result_leaf(number, receipt)


_LEAVES: Final[Mapping[str, Callable[[bytes, bytes], Leaves]]] = {
    SOLO: _as_they_are,
    COMETBFT: _as_results,
}
