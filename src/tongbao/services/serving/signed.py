"""Who asks: the signed request behind an HTTP request, checked before its handler goes on.

    asked = await signed(request)                        # small bodies: in asked.body
    async with signed_file(request, limit, folder) as (who, spooled):  # large ones

The signature is checked before a byte of the body is read, the body's hash after it, and the nonce
is used last: what was altered on the way can be sent again as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from msgspec import Struct
from starlette.requests import Request

from tongbao.sdk.request_checker import Asked, RequestChecker, RequestRefused
from tongbao.sdk.signed_requests import HEADER
from tongbao.services.serving.bodies import SMALL_BYTES, Spooled, small_body, spooled_body
from tongbao.services.serving.problems import Problem

HasKey = Callable[[str, str], bool]
"""Whether an account has a key, by its `kid`; it may ask a node, in a thread."""


class Who(Struct, frozen=True):
    """Who asks, and what was sent along.

    `account` is None where the key (32 bytes in hex) itself asks; `body` is empty where it was
    spooled into a file.
    """

    account: str | None
    key: str
    body: bytes = b""


class Signatures:
    """What a service checks signed requests with; `app.state.signatures`."""

    def __init__(self, checker: RequestChecker, has_key: HasKey | None) -> None:
        """`has_key` is None for a service that knows keys alone: requests of accounts are
        refused there.
        """
        self.checker = checker
        self._has_key = has_key

    async def verify(self, request: Request) -> Asked:
        """Everything but body and nonce. Raises Problem, RequestRefused."""
        asked = self.checker.verify(_header(request), request.method, _path(request))
        if asked.account is None:
            return asked
        if self._has_key is None:
            raise RequestRefused(
                HTTPStatus.UNAUTHORIZED, "keys alone ask here: leave the account out"
            )
        if not await asyncio.to_thread(self._has_key, asked.account, asked.kid):
            raise RequestRefused(
                HTTPStatus.UNAUTHORIZED,
                "the key is none of the account's that may sign alone; or the ledger doesn't know "
                "it yet: try again",
            )
        return asked


async def signed(
    request: Request, limit: int = SMALL_BYTES, may: Callable[[Asked], None] | None = None
) -> Who:
    """Who asks, with a body of at most `limit` bytes. Raises Problem.

    `may` looks at who asks before the body is read, and raises Problem for whoever may not.
    """
    signatures = _signatures(request)
    try:
        asked = await signatures.verify(request)
        if may is not None:
            may(asked)
        body = await small_body(request, limit)
        signatures.checker.check_body(asked, sha256(body).digest())
        signatures.checker.remember(asked)
    except RequestRefused as error:
        raise Problem(error.status, error.detail) from None
    return Who(asked.account, asked.key, body)


@asynccontextmanager
async def signed_file(
    request: Request,
    limit: int,
    folder: Path,
    may: Callable[[Asked], None] | None = None,
    beyond: Problem | None = None,
) -> AsyncIterator[tuple[Who, Spooled]]:
    """Who asks, with the body in a file of `folder`. Raises Problem, OSError as `spooled_body`.

    `beyond` is raised for a body that is longer than `limit`, in the place of 413.
    """
    signatures = _signatures(request)
    try:
        asked = await signatures.verify(request)
        if may is not None:
            may(asked)
    except RequestRefused as error:
        raise Problem(error.status, error.detail) from None
    async with spooled_body(request, limit, folder, beyond) as spooled:
        try:
            signatures.checker.check_body(asked, spooled.hash)
            signatures.checker.remember(asked)
        except RequestRefused as error:
            raise Problem(error.status, error.detail) from None
        yield Who(asked.account, asked.key), spooled


def _signatures(request: Request) -> Signatures:
    found = request.app.state.signatures
    assert isinstance(found, Signatures), "run_service sets it"
    return found


def _header(request: Request) -> str:
    found = request.headers.getlist(HEADER)
    if len(found) != 1:
        raise RequestRefused(
            HTTPStatus.UNAUTHORIZED, "sign the request: one header tongbao-request"
        )
    return found[0]


def _path(request: Request) -> str:
    """The path with its query, as it was sent."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
