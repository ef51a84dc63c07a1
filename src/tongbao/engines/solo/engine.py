"""The solo engine: one authority, one thread that makes blocks, answers once they are durable."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from msgspec import Struct

from tongbao.engines.fair_queue import FairQueue, Full
from tongbao.engines.memory import keep_what_is_loaded
from tongbao.engines.payer_rows import settings_of
from tongbao.engines.payers_here import NOTHING, PayersHere
from tongbao.engines.solo.answers import give
from tongbao.engines.solo.lacks import Lack, Lacks
from tongbao.engines.solo.producer import Producer
from tongbao.engines.solo.signing import SignerUnavailable
from tongbao.engines.solo.ticket import Ticket, tell
from tongbao.engines.verifier import Verifier, checks_of, other_core
from tongbao.kernel import Machine, Time, ed25519
from tongbao.kernel.code import UpgradeNeeded
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.transaction import Transaction
from tongbao.store.errors import DiskFull

log = logging.getLogger("tongbao.engines.solo")

IDLE_MS: Final = 1_000


class Options(Struct, frozen=True, kw_only=True):
    """When a block is made: it is full, or its first transaction has waited `linger_ms`.

    `verify_elsewhere` lets a second process check signatures under load, where there is a core.
    """

    block_transactions: int = 4_000
    block_bytes: int = 4_194_304
    linger_ms: int = 2
    queue_transactions: int = 100_000
    verify_elsewhere: bool = True


class EngineStopped(Exception):
    """The engine takes no transactions any more; the text says why."""

    exit_code = 70


class StoppedForUpgrade(EngineStopped):
    """The next block needs other code: install what the text names, and start again."""

    exit_code = 78


class Busy(Exception):
    """The queue is full; try again after a moment. Nothing was taken in."""

    exit_code = 75


def wall_clock() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000


def put_each(
    put: Callable[[Transaction], Ticket], transactions: Sequence[Transaction]
) -> list[Ticket | Exception]:
    """The ticket of each transaction, or what kept it out, so that the others go on."""
    found: list[Ticket | Exception] = []
    for transaction in transactions:
        try:
            found.append(put(transaction))
        except (InvalidTransaction, Busy, DiskFull, EngineStopped, SignerUnavailable) as error:
            found.append(error)
    return found


class SoloEngine:
    """Queues transactions and makes blocks in a thread of its own."""

    def __init__(
        self,
        producer: Producer,
        options: Options | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        """Take over a producer; `start` begins to make blocks."""
        ed25519.self_test()
        self._producer = producer
        self._options = options or Options()
        self._clock = clock
        self._lacks = Lacks(producer)
        self.payers = PayersHere(producer.machine)
        """Who pays for whom, where there are quotas."""
        self._queue: FairQueue[Ticket] = FairQueue(self._options.queue_transactions)
        self._pending: dict[bytes, Ticket] = {}
        self._listeners: list[Callable[[int], None]] = []
        self._followers: list[Callable[[Sequence[Ticket]], None]] = []
        self._wake = threading.Condition()
        self._state_lock = threading.RLock()
        self._stopping = False
        self._failure: BaseException | None = None
        elsewhere = self._options.verify_elsewhere and other_core()
        self._verifier = Verifier(elsewhere=elsewhere)
        self._thread = threading.Thread(target=self._run, name="tongbao-solo", daemon=True)

    @property
    def machine(self) -> Machine:
        """The machine; ask it only inside `reading()`, except for `decode`."""
        return self._producer.machine

    def start(self) -> None:
        """Begin to make blocks."""
        keep_what_is_loaded(self.machine)
        self._thread.start()

    def now(self) -> Time:
        """The time that a block made now would carry."""
        return self._producer.next_time(self._clock())

    def listen(self, function: Callable[[int], None]) -> None:
        """Call a function with the height of each block once it is durable, in this thread.

        It must be quick: everybody's answers wait for it.
        """
        self._listeners.append(function)

    @contextmanager
    def reading(self) -> Iterator[Producer]:
        """Between two blocks: rows, proofs and blocks that are of one height."""
        with self._state_lock:
            yield self._producer

    def submit(self, wire: bytes) -> Ticket:
        """Queue a transaction in the ledger's spelling; its answer comes once it is durable.

        The same bytes again wait for the same answer. Raises InvalidTransaction for its form, Busy,
        DiskFull, SignerUnavailable, or EngineStopped; the ticket's answer is InvalidTransaction for
        signatures and state.
        """
        transaction = self.machine.parse(wire)
        with self._wake:
            return self._put(transaction)

    def submit_verified(self, transactions: Sequence[Transaction]) -> list[Ticket | Exception]:
        """Queue what `Machine.take_over` gave: a ticket each, or what `submit` would raise."""
        with self._wake:
            return put_each(self._put, transactions)

    def follow(self, function: Callable[[Sequence[Ticket]], None]) -> None:
        """Call a quick function with tickets as soon as they have got their answers."""
        self._followers.append(function)

    def _put(self, transaction: Transaction) -> Ticket:
        """A place in the queue, or the one that the same bytes have."""
        if self._stopping or self._producer.signer is None:
            raise self._stopped()
        self._lacks.check()
        known = self._pending.get(transaction.wire)
        if known is not None:
            return known
        ticket, payload = Ticket(transaction), transaction.payload
        payer = self.payers.admit(transaction, self.now()) if self.payers.is_on else None
        try:
            self._queue.add(payload.sender, ticket, payer)
        except Full:
            raise Busy(f"{len(self._queue)} transactions are waiting; try again") from None
        self._pending[transaction.wire] = ticket
        if len(self._queue) == 1 or len(self._queue) == self._options.block_transactions:
            self._wake.notify()
        return ticket

    def is_pending(self, transaction_id: bytes) -> bool:
        """Whether a transaction waits for its block, or stands in the one that is being made."""
        with self._wake:
            waiting = self._pending.values()
            return any(ticket.transaction.id == transaction_id for ticket in waiting)

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block."""
        return len(self._queue)

    @property
    def why_stopped(self) -> str | None:
        """Why no transactions are taken; None while they are."""
        if self._stopping or self._producer.signer is None:
            return self._why()
        return self._lacks.why

    @property
    def is_disk_full(self) -> bool:
        """Whether no transactions are taken for want of space; it ends by itself."""
        return self._lacks.is_disk_full

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """None: nobody votes here."""
        return {}

    def close(self) -> None:
        """Make blocks of what is queued, then stop. May be called again."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()
        if self._failure is None:
            with self._state_lock:
                self._producer.maintain(idle=True)

    def _stopped(self) -> EngineStopped:
        """The error for those whose transactions are not taken any more."""
        is_upgrade = isinstance(self._failure, UpgradeNeeded)
        return (StoppedForUpgrade if is_upgrade else EngineStopped)(self._why())

    def _why(self) -> str:
        if isinstance(self._failure, UpgradeNeeded):
            return f"stopped for an upgrade: {self._failure}"
        if self._failure is not None:
            return f"the engine has stopped: {self._failure}"
        return self._producer.why_read_only or "the engine is closed"

    def _run(self) -> None:
        """The thread: while one batch is decided, the signatures of the next are checked."""
        checked: list[Ticket] | None = None
        try:
            while True:
                batch = self._next_batch(wait=checked is None)
                if batch is None and checked is None:
                    return
                if batch:
                    self._verifier.begin(
                        [check for ticket in batch for check in checks_of(ticket.transaction)]
                    )
                if checked is not None:
                    self._block(checked, more=bool(batch))
                checked = self._verified(batch) if batch is not None else None
        except UpgradeNeeded as error:
            log.warning("the solo engine stops for an upgrade: %s", error)
            self._fail(error)
        except BaseException as error:
            # Our own bug or a failed disk: stop rather than guess. Everyone waiting is told.
            log.critical("the solo engine stops", exc_info=error)
            self._fail(error)
        finally:
            self._verifier.close()

    def _verified(self, batch: list[Ticket]) -> list[Ticket]:
        """Those of a batch that are rightly signed and can be paid for; the others are told."""
        answers = iter(self._verifier.finish() if batch else b"")
        right, wrong = [], []
        for ticket in batch:
            own = bytes(islice(answers, len(ticket.transaction.signatures)))
            if all(own):
                self.machine.remember(ticket.transaction)
                right.append(ticket)
            else:
                ticket.answer(InvalidTransaction(Invalid.SIGNATURE_IS_WRONG))
                wrong.append(ticket)
        with self._wake:
            unpaid = self.payers.let_in(right, self.now())
        self._end(wrong + unpaid)
        return [ticket for ticket in right if not ticket.is_answered] if unpaid else right

    def _end(self, tickets: list[Ticket], news: Mapping[bytes, bytes | None] = NOTHING) -> None:
        """Tickets that have their answers: tell who waits, and forget them."""
        with self._wake:
            self.payers.set(settings_of(self.machine))
            self.payers.learn(news.items())
            self.payers.answered(tickets)
            for ticket in tickets:
                self._pending.pop(ticket.transaction.wire, None)
        tell(tickets)
        for follower in self._followers:
            follower(tickets)

    def _fail(self, error: BaseException) -> None:
        with self._wake:
            self._failure = error
            self._stopping = True
            self._queue.clear()
            pending = list(self._pending.values())
        for ticket in pending:
            ticket.answer(self._stopped())
        self._end(pending)

    def _next_batch(self, *, wait: bool) -> list[Ticket] | None:
        """The transactions of the next block, none for due work alone.

        None to end the thread and, without `wait`, when there is nothing to do.
        """
        while True:
            with self._wake:
                if self._queue:
                    few = len(self._queue) < self._options.block_transactions
                    if wait and few and not self._stopping:
                        self._wake.wait(self._options.linger_ms / 1000)
                    return self._take()
                if self._stopping or not wait:
                    return None
            self._lacks.look_for_signer()  # outside: reads don't wait for it
            with self._state_lock:
                self._maintain(idle=True)
                self._lacks.look_for_room()
                makes = self._producer.signer is not None and self._lacks.lack is None
                due = self._producer.machine.next_due() if makes else None
            wait_ms = IDLE_MS if due is None else due - self._clock()
            if wait_ms <= 0:
                return []
            with self._wake:
                if not self._queue and not self._stopping:
                    self._wake.wait(min(wait_ms, IDLE_MS) / 1000)

    def _take(self) -> list[Ticket]:
        batch: list[Ticket] = []
        size = 0
        while self._queue and len(batch) < self._options.block_transactions:
            size += len(self._queue.first.transaction.wire)
            if batch and size > self._options.block_bytes:
                break
            batch.append(self._queue.pop())
        return batch

    def _block(self, batch: list[Ticket], *, more: bool) -> None:
        """Make one block and answer everyone in it; with `more` the next one waits already."""
        news: Mapping[bytes, bytes | None] = NOTHING
        with self._state_lock:
            try:
                self._lacks.check()
                made = self._producer.make(
                    tuple([ticket.transaction.wire for ticket in batch]), self._clock()
                )
            except (DiskFull, SignerUnavailable) as error:
                # Nothing of this block happened: everyone may try again.
                for ticket in batch:
                    ticket.answer(error)
                self._refuse_for(error)
            else:
                self._maintain(idle=not (more or self._queue))
                if made is not None:
                    senders = give(self.machine, batch, made)
                    news = self.payers.news(self.machine, made.decided, senders)
                    for tell_height in self._listeners:
                        tell_height(self.machine.height)
        self._end(batch, news)
        self.machine.code.require(self.machine.height + 1)

    def _maintain(self, *, idle: bool) -> None:
        """Let rows follow; a disk that has no space for them has none for more blocks either."""
        self._producer.maintain(idle)
        lack = self._producer.store.lack
        if lack is not None:
            self._refuse_for(lack)

    def _refuse_for(self, error: Lack) -> None:
        """Take nothing more in for want of it, and tell those who wait that nothing happened."""
        with self._wake:
            self._lacks.lose(error)
            waiting = self._queue.clear()
        for ticket in waiting:
            ticket.answer(error)
        self._end(waiting)
