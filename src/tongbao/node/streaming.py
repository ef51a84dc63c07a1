"""Happenings as they come: server-sent events and WebSocket, resumable at any cursor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from tongbao.node.access.account_keys import confirm
from tongbao.node.access.callers import CALLER
from tongbao.node.access.guard import may_read
from tongbao.node.access.needs import EVENTS
from tongbao.node.api import Api
from tongbao.node.operations import Filters, parameters
from tongbao.node.problems import ProblemError, bad_request, gone, problem, response, unavailable
from tongbao.sdk.happened import Happened
from tongbao.sdk.place import END_OF_BLOCK, Place, not_before

LAST_EVENT_ID: Final = "last-event-id"
SOCKET_PATH: Final = "/v1/events/socket"
MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final = {"X-Accel-Buffering": "no"}
RETRY_MS: Final = 1_000
PIECE_BYTES: Final = 65_536
GOING_AWAY: Final = 1001
TOO_LONG: Final = 1009
TALK_BYTES: Final = 1_024
"""What a client may say at once on a stream, where nothing is expected of it."""


def place_after(api: Api, asked: Filters, last_event_id: str | None) -> Place:
    """Where a stream begins: after its cursor, else after the last block. Raises ProblemError."""
    cursor = asked.after
    if last_event_id is not None:
        cursor = last_event_id
        if not _is_cursor(cursor):
            raise bad_request("Last-Event-ID is not a cursor of this stream")
    if cursor is None:
        return Place(api.feed.height, END_OF_BLOCK)
    height, _, index = cursor.partition(".")
    place = Place(int(height), int(index))
    if place.height > api.feed.height:
        raise bad_request(f"the cursor lies beyond the last block, {api.feed.height}")
    first = api.chain.first_block
    if place.next_height < first:
        raise gone(not_before(first))
    return place


def _is_cursor(text: str) -> bool:
    height, point, index = text.partition(".")
    digits = height.isascii() and index.isascii() and height.isdigit() and index.isdigit()
    return bool(point) and digits and len(height) <= 16 and len(index) <= 9


@contextmanager
def counted(api: Api) -> Iterator[None]:
    """One of the streams that a node serves at once. Raises ProblemError when there are enough."""
    if api.streams >= api.settings.streams:
        raise unavailable(f"{api.streams} streams are open")
    api.streams += 1
    try:
        yield
    finally:
        api.streams -= 1


async def may_go_on(api: Api, asking: HTTPConnection) -> bool:
    """Whether who has begun a stream could begin it now: known still, by a key that still is the
    account's, and under the policy that counts by now.
    """
    caller = asking.scope.get(CALLER)
    if not api.callers.is_still(caller):
        return False
    try:
        await confirm(api, caller)
        return not await api.policy.is_for_members(api) or may_read(EVENTS, asking)
    except ProblemError:
        return False


class EventStream(StreamingResponse):
    """A stream that has been counted since it was asked for, and is until it ends."""

    def __init__(self, lines: AsyncIterator[bytes], counting: ExitStack) -> None:
        """Send lines; end the counting after them."""
        super().__init__(lines, media_type=MEDIA_TYPE, headers=HEADERS)
        self._counting = counting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the other side goes, or the node does."""
        with self._counting:
            await super().__call__(scope, receive, send)


async def events(api: Api, request: Request, asked: Filters) -> Response:
    """Happenings as server-sent events; `id` of each is the cursor to go on after."""
    place = place_after(api, asked, request.headers.get(LAST_EVENT_ID))
    if request.method == "HEAD":
        return Response(media_type=MEDIA_TYPE, headers=HEADERS)

    async def lines() -> AsyncIterator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MS
        async for found in api.feed.follow(place, asked.needles()):
            if not await may_go_on(api, request):
                return  # whoever asks again is told why
            for piece in _pieces(found):
                yield piece

    counting = ExitStack()
    counting.enter_context(counted(api))
    return EventStream(lines(), counting)


def _pieces(found: tuple[Happened, ...]) -> Iterator[bytes]:
    """Events in pieces of about 64 KB, so that little waits for a slow reader; or a comment."""
    if not found:
        yield b": nothing yet\n\n"
    lines: list[bytes] = []
    size = 0
    for happened in found:
        lines.append(_event(happened))
        size += len(lines[-1])
        if size >= PIECE_BYTES:
            yield b"".join(lines)
            lines, size = [], 0
    if lines:
        yield b"".join(lines)


def _event(happened: Happened) -> bytes:
    return b"id: %s\nevent: transaction\ndata: %s\n\n" % (
        str(happened.place).encode(),
        happened.line,
    )


async def no_upgrade(api: Api, request: Request, asked: Filters) -> Response:
    """Happenings over a WebSocket: one JSON text each. Other requests are told to upgrade."""
    raise upgrade_required("/v1/events tells the same to other clients")


def upgrade_required(otherwise: str) -> ProblemError:
    """What is said to a request that is no WebSocket's: where the same is had by HTTP."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    detail = f"this path speaks WebSocket; {otherwise}"
    return problem(HTTPStatus.UPGRADE_REQUIRED, detail, headers)


async def socket(api: Api, websocket: WebSocket) -> HTTPStatus:
    """Happenings over a WebSocket; a refusal is a problem document instead of the upgrade."""
    try:
        asked = parameters(Request(as_http(websocket)), Filters)
        place = place_after(api, asked, None)
        with counted(api):
            await websocket.accept()
            await _talk(api, websocket, place, asked)
    except ProblemError as error:
        await websocket.send_denial_response(response(error))
        return HTTPStatus(error.problem.status)
    return HTTPStatus.SWITCHING_PROTOCOLS


def as_http(websocket: WebSocket) -> dict[str, object]:
    """The request that a WebSocket began as."""
    return {**websocket.scope, "type": "http", "method": "GET"}


async def _talk(api: Api, websocket: WebSocket, place: Place, asked: Filters) -> None:
    """Send until the other side goes, or the node does."""
    sending = asyncio.create_task(_send(api, websocket, place, asked))
    hearing = asyncio.create_task(_hear(websocket))
    done, left = await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect):
            raise error
    if sending in done and sending.exception() is None:
        await websocket.close(GOING_AWAY)


async def _send(api: Api, websocket: WebSocket, place: Place, asked: Filters) -> None:
    async for found in api.feed.follow(place, asked.needles()):
        if not await may_go_on(api, websocket):
            return
        for happened in found:
            await websocket.send_text(happened.line.decode())


async def _hear(websocket: WebSocket) -> None:
    """Nothing is expected from the other side but its going; long talk is hung up on."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        if len(message.get("text") or message.get("bytes") or "") > TALK_BYTES:
            await websocket.close(TOO_LONG)
            return
