"""A chain in this process: the same interface that a client over HTTP has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import msgspec

from tongbao.engines.interface import AnyEngine
from tongbao.engines.solo import Answer, Busy, EngineStopped, Ticket
from tongbao.engines.solo.signing import SignerUnavailable
from tongbao.kernel import (
    Address,
    Count,
    Genesis,
    InvalidTransaction,
    Outcome,
    Registry,
    View,
)
from tongbao.kernel.envelope import normalise
from tongbao.kernel.kernel_module import ModuleLine, nonces
from tongbao.kernel.nonces import Nonces
from tongbao.sdk.answers import Happening, LightBlockAnswer
from tongbao.sdk.client import AlreadyDecided, Applied, DryRun, Head, Refused, Status
from tongbao.sdk.errors import Unreachable, id_and_expiry
from tongbao.sdk.joined import check_known
from tongbao.sdk.local_following import Bell, LocalFollower
from tongbao.sdk.place import END_OF_BLOCK, Place, check_filters, needles_of, place_of
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.prover import Prover, SoloProver
from tongbao.sdk.signer import Signer
from tongbao.sdk.wallet import Wallet
from tongbao.store.closable import Closable
from tongbao.store.errors import Pruned, StoreError
from tongbao.store.interface import AnyStore
from tongbao.store.record import HeaderLine

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTED = (
    *(Refused, AlreadyDecided, InvalidTransaction, Busy, EngineStopped, StoreError),
    *(SignerUnavailable, Unreachable),
)


PATIENCE_S: Final = 120.0
"""How long a transaction is waited for, unless the chain is told otherwise."""


class Chain(Closable):
    """One chain, open in this process. Close it, or use it in a `with` statement."""

    def __init__(
        self, engine: AnyEngine, store: AnyStore, genesis: Genesis, prover: Prover | None = None
    ) -> None:
        """Made by `open_chain`, `create_chain` and tests. Without a `prover` proofs are solo's."""
        self._engine = engine
        self._store = store
        self._genesis = genesis
        self.patience_s = PATIENCE_S
        """How long `submit` and `submit_many` wait while nothing is answered, in seconds."""
        self._prover = prover or SoloProver(engine, store, genesis)
        self._bell = Bell()
        engine.listen(self._bell.ring)
        machine = engine.machine
        self.registry: Registry = machine.registry
        self.id = machine.chain
        self._queries = {
            query: module
            for module in machine.registry.modules
            for query in module.queries.values()
        }

    @property
    def engine(self) -> AnyEngine:
        """What orders its blocks, for the node that serves it."""
        return self._engine

    @property
    def store(self) -> AnyStore:
        """What keeps its blocks; asked inside `engine.reading()`."""
        return self._store

    # Submitting

    def send(self, transaction: bytes) -> Future[Answer]:
        """Queue a signed transaction; any JWS spelling. The future has the durable answer."""
        return self.queue(transaction).future()

    def submit(self, transaction: bytes) -> Applied:
        """Submit a signed transaction and wait until it is durable. Raises Refused and others.

        One that was decided before has the answer that it had. Raises Unreachable, with the
        transaction, when it is not decided after `patience_s`: it waits for its block still.
        """
        return self._wait((transaction, self.queue(transaction), self.patience_s))

    def submit_many(self, transactions: Iterable[bytes]) -> list[Applied | Exception]:
        """Submit many at once; each has its own answer, in order.

        When one is not decided after `patience_s` it and all others that are not are Unreachable.
        """
        wires = list(transactions)
        tickets = [_attempt(self.queue, transaction) for transaction in wires]
        answers: list[Applied | Exception] = []
        patience_s = self.patience_s
        for wire, ticket in zip(wires, tickets, strict=True):
            if isinstance(ticket, Ticket):
                answers.append(_attempt(self._wait, (wire, ticket, patience_s)))
                if isinstance(answers[-1], Unreachable):
                    patience_s = 0.0
            else:
                answers.append(ticket)
        return answers

    def queue(self, transaction: bytes) -> Ticket:
        """Queue a signed transaction; the ticket has the durable answer, for those who poll."""
        return self._engine.submit(normalise(transaction))

    def _wait(self, submitted: tuple[bytes, Ticket, float]) -> Applied:
        transaction, ticket, seconds = submitted
        try:
            return self.applied(ticket.result(seconds))
        except InvalidTransaction as error:
            return self.decided_before(transaction, error)
        except TimeoutError:
            why = self._engine.why_stopped or "no block has had it so far"
            raise Unreachable(
                f"not decided after {self.patience_s:g} s: {why}", normalise(transaction)
            ) from None

    def decided_before(self, transaction: bytes, last: InvalidTransaction) -> Applied:
        """What a transaction came to, when it is told as invalid as it was submitted already.

        Raises `last` when no block holds it, NeverHere, Refused, and AlreadyDecided where it was
        applied in a block whose body was pruned.
        """
        try:
            name, expires = id_and_expiry(normalise(transaction))
        except (InvalidTransaction, msgspec.DecodeError):
            raise last from None
        identifier = bytes.fromhex(name)
        with self._engine.reading():
            found = self._store.status(identifier)
            if found is None:
                check_known(self._store, name, expires)
                raise last
            try:
                receipt = self._store.block(found.height).receipts[found.index]
            except Pruned as error:
                if found.number:
                    text = self.why(found.number)
                    raise Refused(text, found.number, identifier.hex(), 0) from error
                raise AlreadyDecided(identifier.hex(), found.height, found.index) from error
        outcome = Outcome.REFUSED if found.number else Outcome.APPLIED
        return self.applied(
            Answer(identifier, found.height, found.index, outcome, found.number, receipt)
        )

    def applied(self, answer: Answer) -> Applied:
        """The answer of a transaction that was applied. Raises Refused for another."""
        receipt = self.registry.receipt_decoder.decode(answer.receipt)
        if answer.outcome is not Outcome.APPLIED:
            text = self.why(answer.number)
            raise Refused(text, answer.number, answer.id.hex(), receipt.message)
        return Applied(answer.id.hex(), answer.height, answer.index, receipt)

    def why(self, number: int) -> str:
        """What a refusal number means."""
        reason = self.registry.reasons.get(number)
        return "applied" if number == 0 else str(reason or f"refused with {number}")

    def dry_run(self, payload: bytes) -> DryRun:
        """What a payload would do now, unsigned."""
        with self._engine.reading() as producer:
            result = producer.machine.dry_run(payload, self._engine.now())
        receipt = self.registry.receipt_decoder.decode(result.receipt)
        return DryRun(result.outcome, result.number, self.why(result.number), receipt)

    def wallet(self, address: str, *signers: Signer, lane: int = 0) -> Wallet:
        """Send as an account, with keys that this process may use."""
        return Wallet(self, Address(address), signers, lane=lane)

    # Reading

    def listen(self, function: Callable[[int], None]) -> None:
        """Call a quick function with the height of each block once it is durable."""
        self._engine.listen(function)

    @contextmanager
    def reading(self) -> Iterator[Count]:
        """Several reads at one height, which is given: no block is made in between. Be quick."""
        with self._engine.reading() as producer:
            yield Count(producer.machine.height)

    def head(self) -> Head:
        """The last block."""
        with self._engine.reading() as producer:
            machine = producer.machine
            root = machine.state_root.hex()
            return Head(self.id, machine.height, machine.time, root, machine.row_count)

    def now(self) -> int:
        """The time, in ms UTC, that a block made now would carry."""
        return self._engine.now()

    def status(self, transaction_id: str, expires: int | None = None) -> Status:
        """What became of a transaction.

        Raises NeverHere where only a block that this node never had could tell.
        """
        wanted = bytes.fromhex(transaction_id)
        waits = self._engine.is_pending(wanted)  # asked first: it may be decided in between
        with self._engine.reading() as producer:
            found = self._store.status(wanted)
            time = producer.machine.time
        if found is not None:
            state = "applied" if found.number == 0 else "refused"
            return Status(state, time, found.height, found.index, found.number)
        if waits:
            return Status("pending", time)
        with self._engine.reading():
            check_known(self._store, transaction_id, expires)
        return Status("unknown", time, never=expires is not None and expires <= time)

    def query(
        self, function: Callable[Concatenate[View, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Ask a module's query, such as `asset.held_by`."""
        module = self._queries[function]
        with self._engine.reading() as producer:
            return function(producer.machine.view(module), *args, **kwargs)

    def next_nonce(self, sender: Address, lane: int = 0) -> int:
        """One above the highest nonce that a lane has used."""
        with self._engine.reading() as producer:
            raw = producer.machine.row(nonces, (sender, lane))
        row: Nonces | None = None if raw is None else nonces.decode(raw)
        return 1 if row is None else row.highest + 1

    def happenings(self, after: str | None = None, **filters: str) -> Iterator[Happening]:
        """What happens, as it happens: after a cursor (`height.index`), or from now on.

        `filters` are `account`, `asset`, `thing` and `type`. It ends when the chain is closed.
        Raises ValueError when the cursor is none, or lies beyond the last block, and Pruned where
        what came after it is not here any more.
        """
        return self._follower(after, filters).happenings()

    def _follower(self, after: str | None, filters: Mapping[str, str]) -> LocalFollower:
        check_filters(filters)
        place = place_of(after) if after is not None else Place(self.head().height, END_OF_BLOCK)
        return LocalFollower(self, self._bell, place, needles_of(filters))

    def row(self, table_name: str, key: Any) -> bytes | None:
        """The bytes of a row. Raises KeyError for a table that no module has."""
        table = self.registry.table(table_name)
        with self._engine.reading() as producer:
            return producer.machine.row(table, key)

    @property
    def genesis(self) -> Genesis:
        """What the chain agreed on at its beginning."""
        return self._genesis

    @property
    def modules(self) -> tuple[ModuleLine, ...]:
        """The modules that decide the next block, those of genesis as upgrades have changed."""
        with self._engine.reading() as producer:
            return producer.machine.lines(producer.machine.height + 1)

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block."""
        return self._engine.waiting

    @property
    def why_stopped(self) -> str | None:
        """Why no transactions are taken any more; None while they are."""
        return self._engine.why_stopped

    @property
    def is_disk_full(self) -> bool:
        """Whether no transactions are taken for want of space; it ends by itself."""
        return self._engine.is_disk_full

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """Evidence against validators in blocks, by kind, since this process began."""
        return self._engine.misbehaviour

    def block(self, height: int) -> Any:
        """The record of a block. Raises LookupError, Pruned where its body was given up."""
        with self._engine.reading():
            return self._store.block(height)

    @property
    def first_block(self) -> int:
        """The first block whose body is here; it only changes while the chain is closed."""
        return self._store.first

    @property
    def begins(self) -> int:
        """The first block whose header is here: 0 unless this node joined by state sync."""
        return self._store.begins

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The signed headers of the heights `first` to `last`, those of pruned blocks too."""
        with self._engine.reading():
            return self._store.headers(first, last)

    def audit(self) -> list[str]:
        """The names of all invariants that do not hold; an empty list is what one hopes for."""
        with self._engine.reading() as producer:
            return producer.machine.broken_invariants()

    # Proving

    def prove_row(self, table_name: str, key: Any) -> RowProof:
        """The proof of a row of a table such as `asset.holdings`, or of its absence, now.

        Raises KeyError for a table that no module has.
        """
        return self._prover.prove_row(table_name, key)

    def prove_rows(self, rows: Sequence[tuple[str, Any]]) -> tuple[int, list[RowProof]]:
        """The height of one state, and proofs of rows of it, each a table's name and a key."""
        return self._prover.prove_rows(rows)

    def light_block(self, height: int | None = None) -> LightBlockAnswer:
        """A network's header with the votes on it, the newest unless told. Raises LookupError."""
        return self._prover.light_block(height)

    def prove_transaction(self, transaction_id: str) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError, Pruned."""
        return self._prover.prove_transaction(transaction_id)

    def trust(self) -> TrustFile:
        """Who signs headers here: agree on it out of band, not by asking a node."""
        return self._prover.trust()

    # Opening and closing

    def close(self) -> None:
        """Finish what is queued, and give the folder free. May be called again."""
        self._engine.close()
        self._bell.close()
        with self._engine.reading():
            self._store.close()


def _attempt(function: Callable[[Any], R], argument: Any) -> R | Exception:
    """What a call gives, or the error it raises, so that others in a batch go on."""
    try:
        return function(argument)
    except ATTEMPTED as error:
        return error
