"""Whether the node lives, whether it should be sent requests, and what it counts."""

from __future__ import annotations

import time
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tongbao.node import metrics
from tongbao.node.api import Api
from tongbao.node.operations import Nothing
from tongbao.sdk.answers import ReadyAnswer


async def live(api: Api, request: Request, asked: Nothing) -> Response:
    """The process answers. Nothing is locked for this, whatever the chain does."""
    return PlainTextResponse("alive\n")


def why_not(api: Api) -> tuple[str, ...]:
    """Why no transactions are taken; empty while they are."""
    stopping = "the node is stopping" if api.stopping.is_set() else None
    return tuple(why for why in (stopping, api.chain.why_stopped) if why is not None)


async def ready(api: Api, request: Request, asked: Nothing) -> Response:
    """Whether transactions are taken; if not, why."""
    reasons = why_not(api)
    body = msgspec.json.encode(ReadyAnswer(not reasons, reasons))
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return Response(body, status, media_type="application/json")


async def count(api: Api, request: Request, asked: Nothing) -> Response:
    """The metrics, in Prometheus's text format."""
    head = await api.read(None, api.chain.head)
    watched = api.metrics
    watched.height.set(head.height)
    watched.block_time.set(head.time / 1000)
    recall = api.recall
    known = -1 if recall is None else await recall.look()
    watched.index_height.set(known)
    watched.index_lag.set(0 if recall is None else max(head.height - known, 0))
    watched.rows.set(head.rows)
    watched.streams.set(api.streams)
    watched.disk_full.set(api.chain.is_disk_full)
    watched.count_misbehaviour(api.chain.misbehaviour)
    watched.queue.set(api.chain.waiting)
    for role, count in api.living().items():
        watched.processes.labels(role).set(count)
    watched.ready.set(not why_not(api))
    watched.clock.set(time.time())
    return Response(watched.text(), media_type=metrics.MEDIA_TYPE)
