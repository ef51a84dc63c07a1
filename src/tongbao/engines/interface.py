"""What a chain in this process asks of an engine, whoever orders its blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from tongbao.engines.solo.ticket import Ticket
from tongbao.kernel import Machine, Time
from tongbao.kernel.transaction import Transaction
from tongbao.store.interface import AnyStore


class Standing(Protocol):
    """A machine and the store under it, between two blocks."""

    @property
    def machine(self) -> Machine:
        """The machine, with no block half decided."""

    @property
    def store(self) -> AnyStore:
        """The store, with the machine's last block."""


class Engine(Protocol):
    """Takes transactions, has them ordered, and answers once their block is durable here."""

    @property
    def machine(self) -> Machine:
        """The machine; ask it only inside `reading()`, except for `decode` and `parse`."""

    def now(self) -> Time:
        """The time, in ms UTC, that a block made now would carry at least."""

    def listen(self, function: Callable[[int], None], /) -> None:
        """Call a quick function with the height of each block once it is durable."""

    def reading(self) -> AbstractContextManager[Standing]:
        """Between two blocks: rows, proofs and blocks that are of one height."""

    def submit(self, wire: bytes, /) -> Ticket:
        """Queue a transaction in the ledger's spelling. Raises InvalidTransaction, Busy, DiskFull,
        EngineStopped.
        """

    def submit_verified(self, transactions: Sequence[Transaction], /) -> list[Ticket | Exception]:
        """Queue what `Machine.take_over` gave: a ticket each, or what `submit` would raise."""

    def follow(self, function: Callable[[Sequence[Ticket]], None], /) -> None:
        """Call a quick function with tickets as soon as they have got their answers."""

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
