"""Steps of submitting: what is sent again is the same bytes, so that nothing happens twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from tongbao.kernel import Invalid, InvalidTransaction, Outcome, Registry, jcs
from tongbao.kernel.envelope import normalise
from tongbao.sdk.answers import (
    DryRunAnswer,
    ManyAnswers,
    Problem,
    SubmitAnswer,
    TransactionAnswer,
)
from tongbao.sdk.asking import (
    BAD_REQUEST,
    Ask,
    Pause,
    Steps,
    asked,
    get,
    pauses,
    problem_of,
    understood,
)
from tongbao.sdk.client import AlreadyDecided, Applied, DryRun, Refused
from tongbao.sdk.errors import NodeError, Unreachable, Unreadable, id_and_expiry

BATCH: Final = 500
TOO_MUCH: Final = frozenset({400, 413})
"""What a node says to a batch that is larger than its settings allow: halves may be taken."""
PENDING: Final = "pending"
DECIDED: Final = frozenset({"applied", "refused"})


class _Refusal(Struct):
    """What of a refusal's receipt stands in the exception."""

    message: int = 0


def submit(registry: Registry, transaction: bytes) -> Steps[Applied]:
    """Submit until it is decided.

    Raises Refused, AlreadyDecided, InvalidTransaction, Unreachable, NodeError.
    """
    wire = normalise(transaction)
    try:
        return (yield from _submit(registry, wire))
    except Unreachable as error:
        raise Unreachable(error.why, wire) from error


def _submit(registry: Registry, wire: bytes) -> Steps[Applied]:
    media_type = "application/jose+json" if wire[:1] == b"{" else "application/jose"
    found = yield from asked(Ask("POST", "/v1/transactions", (), wire, media_type))
    if found.status < BAD_REQUEST:
        with understood(found.status):
            answer = msgspec.json.decode(found.content, type=SubmitAnswer)
        return (yield from _come_to(registry, wire, answer))
    problem = problem_of(found)
    error = failure(registry, problem.number, problem.id, problem)
    if isinstance(error, InvalidTransaction):
        return (yield from settled(registry, wire, error))
    raise error


def _come_to(registry: Registry, wire: bytes, answer: SubmitAnswer) -> Steps[Applied]:
    """What one answer means. Raises what else it came to than applied."""
    if answer.state == PENDING:
        return (yield from settled(registry, wire, None))
    if answer.number and answer.state == "invalid":
        error = failure(registry, answer.number, answer.id, None)
        return (yield from settled(registry, wire, error))
    return applied(registry, answer)


def settled(registry: Registry, wire: bytes, last: Exception | None) -> Steps[Applied]:
    """What an earlier attempt came to, when the last one is told as invalid; else raises that.

    It may have arrived although its answer did not: now its nonce is used, or it has expired. While
    one with this id still waits for its block, nothing is known: ask again until it is decided.
    Raises AlreadyDecided where it was applied in a block whose body the node has given up.
    """
    try:
        identifier, expires = id_and_expiry(wire)
    except (InvalidTransaction, msgspec.DecodeError):
        raise last or Unreadable("a transaction that is none is said to wait") from None
    path = f"/v1/transactions/{identifier}"
    spent = 0.0
    for pause in pauses():
        found = yield from get(path, TransactionAnswer, ("expires", str(expires)))
        if found.height is not None and found.index is not None:
            return _told(registry, identifier, found, (found.height, found.index))
        if found.state != PENDING and last is not None:
            raise last
        if found.never:
            raise InvalidTransaction(Invalid.EXPIRY_HAS_PASSED)
        if not (yield Pause(pause, spent)):
            raise Unreachable(f"it is {found.state} since {spent:.1f} s")
        spent += pause
    raise AssertionError("pauses have no end")


def _told(
    registry: Registry, identifier: str, found: TransactionAnswer, place: tuple[int, int]
) -> Applied:
    """What a node tells of a decided transaction. Raises AlreadyDecided without a receipt."""
    if found.receipt is None and not found.number:
        raise AlreadyDecided(identifier, *place)
    return applied(
        registry, SubmitAnswer(found.state, identifier, *place, found.number, "", found.receipt)
    )


