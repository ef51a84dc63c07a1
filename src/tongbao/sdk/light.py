"""Light verification: no answer of a node is believed before a proof of it was checked.

What is not proven but passed on as the node says it: dry runs, transactions that are pending,
unknown or invalid, `Head.rows`, and happenings without an id (due work). Every other happening is
checked against a proof of its transaction, but a node may keep one back. So it is with a query that
lists rows: each row is proven and belongs to the list, but indexes are not hashed, so that a node
may leave rows out. History (`movements_of` and others) is refused: CANNOT_BE_PROVEN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from tongbao.kernel import Registry
from tongbao.kernel.envelope import decode_envelope, normalise
from tongbao.kernel.module import Module
from tongbao.kernel.state import PREFIX_BYTES
from tongbao.kernel.transaction import id_of
from tongbao.sdk import steps
from tongbao.sdk.answers import Happening, PageAnswer
from tongbao.sdk.asking import Ask, Steps, Together, get, read, understood
from tongbao.sdk.believed import Believed
from tongbao.sdk.client import AlreadyDecided, Applied, Head, Refused, Status
from tongbao.sdk.errors import Gone, NodeError, Unreachable, Unreadable
from tongbao.sdk.light_headers import Beliefs, SoloBeliefs
from tongbao.sdk.light_network import NetworkBeliefs
from tongbao.sdk.light_rows import (
    ROWS_LIMIT,
    Asked,
    Listing,
    Proven,
    Wanted,
    WantedPage,
    unprovable,
)
from tongbao.sdk.place import Place
from tongbao.sdk.proofs import RowProof, SoloTrust, TransactionProof, TrustFile
from tongbao.sdk.verification import (
    Finding,
    VerificationError,
    Verified,
    full_key_of,
    read_trust,
    verify_under,
)

R = TypeVar("R")
TrustSource = TrustFile | bytes | Path | str

MOVES_LIMIT: Final = 8
"""How often a query begins anew because a block was made between two of its proofs."""


class _RowProofs(Struct, frozen=True):
    """`ProofsAnswer`, typed."""

    height: int
    proofs: tuple[RowProof, ...]


def trust_of(source: TrustSource) -> TrustFile:
    """A trust file out of its bytes or path. Raises VerificationError, OSError."""
    if isinstance(source, TrustFile):
        return source
    return read_trust(source if isinstance(source, bytes) else Path(source).read_bytes())


def _readable(walk: Steps[R]) -> Steps[R]:
    try:
        return (yield from walk)
    except Unreadable as error:
        raise VerificationError(Finding.PROOF_IS_UNREADABLE, str(error)) from error


_Rows = tuple[Believed, list[tuple[bytes, RowProof]]]


class Light:
    """What one client trusts, and the highest state that it has seen proven."""

    _registry: Registry
    _modules: dict[Callable[..., Any], Module]

    def __init__(
        self, trust: TrustFile, clock: Callable[[], int], witnesses: Sequence[str] = ()
    ) -> None:
        """Trust a trust file, and a clock of ms UTC; `know` says what the chain's modules are.

        What a network's node says of blocks is compared with the `witnesses`, which are addresses.
        """
        self._trust = trust
        self._beliefs: Beliefs = (
            SoloBeliefs(trust, clock)
            if isinstance(trust, SoloTrust)
            else NetworkBeliefs(trust, clock, witnesses)
        )
        self._highest = 0

    def know(self, registry: Registry) -> None:
        """Take the modules of the chain, before anything is asked."""
        self._registry = registry
        self._modules = {
            query: module for module in registry.modules for query in module.queries.values()
        }

    def check_chain(self, chain: str) -> None:
        """Refuse another chain than the trusted one."""
        if chain != self._trust.chain:
            detail = f"{chain}, not {self._trust.chain}"
            raise VerificationError(Finding.CHAIN_IS_ANOTHER, detail)

    @property
    def equivocation(self) -> tuple[str, str] | None:
        """Two headers of one height that both had to be believed."""
        return self._beliefs.equivocation

    def _newest(self, header: Believed, least: int) -> None:
        """Refuse a state that is older than what was seen."""
        if header.height < least:
            raise VerificationError(Finding.STATE_IS_OLDER, f"{header.height}, was {least}")
        self._highest = max(self._highest, header.height)

    def head(self) -> Steps[Head]:
        """The last block, as a believed header says it."""
        found, _ = yield from self._head()
        return found

    def _head(self) -> Steps[tuple[Head, Believed]]:
        least = self._highest
        found, header = yield from self._beliefs.head(least)
        self._newest(header, least)
        return found, header

    def trust_file(self) -> Steps[TrustFile]:
        """What the node says of who signs, when it follows from what is trusted."""
        found = yield from steps.trust()
        return (yield from self._beliefs.take_trust(found))

    # Transactions

    def prove_transaction(self, identifier: str) -> Steps[TransactionProof]:
        """A proof that was checked."""
        proof, _ = yield from self._transaction(identifier)
        return proof

    def _transaction(self, identifier: str) -> Steps[tuple[TransactionProof, Verified]]:
        told = yield from _readable(steps.prove_transaction(identifier))
        header, proof = yield from self._beliefs.believe(told)
        found = verify_under(proof, header)
        if found.transaction_id != identifier:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "another transaction")
        return proof, found

    def _decided(self, identifier: str, height: int | None, said: tuple[Any, ...]) -> Steps[None]:
        """Compare index, outcome and further members of the receipt with a checked proof."""
        try:
            proof, found = yield from self._transaction(identifier)
        except LookupError as error:
            raise _unproven("called decided", error) from error
        receipt = self._registry.receipt_decoder.decode(msgspec.json.encode(found.receipt))
        known = (proof.index, receipt, receipt.outcome, receipt.number, receipt.message)
        if height not in (None, found.height) or any(
            claim not in (None, fact) for claim, fact in zip(said, known, strict=True)
        ):
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, f"transaction {identifier}")

    def submitted(self, transaction: bytes, walk: Steps[Applied]) -> Steps[Applied]:
        """Submit, and check what it came to. An invalid one is in no block: nothing proves it."""
        try:
            answer: Applied | Refused | AlreadyDecided = yield from walk
        except (Refused, AlreadyDecided) as other:
            answer = other
        try:
            yield from self._check(transaction, answer)
        except Unreachable as error:
            raise Unreachable(error.why, transaction) from error
        if isinstance(answer, Applied):
            return answer
        raise answer

    def submitted_many(
        self, transactions: list[bytes], walk: Steps[list[Applied | Exception]]
    ) -> Steps[list[Applied | Exception]]:
        """Submit many; an answer that is not proven becomes the error that says so."""
        found = yield from walk
        pairs = zip(transactions, found, strict=True)
        checked = yield Together(tuple(self._one_of_many(*pair) for pair in pairs))
        return list(checked)

    def _one_of_many(
        self, transaction: bytes, answer: Applied | Exception
    ) -> Steps[Applied | Exception]:
        try:
            yield from self._check(transaction, answer)
        except Unreachable as error:
            return Unreachable(error.why, transaction)
        except (VerificationError, NodeError) as error:
            return error
        return answer

    def _check(self, transaction: bytes, answer: Applied | Exception) -> Steps[None]:
        if not isinstance(answer, Applied | Refused | AlreadyDecided):
            return
        identifier = id_of(decode_envelope(normalise(transaction)).payload).hex()
        if isinstance(answer, Refused):
            height: int | None = None
            told = answer.transaction_id
            said: tuple[Any, ...] = (None, None, "refused", answer.number, None)
        elif isinstance(answer, AlreadyDecided):
            height, told = answer.height, answer.transaction_id
            said = (answer.index, None, "applied", 0, None)
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

    def happening(self, told: Happening) -> Steps[None]:
        """Compare what happened with a checked proof of it; due work (without an id) has none."""
        if not told.id:
            return
        try:
            proof, found = yield from self._transaction(told.id)
        except LookupError as error:
            raise _unproven("told of", error) from error
        messages = [msgspec.json.decode(message) for message in told.messages]
        said = (told.cursor, told.height, told.time, told.sender, messages)
        signed = found.value
        place = str(Place(found.height, proof.index))
        known = (place, found.height, found.time, signed["sender"], signed["messages"])
        receipt = msgspec.json.decode(told.receipt)
        number = self._registry.receipt_decoder.decode(msgspec.json.encode(found.receipt)).number
        if said != known or receipt != found.receipt or told.number != number:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, f"the event {told.cursor}")

    # Rows

    def prove_row(self, table_name: str, key: Any, least: int) -> Steps[RowProof]:
        """A proof of exactly this row that was checked, of the newest state."""
        _, proof = yield from self._prove_one(table_name, key, least)
        return proof

    def _prove_one(self, table_name: str, key: Any, least: int) -> Steps[tuple[Believed, RowProof]]:
        least = max(least, self._highest)
        told = yield from _readable(steps.prove_row(table_name, key, least))
        full_key = self._registry.table(table_name).full_key(key)
        header, proof = yield from self._proves(full_key, told)
        self._newest(header, least)
        return header, proof

    def _proves(self, full_key: bytes, told: RowProof) -> Steps[tuple[Believed, RowProof]]:
        """Check a proof of exactly this row; the header that it is under, and the proof."""
        header, proof = yield from self._beliefs.believe(told)
        verify_under(proof, header)
        if full_key_of(proof) != full_key:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "another row")
        return header, proof

    def _prove_rows(self, full_keys: Sequence[bytes], least: int) -> Steps[_Rows]:
        """Proofs of these rows that were checked, all under one header."""
        if len(full_keys) > ROWS_LIMIT:
            unprovable(f"more than {ROWS_LIMIT} rows at once")
        names = [self._name_of(full_key) for full_key in full_keys]
        if len(names) == 1:
            header, only = yield from self._prove_one(*names[0], least)
            return header, [(full_keys[0], only)]
        least = max(least, self._highest)
        rows = [
            {"table": table, "key": [text for _, text in steps.row_query(key)]}
            for table, key in names
        ]
        query = (("min_height", str(least)),)
        body = msgspec.json.encode({"rows": rows})
        ask = Ask("POST", "/v1/proofs", query, body, "application/json")
        answer = yield from _readable(read(ask, _RowProofs))
        if len(answer.proofs) != len(full_keys):
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "another number of rows")
        found = []
        for full_key, told in zip(full_keys, answer.proofs, strict=True):
            found.append((yield from self._proves(full_key, told)))
        first = found[0][0]
        if any(header != first for header, _ in found):
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "rows of several heights")
        self._newest(first, least)
        return first, [(key, proof) for key, (_, proof) in zip(full_keys, found, strict=True)]

    def _name_of(self, full_key: bytes) -> tuple[str, Any]:
        table = self._registry.tables[full_key[:PREFIX_BYTES]]
        return f"{table.module.name}.{table.name}", table.key_of(full_key)

    def next_nonce(self, sender: str, lane: int, least: int) -> Steps[int]:
        """One above the highest nonce that a lane is proven to have used."""
        proof = yield from self.prove_row("kernel.nonces", (sender, lane), least)
        raw = bytes(proof.value)
        return int(msgspec.json.decode(raw)["highest"]) + 1 if raw else 1

    # Queries

    def query(self, asked: Asked, least: int) -> Steps[tuple[int, Any]]:
        """Run a module's query here, over rows that are proven as it asks for them.

        What it finds stands behind the height at which it is true. What it lists are rows that the
        node names: each is proven, belongs to the list and stands in its order; that none is
        missing is not proven.
        """
        module = self._modules[asked.function]
        for _ in range(MOVES_LIMIT):
            proven = Proven(self._registry)
            found = yield from self._run(module, asked, proven, least)
            listing, header = proven.listing, proven.header
            height = 0 if header is None else int(header.height)
            if listing is None:
                return height, found
            if found.rows == listing.page.rows:
                return height, listing.page
            if header is None or header.height == listing.height:
                raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "a page of rows")
        raise Unreachable("blocks were made faster than rows could be proven")

    def _run(self, module: Module, asked: Asked, proven: Proven, least: int) -> Steps[Any]:
        """Prove what a query reads until it has everything, all at one height."""
        moves = 0
        while True:
            try:
                return proven.run(module, asked)
            except Wanted as wanted:
                fresh: tuple[bytes, ...] = (wanted.full_key,)
            except WantedPage as wanted:
                proven.listing = yield from self._listing(asked, wanted, least)
                fresh = proven.listing.full_keys
                if not fresh and proven.header is None:
                    yield from self._read_nothing(proven)
                    continue
            header, proofs = yield from self._prove_rows(fresh, least)
            if proven.header not in (None, header):
                moves += 1
                if moves > MOVES_LIMIT:
                    raise Unreachable("blocks were made faster than rows could be proven")
                again = tuple(dict.fromkeys((*proven.full_keys(), *fresh)))
                header, proofs = yield from self._prove_rows(again, least)
                proven.header = header
            proven.take(header, proofs)

    def _listing(self, asked: Asked, wanted: WantedPage, least: int) -> Steps[Listing]:
        """What the node lists, as rows to be proven."""
        given = steps.parameters(asked.names, asked.values, max(least, self._highest))
        answer = yield from get(asked.path, PageAnswer, *given)
        page = steps.page_of(asked.function, answer)
        with understood():
            full_keys = tuple(wanted.table.full_key(key) for key, _ in page.rows)
        return Listing(answer.height, wanted.prefix, page, full_keys)

    def _read_nothing(self, proven: Proven) -> Steps[None]:
        """The newest header, for a page without rows."""
        _, header = yield from self._head()
        proven.take(header, ())


def _unproven(what: str, error: LookupError) -> VerificationError:
    """No proof of a transaction came; where its block was pruned, another node may have it."""
    elsewhere = "; its block was pruned there: ask a node that has it" * isinstance(error, Gone)
    detail = f"the node gives no proof of a transaction that it {what}{elsewhere}"
    return VerificationError(Finding.ANSWER_IS_NOT_PROVEN, detail)
