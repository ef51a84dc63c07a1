"""A transaction's place in the queue, and its answer once the block is durable."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, Final

from msgspec import Struct

from tongbao.kernel import Outcome
from tongbao.kernel.transaction import Transaction

_lock: Final = threading.Lock()


class Answer(Struct, frozen=True, gc=False):
    """What a durable block says of one transaction."""

    id: bytes
    height: int
    index: int
    outcome: Outcome
    number: int
    receipt: bytes


class Ticket:
    """Who waits for the answer to one transaction.

    A `Future` costs more than deciding whether a signature is somebody's, so that one is made only
    for those who ask for it; who submits many just reads the answers one after the other.
    """

    __slots__ = ("_answer", "_future", "charge", "transaction")

    def __init__(self, transaction: Transaction) -> None:
        """Made by the engine."""
        self.transaction = transaction
        self._answer: Answer | Exception | None = None
        self._future: Future[Answer] | None = None
        self.charge: tuple[int, Any, Any] | None = None
        """What was promised for it of whose tokens: `engines/payers.py`."""

    def answer(self, answer: Answer | Exception) -> None:
        """Give the answer; `tell` tells those who wait."""
        self._answer = answer

    @property
    def is_answered(self) -> bool:
        """Whether `result` would not wait."""
        return self._answer is not None

    @property
    def answered(self) -> Answer | Exception | None:
        """The answer, or what was in the way; None as long as there is neither."""
        return self._answer

    @property
    def given(self) -> Answer | Exception:
        """The answer, which is there."""
        assert self._answer is not None
        return self._answer

    def future(self) -> Future[Answer]:
        """The answer to come. It can't be cancelled: what is queued will be decided."""
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        with _lock:
            if self._future is not None:
                return self._future
            answer = self._answer
            if answer is None:
                self._future = future
                return future
        _settle(future, answer)
        return future

    def result(self, seconds: float | None = None) -> Answer:
        """Wait for the answer, for so long at most, or without end.

        Raises what was in the way, and TimeoutError where there is no answer yet.
        """
        answer = self._answer
        if answer is None:
            return self.future().result(seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _settle(future: Future[Answer], answer: Answer | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def tell(tickets: Iterable[Ticket]) -> None:
    """Settle the futures of tickets that have got their answers."""
    with _lock:
        # Whoever asks from here on sees the answer, and settles a future of their own.
        waiting = [(ticket._future, ticket._answer) for ticket in tickets if ticket._future]
    for future, answer in waiting:
        assert answer is not None
        _settle(future, answer)
