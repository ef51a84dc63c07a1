"""The reading policy at each operation: an answer is begun only for whoever may have it.

`public` lets everybody through. With `members` a caller has the scope that the operation needs, or
asks for its own account's alone; an operation that says nothing of its need is for the whole
ledger's readers only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Message, Receive

from tongbao.node.access.callers import CALLER, REALM, Caller, unauthorized
from tongbao.node.access.needs import CHAIN, LEDGER, OPEN, Need, of_account
from tongbao.node.problems import problem

if TYPE_CHECKING:
    from tongbao.node.api import Site

MEMBERS: Final = "members"
OF_PAGES: Final = {
    "page_account": of_account("address"),
    "page_statement": of_account("address"),
    "page_history": of_account("address"),
    "page_desk": of_account("address"),
    "page_members": CHAIN,
    "page_member": CHAIN,
    "page_proposals": CHAIN,
    "page_propose": CHAIN,
    "page_proposal": CHAIN,
    "page_file": OPEN,
}
"""What pages need, where that is not the ledger."""

Endpoint = Callable[[Request], Awaitable[Response]]


def check(need: Need, request: HTTPConnection, body: bytes = b"") -> None:
    """Whether whoever asks may have an answer. Raises ProblemError, 401 or 403."""
    if need.scope is None:
        return
    caller: Caller | None = request.scope.get(CALLER)
    if caller is None:
        raise unauthorized(
            "this node answers those whom it knows: send an API key or a session's token as "
            "`Authorization: Bearer`, or a client certificate"
        )
    if need.scope in caller.scopes:
        return
    if need.own is not None and need.own(caller.account, request, body):
        return
    own = "" if need.own is None else ", or to ask for the caller's own account alone"
    said = f'{REALM}, error="insufficient_scope", scope="{need.scope}"'
    raise problem(
        HTTPStatus.FORBIDDEN,
        f"this needs the scope {need.scope}{own}",
        {"WWW-Authenticate": said},
    )


class Guard:
    """What stands before each operation of a node, by its reading policy."""

    def __init__(self, read_policy: str, site: Site) -> None:
        """Guard by a policy, `public` or `members`."""
        self._is_for_members = read_policy == MEMBERS
        self._site = site

    def check(self, need: Need, request: HTTPConnection) -> None:
        """As the function `check`, where there is anything to check."""
        if self._is_for_members:
            check(need, request)

    def before(self, need: Need, run: Endpoint) -> Endpoint:
        """An endpoint that answers those alone who may read."""
        if not self._is_for_members or need.scope is None:
            return run

        async def endpoint(request: Request) -> Response:
            body = b""
            if need.reads_body:
                body = await self._site.api.any_body(request)
                request = Request(request.scope, _again(body))
            check(need, request, body)
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
