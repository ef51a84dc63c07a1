"""What blocks did, in order, from any place on: the source of all event streams.

Nobody has a queue: a stream reads blocks at its own pace, from the few decoded last or from the
log, so that a reader slower than the chain costs the node nothing but time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final

from tongbao.sdk.happened import Happened, happenings_of
from tongbao.sdk.local import Chain
from tongbao.sdk.place import Place

BLOCKS_REMEMBERED: Final = 64
HEARTBEAT_S: Final = 15.0


class Feed:
    """The head of a chain to wait for, and its happenings from any place on."""

    def __init__(self, chain: Chain) -> None:
        """Listen to a chain, in the event loop that runs now."""
        self._chain = chain
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._closed = False
        self._blocks: OrderedDict[int, tuple[Happened, ...]] = OrderedDict()
        self.height = chain.head().height
        chain.listen(self._heard)

    def _heard(self, height: int) -> None:
        """In the engine's thread."""
        try:
            self._loop.call_soon_threadsafe(self._move, height)
        except RuntimeError:
            assert self._closed, "the event loop has ended before its feed"

    def _move(self, height: int) -> None:
        self.height = max(self.height, height)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def close(self) -> None:
        """Let everybody who waits go."""
        self._closed = True
        self._move(self.height)

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the chain has a height; False when that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                while self.height < height and not self._closed:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return self.height >= height

    async def _block(self, height: int) -> tuple[Happened, ...]:
        found = self._blocks.get(height)
        if found is None:
            record = await asyncio.to_thread(self._chain.block, height)
            found = self._blocks[height] = happenings_of(record)
            if len(self._blocks) > BLOCKS_REMEMBERED:
                self._blocks.popitem(last=False)
        return found

    async def follow(
        self, after: Place, needles: tuple[bytes, ...]
    ) -> AsyncIterator[tuple[Happened, ...]]:
        """What happens after a place and holds every needle; empty when nothing does for a while.

        It ends when the feed is closed.
        """
        height = after.height
        while not self._closed:
            if height > self.height:
                await self.reach(height, HEARTBEAT_S)
                if height > self.height:
                    yield ()
                    continue
            found = await self._block(height)
            height += 1
            wanted = tuple(one for one in found if one.is_wanted(after, needles))
            if wanted or height % BLOCKS_REMEMBERED == 0:  # so that a long search shows life
                yield wanted
