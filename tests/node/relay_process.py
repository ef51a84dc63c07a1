"""A process that answers relayed requests: `python -m tests.node.relay_process SOCKET`.

It answers at `/echo` what it was asked, at `/large` 4 MB in many parts, at `/endless` until nobody
wants more, at `/ends` not at all: it ends. `/count` says how many endless answers are under way.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tongbao.node.processes.answering import LEAST, answer_on

PIECE = bytes(range(256)) * 256
PIECES = 64


class Answers:
    """What the process answers, and what it counts."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self.endless = 0

    async def echo(self, request: Request) -> Response:
        """Tell what was asked, and who answers."""
        body = await request.body()
        found = {
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "header": request.headers.get("x-said", ""),
            "body": body.decode(),
            "least": request.scope[LEAST],
            "process": os.getpid(),
        }
        return JSONResponse(found, 203, {"x-answered": "yes"})

    async def large(self, request: Request) -> Response:
        """Many parts."""

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(PIECES):
                yield PIECE

        return StreamingResponse(pieces(), media_type="application/octet-stream")

    async def never_ending(self, request: Request) -> Response:
        """Parts until nobody wants more."""

        async def pieces() -> AsyncIterator[bytes]:
            self.endless += 1
            try:
                while True:
                    yield PIECE
            finally:
                self.endless -= 1

        return StreamingResponse(pieces())

    async def ends(self, request: Request) -> Response:
        """End instead of an answer, as a process that is killed does."""
        os._exit(9)

    async def count(self, request: Request) -> Response:
        """How many endless answers are under way."""
        return JSONResponse(self.endless)


def app() -> Starlette:
    """The application."""
    answers = Answers()
    return Starlette(
        routes=[
            Route("/echo", answers.echo, methods=["GET", "POST"]),
            Route("/large", answers.large),
            Route("/endless", answers.never_ending),
            Route("/ends", answers.ends),
            Route("/count", answers.count),
        ]
    )


def main() -> None:
    """Answer until killed; a line on standard output says that it does."""
    path = Path(sys.argv[1])
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(16)
        print("answers", flush=True)
        asyncio.run(answer_on(app(), listening, asyncio.Event()))


if __name__ == "__main__":
    main()
