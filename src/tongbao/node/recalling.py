"""History out of the index: movements and transactions of an account, an asset, a reference."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta, Struct
from starlette.requests import Request

from tongbao.index import CursorError, Movements, Transactions
from tongbao.index.database import FAILURES
from tongbao.kernel import Address, AssetId, TransactionReference
from tongbao.node.api import MS, Api
from tongbao.node.problems import bad_request, unavailable
from tongbao.sdk.answers import MovementsAnswer, TransactionsAnswer

R = TypeVar("R", Movements, Transactions)

PAGE: Final = 100

Before = Annotated[
    str, Meta(pattern=r"^[0-9]{1,12}[.][0-9]{1,8}[.][0-9]{1,8}\Z", description="where to go on")
]
Limit = Annotated[int, Meta(ge=1, le=PAGE)]
Least = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class OfAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an account took part in."""

    address: Address
    before: Before | None = None
    limit: Limit = 50
    min_height: Least | None = None


class OfAccountMovements(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What moved from or to an account, of one asset or of any."""

    address: Address
    asset: AssetId | None = None
    before: Before | None = None
    limit: Limit = 50
    min_height: Least | None = None


class OfAsset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What moved of an asset."""

    asset: AssetId
    before: Before | None = None
    limit: Limit = 50
    min_height: Least | None = None


class OfReference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What bears a reference."""

    reference: TransactionReference
    before: Before | None = None
    limit: Limit = 50
    min_height: Least | None = None


async def account_movements(
    api: Api, request: Request, asked: OfAccountMovements
) -> MovementsAnswer:
    """Movements from and to an account, the newest first."""
    name, asset = asked.address, asked.asset
    page = await _page(api, asked, lambda index, how: index.movements_of(name, asset=asset, **how))
    return await _movements(api, page)


async def asset_movements(api: Api, request: Request, asked: OfAsset) -> MovementsAnswer:
    """Movements of an asset, the newest first."""
    name = asked.asset
    page = await _page(api, asked, lambda index, how: index.movements_of_asset(name, **how))
    return await _movements(api, page)


async def account_transactions(api: Api, request: Request, asked: OfAccount) -> TransactionsAnswer:
    """What an account sent, and whatever moved value from or to it, the newest first."""
    name = asked.address
    page = await _page(api, asked, lambda index, how: index.transactions_of(name, **how))
    return await _transactions(api, page)


async def by_reference(api: Api, request: Request, asked: OfReference) -> TransactionsAnswer:
    """Transactions that bear a reference, or a message that does, the newest first."""
    name = asked.reference
    page = await _page(api, asked, lambda index, how: index.by_reference(name, **how))
    return await _transactions(api, page)


async def _page(api: Api, asked: Any, read: Callable[[Any, dict[str, Any]], R]) -> R:
    """A page, once the index has the height that the caller has seen already."""
    recall = api.recall
    if recall is None:
        raise unavailable("this node keeps no history: its setting `index` is none")
    least, seconds = asked.min_height, api.settings.wait_ms / MS
    if least is not None and not await recall.reach(least, seconds):
        raise unavailable(f"the index did not reach height {least} in {seconds:g} s")
    how = {"before": asked.before, "limit": asked.limit}
    try:
        return await asyncio.to_thread(read, recall.index, how)
    except CursorError as error:
        raise bad_request(f"before: {error}") from error
    except FAILURES as error:
        recall.tell(error)
        raise unavailable("the index can't be read now") from error


async def lag_of(api: Api, height: int) -> int:
    """How long the first block that the index lacks has been there, in ms; 0 when it lacks none."""
    if height >= api.feed.height:
        return 0
    lines = await api.read(None, api.chain.headers, height + 1, height + 1)
    return max(0, api.chain.now() - lines[0].time) if lines else 0


async def _movements(api: Api, page: Movements) -> MovementsAnswer:
    height = max(api.feed.height, page.height)
    lag, found = await lag_of(api, page.height), page.movements
    return MovementsAnswer(height, page.height, found, page.before, page.from_block, lag)


async def _transactions(api: Api, page: Transactions) -> TransactionsAnswer:
    height = max(api.feed.height, page.height)
    lag, found = await lag_of(api, page.height), page.transactions
    return TransactionsAnswer(height, page.height, found, page.before, page.from_block, lag)
