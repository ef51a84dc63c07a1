"""Who may see the page: one browser of this machine, which was told an address that works once.

The address has a token; opening it turns the token into a cookie that other sites' pages can't send
(SameSite=Strict) and scripts can't read. Requests for another host are refused (a name that was
made to point here), and so are forms that another page sends (Origin).
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tongbao.services.serving.problems import Problem

COOKIE: Final = "tongbao_mydata"
TOKEN_BYTES: Final = 32


class Closed(Exception):
    """Whoever asks has not come by the address that was printed."""


class Door:
    """The token of the address, and the cookie that it becomes."""

    def __init__(self) -> None:
        """Draw both. Nobody comes in before `open_at`."""
        self._token: str | None = None
        self._cookie = secrets.token_urlsafe(TOKEN_BYTES)
        self._origin = ""

    def open_at(self, origin: str) -> str:
        """Let one browser in at this origin: the address to open, which works once."""
        self._origin = origin
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        return f"{origin}/enter?token={self._token}"

    def enter(self, request: Request) -> Response:
        """Turn the token into a cookie. Raises Closed, Problem."""
        self._check_host(request)
        given = request.query_params.get("token", "")
        if self._token is None or not compare_digest(given.encode(), self._token.encode()):
            raise Closed
        self._token = None
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(COOKIE, self._cookie, httponly=True, samesite="strict", path="/")
        return answer

    def check(self, request: Request) -> None:
        """Whether a request comes from the browser that was let in. Raises Closed, Problem."""
        self._check_host(request)
        given = request.cookies.get(COOKIE, "")
        if not compare_digest(given.encode("utf-8", "replace"), self._cookie.encode()):
            raise Closed
        if request.method != "GET" and request.headers.get("origin") != self._origin:
            raise Problem(HTTPStatus.FORBIDDEN, "forms are sent by this page alone")

    def _check_host(self, request: Request) -> None:
        host = self._origin.partition("//")[2]
        if not host or request.headers.getlist("host") != [host]:
            raise Problem(HTTPStatus.MISDIRECTED_REQUEST, "the page has one address: 127.0.0.1")
