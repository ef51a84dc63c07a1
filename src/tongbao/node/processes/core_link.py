"""The core's end of the way from the front: takes rows, and tells what durable blocks say of them.

A thread of its own reads what the front says; answers go out in the engine's thread. Neither ever
waits for the front: what finds no room stays in a queue, which is as long as the rows that the
front has under way.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tongbao.engines.interface import Deciding
from tongbao.engines.payer_rows import FORGET, PayerRows, settings_of
from tongbao.engines.solo import Answer, Ticket
from tongbao.kernel import Address, Decided, Outcome
from tongbao.kernel.kernel_module import EXPIRY_MS, TRANSACTION_BYTES
from tongbao.kernel.reasons import InvalidTransaction
from tongbao.kernel.transaction import Transaction
from tongbao.node.processes.channel import Channel, ChannelClosed
from tongbao.node.processes.ring import Ring
from tongbao.node.processes.rows import (
    LINK,
    MESSAGES,
    ROWS,
    Answers,
    CoreState,
    FromFront,
    Hello,
    NotDone,
    Paying,
    Row,
    Rows,
    Said,
    Taken,
    Told,
    answered,
    decode_rows,
    encode,
)
from tongbao.store.errors import Pruned
from tongbao.store.interface import AnyStore

log = logging.getLogger("tongbao.node")

TICK_S: Final = 0.1
"""How often the core looks whether its front should learn something without a block."""
ALIVE_S: Final = 1.0
"""How often the core tells its front how it is where that is no news: a sign of life."""


class CoreLink:
    """Serves one front after the other; a new one takes the place of the last."""

    def __init__(self, engine: Deciding, store: AnyStore, folder: Path) -> None:
        """Listen in the node's private folder, and begin. Raises OSError."""
        self._engine = engine
        self._store = store
        self._front: _Front | None = None
        self._closing = threading.Event()
        path = folder / LINK
        path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(str(path))
        self._listening.listen(4)
        engine.payers.watch(self._paid)
        engine.follow(self._answered)
        engine.listen(self._moved)
        for target in (self._run, self._tick):
            threading.Thread(target=target, name=f"tongbao-{target.__name__}", daemon=True).start()

    def close(self) -> None:
        """Take nothing more. Answers that are under way still go out."""
        self._closing.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                end, _ = self._listening.accept()
            except OSError:
                return
            front = _Front(end, self._engine, self._store)
            before, self._front = self._front, front
            if before is not None:
                before.close()
            threading.Thread(target=front.run, name="tongbao-front", daemon=True).start()

    def _tick(self) -> None:
        """An engine that stops, or has space again, says so without a block."""
        while not self._closing.wait(TICK_S):
            front = self._front
            if front is not None:
                front.settle()
                front.tell_state()
                front.go_on()

    def _moved(self, height: int) -> None:
        """In the engine's thread."""
        if self._front is not None:
            self._front.tell_state()

    def _paid(self, decided: Decided, senders: Sequence[Address]) -> None:
        """In the engine's thread, between two blocks."""
        if self._front is not None:
            self._front.note(decided, senders)

    def _answered(self, tickets: Sequence[Ticket]) -> None:
        """In the engine's thread."""
        if self._front is not None:
            self._front.answer(tickets)


