"""Taking transactions in: one or many, waiting for the durable answer or not; and dry runs."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct
from starlette.requests import Request
from starlette.responses import Response

from tongbao.engines.solo import Answer, Ticket
from tongbao.kernel import InvalidTransaction, jcs
from tongbao.node.api import MS, Api, media_type_of
from tongbao.node.problems import (
    ProblemError,
    bad_request,
    of_submission,
    reason_page,
)
from tongbao.sdk.answers import DryRunAnswer, ManyAnswers, Problem, SubmitAnswer
from tongbao.sdk.local import ATTEMPTED

COMPACT: Final = "application/jose"
GENERAL: Final = "application/jose+json"
MANY: Final = "application/json"
MEDIA_TYPES: Final = (COMPACT, GENERAL, MANY)


class Waits(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether to answer at once (`none`) or when the block is durable (`applied`).

    Nobody waits longer than `decide_ms`: what is still undecided then is `pending`.
    """

    wait: Literal["applied", "none"] = "applied"


class Many(Struct, frozen=True, forbid_unknown_fields=True):
    """Several transactions: compact JWS as text, or JSON objects of the general serialization."""

    transactions: tuple[Raw, ...]


_many: Final = msgspec.json.Decoder(Many)
_text: Final = msgspec.json.Decoder(str)


async def submit(api: Api, request: Request, asked: Waits) -> Any:
    """Submit one transaction or many; `wait=none` answers before they are decided."""
    body = await api.body(request, MEDIA_TYPES)
    is_many = media_type_of(request) == MANY
    wires = _transactions(body, api.settings.batch_transactions) if is_many else [body]
    if len(wires) > 1:
        api.charge(request.scope, len(wires) - 1)
    tickets = [queued(api, wire) for wire in wires]
    if asked.wait == "applied":
        await decided(tickets, api.settings.decide_ms / MS)
    if is_many:
        return ManyAnswers(tuple([said(api, ticket) for ticket in tickets]))
    return _one(api, tickets[0])


async def decided(tickets: list[Ticket | Exception], seconds: float) -> None:
    """Wait until all are answered, or for so long: a network without a quorum decides nothing."""
    until = time.monotonic() + seconds
    for ticket in tickets:
        if isinstance(ticket, Ticket) and not ticket.is_answered:
            decided = asyncio.wrap_future(ticket.future())
            left = max(0.0, until - time.monotonic())
            done, _ = await asyncio.wait([decided], timeout=left)
            if not done:
                decided.cancel()  # this waiting alone: what is queued will be decided
                return
            decided.exception()  # looked at, so that asyncio logs no invalid transaction


def _transactions(body: bytes, limit: int) -> list[bytes]:
    """The transactions of a batch as bytes. Raises ProblemError."""
    try:
        raws = _many.decode(body).transactions
        if not 1 <= len(raws) <= limit:
            raise bad_request(f"a request has 1 to {limit} transactions")
        texts = list(map(bytes, raws))
        if any(text[:1] not in b'"{' for text in texts):
            raise bad_request("each transaction is a text or an object")
        return [_text.decode(text).encode() if text[:1] == b'"' else text for text in texts]
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise bad_request(f'a batch is {{"transactions": [...]}}: {error}') from error


def queued(api: Api, wire: bytes) -> Ticket | Exception:
    """The ticket of a transaction in any spelling, or why it was not taken."""
    try:
        return api.chain.queue(wire)
    except ATTEMPTED as error:
        return error


def said(api: Api, ticket: Ticket | Exception) -> SubmitAnswer:
    """One line of a batch's answer."""
    found = _answer(ticket)
    if isinstance(found, Answer):
        number = found.number
        return SubmitAnswer(
            "refused" if number else "applied",
            found.id.hex(),
            found.height,
            found.index,
            number,
            api.chain.why(number) if number else "",
            Raw(found.receipt),
        )
    if found is None:
        assert isinstance(ticket, Ticket)
        return SubmitAnswer("pending", ticket.transaction.id.hex())
    if isinstance(found, InvalidTransaction):
        state = "invalid" if found.again_at is None else "not taken"
        return SubmitAnswer(state, number=found.why.number, why=str(found))
    return SubmitAnswer("not taken", why=of_submission(found).problem.detail)


def _answer(ticket: Ticket | Exception) -> Answer | Exception | None:
    if isinstance(ticket, Exception):
        return ticket
    if not ticket.is_answered:
        return None
    try:
        return ticket.result()
    except ATTEMPTED as error:
        return error


def _one(api: Api, ticket: Ticket | Exception) -> SubmitAnswer | Response:
    """The answer to a single transaction: a problem unless it was applied or waits."""
    found = _answer(ticket)
    if found is None:
        answer = msgspec.json.encode(said(api, ticket))
        return Response(answer, HTTPStatus.ACCEPTED, media_type="application/json")
    if not isinstance(found, Answer):
        raise of_submission(found)
    if found.number:
        reason = api.chain.why(found.number)
        raise ProblemError(
            Problem(
                reason_page(found.number),
                reason,
                HTTPStatus.CONFLICT,
                "only the nonce was used",
                found.number,
                found.id.hex(),
                found.height,
                found.index,
            )
        )
    return said(api, ticket)


def _one_spelling(payload: bytes) -> bytes:
    """A payload with its members in order; as it is when it is no JSON, so that the kernel says."""
    try:
        return jcs.encode(msgspec.json.decode(payload))
    except (ValueError, TypeError, RecursionError):
        return payload


async def dry_run(api: Api, request: Request, asked: Any) -> DryRunAnswer:
    """What a payload would do in a block made now, unsigned."""
    payload = _one_spelling(await api.body(request, (MANY,)))
    try:
        found = await asyncio.to_thread(api.chain.dry_run, payload)
    except InvalidTransaction as error:
        raise of_submission(error) from error
    return DryRunAnswer(
        found.outcome.value, found.number, found.why, Raw(jcs.encode(found.receipt))
    )
