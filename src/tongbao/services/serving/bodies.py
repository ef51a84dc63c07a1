"""Bodies of requests: a small one in memory, a large one into a file, both within a limit."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request

from tongbao.services.serving.problems import Problem

SMALL_BYTES: Final = 65_536
STALL_S: Final = 30.0
"""How long a part of a body may take to come."""
CLOSE: Final = {"Connection": "close"}
SPOOLED: Final = ".incoming-"
"""How names of files begin whose request is under way; those of a program that was killed are
removed by `sweep`."""


class Spooled(Struct, frozen=True):
    """A body in a file, synced, and its SHA-256; the file goes with the request, unless moved."""

    path: Path
    size: int
    hash: bytes


async def pieces(
    request: Request, limit: int, beyond: Problem | None = None
) -> AsyncIterator[bytes]:
    """A request's body as it comes. Raises Problem for one that is longer or does not come.

    `beyond` is raised for one that is longer, in the place of 413.
    """
    too_large = beyond or _too_large(limit)
    _check_length(request, limit, too_large)
    seen = 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(STALL_S):
                piece = await anext(stream, None)
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, "the body did not come: send it again", headers=CLOSE
            ) from None
        except ClientDisconnect:
            raise Problem(HTTPStatus.BAD_REQUEST, "the body is not whole") from None
        if piece is None:
            return
        seen += len(piece)
        if seen > limit:
            raise too_large
        if piece:
            yield piece


async def small_body(request: Request, limit: int = SMALL_BYTES) -> bytes:
    """A body that is held in memory. Raises Problem."""
    return b"".join([piece async for piece in pieces(request, limit)])


@asynccontextmanager
async def spooled_body(
    request: Request, limit: int, folder: Path, beyond: Problem | None = None
) -> AsyncIterator[Spooled]:
    """A body in a file of `folder`, hashed on the way, durable when it is given.

    Raises Problem; OSError where the disk is full: whoever serves answers 507.
    """
    descriptor, name = tempfile.mkstemp(prefix=SPOOLED, dir=folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest, size = sha256(), 0
            async for piece in pieces(request, limit, beyond):
                await asyncio.to_thread(file.write, piece)
                digest.update(piece)
                size += len(piece)
            await asyncio.to_thread(_sync, file)
        yield Spooled(path, size, digest.digest())
    finally:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what requests left that were under way when their program was killed."""
    for path in folder.glob(f"{SPOOLED}*"):
        path.unlink(missing_ok=True)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _check_length(request: Request, limit: int, too_large: Problem) -> None:
    told = request.headers.get("content-length")
    if told is None:
        return
    if not (told.isascii() and told.isdigit()):
        raise Problem(HTTPStatus.BAD_REQUEST, "Content-Length is a number of bytes")
    if len(told) > 15 or int(told) > limit:
        raise too_large


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body here has at most {limit} bytes", headers=CLOSE
    )
