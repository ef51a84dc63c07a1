"""Whether a key is an account's, by the last block that this node has told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from tongbao.kernel import Address
from tongbao.modules import account
from tongbao.node.access.callers import Caller, unauthorized

if TYPE_CHECKING:
    from tongbao.node.api import Api

T = TypeVar("T")

CONFIRM_MS: Final = 10_000
"""How long a session goes on after its key was taken from the account, at most."""
AGAIN_S: Final = 0.02
ATTEMPTS: Final = 25
"""Rows follow the log within a tenth of a second, where another process writes them."""


async def has_key(api: Api, address: str, public: str) -> bool:
    """Whether an account, which must be open, has a key (in base64url) now."""

    def read() -> bool:
        found = api.chain.query(account.show, Address(address))
        return found is not None and any(entry.key.public == public for entry in found.keys)

    return await newest(api, read)


async def newest(api: Api, read: Callable[[], T]) -> T:
    """What a quick read of the rows tells, once they have the last block that was told of."""
    least = api.feed.height

    def at() -> tuple[int, T]:
        with api.chain.reading() as height:
            return height, read()

    for _ in range(ATTEMPTS):
        height, found = await api.read(None, at)
        if height >= least:
            break
        await asyncio.sleep(AGAIN_S)
    return found


async def confirm(api: Api, caller: Caller | None) -> None:
    """End the session of a key that is its account's no more. Raises ProblemError, 401."""
    session = None if caller is None else caller.session
    now = api.callers.now_ms()
    if session is None or now - session.seen_ms < CONFIRM_MS:
        return
    session.seen_ms = now  # before the wait: one request asks, others go on
    if not await has_key(api, session.account, session.public):
        api.callers.sessions.end(session)
        raise unauthorized("the session's key is its account's no more", is_invalid=True)
