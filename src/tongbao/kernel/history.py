"""The last blocks' undo records: what rows and trie nodes were before each block.

They serve reads and proofs at the height that a signed header commits to, as an overlay: nothing is
reverted for them.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NamedTuple

from tongbao.kernel.block import Decided
from tongbao.kernel.jcs import encode
from tongbao.kernel.trie import Trie, Undo
from tongbao.kernel.trie_proof import Proof

ROW_BLOCKS: Final = 64
TRIE_BLOCKS: Final = 8


class Candidate(NamedTuple):
    """A block that is decided and neither committed nor discarded, and what either needs."""

    transactions: tuple[bytes, ...]
    decided: Decided
    old_rows: dict[bytes, Any]
    undo: Undo


class BlockUndo(NamedTuple):
    """What one block replaced: rows by full key (a Record, its bytes, or None), trie nodes."""

    height: int
    rows: dict[bytes, Any]
    trie: Undo | None


class History:
    """Undo records of the last 64 blocks, their trie nodes for the last 8."""

    def __init__(self) -> None:
        """Begin without a past."""
        self._blocks: deque[BlockUndo] = deque(maxlen=ROW_BLOCKS)

    def add(self, undo: BlockUndo) -> None:
        """Remember a block; forget what is too old."""
        self._blocks.append(undo)
        if len(self._blocks) > TRIE_BLOCKS:
            old = self._blocks[-TRIE_BLOCKS - 1]
            self._blocks[-TRIE_BLOCKS - 1] = old._replace(trie=None)

    def past(self, height: int, candidate: BlockUndo | None = None) -> Past:
        """The past of a chain whose last committed block has a height."""
        blocks = list(self._blocks)
        return Past(height, blocks if candidate is None else [*blocks, candidate])


class Past:
    """Reads at earlier heights: what newer blocks wrote, a candidate too, is taken back."""

    def __init__(self, height: int, blocks: list[BlockUndo]) -> None:
        """Know the last committed height, and undo records without a gap, the newest last."""
        self._height = height
        self._blocks = blocks

    def _after(self, height: int) -> list[BlockUndo]:
        """The records of the blocks above `height`, oldest first.

        Raises LookupError when it is to come, or when a record is gone.
        """
        if height > self._height:
            raise LookupError(f"height {height} is to come: the last block is {self._height}")
        later = [block for block in self._blocks if block.height > height]
        newest = self._blocks[-1].height if self._blocks else self._height
        if len(later) != max(newest, self._height) - height:
            raise LookupError(f"the undo records do not reach back to height {height}")
        return later

    def row(self, full_key: bytes, height: int, now: bytes | None) -> bytes | None:
        """The bytes of a row at `height`; `now` is what it holds after the newest record."""
        for block in self._after(height):
            if full_key in block.rows:
                old = block.rows[full_key]
                return old if old is None or type(old) is bytes else encode(old)
        return now

    def prove(self, trie: Trie, path: bytes, height: int) -> Proof:
        """The proof of a path at `height`. Raises LookupError when too long ago."""
        later = self._after(height)
        undos = [block.trie for block in reversed(later) if block.trie is not None]
        if len(undos) != len(later):
            raise LookupError(f"the trie's undo records do not reach back to height {height}")
        return trie.prove(path, undos)