def submit_many(
    registry: Registry, transactions: Sequence[bytes]
) -> Steps[list[Applied | Exception]]:
    """Submit in batches; each has its own answer, in order: Unreachable carries its bytes."""
    results: list[Applied | Exception] = []
    for at in range(0, len(transactions), BATCH):
        results += yield from _batch(registry, transactions[at : at + BATCH])
    return results


def _batch(registry: Registry, transactions: Sequence[bytes]) -> Steps[list[Applied | Exception]]:
    wires = [_normalised(transaction) for transaction in transactions]
    sent = [wire for wire in wires if isinstance(wire, bytes)]
    answers = iter((yield from _answers(sent)) if sent else ())
    results: list[Applied | Exception] = []
    tired: Unreachable | None = None
    for wire in wires:
        if isinstance(wire, bytes):
            found = yield from _one(registry, wire, next(answers), tired)
            tired = found if isinstance(found, Unreachable) else tired
            results.append(found)
        else:
            results.append(wire)
    return results


def _normalised(transaction: bytes) -> bytes | InvalidTransaction:
    try:
        return normalise(transaction)
    except InvalidTransaction as error:
        return error


def _answers(wires: list[bytes]) -> Steps[Sequence[SubmitAnswer | Exception]]:
    """The node's answer to each of a batch, or the error that stands for it."""
    body = msgspec.json.encode({"transactions": [wire.decode() for wire in wires]})
    try:
        found = yield from asked(Ask("POST", "/v1/transactions", (), body, "application/json"))
        if found.status in TOO_MUCH and len(wires) > 1:
            half = len(wires) // 2
            first = yield from _answers(wires[:half])
            return [*first, *(yield from _answers(wires[half:]))]
        if found.status >= BAD_REQUEST:
            raise NodeError(problem_of(found))
        with understood(found.status):
            answers = msgspec.json.decode(found.content, type=ManyAnswers).results
        if len(answers) != len(wires):
            raise Unreadable(f"{len(answers)} answers to {len(wires)} transactions", found.status)
    except Unreachable as error:
        return [Unreachable(error.why, wire) for wire in wires]
    except NodeError as error:
        return [error] * len(wires)
    return answers


def _one(
    registry: Registry, wire: bytes, answer: SubmitAnswer | Exception, tired: Unreachable | None
) -> Steps[Applied | Exception]:
    """What one of a batch came to; once patience has ended for one, nothing is asked for others."""
    if isinstance(answer, Exception):
        return answer
    if tired is not None and answer.state not in DECIDED:
        return Unreachable(tired.why, wire)
    try:
        if answer.state == "not taken":
            return (yield from submit(registry, wire))
        return (yield from _come_to(registry, wire, answer))
    except Unreachable as error:
        return Unreachable(error.why, wire)
    except (Refused, AlreadyDecided, InvalidTransaction, NodeError, LookupError) as error:
        return error


def applied(registry: Registry, answer: SubmitAnswer) -> Applied:
    """The answer of a transaction that was applied. Raises what else it came to."""
    if answer.number or answer.receipt is None:
        raise failure(registry, answer.number, answer.id, None, answer.receipt)
    if answer.height is None or answer.index is None:
        raise Unreadable("a transaction is told as decided, but not in which block")
    with understood():
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
        with understood():
            message = 0 if receipt is None else msgspec.convert(receipt, _Refusal).message
        return Refused(str(reason or f"refused with {number}"), number, identifier, message)
    return NodeError(problem or Problem("about:blank", "the node gave no reason", 0))


def dry_run(registry: Registry, payload: bytes) -> Steps[DryRun]:
    """What a payload would do now. Raises InvalidTransaction."""
    ask = Ask("POST", "/v1/dry-runs", (), payload, "application/json")
    found = yield from asked(ask)
    if found.status >= BAD_REQUEST:
        problem = problem_of(found)
        raise failure(registry, problem.number, "", problem)
    with understood(found.status):
        answer = msgspec.json.decode(found.content, type=DryRunAnswer)
        receipt = registry.receipt_decoder.decode(answer.receipt)
        return DryRun(Outcome(answer.outcome), answer.number, answer.why, receipt)
