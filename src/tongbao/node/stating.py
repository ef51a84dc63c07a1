"""Statements out of the index: pages, and exports that are sent while they are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from tongbao.index import CursorError, Statement
from tongbao.index.database import FAILURES
from tongbao.index.entries import units_of
from tongbao.index.reading import Reading
from tongbao.index.statement import STATEMENT_LIMIT, Held, IndexBehind
from tongbao.kernel import Address, Amount, AssetId
from tongbao.modules import asset
from tongbao.node.api import MS, Api
from tongbao.node.bundling import BundleStream, Moment
from tongbao.node.problems import bad_request, not_found, unavailable
from tongbao.node.recall import AnyRecall
from tongbao.node.recalling import Least, lag_of
from tongbao.node.streaming import counted
from tongbao.sdk.answers import StatementAnswer
from tongbao.sdk.periods import LAST_TIME, NotKnown, known_begin, known_from, moment_of
from tongbao.sdk.statement_csv import HEAD, csv_lines

R = TypeVar("R")

EXPORT_PAGE: Final = 1_000
EXPORT_LIMIT: Final = 1_000_000
"""Movements of one export, at most."""
CSV: Final = "text/csv"
JSON: Final = "application/json"

Cursor = Annotated[
    str, Meta(pattern=r"^[0-9]{1,12}[.][0-9]{1,8}[.][0-9]{1,8}\Z", description="where to go on")
]


class OfStatement(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"first": "from", "until": "to", "cursor": "after"},
):
    """Whose movements in which asset: of blocks with `from` <= time < `to`, by default all."""

    address: Address
    asset: AssetId
    first: Moment | None = None
    until: Moment | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=STATEMENT_LIMIT)] = 1_000
    min_height: Least | None = None


class OfExport(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"first": "from", "until": "to", "kind": "format"},
):
    """Whose movements in which asset, as in `OfStatement`, and in which form."""

    address: Address
    asset: AssetId
    first: Moment | None = None
    until: Moment | None = None
    kind: Literal["csv", "json"] = "csv"
    min_height: Least | None = None


class Now(Struct, frozen=True):
    """The state that a statement ends with at most: what is held, and just after its last block."""

    held: Held
    end: int


async def statement(api: Api, request: Request, asked: OfStatement) -> StatementAnswer:
    """Movements of an account in an asset, the oldest first, with balances before and after."""
    first, until = _times(asked.first, asked.until)
    recall = recall_of(api)
    now = await _now(api, recall, asked)

    def read(index: Reading) -> Statement:
        return index.statement(
            *(asked.address, asked.asset, first, until, now.held),
            after=asked.cursor,
            limit=asked.limit,
        )

    found = await _known(api, await ask(recall, read), asked.first is not None)
    height = max(api.feed.height, found.height)
    lag = await lag_of(api, found.height)
    facts = {name: getattr(found, name) for name in found.__struct_fields__}
    facts |= {"height": height, "index_height": found.height, "lag_ms": lag}
    return StatementAnswer(**facts)


async def export(api: Api, request: Request, asked: OfExport) -> Response:
    """A whole statement to keep, as CSV or JSON; for more than a million movements ask in parts."""
    first, until = _times(asked.first, asked.until)
    recall = recall_of(api)
    now = await _now(api, recall, asked)
    until = max(first, min(until, now.end))  # so that all pages are of the same blocks

    async def page(after: str | None) -> Statement:
        def read(index: Reading) -> Statement:
            account, money = asked.address, asked.asset
            how: dict[str, Any] = {"after": after, "limit": EXPORT_PAGE}
            return index.statement(account, money, first, until, now.held, **how)

        return await ask(recall, read)

    media_type = CSV if asked.kind == "csv" else JSON
    if request.method == "HEAD":
        return Response(media_type=media_type)
    begin = await _known(api, await page(None), asked.first is not None)
    write = _as_csv if asked.kind == "csv" else _as_json
    counting = ExitStack()
    counting.enter_context(counted(api))
    code = asked.asset.partition(".")[0]
    name = f"statement-{code}-{asked.address[:8]}.{asked.kind}"
    return BundleStream(write(begin, page), name, counting, media_type)


Page = Callable[[str | None], Any]


async def _pages(begin: Statement, page: Page) -> AsyncIterator[Statement]:
    """A statement's pages; what is beyond the limit ends the connection, and nobody has a whole."""
    found, count = begin, len(begin.movements)
    yield found
    while found.after is not None:
        found = await page(found.after)
        count += len(found.movements)
        if count > EXPORT_LIMIT:
            raise unavailable(f"an export has at most {EXPORT_LIMIT} movements: ask in parts")
        yield found


