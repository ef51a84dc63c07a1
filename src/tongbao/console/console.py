"""The pages behind their paths: one table, one endpoint, one way to show an error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tongbao.console import (
    account_page,
    asset_page,
    block_pages,
    desk_page,
    grant_page,
    history_page,
    members_page,
    proposals_page,
    search_page,
    statement_page,
    transaction_page,
)
from tongbao.console.asking import Asked, Elsewhere, PageError, View
from tongbao.console.movements import MovementIndex
from tongbao.console.preferences import Preferences, choosing, links, preferences
from tongbao.console.rendering import CSP, environment, page
from tongbao.console.site import Site
from tongbao.console.static import PATH, Static
from tongbao.console.words import Words
from tongbao.sdk.local import Chain

Endpoint = Callable[[Request], Awaitable[Response]]


class Page(Struct, frozen=True):
    """A page: its path, its name in logs and metrics, and what it shows."""

    path: str
    name: str
    show: Callable[[Site, Asked], View | Elsewhere]

    @property
    def meaning(self) -> str:
        """What it shows, for the reference."""
        return " ".join((self.show.__doc__ or "").split())


PAGES: Final = (
    Page("/", "page_overview", block_pages.overview),
    Page("/blocks", "page_blocks", block_pages.blocks),
    Page("/blocks/{height}", "page_block", block_pages.block),
    Page("/transactions/{id}", "page_transaction", transaction_page.transaction),
    Page("/accounts/{address}", "page_account", account_page.account),
    Page("/accounts/{address}/statement", "page_statement", statement_page.statement),
    Page("/accounts/{address}/history", "page_history", history_page.history),
    Page("/accounts/{address}/desk", "page_desk", desk_page.desk),
    Page("/accounts/{address}/grants/{order}", "page_grant", grant_page.grant),
    Page("/assets/{asset}", "page_asset", asset_page.asset),
    Page("/members", "page_members", members_page.members),
    Page("/members/{lei}", "page_member", members_page.member),
    Page("/proposals", "page_proposals", proposals_page.proposals),
    Page("/proposals/new", "page_propose", proposals_page.propose),
    Page("/proposals/{id}", "page_proposal", proposals_page.proposal),
    Page("/search", "page_search", search_page.search),
)
"""Every page."""


class Console:
    """The pages of a chain; `routes` are for the node to serve, at the root of its site."""

    def __init__(self, chain: Chain, index: MovementIndex | None = None) -> None:
        """Show a chain, and with an index the movements of accounts."""
        self._site = Site(chain, index)
        self._static = Static()
        self._templates = environment()

    def routes(self) -> list[Route]:
        """A route for each page, and one for the files that they load."""
        found = [
            Route(one.path, self._endpoint(one), methods=["GET"], name=one.name) for one in PAGES
        ]
        found.append(Route(PATH, self._file, methods=["GET"], name="page_file"))
        return found

    def _endpoint(self, one: Page) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            chosen = choosing(request)
            if chosen is not None:
                return chosen
            return await asyncio.to_thread(self._answer, one, request)

        return endpoint

    def _answer(self, one: Page, request: Request) -> Response:
        """In a thread of its own: a block may be under way."""
        try:
            query = dict(request.query_params.items())
            view = one.show(self._site, Asked(dict(request.path_params), query))
        except PageError as error:
            return self._wrong(request, error)
        if isinstance(view, Elsewhere):
            return RedirectResponse(view.path, HTTPStatus.SEE_OTHER)
        way = links(request.url.path, request.query_params.multi_items())
        return self._render(view, preferences(request), way)

    async def _file(self, request: Request) -> Response:
        answer = self._static.answer(request)
        if answer is None:
            return self.error(request, HTTPStatus.NOT_FOUND)
        answer.headers["Content-Security-Policy"] = CSP
        return answer

    def wants(self, request: Request) -> bool:
        """Whether somebody who got a wrong path looks for a page, not for an answer of `/v1`."""
        path = request.url.path
        is_interface = path == "/v1" or path.startswith("/v1/")
        return not is_interface and "text/html" in request.headers.get("accept", "")

    def error(self, request: Request, status: HTTPStatus) -> Response:
        """The page of an error that is not about what a page shows; it asks the chain nothing."""
        known = status if status in (404, 405) else HTTPStatus.INTERNAL_SERVER_ERROR
        wrong = PageError(status, f"error.title_{known:d}", f"error.text_{known:d}")
        return self._wrong(request, wrong)

    def _wrong(self, request: Request, error: PageError) -> Response:
        facts = {"title": error.title, "text": error.text, "values": error.values}
        view = View(template="error.html", facts=facts, status=error.status)
        return self._render(view, preferences(request), links("/", []))

    def _render(self, view: View, chosen: Preferences, way: dict[str, str]) -> Response:
        words = Words(chosen.language)
        given: dict[str, Any] = {
            "t": words,
            "view": view,
            "chosen": chosen,
            "way": way,
            "chain_id": self._site.chain.id,
            "file": self._static.path,
            "vaults": self._site.vaults,
            "has": self._site.has,
            **view.facts,
        }
        text = self._templates.get_template(view.template).render(given)
        return page(text, view.status, words.tag)
