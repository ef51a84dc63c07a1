"""Errors as problem documents (RFC 9457): what went wrong, its number, and what to do."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.responses import Response

from tongbao.engines.solo import Busy, EngineStopped
from tongbao.engines.solo.signing import SignerUnavailable
from tongbao.kernel import InvalidTransaction
from tongbao.sdk.answers import Problem
from tongbao.store.errors import DiskFull, StoreError

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
NS_PER_MS: Final = 1_000_000
MS_PER_S: Final = 1_000
DETAIL_LIMIT: Final = 500
MARKUP: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


class ProblemError(Exception):
    """An answer that is an error."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        """Carry the document, and headers such as Retry-After."""
        super().__init__(problem.detail or problem.title)
        self.problem = problem
        self.headers = headers or {}


def reason_page(number: int) -> str:
    """Where a reason's number is explained, on any node."""
    return f"/v1/reasons/{number}"


def problem(status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> ProblemError:
    """An error of the request itself, without a reason's number."""
    return ProblemError(Problem("about:blank", status.phrase, status, detail), headers)


def bad_request(detail: str) -> ProblemError:
    """A request that can't be understood; the text says what to change."""
    return problem(HTTPStatus.BAD_REQUEST, detail)


def not_found(detail: str) -> ProblemError:
    """Nothing is there."""
    return problem(HTTPStatus.NOT_FOUND, detail)


def gone(detail: str) -> ProblemError:
    """It was there, and this node has given it up; the text says what is, and where to ask."""
    return problem(HTTPStatus.GONE, detail)


def too_many(detail: str) -> ProblemError:
    """The caller, or everybody together, asks for more than the node takes."""
    return problem(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(RETRY_AFTER_S)})


def unavailable(detail: str) -> ProblemError:
    """The node can't do it now; the same request may succeed later."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(RETRY_AFTER_S)})


def seconds_until(time_ms: int) -> int:
    """Whole seconds until a time in ms UTC, at least one."""
    return max(RETRY_AFTER_S, -(-(time_ms - time.time_ns() // NS_PER_MS) // MS_PER_S))


def of_submission(error: Exception) -> ProblemError:
    """The problem of a transaction that was not taken in. Other errors are raised again."""
    if isinstance(error, InvalidTransaction):
        number, again_at = error.why.number, error.again_at
        status = HTTPStatus.BAD_REQUEST if again_at is None else HTTPStatus.TOO_MANY_REQUESTS
        headers = {} if again_at is None else {"Retry-After": str(seconds_until(again_at))}
        return ProblemError(
            Problem(reason_page(number), str(error.why), status, error.detail, number), headers
        )
    if isinstance(error, Busy):
        return too_many(str(error))
    if isinstance(error, DiskFull):
        return problem(
            HTTPStatus.INSUFFICIENT_STORAGE,
            "the node's disk is full: nothing was done; try again later",
            {"Retry-After": "30"},
        )
    if isinstance(error, SignerUnavailable):
        return unavailable("the authority's signer is away: nothing was done; try again later")
    if isinstance(error, EngineStopped | StoreError):
        return unavailable("the node does not take transactions now")
    raise error


def encoded(problem: Problem) -> bytes:
    """The document as JSON that is nothing else, wherever it is shown: ASCII, and no markup.

    A detail may quote what the caller sent, so that it is short, too.
    """
    members = msgspec.to_builtins(problem)
    if len(problem.detail) > DETAIL_LIMIT:
        members["detail"] = problem.detail[:DETAIL_LIMIT] + "..."
    return json.dumps(members, separators=(",", ":")).translate(MARKUP).encode()


def response(error: ProblemError) -> Response:
    """The document as an answer."""
    return Response(
        encoded(error.problem),
        status_code=error.problem.status,
        media_type=MEDIA_TYPE,
        headers=error.headers,
    )


def as_bytes(error: ProblemError) -> bytes:
    """The whole answer as it goes over a connection that is then closed, where no request is."""
    status, body = HTTPStatus(error.problem.status), encoded(error.problem)
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Content-Type-Options": "nosniff",
        **error.headers,
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *map(": ".join, headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body
