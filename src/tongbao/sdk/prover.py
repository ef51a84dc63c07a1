"""Who makes the proofs of a chain in this process: one for each engine, the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Raw

from tongbao.engines.interface import AnyEngine
from tongbao.kernel import Genesis, merkle
from tongbao.sdk.answers import LightBlockAnswer
from tongbao.sdk.folder import trust_file
from tongbao.sdk.joined import check_known
from tongbao.sdk.proofs import FORMAT, NO_VALUE, RowProof, TransactionProof, TrustFile, key_parts
from tongbao.store.interface import AnyStore


class NotProven(Exception):
    """What is true can't be proven at this moment; the text says why."""

    exit_code = 75
    advice = "ask again later, or another node"


class Prover(Protocol):
    """Makes proof files of what a chain holds, and its trust file. All raise NotProven."""

    def prove_row(self, table_name: str, key: Any, /) -> RowProof:
        """The proof of a row, or of its absence. Raises KeyError for an unknown table."""

    def prove_rows(self, rows: Sequence[tuple[str, Any]], /) -> tuple[int, list[RowProof]]:
        """The height of one state, and proofs of rows of it: of tables' names and keys.

        Raises KeyError.
        """

    def prove_transaction(self, transaction_id: str, /) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError, Pruned."""

    def light_block(self, height: int | None, /) -> LightBlockAnswer:
        """A header with its votes, the newest unless told. Raises LookupError on a solo chain."""

    def trust(self) -> TrustFile:
        """Whose signatures count here."""


class SoloProver:
    """Proofs under headers that one authority has signed."""

    def __init__(self, engine: AnyEngine, store: AnyStore, genesis: Genesis) -> None:
        """Prove what a solo engine decides."""
        self._engine = engine
        self._store = store
        self._genesis = genesis

    def prove_row(self, table_name: str, key: Any, /) -> RowProof:
        """The proof of a row now, under the last header."""
        table = self._engine.machine.registry.table(table_name)
        with self._engine.reading() as standing:
            machine = standing.machine
            value, proof = machine.row(table, key), machine.prove(table, key)
            last = self._store.last
        assert last is not None and last.height == machine.height
        return RowProof(
            format=FORMAT,
            engine="solo",
            header=last.header.decode(),
            module=table.module.number,
            table=table.number,
            name=table_name,
            key=key_parts(table.codec.parts, key),
            proof=proof,
            value=NO_VALUE if value is None else Raw(value),
        )

    def prove_rows(self, rows: Sequence[tuple[str, Any]], /) -> tuple[int, list[RowProof]]:
        """Proofs of several rows now."""
        with self._engine.reading() as standing:
            return standing.machine.height, [self.prove_row(name, key) for name, key in rows]

    def light_block(self, height: int | None, /) -> LightBlockAnswer:
        """None: nobody votes here."""
        raise LookupError("one authority signs this chain's headers, and nobody votes on them")

    def prove_transaction(self, transaction_id: str, /) -> TransactionProof:
        """The proof that a transaction stands in its block, and of its receipt."""
        with self._engine.reading():
            found = self._store.status(bytes.fromhex(transaction_id))
            if found is None:
                check_known(self._store, transaction_id, None)
                raise LookupError(f"no block holds a transaction {transaction_id}")
            record = self._store.block(found.height)
        at = found.index
        return TransactionProof(
            format=FORMAT,
            engine="solo",
            header=record.header.decode(),
            transaction=record.transactions[at].decode(),
            receipt=Raw(record.receipts[at]),
            index=at,
            size=len(record.transactions),
            receipts=len(record.receipts),
            transaction_path=_path(record.transactions, at),
            receipt_path=_path(record.receipts, at),
        )

    def trust(self) -> TrustFile:
        """The trust file that belongs to the genesis file."""
        return trust_file(self._genesis)


def _path(leaves: tuple[bytes, ...], at: int) -> tuple[str, ...]:
    return tuple(step.hex() for step in merkle.inclusion_proof(list(leaves), at))
