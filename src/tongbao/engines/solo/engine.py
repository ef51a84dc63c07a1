"""The solo engine: one authority, one thread that makes blocks, answers once they are durable."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import islice
from typing import Final

from msgspec import Struct

from tongbao.engines.solo.producer import Made, Producer
from tongbao.engines.verifier import Verifier, checks_of, other_core
from tongbao.kernel import Machine, Outcome, Time, ed25519
from tongbao.kernel.assertions import require_assertions
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.transaction import Transaction
from tongbao.store.errors import DiskFull

log = logging.getLogger("tongbao.engines.verifier")

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


class Busy(Exception):
    """The queue is full; try again after a moment. Nothing was taken in."""

    exit_code = 75


class Answer(Struct, frozen=True, gc=False):
    """What a durable block says of one transaction."""

    id: bytes
    height: int
    index: int
    outcome: Outcome
    number: int
    receipt: bytes


class Waiting(Struct, frozen=True, gc=False):
    """A transaction in the queue and who waits for it."""

    transaction: Transaction
    future: Future[Answer]


def wall_clock() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000


class SoloEngine:
    """Queues transactions and makes blocks in a thread of its own."""

    def __init__(
        self,
        producer: Producer,
        options: Options | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        """Take over a producer; `start` begins to make blocks."""
        require_assertions()
        ed25519.self_test()
        self._producer = producer
        self._options = options or Options()
        self._clock = clock
        self._queue: deque[Waiting] = deque()
        self._pending: dict[bytes, Future[Answer]] = {}
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
        """Begin to make blocks.

        What is loaded now stays for the node's life: the cyclic garbage collector need not walk it
        again and again (measured: a tenth of the rate with 400,000 rows).
        """
        gc.freeze()
        self._thread.start()

    def now(self) -> Time:
        """The time that a block made now would carry."""
        return self._producer.next_time(self._clock())

    @contextmanager
    def reading(self) -> Iterator[Producer]:
        """Between two blocks: rows, proofs and blocks that are of one height."""
        with self._state_lock:
            yield self._producer

    def submit(self, wire: bytes) -> Future[Answer]:
        """Queue a transaction in the ledger's spelling; its answer comes once it is durable.

        The same bytes again wait for the same answer. Raises InvalidTransaction for its form, Busy,
        or EngineStopped; the future raises InvalidTransaction for signatures and state.
        """
        transaction = self.machine.parse(wire)
        with self._wake:
            if self._stopping or self._producer.signer is None:
                raise EngineStopped(self._why())
            known = self._pending.get(wire)
            if known is not None:
                return known
            if len(self._queue) >= self._options.queue_transactions:
                raise Busy(f"{len(self._queue)} transactions are waiting; try again")
            future: Future[Answer] = Future()
            self._queue.append(Waiting(transaction, future))
            self._pending[wire] = future
            if len(self._queue) == 1 or len(self._queue) == self._options.block_transactions:
                self._wake.notify()
        return future

    def is_pending(self, transaction_id: bytes) -> bool:
        """Whether a transaction waits for its block."""
        with self._wake:
            return any(waiting.transaction.id == transaction_id for waiting in self._queue)

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

    def _why(self) -> str:
        if self._failure is not None:
            return f"the engine has stopped: {self._failure}"
        if self._producer.signer is None:
            return "this chain is open for reading: the authority's key is locked"
        return "the engine is closed"

    def _run(self) -> None:
        """The thread: while one batch is decided, the signatures of the next are checked."""
        checked: list[Waiting] | None = None
        try:
            while True:
                batch = self._next_batch(wait=checked is None)
                if batch is None and checked is None:
                    return
                if batch:
                    self._verifier.begin(
                        [check for one in batch for check in checks_of(one.transaction)]
                    )
                if checked is not None:
                    self._block(checked)
                checked = self._verified(batch) if batch is not None else None
        except BaseException as error:
            # Our own bug or a failed disk: stop rather than guess. Everyone waiting is told.
            log.critical("the solo engine stops", exc_info=error)
            self._fail(error)
        finally:
            self._verifier.close()

    def _verified(self, batch: list[Waiting]) -> list[Waiting]:
        """Those of a batch whose every signature is right; the others are told."""
        answers = iter(self._verifier.finish() if batch else b"")
        right = []
        for waiting in batch:
            own = bytes(islice(answers, len(waiting.transaction.signatures)))
            if all(own):
                self.machine.remember(waiting.transaction)
                right.append(waiting)
            else:
                with self._wake:
                    self._pending.pop(waiting.transaction.wire, None)
                waiting.future.set_exception(InvalidTransaction(Invalid.SIGNATURE_IS_WRONG))
        return right

    def _fail(self, error: BaseException) -> None:
        with self._wake:
            self._failure = error
            self._stopping = True
            self._queue.clear()
            pending = list(self._pending.values())
            self._pending.clear()
        for future in pending:
            if not future.done():
                future.set_exception(EngineStopped(self._why()))

    def _next_batch(self, *, wait: bool) -> list[Waiting] | None:
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
            with self._state_lock:
                self._producer.maintain(idle=True)
                due = self._producer.machine.next_due() if self._producer.signer else None
            wait_ms = IDLE_MS if due is None else due - self._clock()
            if wait_ms <= 0:
                return []
            with self._wake:
                if not self._queue and not self._stopping:
                    self._wake.wait(min(wait_ms, IDLE_MS) / 1000)

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._queue and len(batch) < self._options.block_transactions:
            size += len(self._queue[0].transaction.wire)
            if batch and size > self._options.block_bytes:
                break
            batch.append(self._queue.popleft())
        return batch

    def _block(self, batch: list[Waiting]) -> None:
        """Make one block and answer everyone in it."""
        with self._state_lock:
            try:
                made = self._producer.make(
                    tuple(waiting.transaction.wire for waiting in batch), self._clock()
                )
            except DiskFull as error:
                self._answer_all(batch, error)
                return
            self._producer.maintain(idle=not self._queue)
        with self._wake:
            for waiting in batch:
                self._pending.pop(waiting.transaction.wire, None)
        if made is not None:
            _answer(batch, made)

    def _answer_all(self, batch: list[Waiting], error: BaseException) -> None:
        """Nothing of this block happened: everyone may try again."""
        with self._wake:
            for waiting in batch:
                self._pending.pop(waiting.transaction.wire, None)
        for waiting in batch:
            waiting.future.set_exception(error)


def _answer(batch: list[Waiting], made: Made) -> None:
    """Set every future: the durable outcome, or why a transaction was left out as invalid."""
    index = 0
    height, results = made.decided.height, made.decided.results
    for waiting in batch:
        number = made.invalid.get(waiting.transaction.wire)
        if number is not None:
            reason = next(reason for reason in Invalid if reason.number == number)
            waiting.future.set_exception(InvalidTransaction(reason))
            continue
        result = results[index]
        waiting.future.set_result(
            Answer(result.id, height, index, result.outcome, result.number, result.receipt)
        )
        index += 1
