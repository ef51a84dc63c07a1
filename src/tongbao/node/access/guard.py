"""The reading policy at each operation: an answer is begun only for whoever may have it.

`public` lets everybody through. With `members` a caller has the scope that the operation needs, or
asks for its own account's alone, or is a supervisor with a basis; an operation that says nothing of
its need is for readers of the whole ledger only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Message, Receive

from tongbao.node.access.callers import CALLER, REALM, Caller, unauthorized
from tongbao.node.access.inspecting import inspect
from tongbao.node.access.needs import CHAIN, LEDGER, OPEN, Kind, Need, of_account
from tongbao.node.problems import ProblemError, problem

if TYPE_CHECKING:
    from tongbao.node.api import Site

OF_PAGES: Final = {
    "page_account": of_account("address", kind=Kind.PAGES),
    "page_statement": of_account("address", kind=Kind.PAGES),
    "page_history": of_account("address", kind=Kind.PAGES),
    "page_desk": of_account("address", kind=Kind.PAGES),
    "page_grant": of_account("address", kind=Kind.PAGES),
    "page_members": CHAIN,
    "page_member": CHAIN,
    "page_proposals": CHAIN,
    "page_propose": CHAIN,
    "page_proposal": CHAIN,
    "page_file": OPEN,
}
"""What pages need, where that is not the ledger."""

Endpoint = Callable[[Request], Awaitable[Response]]


def may_read(need: Need, request: HTTPConnection, body: bytes = b"") -> bool:
    """Whether whoever asks may have an answer by its scopes, or as its own. ProblemError: 401."""
    caller: Caller | None = request.scope.get(CALLER)
    if caller is None:
        raise unauthorized(
            "this node answers those whom it knows: send an API key or a session's token as "
            "`Authorization: Bearer`, or a client certificate"
        )
    if need.scope in caller.scopes:
        return True
    return need.own is not None and need.own(caller.account, request, body)


def forbidden(need: Need) -> ProblemError:
    """The answer to who is known and may not read."""
    own = "" if need.own is None else ", or to ask for the caller's own account alone"
    said = f'{REALM}, error="insufficient_scope", scope="{need.scope}"'
    return problem(
        HTTPStatus.FORBIDDEN,
        f"this needs the scope {need.scope}{own}",
        {"WWW-Authenticate": said},
    )


class Guard:
    """What stands before each operation of a node, by its reading policy."""

    def __init__(self, site: Site) -> None:
        """Guard what a site answers."""
        self._site = site

    async def check(self, need: Need, request: HTTPConnection, body: bytes = b"") -> None:
        """Whether whoever asks may have an answer. Raises ProblemError: 401, 403, 503."""
        if need.scope is not None and await self._is_for_members():
            await self._check_members(need, request, body)

    async def _is_for_members(self) -> bool:
        api = self._site.api
        return await api.policy.is_for_members(api)

    async def _check_members(self, need: Need, request: HTTPConnection, body: bytes) -> None:
        if may_read(need, request, body):
            return
        caller: Caller | None = request.scope[CALLER]
        by = None if caller is None else caller.account
        if by is None or not await inspect(self._site.api, by, need, request):
            raise forbidden(need)

    def before(self, need: Need, run: Endpoint) -> Endpoint:
        """An endpoint that answers those alone who may read."""
        if need.scope is None:
            return run

        async def endpoint(request: Request) -> Response:
            if not await self._is_for_members():
                return await run(request)
            body = b""
            if need.reads_body:
                body = await self._site.api.any_body(request)
                request = Request(request.scope, _again(body))
            await self._check_members(need, request, body)
            return await run(request)

        return endpoint

    def before_page(self, name: str, run: Endpoint) -> Endpoint:
        """A page that is shown to those alone who may read what it shows."""
        return self.before(OF_PAGES.get(name, LEDGER), run)


def _again(body: bytes) -> Receive:
    """A body that was read already, for whoever reads it next."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
