"""What blocks did, in order, from any place on: the source of all event streams.

Nobody has a queue: a stream reads blocks at its own pace, from the few decoded last or from the
log, so that a reader slower than the chain costs the node nothing but time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from tongbao.sdk.happened import Happened, happenings_of
from tongbao.sdk.local import Chain
from tongbao.sdk.place import Place

BLOCKS_REMEMBERED: Final = 64
BYTES_REMEMBERED: Final = 33_554_432


class Feed:
    """The head of a chain to wait for, and its happenings from any place on."""

    def __init__(self, chain: Chain, heartbeat_s: float = 15.0) -> None:
        """Listen to a chain, in the event loop that runs now."""
        self._chain = chain
        self._heartbeat_s = heartbeat_s
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._closed = False
        self._blocks: dict[int, tuple[Happened, ...]] = {}
        self._bytes: dict[int, int] = {}
        self._loading: dict[int, asyncio.Task[tuple[Happened, ...]]] = {}
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
        """A block, read once however many streams ask for it now."""
        found = self._blocks.get(height)
        if found is not None:
            return found
        loading = self._loading.get(height)
        if loading is None:
            loading = self._loading[height] = asyncio.create_task(self._load(height))
            loading.add_done_callback(lambda _: self._loading.pop(height))
        return await asyncio.shield(loading)

    async def _load(self, height: int) -> tuple[Happened, ...]:
        """Read a block, and remember the last few, within limits."""
        found = await asyncio.to_thread(lambda: happenings_of(self._chain.block(height)))
        self._blocks[height] = found
        self._bytes[height] = sum(len(one.line) + len(one.searched) for one in found)
        while len(self._blocks) > BLOCKS_REMEMBERED or sum(self._bytes.values()) > BYTES_REMEMBERED:
            oldest = min(self._blocks)
            del self._blocks[oldest], self._bytes[oldest]
        return found

    async def follow(
        self, after: Place, needles: tuple[bytes, ...]
    ) -> AsyncIterator[tuple[Happened, ...]]:
        """What happens after a place and holds every needle; empty when nothing does for a while.

        The bodies of the blocks after it are there. It ends when the feed is closed.
        """
        height = after.next_height
        while not self._closed:
            if height > self.height:
                await self.reach(height, self._heartbeat_s)
                if height > self.height:
                    yield ()
                    continue
            found = await self._block(height)
            height += 1
            wanted = tuple(one for one in found if one.is_wanted(after, needles))
            if wanted or height % BLOCKS_REMEMBERED == 0:  # so that a long search shows life
                yield wanted
