"""The CometBFT engine: hands transactions to the network, answers once a block is durable here.

Four parties in threads of their own: who submits, the one that offers batches to CometBFT's
mempool, the server that CometBFT asks, and the supervisor of CometBFT's process. What a submitted
transaction came to is known by its bytes in a block, or by a check that this process made itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Final

from msgspec import Struct

from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.blocks import Blocks
from tongbao.engines.cometbft.dialing import Dialing
from tongbao.engines.cometbft.due_work import ask_for_block
from tongbao.engines.cometbft.process import Process
from tongbao.engines.cometbft.rpc import Rpc, RpcError, RpcUnreachable
from tongbao.engines.cometbft.serving import Serving
from tongbao.engines.cometbft.standstill import why_still
from tongbao.engines.cometbft.tickets import Tickets
from tongbao.engines.memory import keep_what_is_loaded
from tongbao.engines.payers_here import PayersHere
from tongbao.engines.solo.engine import EngineStopped, StoppedForUpgrade, put_each, wall_clock
from tongbao.engines.solo.lacks import WHY
from tongbao.engines.solo.ticket import Ticket
from tongbao.engines.verifier import Verifier, checks_of, other_core
from tongbao.kernel import Decided, Machine, Time, ed25519
from tongbao.kernel.code import UpgradeNeeded
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.transaction import Transaction
from tongbao.store.errors import DiskFull
from tongbao.store.record import BlockRecord

log = logging.getLogger("tongbao.engines.cometbft")

BATCH: Final = 500
"""Transactions in one request to CometBFT: its configured limit."""
IDLE_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.1
"""How long nothing is offered to a CometBFT that takes nothing."""
LATE_SECONDS: Final = 15.0
"""After this without a block a transaction is offered again."""
HALTED_SECONDS: Final = 15.0
"""After this without a block, while a transaction waits so long, this node says so."""
PROBE_SECONDS: Final = 3.0
"""After this without a block, while somebody waits for one, the disk is looked at."""
CATCHING_UP: Final = "this node fetches blocks that the others have"
EXPIRY_MS: Final = 1_000
"""How often, in block time, those who wait are asked whether they have expired."""


class Options(Struct, frozen=True, kw_only=True):
    """How much waits here and in CometBFT, and how long a stop waits for answers.

    Each block asks about everything in the mempool again, so that not much more than the next
    blocks can hold is handed over at once. With `has_peers` CometBFT has some to dial.
    """

    queue_transactions: int = 100_000
    offered_transactions: int = 12_000
    verify_elsewhere: bool = True
    has_peers: bool = False
    close_seconds: float = 5.0


class CometEngine:
    """One node of a network: queues transactions, offers them, and answers."""

    def __init__(
        self,
        application: MachineApplication,
        serving: Callable[[Callable[[BaseException], None]], Serving],
        process: Callable[[Callable[[bool], None]], Process],
        rpc: Rpc,
        options: Options | None = None,
        clock: Callable[[], int] = wall_clock,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        """Wire an application with its server and CometBFT.

        `serving` makes the server of a function to call when the application has failed, `process`
        the supervisor of one that is told whether CometBFT is up. `close` calls `release` last.
        """
        ed25519.self_test()
        self._blocks: Blocks = application.blocks
        self._blocks.listener = self
        self._options = options or Options()
        self._clock = clock
        self._release = release
        self._rpc = rpc
        self._dialing = Dialing(rpc, dials=self._options.has_peers)
        self.payers = PayersHere(self._blocks.machine)
        limits = self._options.queue_transactions, self._options.offered_transactions
        self._tickets = Tickets(*limits, self.payers, self.now)
        self._listeners: list[Callable[[int], None]] = []
        self._is_up = False
        self._is_behind = True
        self._closing = False
        self._failure: BaseException | None = None
        self._quiet_until = 0.0
        self._moved_at = self._block_at = time.monotonic()
        self._expired_at = 0
        self._verifier = Verifier(elsewhere=self._options.verify_elsewhere and other_core())
        self._serving = serving(self._fail)
        self._process = process(self._moved)
        self._thread = threading.Thread(target=self._run, name="tongbao-offer", daemon=True)

    @property
    def machine(self) -> Machine:
        """The machine; ask it only inside `reading()`, except for `decode` and `parse`."""
        return self._blocks.machine

    def start(self) -> None:
        """Answer CometBFT, start it, and begin to offer. Raises SocketError, ProgramError."""
        keep_what_is_loaded(self.machine)
        self._serving.start()
        try:
            self._process.start()
        except BaseException:
            self._serving.close()
            raise
        self._thread.start()

    def now(self) -> Time:
        """The time that a block made now would carry at least."""
        return Time(max(self._clock(), self.machine.time + 1))

    def listen(self, function: Callable[[int], None], /) -> None:
        """Call a function with the height of each block once it is durable.

        It must be quick: everybody's answers wait for it.
        """
        self._listeners.append(function)

    def reading(self) -> AbstractContextManager[Blocks]:
        """Between two blocks: rows, proofs and blocks that are of one height."""
        return self._blocks.reading()

    def submit(self, wire: bytes, /) -> Ticket:
        """Queue a transaction in the ledger's spelling; its answer comes once it is durable here.

        The same bytes again wait for the same answer. Raises InvalidTransaction for its form, Busy,
        DiskFull, or EngineStopped; the ticket's answer is InvalidTransaction for signatures and
        state. While CometBFT is away or has no quorum it waits.
        """
        return self._put(self.machine.parse(wire))

    def submit_verified(self, transactions: Sequence[Transaction], /) -> list[Ticket | Exception]:
        """Queue what `Machine.take_over` gave: a ticket each, or what `submit` would raise."""
        return put_each(self._put, transactions)

    def follow(self, function: Callable[[Sequence[Ticket]], None], /) -> None:
        """Call a quick function with tickets as soon as they have got their answers."""
        self._tickets.followers.append(function)

    def _put(self, transaction: Transaction) -> Ticket:
        """A place in the queue, or the one that the same bytes have."""
        if self._closing or self._failure is not None:
            raise self._stopped()
        if (lack := self._blocks.lack) is not None:
            raise DiskFull(str(lack))
        return self._tickets.put(transaction)

    def is_pending(self, transaction_id: bytes, /) -> bool:
        """Whether a transaction waits for its block."""
        return self._tickets.is_pending(transaction_id)

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block."""
        return len(self._tickets)

    @property
    def why_stopped(self) -> str | None:
        """Why no transactions are decided now; None while they are, as far as this node knows."""
        if self._closing or self._failure is not None:
            return self._why()
        if self.is_disk_full:
            return WHY
        behind = CATCHING_UP if self._is_behind else None
        still = why_still(self._tickets, self._block_at, HALTED_SECONDS)
        return self._process.why or behind or still

    @property
    def is_disk_full(self) -> bool:
        """Whether no transactions are taken for want of space; it ends by itself."""
        return self._blocks.lack is not None

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """Evidence against validators in blocks, by kind, since this process began."""
        return self._blocks.evidence.counts

    def close(self) -> None:
        """Wait a while for the answers of what was taken, then stop. May be called again.

        CometBFT ends first: without its application it would not obey.
        """
        self._drain()
        with self._tickets.changed:
            self._closing = True
            self._tickets.changed.notify_all()
        self._process.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._blocks.stop()
        self._serving.close()
        self._rpc.close()
        self._tickets.fail(self._stopped())
        if self._failure is None:
            self._blocks.rest()
        self._release()

    def _drain(self) -> None:
        """Wait for answers, as long as there may be some."""
        until = time.monotonic() + self._options.close_seconds
        with self._tickets.changed:
            while self.waiting and self.why_stopped is None and time.monotonic() < until:
                self._tickets.changed.wait(PAUSE_SECONDS)

    def _stopped(self) -> EngineStopped:
        """The error for those whose transactions are not taken any more."""
        upgrade = isinstance(self._failure, UpgradeNeeded)
        return StoppedForUpgrade(self._why()) if upgrade else EngineStopped(self._why())

    def _why(self) -> str:
        if isinstance(self._failure, UpgradeNeeded):
            return f"stopped for an upgrade: {self._failure}"
        if self._failure is not None:
            return f"the engine has stopped: {self._failure}"
        return "the engine is closed"

    # Told by the application, the server and the supervisor, in their threads

    def kept(self, record: BlockRecord, decided: Decided, /) -> None:
        """Answer everyone whose transaction stands in a block that is durable."""
        self._moved_at = self._block_at = time.monotonic()
        self._tickets.keep(self.machine, record, decided)
        if record.time - self._expired_at >= EXPIRY_MS:
            self._expired_at = record.time
            self._tickets.expire(record.time)
        for tell_height in self._listeners:
            tell_height(record.height)

    def dropped(self, wire: bytes, error: InvalidTransaction, /) -> None:
        """Answer whoever waits for a transaction that is not in the mempool."""
        self._tickets.answer([(wire, error)])

    def full(self, error: DiskFull, /) -> None:
        """Tell those that were not handed over; what was may be in a block, and waits for it."""
        self._tickets.fail_queue(error)

    def roomy(self) -> None:
        """Let CometBFT begin anew: what it could not write has left it without a way on."""
        self._process.restart("CometBFT is started again: there is space on the disk again")

    def _moved(self, is_up: bool) -> None:
        """CometBFT answers, and its mempool is empty after a start; or it does not any more."""
        self._is_behind, self._is_up = True, is_up  # behind, until it is asked
        if is_up:
            self._tickets.offer_again()

    def _fail(self, error: BaseException) -> None:
        """Our own bug, a failed disk, or an upgrade: stop rather than guess. Everyone is told."""
        if isinstance(error, UpgradeNeeded):
            log.warning("this node stops for an upgrade: %s", error)
        else:
            log.critical("this node stops", exc_info=error)
        with self._tickets.changed:
            self._failure = error
            self._tickets.changed.notify_all()
        self._tickets.fail(self._stopped())

    # Offering, in a thread

    def _run(self) -> None:
        """While one batch is offered, the signatures of the next are checked."""
        checked: list[Ticket] = []
        try:
            while not self._closing and self._failure is None:
                batch = self._next(IDLE_SECONDS if not checked else 0.0)
                if batch:
                    self._verifier.begin(
                        [check for ticket in batch for check in checks_of(ticket.transaction)]
                    )
                if checked:
                    self._offer(checked)
                elif not batch:
                    self._rest()
                if self._is_behind and batch:
                    self._ask_how_far()
                checked = self._verified(batch) if batch else []
        except BaseException as error:
            self._fail(error)
        finally:
            self._verifier.close()
            if self._failure is not None:
                self._process.stop()

    def _next(self, seconds: float) -> list[Ticket]:
        """The next transactions to offer; none when there are none for so long."""
        until = time.monotonic() + seconds
        with self._tickets.changed:
            while not (self._closing or self._failure):
                now = time.monotonic()
                is_ready = self._is_up and now >= self._quiet_until
                if is_ready and self._tickets.has_next:
                    return self._tickets.take(BATCH)
                if now >= until:
                    break
                quiet = self._quiet_until - now if self._is_up else seconds
                self._tickets.changed.wait(min(until - now, quiet if quiet > 0 else seconds))
        return []

    def _verified(self, batch: list[Ticket]) -> list[Ticket]:
        """Those of a batch that are rightly signed and can be paid for; the others are told."""
        answers = iter(self._verifier.finish())
        right, wrong = [], []
        for ticket in batch:
            if all(bytes(islice(answers, len(ticket.transaction.signatures)))):
                self.machine.remember(ticket.transaction)
                right.append(ticket)
            else:
                wrong.append(ticket.transaction.wire)
        self._tickets.answer(
            (wire, InvalidTransaction(Invalid.SIGNATURE_IS_WRONG)) for wire in wrong
        )
        return self._tickets.let_in(right)

    def _offer(self, batch: list[Ticket]) -> None:
        """Hand a batch over. What its checks say comes by way of the application, in a moment."""
        wires = [ticket.transaction.wire for ticket in batch]
        try:
            answers = self._rpc.broadcast(wires, "broadcast_tx_async")
        except (RpcUnreachable, RpcError) as error:
            log.debug("nothing can be offered: %s", error)
            answers = [RpcError(0, str(error))] * len(batch)
        refused = []
        for ticket, answer in zip(batch, answers, strict=True):
            if not isinstance(answer, RpcError):
                continue
            if answer.is_in_cache:
                self._look(ticket)
            else:
                refused.append(ticket)
        if refused:
            self._quiet_until = time.monotonic() + PAUSE_SECONDS
            self._tickets.put_back(refused)

    def _look(self, ticket: Ticket) -> None:
        """CometBFT knows these bytes: it has them still, or a block has had them."""
        try:
            with self.reading() as now:
                now.machine.check(ticket.transaction.wire, self.now())
        except InvalidTransaction as error:
            self._tickets.answer([(ticket.transaction.wire, error)])

    def _rest(self) -> None:
        """Nothing can be offered now: look after what is beside that, once a second."""
        self._blocks.rest()
        self._ask_how_far()
        if len(self._tickets) and time.monotonic() - self._moved_at > PROBE_SECONDS:
            self._moved_at = time.monotonic()
            self._blocks.probe()
        self._tickets.offer_late(LATE_SECONDS, BATCH)
        if self._is_up and not self._is_behind and self._blocks.is_due(self._clock()):
            ask_for_block(self._rpc)

    def _ask_how_far(self) -> None:
        """Whether CometBFT takes part, or still fetches what the others have decided."""
        if not self._is_up:
            return
        try:
            status = self._rpc.status()
            self._is_behind = status.sync_info.catching_up
            if self._dialing.gave_up(status.validator_info.voting_power, self._block_at):
                self._process.restart("CometBFT is started again: it has had no peer for a while")
        except (RpcUnreachable, RpcError) as error:
            log.debug("CometBFT does not say how far it is: %s", error)
