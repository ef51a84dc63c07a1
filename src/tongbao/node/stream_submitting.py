"""Transactions over a WebSocket: one JWS a message, and one answer each, in the same order."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from itertools import count
from typing import Any, Final

from starlette.requests import Request
from starlette.websockets import WebSocket, WebSocketDisconnect

from tongbao.engines.solo import Ticket
from tongbao.kernel import jcs
from tongbao.node.api import MS, Api
from tongbao.node.operations import parameters
from tongbao.node.problems import ProblemError, response
from tongbao.node.streaming import GOING_AWAY, as_http, counted, upgrade_required
from tongbao.node.submitting import Waits, decided, queued, said
from tongbao.sdk.answers import SubmitAnswer

SOCKET_PATH: Final = "/v1/transactions/socket"
UNDER_WAY: Final = 1_000
"""Transactions of one connection that wait for their answers; the next message is read after."""
AT_ONCE: Final = 4
"""Answers in one go; between two goes it is heard that the peer has gone, which ends the answering.

asyncio logs a warning for each write to a lost connection from the fifth one on.
"""

Answers = asyncio.Queue[Ticket | Exception]


async def no_upgrade(api: Api, request: Request, asked: Waits) -> Any:
    """Submit transactions over a WebSocket: one JWS a message, one answer each, in their order."""
    raise upgrade_required("POST /v1/transactions takes the same from other clients")


async def socket(api: Api, websocket: WebSocket) -> HTTPStatus:
    """Take transactions in over a WebSocket; a refusal is a problem document instead of it."""
    try:
        asked = parameters(Request(as_http(websocket)), Waits)
        with counted(api):
            await websocket.accept()
            await _talk(api, websocket, asked)
    except ProblemError as error:
        await websocket.send_denial_response(response(error))
        return HTTPStatus(error.problem.status)
    return HTTPStatus.SWITCHING_PROTOCOLS


async def _talk(api: Api, websocket: WebSocket, asked: Waits) -> None:
    """Read and answer until the other side goes, or the node does."""
    answers: Answers = asyncio.Queue(UNDER_WAY)
    reading = asyncio.create_task(_read(api, websocket, answers))
    writing = asyncio.create_task(_write(api, websocket, answers, asked))
    stopping = asyncio.create_task(api.stopping.wait())
    tasks = {reading, writing, stopping}
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect):
            raise error
    if done == {stopping}:
        await websocket.close(GOING_AWAY)


async def _read(api: Api, websocket: WebSocket, answers: Answers) -> None:
    """Queue each message's transaction until the other side goes."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        text = message.get("text")
        wire = message.get("bytes") or b"" if text is None else text.encode()
        try:
            api.charge(websocket.scope)
        except ProblemError as error:
            await answers.put(error)
        else:
            await answers.put(queued(api, wire))


async def _write(api: Api, websocket: WebSocket, answers: Answers, asked: Waits) -> None:
    """Answer each transaction as soon as all before it have been."""
    for number in count(1):
        found = await answers.get()
        if isinstance(found, ProblemError):
            answer = SubmitAnswer("not taken", why=found.problem.detail)
        else:
            if asked.wait == "applied":
                await decided([found], api.settings.decide_ms / MS)
            answer = said(api, found)
        await websocket.send_text(jcs.encode(answer).decode())
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
