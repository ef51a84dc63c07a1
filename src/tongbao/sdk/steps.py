"""The HTTP client without input or output: what to ask, how to read answers, when to ask again.

Each public function is a generator of steps that gets the answers sent in and returns the result.
`http.py` takes the steps one after the other, `http_asynchronous.py` does so with `await`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from tongbao.kernel import Cursor, Invalid, InvalidTransaction, Outcome, Page, Registry, jcs
from tongbao.kernel.envelope import decode_envelope, normalise
from tongbao.kernel.nonces import Nonces
from tongbao.kernel.transaction import id_of
from tongbao.sdk.answers import (
    ChainAnswer,
    DryRunAnswer,
    ManyAnswers,
    PageAnswer,
    Problem,
    QueryAnswer,
    RowAnswer,
    SubmitAnswer,
    TransactionAnswer,
)
from tongbao.sdk.client import Applied, DryRun, Head, Refused, Status
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile

R = TypeVar("R")

ATTEMPTS: Final = 8
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
CONFLICT: Final = 409
BAD_REQUEST: Final = 400
NOT_FOUND: Final = 404
LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 507})
BATCH: Final = 500


class Unreachable(Exception):
    """The node did not answer, or not now, however often it was asked.

    What was submitted may or may not have happened; its status tells, and sending the same bytes
    again can't make it happen twice.
    """

    exit_code = 75


class NodeError(Exception):
    """The node answered that the request was wrong; the text is the node's."""

    exit_code = 65

    def __init__(self, problem: Problem) -> None:
        """Carry the problem document."""
        super().__init__(f"{problem.title}: {problem.detail}" if problem.detail else problem.title)
        self.problem = problem


