"""The index that a node feeds: opened in the chain's folder, asked at a height, stopped with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tongbao.engines.verifier import other_core
from tongbao.index.address import place_of
from tongbao.index.database import FAILURES
from tongbao.index.feeder import Feeder
from tongbao.index.file import is_full
from tongbao.index.history import Index
from tongbao.index.reading import Reading
from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain
from tongbao.store.errors import DiskFull, StoreError


@contextmanager
def open_index(folder: Path, chain_id: str, settings: Settings) -> Iterator[Index | None]:
    """The index that the settings name, None where they say so. Raises StoreError."""
    if settings.index == "none":
        yield None
        return
    place = place_of(folder, settings.index)
    name = place if isinstance(place, Path) else "the index"
    try:
        index = Index.open(place, chain_id)
    except FAILURES as error:
        if is_full(error):
            raise DiskFull(f"there is no space for {name}: make room, then start again") from error
        raise StoreError(
            f"{name} can't be opened ({error}): check the disk, or run with --index none"
        ) from error
    with index:
        yield index


class AnyRecall(Protocol):
    """An index to ask, fed here or by another process."""

    @property
    def index(self) -> Reading:
        """What is asked. Raises sqlite3.Error, OSError where it can't be read now."""

    @property
    def height(self) -> int:
        """The last block that it is known to know, -1 before the first."""

    async def look(self) -> int:
        """The same, as it is now; -1 where it can't be read."""

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the index has a height; False when that takes longer."""

    def tell(self, error: Exception) -> None:
        """Asking has met an error: whoever feeds it mends what is damaged."""

    def stop(self) -> None:
        """End what goes on; not in the event loop."""


class Recall:
    """An index, the thread that feeds it, and who waits for a height of it."""

    def __init__(self, index: Index, chain: Chain) -> None:
        """Begin to feed, in the event loop that runs now."""
        self.index = index
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._stopped = False
        self.feeder = Feeder(index, chain, self._fed, elsewhere=other_core())
        self.height = self.feeder.height
        chain.listen(self.feeder.wake)
        self.feeder.start()

    def _fed(self, height: int) -> None:
        """In the feeder's thread."""
        try:
            self._loop.call_soon_threadsafe(self._move, height)
        except RuntimeError:
            assert self._stopped, "the event loop has ended before its feeder"

    def _move(self, height: int) -> None:
        self.height = height
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def look(self) -> int:
        """The last block that it knows."""
        return self.height

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the index has a height; False when that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                while self.height < height:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def tell(self, error: Exception) -> None:
        """Asking has met an error: damage is mended before the next block is fed."""
        self.feeder.tell(error)

    def stop(self) -> None:
        """End the feeder's thread; not in the event loop."""
        self._stopped = True
        self.feeder.stop()