async def _as_csv(begin: Statement, page: Page) -> AsyncIterator[bytes]:
    yield HEAD
    async for found in _pages(begin, page):
        yield csv_lines(found.movements)


async def _as_json(begin: Statement, page: Page) -> AsyncIterator[bytes]:
    """The members of a statement, movements last but for the sums, which come after them."""
    heads = ("height", "from_block", "account", "asset", "first_time", "before_time", "opening")
    facts = {name: getattr(begin, name) for name in (*heads, "closing")}
    yield msgspec.json.encode(facts)[:-1] + b',"movements":['
    come = gone = 0
    separator = b""
    async for found in _pages(begin, page):
        come, gone = come + units_of(found.total_in), gone + units_of(found.total_out)
        if found.movements:
            yield separator + msgspec.json.encode(found.movements)[1:-1]
            separator = b","
    decimals = len(begin.opening.partition(".")[2])
    sums = {"total_in": _text(come, decimals), "total_out": _text(gone, decimals)}
    yield b"]," + msgspec.json.encode(sums)[1:]


def _text(units: int, decimals: int) -> str:
    """Units as decimal text; a sum may be more than an amount can be."""
    digits = str(units).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def _times(first: str | None, until: str | None) -> tuple[int, int]:
    """Both ends in ms UTC. Raises ProblemError."""
    try:
        low = 0 if first is None else moment_of(first)
        high = LAST_TIME + 1 if until is None else moment_of(until)
    except ValueError as error:
        raise bad_request(str(error)) from error
    if high < low:
        raise bad_request("`to` is before `from`: a period begins before it ends")
    return low, high


async def _known(api: Api, found: Statement, is_named: bool) -> Statement:
    """A statement, of a period whose begin is `is_named` or else is where the index's is.

    What is told without it would be balances that nobody had. Raises ProblemError.
    """
    if not found.from_block:
        return found
    known = await asyncio.to_thread(known_from, api.chain, found.from_block)
    first = found.first_time if is_named else None
    try:
        begin = known_begin(known, found.from_block, first, found.before_time)
    except NotKnown as error:
        raise bad_request(str(error)) from error
    return replace(found, first_time=begin)


def recall_of(api: Api) -> AnyRecall:
    """The index that this node asks. Raises ProblemError where it has none."""
    if api.recall is None:
        raise unavailable("this node keeps no history: its setting `index` is none")
    return api.recall


async def _now(api: Api, recall: AnyRecall, asked: OfStatement | OfExport) -> Now:
    """What the state says, once the index has its height too. Raises ProblemError."""
    now = await api.read(asked.min_height, _held, api, asked.address, asked.asset)
    await reach(api, recall, now.held.height)
    return now


async def reach(api: Api, recall: AnyRecall, height: int) -> None:
    """Wait until the index has a height. Raises ProblemError."""
    seconds = api.settings.wait_ms / MS
    if not await recall.reach(height, seconds):
        raise unavailable(f"the index did not reach height {height} in {seconds:g} s")


def _held(api: Api, account: Address, of: AssetId) -> Now:
    """What is held of an asset at the last height. Raises ProblemError."""
    with api.chain.reading():
        head = api.chain.head()
        definition = api.chain.query(asset.show, of)
        row = api.chain.query(asset.balance, account, of)
    if definition is None:
        raise not_found(f"no asset is called {of}")
    amount = Amount.of(0, definition.scale) if row is None else row.amount
    return Now(Held(head.height, amount), head.time + 1)


async def ask(recall: AnyRecall, read: Callable[[Reading], R]) -> R:
    """Ask the index in another thread. Raises ProblemError."""
    try:
        return await asyncio.to_thread(read, recall.index)
    except CursorError as error:
        raise bad_request(f"after: {error}") from error
    except IndexBehind as error:
        raise unavailable(str(error)) from error
    except FAILURES as error:
        recall.tell(error)
        raise unavailable("the index can't be read now") from error
