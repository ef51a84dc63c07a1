"""One connection of the ABCI socket: frames in, answers out, in exactly the order of the requests.

All frames that one wake-up brings are read together. CheckTx that stand together become one batch,
so that a thousand cost one change of threads and one write; while one batch runs, those that come
gather in the next. An answer whose turn has not come waits for those before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from tongbao.engines.cometbft.calls import HERE, Call, Lane
from tongbao.engines.cometbft.codec import ACCEPTED, decode_request, encode_response
from tongbao.engines.cometbft.framing import Frames, frame
from tongbao.engines.cometbft.messages import Message
from tongbao.engines.cometbft.responses import ResponseException
from tongbao.engines.cometbft.wire import WireError

log = logging.getLogger("tongbao.engines.cometbft")

GATHERED: Final = (None, Lane.MEMPOOL)
"""Whose neighbours become one batch: what is quick and comes by the thousand."""
BATCH_REQUESTS: Final = 1_000
"""How many one batch has at most: those in it are answered together."""
ACCEPTED_FRAME: Final = frame(encode_response(ACCEPTED))
REQUEST_BYTES: Final = 512
"""What a request costs in memory on top of its bytes, roughly."""


class Limits(NamedTuple):
    """How much one connection may make this process hold, in bytes."""

    frame_bytes: int = 64 << 20
    """The longest frame: above the largest block, with the votes and evidence beside it."""
    in_flight_bytes: int = 32 << 20
    """Requests read and not answered. With more, reading pauses until half is answered."""


class Batch:
    """Requests that one thread answers one after the other."""

    def __init__(self, lane: Lane | None) -> None:
        """Begin a batch of a lane, or of what is answered here when that is None."""
        self.lane = lane
        self.call: Call | None = None
        """What answers its requests: all of one kind."""
        self.requests: list[Message] = []
        self.answers: list[bytes] = []
        self.bytes = 0
        self.is_begun = False
        self.done = False
        self.last = False
        """Whether the connection closes behind it."""

    @property
    def may_grow(self) -> bool:
        """Whether a request may still join it."""
        is_open = not self.is_begun and not self.done
        return is_open and self.lane in GATHERED and len(self.requests) < BATCH_REQUESTS

    def run(self, wanted: Callable[[], bool]) -> None:
        """Answer all, as long as somebody wants it. Raises whatever the application raises."""
        assert self.call is not None
        answers = self.call.answers(self.requests)
        while wanted():
            answer = next(answers, None)
            if answer is None:
                return
            is_accepted = answer is ACCEPTED
            self.answers.append(ACCEPTED_FRAME if is_accepted else frame(encode_response(answer)))


class Owner(Protocol):
    """What a connection needs of its server."""

    limits: Limits
    calls: dict[type[Message], Call]

    def opened(self, connection: Connection, /) -> None:
        """A connection has come."""

    def closed(self, connection: Connection, /) -> None:
        """It has gone."""

    def submit(self, connection: Connection, batch: Batch, /) -> None:
        """Run a batch in its lane, then call `finished` or `failed` in the event loop."""


class Connection(asyncio.Protocol):
    """A peer, and what it waits for. All methods run in the event loop."""

    def __init__(self, owner: Owner) -> None:
        """Wait for the peer."""
        self._owner = owner
        self._frames = Frames(owner.limits.frame_bytes)
        self._pending: deque[Batch] = deque()
        self._gathered: Batch | None = None
        """The batch of `GATHERED` that runs; the others wait for it."""
        self._in_flight = 0
        self._slow = False
        self._held = False
        self._deaf = False
        """Whether nothing more is read, for what came can't be."""
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back to the peer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Take all whole frames, and hand out their batches."""
        if self._deaf:
            return
        self._frames.feed(data)
        taken: list[Batch] = []
        try:
            while (content := self._frames.next()) is not None:
                self._take(taken, content)
        except WireError as error:
            self._refuse(taken, error)
        self._pending += taken
        for batch in taken:
            if batch.lane is None:
                batch.done = True
            elif batch.lane not in GATHERED:
                self._begin(batch)
        self._begin_gathered()
        self._write()

    def _begin(self, batch: Batch) -> None:
        batch.is_begun = True
        self._owner.submit(self, batch)

    def _begin_gathered(self) -> None:
        """Let the next batch of what gathers run, unless one does."""
        if self._gathered is None:
            for batch in self._pending:
                if batch.lane in GATHERED and not batch.done:
                    self._gathered = batch
                    self._begin(batch)
                    return

    def eof_received(self) -> None:
        """The peer sends nothing more: CometBFT only does that when it is gone."""
        if self._frames.waiting_bytes:
            log.warning("a connection ended within a frame")

    def pause_writing(self) -> None:
        """The peer does not read: take nothing more from it."""
        self._slow = True
        self._balance()

    def resume_writing(self) -> None:
        """It reads again."""
        self._slow = False
        self._balance()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what the peer waited for; a call that runs already ends for nobody."""
        self.lost = True
        self._pending.clear()
        self._owner.closed(self)

    def finished(self, batch: Batch) -> None:
        """A batch has run to its end."""
        batch.done = True
        if batch is self._gathered:
            self._gathered = None
            self._begin_gathered()
        self._write()

    def failed(self, batch: Batch, error: BaseException) -> None:
        """The application raised within a batch: say so at once, for no answer follows any more."""
        answers = batch.answers if self._pending[0] is batch else []
        text = _exception(f"the application failed: {type(error).__name__}")
        self._transport.write(b"".join((*answers, text)))
        self._deaf = True
        self._transport.close()

    def hold(self, held: bool) -> None:
        """Read nothing from the peer for now, or read again."""
        self._held = held
        self._balance()

    def abort(self) -> None:
        """Cut the connection off."""
        self._transport.abort()

    @property
    def held_bytes(self) -> int:
        """What this peer makes the process hold: frames, requests in flight, answers not taken."""
        unsent = self._transport.get_write_buffer_size()
        return self._frames.waiting_bytes + self._in_flight + unsent

    def _take(self, taken: list[Batch], content: bytes) -> None:
        """Add a request to the last batch, or to one of its own. Raises WireError."""
        request = decode_request(content)
        here = HERE.get(type(request))
        call = None if here is not None else self._owner.calls[type(request)]
        lane = None if call is None else call.lane
        batch = self._batch_for(taken, lane)
        if here is not None:
            batch.answers.append(frame(encode_response(here(request))))
        elif call is not None:
            batch.call = call
            batch.requests.append(request)
        held = len(content) + REQUEST_BYTES
        batch.bytes += held
        self._in_flight += held

    def _batch_for(self, taken: list[Batch], lane: Lane | None) -> Batch:
        """The last batch, where a request of a lane may still join it, or a new one."""
        last = taken[-1] if taken else self._pending[-1] if self._pending else None
        if last is None or last.lane is not lane or not last.may_grow:
            last = Batch(lane)
            taken.append(last)
        return last

    def _refuse(self, taken: list[Batch], error: WireError) -> None:
        """Say behind all answers what can't be read, and read nothing more."""
        log.error("a request can't be read: %s", error)
        batch = Batch(None)
        batch.answers.append(_exception(f"the request can't be read: {error}"))
        batch.last = True
        taken.append(batch)
        self._deaf = True

    def _write(self) -> None:
        """Send all answers whose turn has come, in one write."""
        answers: list[bytes] = []
        last = False
        while self._pending and self._pending[0].done:
            batch = self._pending.popleft()
            answers += batch.answers
            self._in_flight -= batch.bytes
            last = batch.last
        if answers:
            self._transport.write(b"".join(answers))
        if last:
            self._transport.close()
        self._balance()

    def _balance(self) -> None:
        """Read from the peer only while what it makes us hold is within its limit."""
        limit = self._owner.limits.in_flight_bytes
        if self._slow or self._held or self._deaf or self._in_flight > limit:
            self._transport.pause_reading()
        elif self._in_flight <= limit // 2:
            self._transport.resume_reading()


def _exception(text: str) -> bytes:
    return frame(encode_response(ResponseException(text)))
