"""Following the chain: every order that moves is looked at, and all of them again now and then.

What the chain tells is only a hint: `consider` asks what is so. The cursor on the disk is where to
go on; a start looks at every order of every owner besides, so that nothing is missed that happened
while nobody listened, or that was pruned since.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import msgspec
import structlog
from msgspec import Raw, Struct

from tongbao.kernel import InvalidTransaction
from tongbao.sdk.answers import Happening
from tongbao.sdk.data.store_client import StoreAway, StoreLied, StoreRefused
from tongbao.sdk.errors import Gone, NodeError, Unreachable
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore_errors import KeystoreError
from tongbao.sdk.place import END_OF_BLOCK, Place
from tongbao.services.data_agent.bringing import Bringing
from tongbao.services.data_agent.journal import Journal
from tongbao.services.data_agent.ledger import UNDER_WAY, Ledger
from tongbao.services.data_agent.refusals import Refusal
from tongbao.services.data_agent.selling import OVER, REFUSED, SEALING, Selling
from tongbao.services.data_agent.shelf import Shelf

log = structlog.get_logger("tongbao.services.data_agent")

WORKERS: Final = 4
WAITING_LIMIT: Final = 10_000
"""Orders that wait to be looked at; the chain is read no further meanwhile."""
SOON_S: Final = 2.0
"""After so long what has begun and not ended is looked at again."""
LATER_S: Final = 30.0
"""After so long what was refused is looked at again."""
ALL_S: Final = 900.0
"""After so long everything under way, and every copy, is looked at again."""
PASSES: Final = (
    InvalidTransaction,
    KeystoreError,
    NodeError,
    OSError,
    StoreAway,
    StoreLied,
    StoreRefused,
    Unreachable,
    sqlite3.OperationalError,
)
"""What is tried again later. Anything else is a bug of ours, and ends the program."""
AWAY_S: Final = 1.0
CURSOR_S: Final = 1.0


class _Event(Struct, tag_field=None):
    """What of an event is looked at."""

    order: str = ""


class _Said(Struct):
    events: tuple[Raw, ...] = ()


class Waiting:
    """Orders to look at, each once, and by one thread at a time."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._changed = threading.Condition()
        self._waiting: dict[str, None] = {}
        self._busy: set[str] = set()
        self._ends = False

    def add(self, name: str) -> None:
        """Look at an order; wait where too many are waiting."""
        with self._changed:
            while len(self._waiting) >= WAITING_LIMIT and not self._ends:
                self._changed.wait()
            self._waiting[name] = None
            self._changed.notify_all()

    def taken(self) -> Iterator[str]:
        """Orders to look at, for one thread, until the end."""
        while True:
            with self._changed:
                name = self._next()
                while name is None and not self._ends:
                    self._changed.wait()
                    name = self._next()
                if self._ends or name is None:
                    return
                del self._waiting[name]
                self._busy.add(name)
                self._changed.notify_all()
            try:
                yield name
            finally:
                with self._changed:
                    self._busy.discard(name)
                    self._changed.notify_all()

    def _next(self) -> str | None:
        return next((name for name in self._waiting if name not in self._busy), None)

    def end(self) -> None:
        """Let everybody go."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()


class Following:
    """The threads of an agent: one follows the chain, one looks again, some look at orders."""

    def __init__(
        self, journal: Journal, shelf: Shelf, selling: Selling, bringing: Bringing, ledger: Ledger
    ) -> None:
        """Nothing runs yet."""
        self._journal = journal
        self._shelf = shelf
        self._selling = selling
        self._bringing = bringing
        self._ledger = ledger
        self._waiting = Waiting()
        self._stop = threading.Event()
        self._everything = threading.Event()
        self._compared = False
        self._chain: HttpChain | None = None
        self._running: list[Future[None]] = []

    def start(self, chain: HttpChain, ended: Callable[[], None]) -> None:
        """Look at everything, and follow from then on; `ended` is called when a thread ends."""
        self._chain = chain
        head = chain.head()
        place = self._journal.cursor or str(Place(head.height, END_OF_BLOCK))
        jobs: list[Callable[[], None]] = [self._work] * WORKERS
        jobs += [lambda: self._follow(chain, place), self._look_again]
        pool = ThreadPoolExecutor(len(jobs))
        self._running = [pool.submit(job) for job in jobs]
        for one in self._running:
            one.add_done_callback(lambda _: ended())
        pool.shutdown(wait=False)

    def stop(self) -> None:
        """End after what is under way, and close the chain's client. Raises what ended a thread."""
        self._stop.set()
        self._waiting.end()
        if self._chain is not None:
            self._chain.close()
        for one in self._running:
            one.result()

    def hint(self, name: str) -> None:
        """Look at an order soon."""
        self._waiting.add(name)

    def hint_refused(self, owner: str) -> None:
        """Look again at the orders for an owner's rows that were refused: something has changed."""
        found = self._journal.rows(
            "SELECT id FROM orders WHERE owner = ? AND step = ?", owner, REFUSED
        )
        for row in found:
            self.hint(row["id"])

    def hint_owner(self, owner: str) -> None:
        """Look again after a copy has come: it may be the first, of an order that came before."""
        if self._shelf.count(owner) == 1:
            self._hint_orders_of(owner)
        self.hint_refused(owner)

    def _hint_orders_of(self, owner: str) -> None:
        for name, order in self._ledger.orders_of(owner):
            if order.phase in UNDER_WAY:
                self.hint(name)

    # Threads

    def _work(self) -> None:
        for name in self._waiting.taken():
            try:
                self._selling.consider(name)
            except PASSES as error:
                self._note("an order waits", error)

    def _follow(self, chain: HttpChain, place: str) -> None:
        noted = time.monotonic()
        while not self._stop.is_set():
            try:
                for happening in chain.happenings(place):
                    self._hear(happening)
                    place = happening.cursor
                    if time.monotonic() - noted > CURSOR_S:
                        self._journal.seen(place)
                        noted = time.monotonic()
                    if self._stop.is_set():
                        break
            except Gone:
                place = str(Place(chain.head().height, END_OF_BLOCK))
                self._everything.set()
            except PASSES as error:
                self._note("the chain is followed again in a moment", error)
                self._stop.wait(AWAY_S)
        self._journal.seen(place)

    def _hear(self, happening: Happening) -> None:
        """Look at what a happening is about, as far as it may be ours."""
        said = msgspec.json.decode(happening.receipt, type=_Said)
        for event in said.events:
            if b'"data.reached"' in bytes(event) or b'"data.froze"' in bytes(event):
                self.hint(msgspec.json.decode(event, type=_Event).order)
        if happening.number == 0 and happening.sender:
            told = b"".join(map(bytes, happening.messages))
            if any(word in told for word in (b'"data.retire"', b'"data.withdraw_offer"')):
                self._look_at(happening.sender)

    def _look_at(self, owner: str) -> None:
        if self._shelf.count(owner):
            try:
                self._bringing.look_at(owner)
            except PASSES as error:
                self._note("copies wait to be looked at", error)

    def _look_again(self) -> None:
        later = everything = 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            steps: tuple[str, ...] = (SEALING, "confirmed")
            if now >= later:
                later, steps = now + LATER_S, (*steps, REFUSED)
            try:
                if now >= everything or self._everything.is_set():
                    self._everything.clear()
                    self._look_at_all()
                    everything = now + ALL_S
                for row in self._journal.orders_in(steps):
                    self.hint(row["id"])
                for row in self._journal.orders_refused_by(Refusal.SEAL_IS_TOO_LATE.number):
                    self.hint(row["id"])
                if not self._compared:
                    self._shelf.compare(self._ledger.now())
                    self._compared = True
                self._shelf.tidy()
            except PASSES as error:
                self._note("looking again is put off", error)
            self._stop.wait(SOON_S)

    def _look_at_all(self) -> None:
        """Every order under way of everybody who has a copy here, every order that the journal has
        not ended, and every copy.
        """
        for row in self._journal.orders_not_in(OVER):
            self.hint(row["id"])
        for owner in self._shelf.owners():
            self._hint_orders_of(owner)
            self._look_at(owner)

    def _note(self, what: str, error: Exception) -> None:
        """Say that something is tried again; the text of an error may quote a person."""
        if not self._stop.is_set():
            log.warning(what, kind=type(error).__name__)