class Ask(Struct, frozen=True):
    """One request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    content: bytes = b""
    media_type: str = ""


class Pause(Struct, frozen=True):
    """Wait before going on."""

    seconds: float


class Answered(Struct, frozen=True):
    """What came back. `status` 0: nothing did, and `content` says why."""

    status: int
    content: bytes
    retry_after: str = ""


Steps = Generator[Ask | Pause, Any, R]


def asked(ask: Ask) -> Steps[Answered]:
    """Ask until there is an answer that does not say "later". Raises Unreachable."""
    pause = FIRST_PAUSE_S
    found = Answered(0, b"")
    for attempt in range(ATTEMPTS):
        if attempt:
            told = float(found.retry_after) if found.retry_after.isdigit() else 0.0
            yield Pause(max(min(told, LONGEST_PAUSE_S), pause))
            pause = min(2 * pause, LONGEST_PAUSE_S)
        given: Answered = yield ask
        found = given
        if found.status and found.status not in LATER:
            return found
    why = found.content.decode(errors="replace") if not found.status else _problem(found).title
    raise Unreachable(f"asked {ATTEMPTS} times: {why}")


def _problem(found: Answered) -> Problem:
    try:
        return msgspec.json.decode(found.content, type=Problem)
    except msgspec.DecodeError:
        return Problem("about:blank", f"status {found.status}", found.status)


def read(ask: Ask, kind: type[R]) -> Steps[R]:
    """Ask for something of a type. Raises NodeError, LookupError, Unreachable."""
    found = yield from asked(ask)
    if found.status == NOT_FOUND:
        raise LookupError(_problem(found).detail)
    if found.status >= BAD_REQUEST:
        raise NodeError(_problem(found))
    result: R = jcs.decoder(kind).decode(found.content)
    return result


def get(path: str, kind: type[R], *query: tuple[str, str]) -> Steps[R]:
    """Read one path."""
    return (yield from read(Ask("GET", path, query), kind))


def chain() -> Steps[ChainAnswer]:
    """The chain and its last block."""
    return (yield from get("/v1", ChainAnswer))


def head() -> Steps[Head]:
    """The last block."""
    found = yield from chain()
    return Head(found.chain, found.height, found.time, found.state_root, found.rows)


def trust() -> Steps[TrustFile]:
    """The trust file as the node tells it."""
    return (yield from get("/v1/trust", TrustFile))


# Submitting


def submit(registry: Registry, transaction: bytes) -> Steps[Applied]:
    """Submit until it is decided. Raises Refused, InvalidTransaction, Unreachable."""
    wire = normalise(transaction)
    media_type = "application/jose+json" if wire[:1] == b"{" else "application/jose"
    found = yield from asked(Ask("POST", "/v1/transactions", (), wire, media_type))
    if found.status < BAD_REQUEST:
        answer = msgspec.json.decode(found.content, type=SubmitAnswer)
        return applied(registry, answer)
    problem = _problem(found)
    error = failure(registry, problem.number, problem.id, problem)
    if isinstance(error, InvalidTransaction):
        return (yield from settled(registry, wire, error))
    raise error


def settled(registry: Registry, wire: bytes, last: InvalidTransaction) -> Steps[Applied]:
    """What an earlier attempt came to, when the last one is told as invalid; else raises that.

    It may have arrived although its answer did not: now its nonce is used, or it has expired.
    """
    try:
        identifier = id_of(decode_envelope(wire).payload).hex()
    except InvalidTransaction:
        raise last from None
    found = yield from get(f"/v1/transactions/{identifier}", TransactionAnswer)
    if found.height is None or found.index is None or found.receipt is None:
        raise last
    answer = SubmitAnswer(
        found.state, identifier, found.height, found.index, found.number, "", found.receipt
    )
    return applied(registry, answer)


def submit_many(
    registry: Registry, transactions: Sequence[bytes]
) -> Steps[list[Applied | Exception]]:
    """Submit in batches; each has its own answer, in order."""
    results: list[Applied | Exception] = []
    for at in range(0, len(transactions), BATCH):
        wires = [normalise(one) for one in transactions[at : at + BATCH]]
        results += yield from _batch(registry, wires)
    return results


def _batch(registry: Registry, wires: list[bytes]) -> Steps[list[Applied | Exception]]:
    body = msgspec.json.encode({"transactions": [wire.decode() for wire in wires]})
    found = yield from asked(Ask("POST", "/v1/transactions", (), body, "application/json"))
    if found.status >= BAD_REQUEST:
        raise NodeError(_problem(found))
    answers = msgspec.json.decode(found.content, type=ManyAnswers).results
    results: list[Applied | Exception] = []
    for wire, answer in zip(wires, answers, strict=True):
        try:
            if answer.state == "not taken":
                results.append((yield from submit(registry, wire)))
                continue
            error = failure(registry, answer.number, answer.id, None, answer.receipt)
            if isinstance(error, InvalidTransaction):
                results.append((yield from settled(registry, wire, error)))
            else:
                results.append(applied(registry, answer))
        except (Refused, InvalidTransaction, Unreachable) as error:
            results.append(error)
    return results


def applied(registry: Registry, answer: SubmitAnswer) -> Applied:
    """The answer of a transaction that was applied. Raises what else it came to."""
    if answer.number or answer.receipt is None:
        raise failure(registry, answer.number, answer.id, None, answer.receipt)
    assert answer.height is not None and answer.index is not None
    receipt = registry.receipt_decoder.decode(jcs.encode(answer.receipt))
    return Applied(answer.id, answer.height, answer.index, receipt)


def failure(
    registry: Registry,
    number: int,
    identifier: str,
    problem: Problem | None,
    receipt: Any = None,
) -> Exception:
    """The exception for a number: Refused, InvalidTransaction, or NodeError without one."""
    reason = registry.reasons.get(number)
    if isinstance(reason, Invalid):
        return InvalidTransaction(reason, problem.detail if problem is not None else "")
    if number:
        message = 0 if receipt is None else int(receipt.get("message", 0))
        return Refused(str(reason or f"refused with {number}"), number, identifier, message)
    return NodeError(problem or Problem("about:blank", "the node gave no reason", 0))


def dry_run(registry: Registry, payload: bytes) -> Steps[DryRun]:
    """What a payload would do now. Raises InvalidTransaction."""
    ask = Ask("POST", "/v1/dry-runs", (), payload, "application/json")
    found = yield from asked(ask)
    if found.status >= BAD_REQUEST:
        problem = _problem(found)
        raise failure(registry, problem.number, "", problem)
    answer = msgspec.json.decode(found.content, type=DryRunAnswer)
    receipt = registry.receipt_decoder.decode(answer.receipt)
    return DryRun(Outcome(answer.outcome), answer.number, answer.why, receipt)


def status(transaction_id: str, expires: int | None) -> Steps[Status]:
    """What became of a transaction."""
    query = () if expires is None else (("expires", str(expires)),)
    found = yield from get(f"/v1/transactions/{transaction_id}", TransactionAnswer, *query)
    return Status(found.state, found.time, found.height, found.index, found.number, found.never)


# Reading


def query(
    path: str, function: Any, names: Sequence[str], values: Sequence[Any], least: int
) -> Steps[Any]:
    """Ask a module's query, at the height of the caller's own last transaction or later."""
    given = [
        (name, str(value)) for name, value in zip(names, values, strict=False) if value is not None
    ]
    kind = get_type_hints(function, include_extras=True)["return"]
    given.append(("min_height", str(least)))
    if get_origin(kind) is not Page:
        answer = yield from get(path, QueryAnswer, *given)
        return None if answer.value is None else jcs.convert(answer.value, kind)
    key_kind, row_kind = get_args(kind)
    page = yield from get(path, PageAnswer, *given)
    rows = tuple(
        (jcs.convert(row.key, key_kind), jcs.convert(row.value, row_kind)) for row in page.rows
    )
    return Page(rows, None if page.after is None else Cursor(page.after))


def row_query(key: Any) -> tuple[tuple[str, str], ...]:
    """The parts of a row's key as parameters."""
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(("key", str(part)) for part in parts)


def next_nonce(sender: str, lane: int, least: int) -> Steps[int]:
    """One above the highest nonce that a lane has used."""
    query = (*row_query((sender, lane)), ("min_height", str(least)))
    found = yield from get("/v1/rows/kernel.nonces", RowAnswer, *query)
    if found.value is None:
        return 1
    row = jcs.convert(found.value, Nonces)
    return int(row.highest) + 1


def prove_row(table: str, key: Any, least: int) -> Steps[RowProof]:
    """The proof of a row, or of its absence."""
    query = (*row_query(key), ("min_height", str(least)))
    return (yield from get(f"/v1/rows/{table}/proof", RowProof, *query))


def prove_transaction(transaction_id: str) -> Steps[TransactionProof]:
    """The proof that a transaction stands in its block. Raises LookupError."""
    return (yield from get(f"/v1/transactions/{transaction_id}/proof", TransactionProof))
