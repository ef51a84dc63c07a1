"""The front's verifiers: batches of signatures go to whichever process has the least to do."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from tongbao.engines.verifier import LENGTH_BYTES, Check, check_here

T = TypeVar("T")

log = logging.getLogger("tongbao.node")

UNDER_WAY: Final = 2
"""Batches that a verifier has at once: it begins the next one without waiting for anybody."""
AGAIN_S: Final = 0.02
PATIENCE_S: Final = 1.0
"""Without any verifier for so long, the front checks by itself."""

_encode: Final = msgspec.msgpack.Encoder().encode


class Batch(Generic[T]):
    """Things whose signatures are checked together; `answers` has one byte a signature."""

    __slots__ = ("answers", "checks", "things")

    def __init__(self, things: list[T], checks: list[Check]) -> None:
        """Keep what is to be checked for whom; nothing to check is answered."""
        self.things = things
        self.checks = checks
        self.answers: bytes | None = None if checks else b""


class Verifiers(Generic[T]):
    """Connections to verifiers, which come and go; what one of them had is given to another."""

    def __init__(self, paths: Sequence[Path], checked: Callable[[], None]) -> None:
        """Connect in the running event loop; `checked` is called whenever answers have come."""
        self._checked = checked
        self._ends: list[_Verifier[T]] = []
        self._left: deque[Batch[T]] = deque()
        """Batches that a verifier has left behind."""
        self._count = len(paths)
        self._stopping = False
        self._away_since = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._connect(path)) for path in paths]

    def __len__(self) -> int:
        """How many there are, or will be in a moment."""
        return self._count

    @property
    def living(self) -> int:
        """How many are connected."""
        return len(self._ends)

    @property
    def has_room(self) -> bool:
        """Whether another batch would be begun at once, or as soon as one of these has ended."""
        return any(len(end.batches) < UNDER_WAY for end in self._ends) or self._is_alone

    @property
    def _is_alone(self) -> bool:
        waited = asyncio.get_running_loop().time() - self._away_since
        return not self._ends and (waited > PATIENCE_S or not self._count)

    def check(self, batch: Batch[T]) -> None:
        """Have a batch checked."""
        if batch.answers is not None:
            self._checked()
        elif self._ends:
            min(self._ends, key=lambda end: len(end.batches)).send(batch)
        elif self._is_alone:
            batch.answers = check_here(batch.checks)
            self._checked()
        else:
            self._left.append(batch)

    async def _connect(self, path: Path) -> None:
        """Stay connected to one verifier."""
        loop = asyncio.get_running_loop()
        while not self._stopping:
            try:
                _, end = await loop.create_unix_connection(
                    lambda: _Verifier[T](self._checked), str(path)
                )
            except OSError:
                await asyncio.sleep(AGAIN_S)
                self._check_alone()
                continue
            self._ends.append(end)
            self._again()
            self._checked()
            await end.ended.wait()
            self._ends.remove(end)
            self._away_since = loop.time()
            self._left.extend(end.batches)
            self._again()

    def _again(self) -> None:
        """Give what was left behind to those who are there."""
        while self._left and self._ends:
            self.check(self._left.popleft())

    def _check_alone(self) -> None:
        """There has been no verifier for a while: somebody has to check."""
        if not self._is_alone:
            return
        if self._left:
            log.warning("no verifier is there: the front checks signatures")
            self.check(self._left.popleft())
        self._checked()

    async def stop(self) -> None:
        """Hang up."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Verifier(asyncio.Protocol, Generic[T]):
    """One verifier, and the batches that it has."""

    def __init__(self, checked: Callable[[], None]) -> None:
        self.batches: deque[Batch[T]] = deque()
        self.ended = asyncio.Event()
        self._checked = checked
        self._answers = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, batch: Batch[T]) -> None:
        """Have a batch checked behind those that it has."""
        self.batches.append(batch)
        if self._transport is not None:
            frame = _encode(batch.checks)
            self._transport.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)

    def data_received(self, data: bytes) -> None:
        answers = self._answers + data
        while self.batches and len(answers) >= (count := len(self.batches[0].checks)):
            self.batches.popleft().answers = answers[:count]
            answers = answers[count:]
        self._answers = answers
        self._checked()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.ended.set()
