"""Light verification: no answer of a node is believed before a proof of it was checked.

Steps as in `steps.py`. What is not proven but passed on as the node says it: dry runs, transactions
that are pending, unknown or invalid, `Head.rows`, and happenings. Queries that list pages, or read
parameters or features, are refused (CANNOT_BE_PROVEN): a page's rows can be proven one by one with
`prove_row`, but not that none is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from tongbao.engines.solo.header import Header
from tongbao.kernel import Count, Registry, Time, jcs
from tongbao.kernel.envelope import decode_envelope, normalise
from tongbao.kernel.job import view_of
from tongbao.kernel.module import Module
from tongbao.kernel.state import PREFIX_BYTES
from tongbao.kernel.transaction import id_of
from tongbao.sdk import steps
from tongbao.sdk.answers import BlockAnswer
from tongbao.sdk.client import Applied, Head, Refused, Status
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.steps import Steps
from tongbao.sdk.verification import (
    Finding,
    VerificationError,
    Verified,
    full_key_of,
    read_trust,
    signed_header,
    verify_file,
)

Proof = TypeVar("Proof", RowProof, TransactionProof)
TrustSource = TrustFile | bytes | Path | str

ROWS_LIMIT: Final = 100
"""Rows that one query may have proven."""
MOVES_LIMIT: Final = 8
"""How often a query begins anew because a block was made between two of its proofs."""


def trust_of(source: TrustSource) -> TrustFile:
    """A trust file out of its bytes or path. Raises VerificationError, OSError."""
    if isinstance(source, TrustFile):
        return source
    return read_trust(source if isinstance(source, bytes) else Path(source).read_bytes())


class _Wanted(Exception):
    """A query reads a row that is not proven yet."""

    def __init__(self, full_key: bytes) -> None:
        super().__init__(full_key.hex())
        self.full_key = full_key


def _unprovable(what: str) -> NoReturn:
    raise VerificationError(Finding.CANNOT_BE_PROVEN, what)


def _readable(walk: Steps[Proof]) -> Steps[Proof]:
    try:
        return (yield from walk)
    except msgspec.DecodeError as error:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, str(error)) from error


class _Proven:
    """The rows that were proven at one height, as a backing of a view."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes | None] = {}
        self.header: Header | None = None

    def get(self, key: bytes) -> bytes | None:
        """A proven row. Raises _Wanted."""
        try:
            return self.rows[key]
        except KeyError:
            raise _Wanted(key) from None

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """No proof says that a list is whole."""
        _unprovable("a page of rows")


class _Settings(Mapping[str, int]):
    """Parameters and features, which are not proven."""

    def __getitem__(self, name: str) -> int:
        _unprovable(f"the setting {name}")

    def __iter__(self) -> Iterator[str]:
        _unprovable("all settings")

    def __len__(self) -> int:
        raise VerificationError(Finding.CANNOT_BE_PROVEN, "all settings")


