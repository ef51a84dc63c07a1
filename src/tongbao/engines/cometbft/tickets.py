"""Transactions that wait for their block: in our queue, or handed over to CometBFT's mempool.

CometBFT promises nothing for what it has taken: it may be killed and have forgotten. So everything
stays here until a block has it or a check says no, and is handed over again when in doubt; the same
bytes can't happen twice. What CometBFT has waits there in its own order; who is handed over next is
decided fairly here, since little more than the next blocks is handed over at once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from tongbao.engines.fair_queue import FairQueue, Full
from tongbao.engines.payer_rows import settings_of
from tongbao.engines.payers_here import NOTHING, PayersHere, invalid_of
from tongbao.engines.solo.engine import Busy
from tongbao.engines.solo.ticket import Answer, Ticket, tell
from tongbao.kernel import Decided, Machine, Outcome, Time
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.transaction import Transaction
from tongbao.store.record import BlockRecord


class Tickets:
    """Who waits for what. Its methods are called in any thread and are quick."""

    def __init__(
        self, limit: int, offered: int, payers: PayersHere, now: Callable[[], Time]
    ) -> None:
        """Let `limit` transactions wait, `offered` of them handed over at once.

        At most a quarter is handed over, so that a flood leaves room for others.
        """
        self.changed = threading.Condition()
        """Notified when there may be something to hand over."""
        self._payers = payers
        self._now = now
        self._offered_limit = min(offered, max(1, limit // 4))
        self._queue: FairQueue[Ticket] = FairQueue(limit)
        self._again: deque[Ticket] = deque()
        """What was handed over before, and goes first."""
        self._answered = 0
        """How many of both have their answers already."""
        self._offered: dict[bytes, float] = {}
        """When each was handed over, in seconds of a steady clock; the oldest first."""
        self._pending: dict[bytes, Ticket] = {}
        self._since: dict[bytes, float] = {}
        """When each of them came, by the same clock; the oldest first."""
        self.followers: list[Callable[[Sequence[Ticket]], None]] = []

    def __len__(self) -> int:
        """How many wait."""
        return len(self._pending)

    def put(self, transaction: Transaction) -> Ticket:
        """A place in the queue, or the one that the same bytes have.

        Raises Busy, and InvalidTransaction where nobody can pay for it now.
        """
        with self.changed:
            known = self._pending.get(transaction.wire)
            if known is not None:
                return known
            ticket, payers = Ticket(transaction), self._payers
            payer = payers.admit(transaction, self._now()) if payers.is_on else None
            try:
                self._add(ticket, payer)
            except Full:
                waiting = len(self._pending)
                raise Busy(f"{waiting} transactions are waiting; try again") from None
            self._pending[transaction.wire] = ticket
            self._since[transaction.wire] = time.monotonic()
            if len(self._queue) == 1:
                self.changed.notify()
        return ticket

    def _add(self, ticket: Ticket, payer: str | None) -> None:
        """Queue one. Raises Full."""
        payload = ticket.transaction.payload
        outside = len(self._offered) + len(self._again)
        try:
            self._queue.add(payload.sender, ticket, payer, outside)
        except Full:
            if not self._answered:
                raise
            self._queue.forget(lambda waiting: waiting.is_answered)
            self._again = deque(waiting for waiting in self._again if not waiting.is_answered)
            self._answered = 0
            self._queue.add(payload.sender, ticket, payer, outside)

    def is_pending(self, transaction_id: bytes) -> bool:
        """Whether a transaction of this id waits."""
        with self.changed:
            waiting = self._pending.values()
            return any(ticket.transaction.id == transaction_id for ticket in waiting)

    @property
    def oldest(self) -> float | None:
        """When the one that waits longest came, in seconds of a steady clock; None for nobody."""
        with self.changed:
            return next(iter(self._since.values()), None)

    @property
    def has_next(self) -> bool:
        """Whether something can be handed over."""
        waits = bool(self._again) or bool(self._queue)
        return waits and len(self._offered) < self._offered_limit

    def take(self, most: int) -> list[Ticket]:
        """The next ones to hand over, which count as handed over from now on."""
        batch: list[Ticket] = []
        now = time.monotonic()
        with self.changed:
            while len(batch) < most and self.has_next:
                ticket = self._again.popleft() if self._again else self._queue.pop()
                if ticket.is_answered:
                    self._answered = max(0, self._answered - 1)
                else:
                    batch.append(ticket)
                    self._offered[ticket.transaction.wire] = now
        return batch

    def put_back(self, tickets: Iterable[Ticket]) -> None:
        """These were not taken: they are the next ones again."""
        with self.changed:
            self._back([ticket.transaction.wire for ticket in tickets])

    def offer_again(self) -> None:
        """CometBFT has forgotten everything: all that was handed over is handed over again."""
        with self.changed:
            self._back(list(self._offered))
            self.changed.notify_all()

    def offer_late(self, seconds: float, most: int) -> None:
        """Hand over again what was handed over so long ago that it may have been forgotten."""
        before = time.monotonic() - seconds
        with self.changed:
            oldest = islice(self._offered.items(), most)
            self._back([wire for wire, offered in oldest if offered < before])

    def _back(self, wires: list[bytes]) -> None:
        for wire in reversed(wires):
            if self._offered.pop(wire, None) is not None:
                self._again.appendleft(self._pending[wire])

    def let_in(self, tickets: Sequence[Ticket]) -> list[Ticket]:
        """Those of what is rightly signed that can be paid for; the others are told."""
        with self.changed:
            unpaid = self._payers.let_in(tickets, self._now())
        if not unpaid:
            return list(tickets)
        self.answer([(one.transaction.wire, one.given) for one in unpaid])
        return [one for one in tickets if not one.is_answered]

    # Answering

    def keep(self, machine: Machine, record: BlockRecord, decided: Decided) -> None:
        """A block is durable: answer everyone whose transaction is in it, and learn who pays.

        Those who watch are told before, so that they have it with the answers.
        """
        answers = list(answers_of(machine, record, decided, self._pending))
        news = NOTHING
        if settings_of(machine)[0]:
            with self.changed:
                mine = [
                    self._pending[wire].transaction.payload.sender
                    for wire, answer in answers
                    if wire in self._pending and _is_of_sender(answer)
                ]
            news = self._payers.news(machine, decided, mine)
        self.answer(answers)
        with self.changed:
            self._payers.set(settings_of(machine))
            self._payers.learn(news.items())

    def answer(self, answers: Iterable[tuple[bytes, Answer | Exception]]) -> None:
        """Answer by wire bytes; nobody may wait for some of them."""
        answered = []
        with self.changed:
            for wire, answer in answers:
                ticket = self._pending.pop(wire, None)
                if ticket is not None:
                    if self._offered.pop(wire, None) is None:
                        self._answered += 1
                    self._since.pop(wire)
                    ticket.answer(answer)
                    answered.append(ticket)
            self._payers.answered(answered)
            self.changed.notify()
        tell(answered)
        for follower in self.followers:
            follower(answered)

    def expire(self, time_ms: int) -> None:
        """Answer those that can't be in a block any more: the last one has this time."""
        expired = InvalidTransaction(Invalid.EXPIRY_HAS_PASSED)
        self._answer_if(lambda ticket: ticket.transaction.payload.expires <= time_ms, expired)

    def fail_queue(self, error: Exception) -> None:
        """Answer those that were not handed over."""
        self._answer_if(lambda ticket: ticket.transaction.wire not in self._offered, error)

    def fail(self, error: Exception) -> None:
        """Answer everybody."""
        self._answer_if(lambda ticket: True, error)

    def _answer_if(self, applies: Callable[[Ticket], bool], error: Exception) -> None:
        with self.changed:
            chosen = [wire for wire, ticket in self._pending.items() if applies(ticket)]
        self.answer((wire, error) for wire in chosen)


def _is_of_sender(answer: Answer | Exception) -> bool:
    """Whether an answer says that a transaction's signatures were found to be its sender's."""
    return isinstance(answer, Answer) or (
        isinstance(answer, InvalidTransaction) and answer.again_at is not None
    )


def answers_of(
    machine: Machine, record: BlockRecord, decided: Decided, waiting: Mapping[bytes, Ticket]
) -> Iterator[tuple[bytes, Answer | InvalidTransaction]]:
    """What a block says to whoever waits for one of its transactions."""
    results = zip(record.transactions, decided.results, strict=True)
    for index, (wire, result) in enumerate(results):
        if result.outcome is Outcome.INVALID:
            if (ticket := waiting.get(wire)) is not None:
                yield wire, invalid_of(machine, result.number, ticket.transaction.payload)
        else:
            answer = Answer(
                *(result.id, decided.height, index),
                *(result.outcome, result.number, result.receipt),
            )
            yield wire, answer
