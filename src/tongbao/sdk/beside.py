"""A chain to read whose folder another process has open and writes: no lock, no trie, no waiting.

All that is read inside one `reading()` is of one height, that of the rows, which follow the log
within a tenth of a second. Blocks may be later ones, as soon as somebody tells that they are
durable. With an engine that submits (`Submitting`) the chain takes transactions as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from tongbao.engines.solo import EngineStopped, Ticket
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Genesis, Registry, Time
from tongbao.kernel.code import kept_upgrades
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.bases import origin_of
from tongbao.sdk.choosing import choose_modules
from tongbao.sdk.folder import Folder
from tongbao.sdk.local import Chain
from tongbao.sdk.machine_at import ELSEWHERE, Common, MachineAt, Stale, StandingAt
from tongbao.sdk.prover import Prover
from tongbao.store.store_beside import StoreBeside


class Queue(Struct, frozen=True, array_like=True, gc=False):
    """What whoever takes transactions says of its queue.

    `waits` is about the one transaction that is asked for; `why_stopped` is None while some are
    taken.
    """

    waits: bool = False
    waiting: int = 0
    why_stopped: str | None = None


QUEUE: Final[ContextVar[Queue]] = ContextVar("the queue elsewhere", default=Queue())  # noqa: B039
"""What was said of the queue for the request that is answered now."""


class Submitting(Protocol):
    """The part of an engine that takes transactions, for a machine that is elsewhere."""

    def now(self) -> Time:
        """The time, in ms UTC, that a block made now would carry at least."""

    def listen(self, function: Callable[[int], None], /) -> None:
        """Call a quick function with the height of each block once it is durable."""

    def submit(self, wire: bytes, /) -> Ticket:
        """Queue a transaction in the ledger's spelling. Raises InvalidTransaction and others."""

    def is_pending(self, transaction_id: bytes, /) -> bool:
        """Whether a transaction waits for its block."""

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block."""

    @property
    def why_stopped(self) -> str | None:
        """Why no transactions are taken, or decided, now; None while they are."""

    @property
    def is_disk_full(self) -> bool:
        """Whether no transactions are taken for want of space; it ends by itself."""

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """Evidence against validators in blocks, by kind."""


class NoSubmitting:
    """Nothing is submitted here."""

    def now(self) -> Time:
        """The time, in ms UTC, by the clock of this machine."""
        return Time(wall_clock())

    def listen(self, function: Callable[[int], None], /) -> None:
        """Nobody tells of blocks here."""

    def submit(self, wire: bytes, /) -> Ticket:
        """Raises EngineStopped."""
        raise EngineStopped(ELSEWHERE)

    def is_pending(self, transaction_id: bytes, /) -> bool:
        """What whoever has the queue said."""
        return QUEUE.get().waits

    @property
    def waiting(self) -> int:
        """What whoever has the queue said."""
        return QUEUE.get().waiting

    @property
    def why_stopped(self) -> str | None:
        """What whoever has the queue said."""
        return QUEUE.get().why_stopped

    @property
    def is_disk_full(self) -> bool:
        """It is not asked here."""
        return False

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """It is not asked here."""
        return {}


class EngineBeside:
    """An engine whose rows are read from a folder that another process writes."""

    def __init__(
        self,
        store: StoreBeside,
        common: Common,
        submitting: Submitting,
        stale: Callable[[], object],
    ) -> None:
        """Submit where `submitting` does; `stale` is called when this process must begin anew."""
        self._store = store
        self._common = common
        self._submitting = submitting
        self._stale = stale
        submitting.listen(store.tell)

    @property
    def machine(self) -> MachineAt:
        """What never changes; only inside `reading()` its rows can be asked."""
        with self._store.at_once() as rows:
            return MachineAt(self._common, rows)

    @contextmanager
    def reading(self) -> Iterator[StandingAt]:
        """Rows and blocks of one height; those of the `reading()` around it, where there is one.

        Raises StoreError, Stale.
        """
        if self._store.rows.is_replaced:
            self._stale()
            raise Stale("the rows were made anew")
        with self._store.at_once() as rows:
            try:
                yield StandingAt(MachineAt(self._common, rows), self._store)
            except Stale:
                self._stale()
                raise

    def now(self) -> Time:
        """The time, in ms UTC, that a block made now would carry at least."""
        with self.reading() as standing:
            return Time(max(self._submitting.now(), standing.machine.time + 1))

    def listen(self, function: Callable[[int], None], /) -> None:
        """Call a quick function with the height of each block once it is durable."""
        self._submitting.listen(function)

    def submit(self, wire: bytes, /) -> Ticket:
        """Queue a transaction in the ledger's spelling. Raises InvalidTransaction and others."""
        return self._submitting.submit(wire)

    def is_pending(self, transaction_id: bytes, /) -> bool:
        """Whether a transaction waits for its block."""
        return self._submitting.is_pending(transaction_id)

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block."""
        return self._submitting.waiting

    @property
    def why_stopped(self) -> str | None:
        """Why no transactions are taken, or decided, now; None while they are."""
        return self._submitting.why_stopped

    @property
    def is_disk_full(self) -> bool:
        """Whether no transactions are taken for want of space; it ends by itself."""
        return self._submitting.is_disk_full

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """Evidence against validators in blocks, by kind."""
        return self._submitting.misbehaviour

    def close(self) -> None:
        """Whoever decides goes on."""


class ChainBeside(Chain):
    """A chain whose folder another process has open; its `beside` knows how far that one is."""

    def __init__(self, engine: EngineBeside, store: StoreBeside, genesis: Genesis) -> None:
        """Made by `open_beside`."""
        super().__init__(engine, store, genesis)
        self.beside = store

    def prove_by(self, prover: Prover) -> None:
        """Take proofs from whoever has the trie, which is not here."""
        self._prover = prover

    def close(self) -> None:
        """Stop to read; whoever writes goes on. May be called again."""
        self._bell.close()
        self.beside.close()


def no_submitting(registry: Registry) -> Submitting:
    """Nothing is submitted."""
    return NoSubmitting()


def open_beside(
    folder: Path | str,
    submitting: Callable[[Registry], Submitting] = no_submitting,
    stale: Callable[[], object] = lambda: None,
) -> ChainBeside:
    """Open the chain of a folder to read, while another process has it open and writes.

    `submitting` makes what takes transactions, with the modules that decide. `stale` is called when
    another process of the chain's was started on other rows or code: whoever reads must as well.
    Raises FolderError, StoreError, GenesisError, ModuleError.
    """
    genesis = Folder(folder).genesis()
    store = StoreBeside(Path(folder), chain_id(genesis), origin_of(genesis))
    try:
        with store.at_once() as rows:
            known = kept_upgrades(rows)
            registry = choose_modules(genesis, known, rows.height, to_write=False)
        common = Common(store, genesis, registry)
        return ChainBeside(EngineBeside(store, common, submitting(registry), stale), store, genesis)
    except BaseException:
        store.close()
        raise


__all__ = [
    "QUEUE",
    "ChainBeside",
    "NoSubmitting",
    "Queue",
    "Stale",
    "Submitting",
    "no_submitting",
    "open_beside",
]
