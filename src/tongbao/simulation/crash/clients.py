"""Clients that pay without end: they wait for the answer, ask for it by the id, or send many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx2

from tongbao.kernel import Invalid, InvalidTransaction
from tongbao.sdk.client import Applied, Refused
from tongbao.sdk.errors import Unreachable
from tongbao.sdk.http import HttpChain
from tongbao.simulation.crash.book import Book, Place, Sent, Wrong

PATIENCE_S: Final = 3_600.0
"""A node whose disk was full says "in half a minute"; nobody here waits for that, but counts it."""
MANY: Final = 10
PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.1
TIMEOUT_S: Final = 60.0


class Gate:
    """Lets requests through, or makes them wait while answers are compared."""

    def __init__(self) -> None:
        """Begin open."""
        self._changed = threading.Condition()
        self._is_open = True
        self._inside = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Wait until it is open, and count as inside until the end of the statement."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_open)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more, and wait for those inside: their node has ended."""
        with self._changed:
            self._is_open = False
            self._changed.wait_for(lambda: self._inside == 0)

    def open(self) -> None:
        """Let everybody in."""
        with self._changed:
            self._is_open = True
            self._changed.notify_all()


class GatedTransport(httpx2.HTTPTransport):
    """Requests that go through a gate first."""

    def __init__(self, gate: Gate) -> None:
        """Connections as usual."""
        super().__init__()
        self._gate = gate

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and read the answer whole."""
        with self._gate.passing():
            answer = super().handle_request(request)
            answer.read()
            return answer


class Clients:
    """Threads that pay, each from an account of its own, until they are stopped."""

    def __init__(self, address: str, book: Book, gate: Gate) -> None:
        """Begin to pay."""
        self._address = address
        self._book = book
        self._gate = gate
        self._stopping = threading.Event()
        self.failure: BaseException | None = None
        works: list[Callable[[int, httpx2.Client], None]] = [self._waits, self._asks, self._many]
        self._threads = [
            threading.Thread(target=self._run, args=(works[payer % len(works)], payer), daemon=True)
            for payer in range(len(book.ground.payers))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each bring what it has begun to its end. Raises Wrong, and what a client met."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self.check()

    def check(self) -> None:
        """Raise what a client met that must not be."""
        if self.failure is not None:
            raise self.failure

    def _run(self, work: Callable[[int, httpx2.Client], None], payer: int) -> None:
        transport = GatedTransport(self._gate)
        with httpx2.Client(
            base_url=self._address, timeout=TIMEOUT_S, transport=transport
        ) as client:
            try:
                work(payer, client)
            except (Wrong, Unreachable, AssertionError, Refused, InvalidTransaction) as error:
                self.failure = error

    def _sdk(self, client: httpx2.Client) -> HttpChain:
        def wait(seconds: float) -> None:
            self._stopping.wait(min(seconds, LONGEST_PAUSE_S))

        return HttpChain(self._address, client=client, patience_s=PATIENCE_S, wait=wait)

    def _waits(self, payer: int, client: httpx2.Client) -> None:
        chain = self._sdk(client)
        while not self._stopping.is_set():
            sent = self._book.new(payer)
            try:
                self._told(sent, chain.submit(sent.wire))
            except (Refused, InvalidTransaction) as error:
                self._told(sent, error)

    def _many(self, payer: int, client: httpx2.Client) -> None:
        chain = self._sdk(client)
        while not self._stopping.is_set():
            sent = [self._book.new(payer) for _ in range(MANY)]
            answers = chain.submit_many([one.wire for one in sent])
            for one, answer in zip(sent, answers, strict=True):
                self._told(one, answer)

    def _told(self, sent: Sent, answer: Any) -> None:
        """Write down what the SDK says. Raises what is no answer."""
        match answer:
            case Applied():
                self._book.acknowledge(sent, 0, Place(answer.height, answer.index))
            case Refused():
                self._book.acknowledge(sent, answer.number, None)
            case InvalidTransaction(why=Invalid.EXPIRY_HAS_PASSED):
                self._book.give_up(sent)
            case _:
                raise answer

    def _asks(self, payer: int, client: httpx2.Client) -> None:
        while not self._stopping.is_set():
            sent = self._book.new(payer)
            while not self._is_known(sent, client):
                self._stopping.wait(PAUSE_S)

    def _is_known(self, sent: Sent, client: httpx2.Client) -> bool:
        """Ask by the id; send it when nobody knows it. True once it is decided."""
        try:
            found = client.get(f"/v1/transactions/{sent.id}", params={"expires": sent.expires})
            if found.status_code == HTTPStatus.OK and write_down(self._book, sent, found.json()):
                return True
            if found.status_code == HTTPStatus.OK and found.json()["state"] == "unknown":
                client.post(
                    "/v1/transactions?wait=none",
                    content=sent.wire,
                    headers={"content-type": "application/jose"},
                )
        except httpx2.TransportError:
            return False
        return False


def write_down(book: Book, sent: Sent, status: dict[str, Any]) -> bool:
    """Write down what a status says; False when it says nothing for good. Raises Wrong."""
    if status["state"] in ("applied", "refused"):
        place = Place(status["height"], status["index"])
        book.acknowledge(sent, status.get("number", 0), place)
        return True
    if status.get("never"):
        book.give_up(sent)
        return True
    return False
