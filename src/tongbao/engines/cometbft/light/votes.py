"""The bytes that a validator signs when it votes for a block.

`CanonicalVote` of `tendermint/types/canonical.proto` at v0.39.4, behind its own length: type
(precommit), height and round as 8 bytes each, the block, the voter's time, the chain. All votes of
one commit differ in the time alone.
"""

from __future__ import annotations

from typing import Final

from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.types import ZERO_TIME, BlockID, Commit
from tongbao.engines.cometbft.messages import Timestamp
from tongbao.engines.cometbft.wire import write_varint

_PRECOMMIT: Final = b"\x08\x02"
_HEIGHT: Final = b"\x11"
_ROUND: Final = b"\x19"
_BLOCK: Final = b"\x22"
_TIME: Final = b"\x2a"
_CHAIN: Final = b"\x32"


class Ballot:
    """What all votes for the block of one commit have in common."""

    def __init__(self, chain_id: str, commit: Commit) -> None:
        """Take chain, height, round and block."""
        block = encode(commit.block_id or BlockID())
        self._before = b"".join(
            (
                _PRECOMMIT,
                _fixed(_HEIGHT, commit.height),
                _fixed(_ROUND, commit.round),
                _part(_BLOCK, block),
            )
        )
        self._after = _part(_CHAIN, chain_id.encode()) if chain_id else b""

    def sign_bytes(self, time: Timestamp | None) -> bytes:
        """What the voter signs who votes at a time."""
        vote = self._before + _part(_TIME, encode(time or ZERO_TIME)) + self._after
        return write_varint(len(vote)) + vote


def _fixed(tag: bytes, value: int) -> bytes:
    return tag + value.to_bytes(8, "little", signed=True) if value else b""


def _part(tag: bytes, content: bytes) -> bytes:
    return tag + write_varint(len(content)) + content
