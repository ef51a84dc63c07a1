"""A front's engine: queues fairly, has signatures checked, and lets the core decide the rest.

It has the parts of `engines/interface.py` that need no state. Everything but a few reads happens in
the event loop: submit, batches to verifiers, verified ones in their order to the core, answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from tongbao.engines.fair_queue import FairQueue, Full
from tongbao.engines.payers import Payers
from tongbao.engines.solo import Answer, Busy, Ticket
from tongbao.engines.solo.engine import wall_clock
from tongbao.engines.solo.ticket import tell
from tongbao.engines.verifier import Check, checks_of
from tongbao.kernel import ChainId, Registry, Time
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.node.processes.admission import Admission, Waiting
from tongbao.node.processes.checking import Batch, Verifiers
from tongbao.node.processes.front_link import WINDOW, FrontLink, Given
from tongbao.node.processes.layout import CORE, VERIFIER, socket_name
from tongbao.node.processes.rows import CoreState
from tongbao.store.errors import DiskFull

BATCH: Final = 200
SMALL: Final = 16
STARTING: Final = "the core of this node is being started"
SILENT: Final = "the core of this node does not answer"


class RemoteEngine:
    """Takes transactions for a core in another process."""

    def __init__(
        self,
        registry: Registry,
        chain: ChainId,
        limit: int,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        """Take `limit` transactions at once; `start` begins to pass them on."""
        self._clock = clock
        self._admission = Admission(registry, chain)
        self._payers = Payers()
        self._window = min(WINDOW, max(1, limit // 2))
        """How many have left the queue at once: in no order of senders any more."""
        self._queue: FairQueue[Waiting] = FairQueue(max(1, limit - self._window))
        self._pending: dict[bytes, Waiting] = {}
        self._ids: dict[bytes, Waiting] = {}
        self._batches: deque[Batch[Waiting]] = deque()
        """Those whose signatures are being checked, in the order in which they go on."""
        self._checking = 0
        self._listeners: list[Callable[[int], None]] = []
        self._state: CoreState | None = None
        self._height = -1
        self._is_due = False
        self._link: FrontLink | None = None
        self._verifiers: Verifiers[Waiting] | None = None
        self.begun = asyncio.Event()
        """Set once the core has told how it is."""

    def start(self, sockets: Path, verifiers: int) -> None:
        """Connect to the core and to verifiers, in the running event loop."""
        self._link = FrontLink(sockets, self._told, self._changed, self._payers.learn)
        paths = [sockets / socket_name(VERIFIER, number) for number in range(verifiers)]
        self._verifiers = Verifiers(paths, self._checked)

    async def stop(self) -> None:
        """Hang up: the core and the verifiers go on."""
        assert self._link is not None and self._verifiers is not None
        await self._link.stop()
        await self._verifiers.stop()

    def now(self) -> Time:
        """The time, in ms UTC, that a block made now would carry at least."""
        last = 0 if self._state is None else self._state.time
        return Time(max(self._clock(), last + 1))

    @property
    def height(self) -> int:
        """The highest durable block that the core has told of; -1 before the first."""
        return self._height

    def listen(self, function: Callable[[int], None]) -> None:
        """Call a quick function with the height of each block once it is durable."""
        self._listeners.append(function)

    def submit(self, wire: bytes) -> Ticket:
        """Queue a transaction in the ledger's spelling; its answer comes once it is durable.

        The same bytes again wait for the same answer. Raises InvalidTransaction for form, chain and
        expiry, Busy, DiskFull; the ticket's answer is InvalidTransaction for signatures and state.
        """
        known = self._pending.get(wire)
        if known is not None:
            return known
        now = self.now()
        waiting = self._admission.read(wire, now)
        payer = self._payers.admit(waiting.transaction, now) if self._payers.is_on else None
        if self.is_disk_full:
            raise DiskFull(str(self.why_stopped))
        try:
            self._queue.add(self._admission.lane(waiting), waiting, payer)
        except Full:
            raise Busy(f"{len(self._pending)} transactions are waiting; try again") from None
        self._pending[wire] = waiting
        self._ids[waiting.transaction.id] = waiting
        self._soon()
        return waiting

    def is_pending(self, transaction_id: bytes) -> bool:
        """Whether a transaction waits for its block."""
        return transaction_id in self._ids

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block."""
        return len(self._pending)

    @property
    def why_stopped(self) -> str | None:
        """Why no transactions are taken, or decided, now; None while they are."""
        if self._state is None or self._link is None or not self._link.is_open:
            return STARTING
        if self._link.is_silent:
            return SILENT
        return self._state.why_stopped

    @property
    def is_disk_full(self) -> bool:
        """Whether no transactions are taken for want of space; it ends by itself."""
        return self._state is not None and self._state.is_disk_full

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """Evidence against validators in blocks, by kind, since the core began."""
        return {} if self._state is None else self._state.misbehaviour

    @property
    def living(self) -> dict[str, int]:
        """How many of the processes that this one needs are there, by role."""
        link, verifiers = self._link, self._verifiers
        return {
            CORE: int(link is not None and link.is_open),
            VERIFIER: 0 if verifiers is None else verifiers.living,
        }

    # In the event loop

    def _soon(self) -> None:
        """Pass on what waits after what is under way now, such as the rest of a request."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._pass_on)

    def _pass_on(self) -> None:
        self._is_due = False
        verifiers, link = self._verifiers, self._link
        assert verifiers is not None and link is not None
        while len(self._queue) and verifiers.has_room:
            room = self._window - self._checking - link.load
            if room <= 0:
                return  # until some are answered
            share = -(-len(self._queue) // max(1, len(verifiers)))
            count = min(len(self._queue), room, max(SMALL, min(share, BATCH)))
            things = [self._queue.pop() for _ in range(count)]
            checks: list[Check] = []
            for one in things:
                if not one.is_verified:
                    checks += checks_of(one.transaction)
            batch = Batch(things, checks)
            self._batches.append(batch)
            self._checking += len(things)
            verifiers.check(batch)

    def _checked(self) -> None:
        """Verified ones go on in the order in which they came; the others are told."""
        assert self._link is not None
        wrong: Given = []
        right: list[Waiting] = []
        while self._batches and self._batches[0].answers is not None:
            batch = self._batches.popleft()
            assert batch.answers is not None
            self._checking -= len(batch.things)
            answers = iter(batch.answers)
            for one in batch.things:
                if not one.is_verified:
                    if not all(islice(answers, len(one.transaction.signatures))):
                        wrong.append((one, InvalidTransaction(Invalid.SIGNATURE_IS_WRONG)))
                        continue
                    self._admission.verified(one)
                right.append(one)
        unpaid = self._payers.let_in(right, self.now())
        for one in right:
            if not one.is_answered:
                self._link.put(one)
        wrong += [(one, one.given) for one in right if one.is_answered] if unpaid else []
        self._link.flush()
        if wrong:
            self._told(wrong)
        self._soon()

    def _told(self, given: Given) -> None:
        """Answer those who wait, who may ask for the block at once."""
        self._move(max((each.height for _, each in given if isinstance(each, Answer)), default=-1))
        for one, answer in given:
            self._pending.pop(one.transaction.wire, None)
            self._ids.pop(one.transaction.id, None)
            if isinstance(answer, Answer):
                self._admission.met(one)
            one.answer(answer)
        self._payers.answered(one for one, _ in given)
        tell(one for one, _ in given)
        if len(self._queue):
            self._soon()

    def _changed(self, state: CoreState) -> None:
        """The core has told how it is."""
        self._state = state
        self._admission.bytes_limit = state.transaction_bytes
        self._admission.expiry_ms = state.expiry_ms
        self._payers.set(state.quotas)
        self.begun.set()
        self._move(state.height)

    def _move(self, height: int) -> None:
        """A block is durable: those listen who must know before anybody is told of it."""
        if height > self._height:
            self._height = height
            for listener in self._listeners:
                listener(height)
