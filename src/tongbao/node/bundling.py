"""Audit bundles over HTTP: a statement and its proofs, sent while they are made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tongbao.index.database import FAILURES
from tongbao.index.statement import Held, IndexBehind
from tongbao.kernel import Address, AssetId
from tongbao.node.api import MS, Api
from tongbao.node.problems import bad_request, not_found, unavailable
from tongbao.node.streaming import PIECE_BYTES, counted
from tongbao.sdk.bundle import MOVEMENTS_LIMIT, BundleStatement
from tongbao.sdk.bundle_maker import BundleError, Rows, bundle_pieces, prove_end, statement_of
from tongbao.sdk.periods import moment_of
from tongbao.sdk.prover import NotProven
from tongbao.store.errors import Pruned

ZIP: Final = "application/zip"
DAY: Final = "%Y-%m-%d"

Moment = Annotated[
    str, Meta(min_length=1, max_length=40, description="ms UTC, a date, or a time in ISO 8601")
]


class OfBundle(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"first": "from", "before": "to"},
):
    """Whose movements in which asset: of blocks with `from` <= time < `to`, by default all."""

    address: Address
    asset: AssetId
    first: Moment | None = None
    before: Moment | None = None
    min_height: Annotated[int, Meta(ge=0, le=2**53 - 1)] | None = None


class BundleStream(StreamingResponse):
    """An archive that counts as a stream until it is sent."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        name: str,
        counting: ExitStack,
        media_type: str = ZIP,
    ) -> None:
        """Send pieces; end the counting after them."""
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._counting = counting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until all is sent, or the other side goes."""
        with self._counting:
            await super().__call__(scope, receive, send)


async def bundle(api: Api, request: Request, asked: OfBundle) -> Response:
    """A statement with the proofs of it, one archive that `tongbao verify` checks offline."""
    try:
        first = 0 if asked.first is None else moment_of(asked.first)
        before = None if asked.before is None else moment_of(asked.before)
    except ValueError as error:
        raise bad_request(str(error)) from error
    rows = await _proven(api, asked)
    if not bytes(rows.definition.value):
        raise not_found(f"no asset is called {asked.asset}")
    statement = await _statement(api, rows, first, before)
    name = _file_name(statement)
    if request.method == "HEAD":
        return Response(media_type=ZIP)
    counting = ExitStack()
    counting.enter_context(counted(api))
    try:
        pieces = bundle_pieces(api.chain, rows, statement)
        # What can't be proven now is told as a problem while nothing has been sent.
        begin = await api.apart(_batch, pieces)
    except Pruned as error:
        counting.close()
        raise unavailable(f"blocks were given up just now: {error}") from error
    except BaseException:
        counting.close()
        raise
    return BundleStream(_sent(begin, pieces), name, counting)


async def _proven(api: Api, asked: OfBundle) -> Rows:
    """The rows at the end, and the chain here at their height. Raises ProblemError.

    Whoever proves may be another process, and ahead of this one.
    """
    seconds = api.settings.wait_ms / MS
    least = asked.min_height
    if least is not None and not await api.feed.reach(least, seconds):
        raise unavailable(f"height {least} was not reached in {seconds:g} s")
    try:
        rows = await asyncio.to_thread(prove_end, api.chain, asked.address, asked.asset)
    except (NotProven, LookupError) as error:
        raise unavailable(str(error)) from error
    if not await api.feed.reach(rows.height, seconds):
        raise unavailable(f"height {rows.height} was not reached in {seconds:g} s")
    return rows


async def _statement(api: Api, rows: Rows, first: int, before: int | None) -> BundleStatement:
    """What the index says, once it has come to the height of the rows. Raises ProblemError."""
    recall = api.recall
    if recall is None:
        raise unavailable("this node keeps no history: its setting `index` is none")
    seconds = api.settings.wait_ms / MS
    if not await recall.reach(rows.height, seconds):
        raise unavailable(f"the index did not reach height {rows.height} in {seconds:g} s")
    index = recall.index

    def ask(begin: int, end: int, held: Held, after: str | None) -> Any:
        return index.statement(
            rows.account, rows.asset, begin, end, held, after=after, limit=MOVEMENTS_LIMIT
        )

    try:
        return await asyncio.to_thread(statement_of, api.chain, rows, ask, first, before)
    except BundleError as error:
        raise bad_request(str(error)) from error
    except IndexBehind as error:
        raise unavailable(str(error)) from error
    except FAILURES as error:
        recall.tell(error)
        raise unavailable("the index can't be read now") from error


def _batch(pieces: Iterator[bytes]) -> bytes:
    """About 64 KB of what comes next; nothing at the end."""
    found: list[bytes] = []
    size = 0
    for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size >= PIECE_BYTES:
            break
    return b"".join(found)


async def _sent(begin: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The archive; whatever fails on the way cuts it, and the rest is no bundle."""
    piece = begin
    while piece:
        yield piece
        piece = await asyncio.to_thread(_batch, pieces)


def _file_name(statement: BundleStatement) -> str:
    """A name that says of whom, in what and until when."""
    code = statement.asset.partition(".")[0]
    day = time.strftime(DAY, time.gmtime(max(statement.before_time - 1, 0) // 1_000))
    return f"bundle-{code}-{statement.account[:8]}-{day}.zip"