class _Front:
    """One front, until it ends."""

    def __init__(self, end: socket.socket, engine: Deciding, store: AnyStore) -> None:
        self._channel: Channel[FromFront] = Channel(end, FromFront)
        self._engine = engine
        self._store = store
        self._rows: Ring | None = None
        self._answers: Ring | None = None
        self._numbers: dict[bytes, Row] = {}
        """By wire, what the front waits for."""
        self._outbox: deque[Said | NotDone | Paying] = deque()
        self._outbox_lock = threading.Lock()
        self._payers = PayerRows()
        self._payers_news: dict[bytes, bytes | None] = {}
        """What it is to be told of who pays, behind the answers."""
        self._doubtful: deque[tuple[Row, InvalidTransaction]] = deque()
        self._under_way = 0
        self._state: CoreState | None = None
        self._told_at = 0.0
        self._state_lock = threading.Lock()
        self._is_closed = False

    def close(self) -> None:
        """Another front has come."""
        self._is_closed = True
        with suppress(OSError):
            self._channel.socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Read what the front says until it ends."""
        try:
            while True:
                message, descriptors = self._channel.receive()
                if isinstance(message, Hello):
                    rows, answers = descriptors
                    self._rows, self._answers = Ring(rows), Ring(answers)
                    self.tell_state()
                elif isinstance(message, Rows):
                    self._take(message.end)
                else:
                    self._told(message)
        except ChannelClosed:
            log.debug("a front has gone")
        finally:
            self._is_closed = True
            self._channel.close()

    def _take(self, end: int) -> None:
        assert self._rows is not None
        rows = decode_rows(self._rows.take(end))
        self._channel.send(Taken(end))
        machine = self._engine.machine
        chosen: list[Row] = []
        transactions: list[Transaction] = []
        for row in rows:
            before = self._decided(row.id) if row.again else None
            if before is not None:
                self._say([answered(row.number, before)])
                continue
            chosen.append(row)
            transactions.append(machine.take_over(row.wire, row.id, row.payload, row.signers))
            self._numbers[row.wire] = row
        results = self._engine.submit_verified(transactions)
        refused = []
        for row, result in zip(chosen, results, strict=True):
            if isinstance(result, Exception):
                self._numbers.pop(row.wire, None)
                refused.append(answered(row.number, result))
        if refused:
            self._say(refused)

    def _decided(self, transaction_id: bytes) -> Answer | None:
        """What a transaction has come to already: a core that died may have decided it."""
        with self._engine.reading():
            found = self._store.status(transaction_id)
            if found is None:
                return None
            try:
                receipt = self._store.block(found.height).receipts[found.index]
            except Pruned:
                return None  # its body was given up: who sent it asks for its status
        outcome = Outcome.REFUSED if found.number else Outcome.APPLIED
        return Answer(transaction_id, found.height, found.index, outcome, found.number, receipt)

    def answer(self, tickets: Sequence[Ticket]) -> None:
        """Tell the front what it waits for of these."""
        found = []
        for ticket in tickets:
            row = self._numbers.pop(ticket.transaction.wire, None)
            answer = ticket.answered
            if row is None or answer is None:
                continue
            if row.again and isinstance(answer, InvalidTransaction):
                self._doubtful.append((row, answer))
            else:
                found.append(answered(row.number, answer))
        if found:
            self._say(found)

    def note(self, decided: Decided, senders: Sequence[Address]) -> None:
        """Tell the front who pays for these, and what a block has left them: with its answers."""
        found = self._payers.after(self._engine.machine, decided, senders)
        with self._outbox_lock:
            if FORGET in found:
                self._payers_news.clear()
            self._payers_news.update(found)

    def go_on(self) -> None:
        """Send what waits, where no answer has taken it along."""
        with self._outbox_lock:
            self._flush()

    def settle(self) -> None:
        """Tell of rows that are invalid now, perhaps because a block before has them already.

        Not in the engine's thread, which may be in the middle of a block.
        """
        while self._doubtful:
            row, answer = self._doubtful.popleft()
            self._say([answered(row.number, self._decided(row.id) or answer)])

    def _say(self, rows: list[Said | NotDone]) -> None:
        if any(isinstance(row, NotDone) for row in rows):
            self.tell_state()  # before, so that nobody is taken in where all are refused
        with self._outbox_lock:
            self._outbox.extend(rows)
            self._flush()

    def _told(self, message: Told) -> None:
        with self._outbox_lock:
            assert self._answers is not None
            self._answers.read = message.end
            self._under_way -= 1
            self._flush()

    def _flush(self) -> None:
        """Send what there is room for."""
        ring, most = self._answers, ROWS
        if self._payers_news and ring is not None and len(self._outbox) < ROWS:
            self._outbox.extend(Paying(*row) for row in self._payers_news.items())
            self._payers_news.clear()
        while ring is not None and self._outbox and self._under_way < MESSAGES:
            count = min(most, len(self._outbox))
            rows = [self._outbox.popleft() for _ in range(count)]
            data = encode(rows)
            if len(data) > ring.room:
                self._outbox.extendleft(reversed(rows))
                most = count // 2
                if not most:
                    return  # until the front has read some
                continue
            self._under_way += 1
            self._send(Answers(ring.write(data)))

    def _send(self, message: Answers) -> None:
        if self._is_closed:
            return
        with suppress(ChannelClosed):
            self._channel.send(message)

    def tell_state(self) -> None:
        """Tell how the core is, if that is news or a sign of life is due.

        A front that does not read misses some of it.
        """
        with self._state_lock:
            state, now = state_of(self._engine), time.monotonic()
            is_old = state == self._state and now - self._told_at < ALIVE_S
            if self._is_closed or self._rows is None or is_old:
                return
            try:
                if state == self._state and self._channel.unread:
                    return  # the front has something to read: more would fill the socket
                self._channel.send_now(state)
            except (BlockingIOError, ChannelClosed):
                return
            self._state, self._told_at = state, now


def state_of(engine: Deciding) -> CoreState:
    """How an engine is now."""
    machine = engine.machine
    return CoreState(
        height=machine.height,
        time=machine.time,
        waiting=engine.waiting,
        why_stopped=engine.why_stopped,
        is_disk_full=engine.is_disk_full,
        misbehaviour=dict(engine.misbehaviour),
        transaction_bytes=machine.parameters[TRANSACTION_BYTES.name],
        expiry_ms=machine.parameters[EXPIRY_MS.name],
        quotas=settings_of(machine),
    )
