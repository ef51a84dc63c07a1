"""Following a chain in this process: its blocks from a place on, then as they are made."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from tongbao.sdk.answers import Happening
from tongbao.sdk.happened import happenings_of
from tongbao.sdk.place import Place, not_before
from tongbao.store.errors import Pruned

if TYPE_CHECKING:
    from tongbao.sdk.local import Chain


class Bell:
    """Tells whoever listens that a block was made, or that the chain closes."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self.closed = False
        self._lock = threading.Lock()
        self._hearers: list[Callable[[], object]] = []

    def ring(self, height: int | None = None) -> None:
        """Call everybody; in the engine's thread, so they are quick and raise nothing."""
        with self._lock:
            hearers = tuple(self._hearers)
        for hearer in hearers:
            hearer()

    def close(self) -> None:
        """Tell everybody that nothing more comes."""
        self.closed = True
        self.ring()

    @contextmanager
    def heard_by(self, hearer: Callable[[], object]) -> Iterator[None]:
        """Listen until the `with` statement ends."""
        with self._lock:
            self._hearers.append(hearer)
        try:
            yield
        finally:
            with self._lock:
                self._hearers.remove(hearer)


class LocalFollower:
    """One walk through a chain's blocks. It has no queue: it reads them at its own pace."""

    def __init__(self, chain: Chain, bell: Bell, after: Place, needles: tuple[bytes, ...]) -> None:
        """Begin after a place. Raises ValueError when it lies beyond the last block, Pruned."""
        last = chain.head().height
        if after.height > last:
            raise ValueError(f"the cursor lies beyond the last block, {last}")
        if after.next_height < chain.first_block:
            raise Pruned(not_before(chain.first_block))
        self._chain = chain
        self._bell = bell
        self._after = after
        self._needles = needles
        self._height = after.next_height

    def _next(self) -> list[Happening] | None:
        """What the next block did; None when there is none yet, or the chain is closed."""
        with self._chain.reading() as last:
            if self._bell.closed or self._height > last:
                return None
            record = self._chain.block(self._height)
        self._height += 1
        return [
            msgspec.json.decode(one.line, type=Happening)
            for one in happenings_of(record)
            if one.is_wanted(self._after, self._needles)
        ]

    def happenings(self) -> Iterator[Happening]:
        """Events until the chain is closed."""
        moved = threading.Event()
        with self._bell.heard_by(moved.set):
            while not self._bell.closed:
                moved.clear()
                found = self._next()
                if found is None and not self._bell.closed:
                    moved.wait()
                yield from found or ()

    async def happenings_asynchronously(self) -> AsyncIterator[Happening]:
        """The same, in an event loop."""
        loop = asyncio.get_running_loop()
        moved = asyncio.Event()

        def hear() -> None:
            with suppress(RuntimeError):  # the loop has ended before its last walk was closed
                loop.call_soon_threadsafe(moved.set)

        with self._bell.heard_by(hear):
            while not self._bell.closed:
                moved.clear()
                found = await asyncio.to_thread(self._next)
                if found is None and not self._bell.closed:
                    await moved.wait()
                for happening in found or ():
                    yield happening
