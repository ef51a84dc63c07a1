"""Steps of asking: one request, a pause, several walks at once; and when to ask again.

A walk is a generator of steps that gets the answers sent in and returns the result. `http.py` takes
the steps one after the other, `http_asynchronous.py` does so with `await`: no step does input or
output itself, so that both do the same.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from tongbao.kernel import jcs
from tongbao.sdk.answers import Problem
from tongbao.sdk.errors import Unreachable, Unreadable, error_of

R = TypeVar("R")

PATIENCE_S: Final = 30.0
"""How long a client goes on asking, unless it is told otherwise."""
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0
LONGEST_RETRY_AFTER_S: Final = 60.0
"""A node that says "later" is believed up to this, and within the client's patience."""
BAD_REQUEST: Final = 400
NOT_FOUND: Final = 404
LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 507})


class Ask(Struct, frozen=True):
    """One request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    content: bytes = b""
    media_type: str = ""


class Pause(Struct, frozen=True):
    """Wait before going on. What is sent in is False when patience has ended: `spent_s` and this.

    `spent_s` is how long one thing has been asked for already.
    """

    seconds: float
    spent_s: float


class Together(Struct, frozen=True):
    """Walks that need not wait for each other; the results are sent in, in their order."""

    walks: tuple[Generator[Any, Any, Any], ...]


class Answered(Struct, frozen=True):
    """What came back after `took_s`. `status` 0: nothing did, and `content` says why."""

    status: int
    content: bytes
    retry_after_s: float = 0.0
    took_s: float = 0.0


Steps = Generator[Ask | Pause | Together, Any, R]


def pauses() -> Iterator[float]:
    """Seconds before each further attempt: doubling, up to a bound."""
    pause = FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE_S)


def asked(ask: Ask) -> Steps[Answered]:
    """Ask until there is an answer that does not say "later". Raises Unreachable."""
    spent = 0.0
    attempts = 0
    for pause in pauses():
        attempts += 1
        found: Answered = yield ask
        if found.status and found.status not in LATER:
            return found
        spent += found.took_s
        seconds = max(pause, min(found.retry_after_s, LONGEST_RETRY_AFTER_S))
        if not (yield Pause(seconds, spent)):
            break
        spent += seconds
    if found.status:
        problem = problem_of(found)
        why = problem.detail or problem.title
    else:
        why = found.content.decode(errors="replace")
    raise Unreachable(f"asked {attempts} times: {why}")


def problem_of(found: Answered) -> Problem:
    """The problem document of an answer, or what its status says."""
    try:
        return msgspec.json.decode(found.content, type=Problem)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Problem("about:blank", f"status {found.status}", found.status)


@contextmanager
def understood(status: int = 0) -> Iterator[None]:
    """Reading an answer: what is not as it should be raises Unreadable."""
    try:
        yield
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise Unreadable(str(error), status) from error


def answered(ask: Ask) -> Steps[Answered]:
    """Ask for a good answer. Raises NodeError (Gone), LookupError, Unreachable."""
    found = yield from asked(ask)
    if found.status == NOT_FOUND:
        problem = problem_of(found)
        raise LookupError(problem.detail or problem.title)
    if found.status >= BAD_REQUEST:
        raise error_of(problem_of(found))
    return found


def read(ask: Ask, kind: type[R]) -> Steps[R]:
    """Ask for something of a type. Raises NodeError (Gone), LookupError, Unreachable."""
    found = yield from answered(ask)
    with understood(found.status):
        result: R = jcs.decoder(kind).decode(found.content)
    return result


def get(path: str, kind: type[R], *query: tuple[str, str]) -> Steps[R]:
    """Read one path."""
    return (yield from read(Ask("GET", path, query), kind))