class Light:
    """What one client trusts, and the highest state that it has seen proven."""

    def __init__(self, registry: Registry, trust: TrustFile) -> None:
        """Trust a trust file."""
        self._registry = registry
        self._trust = trust
        self._highest = 0
        self._modules: dict[Callable[..., Any], Module] = {
            query: module for module in registry.modules for query in module.queries.values()
        }

    def check_chain(self, chain: str) -> None:
        """Refuse another chain than the trusted one."""
        if chain != self._trust.chain:
            detail = f"{chain}, not {self._trust.chain}"
            raise VerificationError(Finding.CHAIN_IS_ANOTHER, detail)

    def head(self) -> Steps[Head]:
        """The last block, as its signed header says it."""
        least = self._highest
        found = yield from steps.head()
        block = yield from steps.get(f"/v1/blocks/{found.height}", BlockAnswer)
        header = signed_header(self._trust.engine, block.header, self._trust)
        said = (found.chain, found.height, found.time, found.state_root)
        if said != (header.chain, header.height, header.time, header.state):
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "the head")
        if header.height < least:
            raise VerificationError(Finding.STATE_IS_OLDER, f"{header.height}, was {least}")
        self._highest = max(self._highest, header.height)
        return found

    def trust_file(self) -> Steps[TrustFile]:
        """What the node says of who signs, when it is what is trusted."""
        found = yield from steps.trust()
        if found != self._trust:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "the node's trust file differs")
        return found

    # Transactions

    def prove_transaction(self, identifier: str) -> Steps[TransactionProof]:
        """A proof that was checked."""
        proof, _ = yield from self._transaction(identifier)
        return proof

    def _transaction(self, identifier: str) -> Steps[tuple[TransactionProof, Verified]]:
        proof = yield from _readable(steps.prove_transaction(identifier))
        found = verify_file(proof, self._trust)
        if found.transaction_id != identifier:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "another transaction")
        return proof, found

    def _decided(self, identifier: str, height: int | None, said: tuple[Any, ...]) -> Steps[None]:
        """Compare index, outcome and further members of the receipt with a checked proof."""
        try:
            proof, found = yield from self._transaction(identifier)
        except LookupError as error:
            detail = "the node gives no proof of a transaction that it called decided"
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, detail) from error
        receipt = self._registry.receipt_decoder.decode(msgspec.json.encode(found.receipt))
        known = (proof.index, receipt, receipt.outcome, receipt.number, receipt.message)
        if height not in (None, found.height) or any(
            claim not in (None, fact) for claim, fact in zip(said, known, strict=True)
        ):
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, f"transaction {identifier}")

    def submitted(self, transaction: bytes, walk: Steps[Applied]) -> Steps[Applied]:
        """Submit, and check what it came to. An invalid one is in no block: nothing proves it."""
        try:
            found = yield from walk
        except Refused as refused:
            yield from self._check(transaction, refused)
            raise
        yield from self._check(transaction, found)
        return found

    def submitted_many(
        self, transactions: list[bytes], walk: Steps[list[Applied | Exception]]
    ) -> Steps[list[Applied | Exception]]:
        """Submit many; an answer that is not proven becomes the error that says so."""
        found = yield from walk
        for place, (wire, answer) in enumerate(zip(transactions, found, strict=True)):
            try:
                yield from self._check(wire, answer)
            except (VerificationError, steps.Unreachable) as error:
                found[place] = error
        return found

    def _check(self, transaction: bytes, answer: Applied | Exception) -> Steps[None]:
        if not isinstance(answer, Applied | Refused):
            return
        identifier = id_of(decode_envelope(normalise(transaction)).payload).hex()
        if isinstance(answer, Refused):
            height: int | None = None
            told = answer.transaction_id
            said: tuple[Any, ...] = (None, None, "refused", answer.number, None)
        else:
            height, told = answer.height, answer.id
            said = (answer.index, answer.receipt, "applied", 0, None)
        if told != identifier:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "another transaction's id")
        yield from self._decided(identifier, height, said)

    def status(self, identifier: str, walk: Steps[Status]) -> Steps[Status]:
        """What became of a transaction; that it is pending or unknown is not proven."""
        found = yield from walk
        if found.height is not None or found.state in ("applied", "refused"):
            said = (found.index, None, found.state, found.number, None)
            yield from self._decided(identifier, found.height, said)
        return found

    # Rows

    def prove_row(self, table_name: str, key: Any, least: int) -> Steps[RowProof]:
        """A proof of exactly this row that was checked, of the newest state."""
        full_key = self._registry.table(table_name).full_key(key)
        least = max(least, self._highest)
        proof = yield from _readable(steps.prove_row(table_name, key, least))
        verify_file(proof, self._trust)
        if full_key_of(proof) != full_key:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "another row")
        header = signed_header(proof.engine, proof.header, self._trust)
        if header.height < least:
            raise VerificationError(Finding.STATE_IS_OLDER, f"{header.height}, was {least}")
        self._highest = max(self._highest, header.height)
        return proof

    def next_nonce(self, sender: str, lane: int, least: int) -> Steps[int]:
        """One above the highest nonce that a lane is proven to have used."""
        proof = yield from self.prove_row("kernel.nonces", (sender, lane), least)
        raw = bytes(proof.value)
        return int(msgspec.json.decode(raw)["highest"]) + 1 if raw else 1

    def query(self, function: Callable[..., Any], args: Any, kwargs: Any, least: int) -> Steps[Any]:
        """Run a module's query here, over rows that are proven as it asks for them."""
        proven = _Proven()
        moves = 0
        while True:
            try:
                return self._run(function, args, kwargs, proven)
            except _Wanted as wanted:
                full_key = wanted.full_key
            table = self._registry.tables[full_key[:PREFIX_BYTES]]
            name, key = f"{table.module.name}.{table.name}", table.key_of(full_key)
            proof = yield from self.prove_row(name, key, least)
            header = signed_header(proof.engine, proof.header, self._trust)
            if proven.header is not None and proven.header != header:
                moves += 1
                if moves > MOVES_LIMIT:
                    raise steps.Unreachable("blocks were made faster than rows could be proven")
                proven = _Proven()
            proven.header = header
            raw = bytes(proof.value)
            # The one spelling that was hashed, however the node spelled it.
            proven.rows[full_key] = jcs.encode(msgspec.json.decode(raw)) if raw else None
            if len(proven.rows) > ROWS_LIMIT:
                _unprovable(f"a query of more than {ROWS_LIMIT} rows")

    def _run(self, function: Callable[..., Any], args: Any, kwargs: Any, proven: _Proven) -> Any:
        header = proven.header
        at = (Count(0), Time(0)) if header is None else (header.height, header.time)
        module = self._modules[function]
        view = view_of(self._registry, proven, module, at, _Settings())
        found = function(view, *args, **kwargs)
        if header is None:
            _unprovable("a query that reads no row")
        return found
