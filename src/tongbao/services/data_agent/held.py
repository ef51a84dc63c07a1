"""The copies of an order's batches, fetched and opened as they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.rights.copies import BadCopy, Copy
from tongbao.services.data_agent.shelf import AT_ONCE, Shelf


class HeldCopies(Sequence[Copy]):
    """Copies in the order of an order. Small ones are kept in memory, of large ones one at a time.

    Each is held to the ledger's commitment. Raises KeyError, DoesNotOpen, BadCopy at the copy it
    is in.
    """

    def __init__(self, shelf: Shelf, batches: Sequence[tuple[Id, data.Batch]]) -> None:
        """Of these batches, as the ledger has them."""
        self._shelf = shelf
        self._batches = batches
        self._kept: dict[int, Copy] = {}
        self._keeps = shelf.chunk_total(name for name, _ in batches) <= AT_ONCE

    def __len__(self) -> int:
        return len(self._batches)

    @overload
    def __getitem__(self, index: int) -> Copy: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Copy]: ...
    def __getitem__(self, index: int | slice) -> Copy | Sequence[Copy]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        found = self._kept.get(place)
        if found is None:
            found = self._load(place)
            if self._keeps:
                self._kept[place] = found
        return found

    def _load(self, place: int) -> Copy:
        name, batch = self._batches[place]
        commitment = bytes.fromhex(batch.commitment)
        copy = self._shelf.copy(name, commitment)
        if copy.commitment != commitment or copy.batch != name:
            raise BadCopy("a copy is of another batch")
        return copy
