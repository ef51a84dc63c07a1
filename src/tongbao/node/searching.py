"""Search: what the index and the chain know by a name, or by the beginning of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request

from tongbao.console import forms
from tongbao.index import Found
from tongbao.kernel import Address, AssetId
from tongbao.modules import account, asset
from tongbao.node.api import Api
from tongbao.node.recalling import Least, lag_of
from tongbao.node.stating import ask, reach, recall_of
from tongbao.sdk.answers import SearchAnswer
from tongbao.sdk.joined import NeverHere


class OfSearch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for: a whole name, or how an account, an asset or a reference begins."""

    text: Annotated[str, Meta(min_length=1, max_length=100)]
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    min_height: Least | None = None


async def search(api: Api, request: Request, asked: OfSearch) -> SearchAnswer:
    """Blocks, transactions, accounts, assets and references of a name, or that begin with it."""
    recall = recall_of(api)
    text = asked.text.strip()
    if text.startswith("did:tongbao:"):
        text = text.rpartition(":")[2]
    if asked.min_height is not None:
        await reach(api, recall, asked.min_height)
    known = await api.read(asked.min_height, _known, api, text)
    found = await ask(recall, lambda index: index.search(text, limit=asked.limit))
    names = tuple(dict.fromkeys((*known, *found.found)))
    height = max(api.feed.height, found.height)
    lag = await lag_of(api, found.height)
    more = found.more or len(names) > asked.limit
    return SearchAnswer(height, found.height, lag, names[: asked.limit], more, found.from_block)


def _known(api: Api, text: str) -> list[Found]:
    """What the chain itself knows by a whole name."""
    return list(_things(api, text))


def _things(api: Api, text: str) -> Iterator[Found]:
    chain, small = api.chain, text.lower()
    if forms.HEIGHT.match(text) and int(text) <= chain.head().height:
        yield Found("block", text)
    if forms.TRANSACTION.match(small) and _is_decided(api, small):
        yield Found("transaction", small)
    if forms.ADDRESS.match(small) and chain.query(account.show, Address(small)) is not None:
        yield Found("account", small)
    if forms.ASSET.match(text) and chain.query(asset.show, AssetId(text)) is not None:
        yield Found("asset", text)


def _is_decided(api: Api, identifier: str) -> bool:
    """Whether a block of this chain has a transaction, as far as this node can know."""
    try:
        return api.chain.status(identifier).height is not None
    except NeverHere:
        return False
