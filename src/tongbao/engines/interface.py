"""What a chain in this process asks of an engine, whoever orders its blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tongbao.engines.payers_here import PayersHere
from tongbao.engines.solo.ticket import Ticket
from tongbao.kernel import ChainId, Machine, Module, Registry, Time, View
from tongbao.kernel.kernel_module import ModuleLine
from tongbao.kernel.module import Table
from tongbao.kernel.receipt import Result
from tongbao.kernel.transaction import Transaction
from tongbao.kernel.trie_proof import Proof
from tongbao.store.interface import AnyStore


class AnyMachine(Protocol):
    """What is asked of a machine between two blocks; one that only reads can't do the last three.

    Those raise an error that says so.
    """

    @property
    def registry(self) -> Registry:
        """The modules that decide."""

    @property
    def chain(self) -> ChainId:
        """The chain's id."""

    @property
    def height(self) -> int:
        """The height of the last block."""

    @property
    def time(self) -> int:
        """The time of the last block, ms UTC."""

    @property
    def state_root(self) -> bytes:
        """The root of all rows."""

    @property
    def row_count(self) -> int:
        """How many rows are under the root."""

    def lines(self, height: int, /) -> tuple[ModuleLine, ...]:
        """The modules that the block of a height needs, as far as is known today."""

    def view(self, module: Module, /) -> View:
        """Reads of one module as its queries see it."""

    def row(self, table: Table[Any, Any], key: Any, height: int | None = None, /) -> bytes | None:
        """The bytes of a row at a height, the last one unless told. Raises LookupError."""

    def prove(self, table: Table[Any, Any], key: Any, height: int | None = None, /) -> Proof:
        """The proof of a row's presence or absence. Raises LookupError."""

    def dry_run(self, payload_bytes: bytes, time: Time, /) -> Result:
        """What a payload would do in a block of `time`. Raises InvalidTransaction."""

    def broken_invariants(self) -> list[str]:
        """The names of all invariants that do not hold."""


class Standing(Protocol):
    """A machine and the store under it, between two blocks."""

    @property
    def machine(self) -> AnyMachine:
        """The machine, with no block half decided."""

    @property
    def store(self) -> AnyStore:
        """The store, with the machine's last block."""


class AnyEngine(Protocol):
    """Takes transactions, has them ordered, and answers once their block is durable here."""

    @property
    def machine(self) -> AnyMachine:
        """The machine; ask it only inside `reading()`, except for what never changes."""

    def now(self) -> Time:
        """The time, in ms UTC, that a block made now would carry at least."""

    def listen(self, function: Callable[[int], None], /) -> None:
        """Call a quick function with the height of each block once it is durable."""

    def reading(self) -> AbstractContextManager[Standing]:
        """Between two blocks: rows, proofs and blocks that are of one height."""

    def submit(self, wire: bytes, /) -> Ticket:
        """Queue a transaction in the ledger's spelling. Raises InvalidTransaction, Busy, DiskFull,
        SignerUnavailable, EngineStopped.
        """

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
        """Evidence against validators in blocks, by kind, since this process began."""

    def close(self) -> None:
        """Finish what can be finished, and stop. May be called again."""


class Engine(AnyEngine, Protocol):
    """One whose machine is in this process, and decides."""

    @property
    def machine(self) -> Machine:
        """The machine; ask it only inside `reading()`, except for `decode` and `parse`."""


class Deciding(Engine, Protocol):
    """One that takes what other processes of its node have parsed and verified."""

    @property
    def payers(self) -> PayersHere:
        """Who pays for whom, where there are quotas; others watch it."""

    def submit_verified(self, transactions: Sequence[Transaction], /) -> list[Ticket | Exception]:
        """Queue what `Machine.take_over` gave: a ticket each, or what `submit` would raise."""

    def follow(self, function: Callable[[Sequence[Ticket]], None], /) -> None:
        """Call a quick function with tickets as soon as they have got their answers."""
