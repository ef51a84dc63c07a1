"""The front's end of the way to the core: rows go out, answers come in, and no row is forgotten.

Everything here runs in the event loop. A row stays until the core has answered it: when the core
ends, its successor gets all of them again, with the same bytes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tongbao.engines.payer_rows import FORGET, ToldRow
from tongbao.engines.solo import Answer
from tongbao.node.processes.admission import Waiting
from tongbao.node.processes.channel import Channel, ChannelClosed
from tongbao.node.processes.ring import RING_BYTES, Ring, new_memory
from tongbao.node.processes.rows import (
    LINK,
    MESSAGES,
    ROWS,
    Answers,
    CoreState,
    FromCore,
    Hello,
    Paying,
    Row,
    Rows,
    Told,
    answer_of,
    decode_answers,
    encode,
)

log = logging.getLogger("tongbao.node")

AGAIN_S: Final = 0.02
SILENT_S: Final = 5.0
"""A core that has said nothing for so long hangs: it gives a sign of life each second."""
WINDOW: Final = 12_000
"""Rows that the core has at once: three full blocks, so that it never waits for the next one."""
OVERHEAD: Final = 400
"""More than a row's bytes that are not its envelope's: keys, id, lengths."""

Given = list[tuple[Waiting, Answer | Exception]]


class FrontLink:
    """A connection to the core, made again whenever there is another one."""

    def __init__(
        self,
        folder: Path,
        told: Callable[[Given], None],
        changed: Callable[[CoreState], None],
        learn: Callable[[list[ToldRow]], None],
    ) -> None:
        """Connect in the running event loop.

        `told` gets answers, `changed` the core's state, `learn` rows of who pays, with FORGET for
        each new core.
        """
        self._path = folder / LINK
        self._told = told
        self._changed = changed
        self._learn = learn
        self._channel: Channel[FromCore] | None = None
        self._rows: Ring | None = None
        self._answers: Ring | None = None
        self._waiting: deque[Waiting] = deque()
        """What the core has not been given yet."""
        self._given: dict[int, Waiting] = {}
        """What it has and has not answered, by number; the oldest first."""
        self._numbers = 0
        self._under_way = 0
        self._heard_at = 0.0
        self._ended = asyncio.Event()
        self._task = asyncio.create_task(self._stay())

    @property
    def is_open(self) -> bool:
        """Whether a core is there."""
        return self._channel is not None

    @property
    def is_silent(self) -> bool:
        """Whether a core is there that has said nothing for too long."""
        return self.is_open and time.monotonic() - self._heard_at > SILENT_S

    @property
    def load(self) -> int:
        """How many wait here and in the core."""
        return len(self._waiting) + len(self._given)

    def put(self, one: Waiting) -> None:
        """Have the core decide a transaction that is verified; `flush` sends it."""
        self._waiting.append(one)

    def flush(self) -> None:
        """Send what there is room for."""
        ring = self._rows
        most = ROWS
        while (
            self._channel is not None
            and ring is not None
            and self._waiting
            and self._under_way < MESSAGES
            and len(self._given) < WINDOW
        ):
            rows: list[Row] = []
            size = 0
            while self._waiting and len(rows) < most:
                one = self._waiting[0]
                size += 2 * len(one.transaction.wire) + OVERHEAD
                if size > ring.room:
                    break
                rows.append(self._row(self._waiting.popleft()))
            if not rows:
                return  # until the core has read some
            self._under_way += 1
            self._send(Rows(ring.write(encode(rows))))

    def _row(self, one: Waiting) -> Row:
        self._numbers += 1
        one.number = self._numbers
        self._given[one.number] = one
        known = one.transaction
        return Row(one.number, known.wire, known.id, one.payload, known.signers, one.again)

    def _send(self, message: Rows | Told) -> None:
        if self._channel is None:
            return
        try:
            self._channel.send(message)
        except ChannelClosed:
            self._lose()

    async def _stay(self) -> None:
        """Be connected to whichever core there is."""
        while True:
            try:
                self._connect()
            except (OSError, ChannelClosed):
                await asyncio.sleep(AGAIN_S)
                continue
            await self._ended.wait()

    def _connect(self) -> None:
        end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        memory: list[int] = []
        try:
            end.connect(str(self._path))
            end.setblocking(False)
            memory += [new_memory(), new_memory()]
            channel: Channel[FromCore] = Channel(end, FromCore)
            channel.send(Hello(), memory)
        except (OSError, ChannelClosed):
            for descriptor in memory:
                os.close(descriptor)
            end.close()
            raise
        self._rows, self._answers = (Ring(descriptor, RING_BYTES) for descriptor in memory)
        self._channel = channel
        self._under_way = 0
        self._heard_at = time.monotonic()
        self._learn([(FORGET, None)])
        self._ended.clear()
        self._ask_again()
        asyncio.get_running_loop().add_reader(end, self._readable)
        self.flush()

    def _ask_again(self) -> None:
        """Another core gets everything that the last one has not answered, in the same order."""
        if not self._given:
            return
        log.warning("%d transactions go to the core again", len(self._given))
        for one in self._given.values():
            one.again = True
        self._waiting.extendleft(reversed(self._given.values()))
        self._given.clear()

    def _readable(self) -> None:
        try:
            while self._channel is not None:
                message, _ = self._channel.receive()
                self._heard_at = time.monotonic()
                if isinstance(message, Answers):
                    self._hear(message.end)
                elif isinstance(message, CoreState):
                    self._changed(message)
                else:
                    assert self._rows is not None
                    self._rows.read = message.end
                    self._under_way -= 1
        except BlockingIOError:
            pass
        except ChannelClosed:
            self._lose()
        self.flush()

    def _hear(self, end: int) -> None:
        assert self._answers is not None
        given: Given = []
        paying: list[ToldRow] = []
        for row in decode_answers(self._answers.take(end)):
            if isinstance(row, Paying):
                paying.append((row.key, row.row))
                continue
            one = self._given.pop(row.number, None)
            if one is not None:
                given.append((one, answer_of(row, one.transaction.id)))
        self._send(Told(end))
        self._told(given)
        if paying:
            self._learn(paying)

    def _lose(self) -> None:
        """The core has ended: who waits goes on to wait."""
        channel, self._channel = self._channel, None
        if channel is None:
            return
        asyncio.get_running_loop().remove_reader(channel.socket)
        channel.close()
        for ring in (self._rows, self._answers):
            if ring is not None:
                ring.close()
        self._rows = self._answers = None
        self._ended.set()

    async def stop(self) -> None:
        """Hang up."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._lose()
