"""The page's paths: one to look at, one to enter, and one for each thing that can be done.

Nothing here is a script: forms do everything, with their confirmation in the same form. One request
at a time talks to the ledger.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from importlib import resources
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tongbao.sdk.client import Refused
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.services.my_data.agents import AgentError
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.erasing import NothingToErase, erase, erase_all
from tongbao.services.my_data.offering import NotFound, pull, withdraw
from tongbao.services.my_data.page.door import Closed, Door
from tongbao.services.my_data.page.showing import TONES, show
from tongbao.services.my_data.page.words import LANGUAGES, Words, language_of
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.shelf import STORE_ERRORS
from tongbao.services.serving.bodies import small_body
from tongbao.services.serving.problems import Problem, bad_request

CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
FORM_BYTES: Final = 2_048
FILES: Final = {"mydata.css": "text/css; charset=utf-8", "coin.svg": "image/svg+xml"}
LANGUAGE_COOKIE: Final = "tongbao_mydata_lang"
DAY_MS: Final = 86_400_000
TROUBLE: Final = (AgentError, NodeError, NotFound, NothingToErase, Unreachable, *STORE_ERRORS)
"""What a person can do nothing about here and now: the page says it, and goes on."""

Does = Callable[[Person, dict[str, str]], str]
Endpoint = Callable[[Request], Awaitable[Response]]


def _withdraw(person: Person, form: dict[str, str]) -> str:
    withdraw(person, form.get("name", ""))
    return "withdrawn"


def _erase(person: Person, form: dict[str, str]) -> str:
    batch = form.get("batch", "")
    done = erase_all(person) if batch == "all" else erase(person, batch)
    return "erased" if all(one.done_at for one in done) else "erasing"


def _pull(person: Person, form: dict[str, str]) -> str:
    pull(person)
    return "pulled"


def _collect(person: Person, form: dict[str, str]) -> str:
    collect(person)
    return "collected"


ACTIONS: Final[dict[str, Does]] = {
    "withdraw": _withdraw,
    "erase": _erase,
    "pull": _pull,
    "collect": _collect,
}
CONFIRMED: Final = ("withdraw", "erase")
"""What is done only where the form says yes."""


class Site:
    """The page of one person."""

    def __init__(self, person: Person) -> None:
        """Show this person's."""
        self.door = Door()
        self._person = person
        self._lock = threading.Lock()
        folder = resources.files("tongbao.services.my_data.page").joinpath("static")
        self._files = {name: folder.joinpath(name).read_bytes() for name in FILES}
        self._version = sha256(b"".join(self._files.values())).hexdigest()[:16]
        self._templates = _environment()

    def routes(self) -> list[Route]:
        """Every path."""
        return [
            Route("/", self._guarded(self.page), methods=["GET"], name="page"),
            Route("/enter", self._guarded(self.enter), methods=["GET"], name="enter"),
            Route("/do/{what}", self._guarded(self.do), methods=["POST"], name="do"),
            Route("/static/{version}/{name}", self.file, methods=["GET"], name="file"),
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Closed:
                return self._closed(request)

        return guarded

    async def enter(self, request: Request) -> Response:
        """Let the browser in."""
        return self.door.enter(request)

    async def file(self, request: Request) -> Response:
        """The stylesheet and the picture: nothing of the person's."""
        name = request.path_params["name"]
        if name not in self._files:
            raise Problem(HTTPStatus.NOT_FOUND, "no such file")
        headers = {"Content-Type": FILES[name], "Content-Security-Policy": CSP}
        return Response(self._files[name], headers=headers)

    async def page(self, request: Request) -> Response:
        """Everything on one page."""
        self.door.check(request)
        language = request.query_params.get("lang")
        if language is not None:
            answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            if language in LANGUAGES:
                answer.set_cookie(LANGUAGE_COOKIE, language, httponly=True, samesite="strict")
            return answer
        return await asyncio.to_thread(self._shown, request)

    async def do(self, request: Request) -> Response:
        """Do one thing, and show the page again."""
        self.door.check(request)
        what = request.path_params["what"]
        if what not in ACTIONS:
            raise Problem(HTTPStatus.NOT_FOUND, "no such action")
        form = _form(await small_body(request, FORM_BYTES))
        if what in CONFIRMED and form.get("yes") != "yes":
            raise bad_request("confirm it in the form")
        found = await asyncio.to_thread(self._done, what, form)
        return RedirectResponse(f"/?{urlencode(found)}", HTTPStatus.SEE_OTHER)

    def _done(self, what: str, form: dict[str, str]) -> dict[str, str]:
        with self._lock:
            try:
                return {"done": ACTIONS[what](self._person, form)}
            except Refused as error:
                return {"done": "refused", "number": str(error.number)}
            except TROUBLE as error:
                return {"done": "failed", "number": type(error).__name__}

    def _shown(self, request: Request) -> Response:
        with self._lock:
            shown = show(self._person)
        words = _words(request)
        facts = {"shown": shown, "done": _done_text(request, words), "tones": TONES}
        return self._render("page.html", words, HTTPStatus.OK, facts)

    def _closed(self, request: Request) -> Response:
        return self._render("closed.html", _words(request), HTTPStatus.FORBIDDEN, {})

    def _render(
        self, template: str, words: Words, status: HTTPStatus, facts: dict[str, Any]
    ) -> Response:
        def file(name: str) -> str:
            return f"/static/{self._version}/{name}"

        text = self._templates.get_template(template).render(t=words, file=file, **facts)
        headers = {
            "Content-Security-Policy": CSP,
            "Content-Language": words.tag,
            # With `no-referrer` a browser would send the page's own forms as if they were others'.
            "Referrer-Policy": "same-origin",
        }
        return HTMLResponse(text, status, headers=headers)


def _words(request: Request) -> Words:
    accepted = request.headers.get("accept-language", "")
    return Words(language_of(request.cookies.get(LANGUAGE_COOKIE), accepted))


def _done_text(request: Request, words: Words) -> dict[str, str] | None:
    """What was just done, in the words of the page; nothing that somebody else could write."""
    done = request.query_params.get("done", "")
    if not words.has(f"done.{done}"):
        return None
    number = request.query_params.get("number", "")
    why = number if number.isalnum() and number.isascii() and len(number) < 40 else "?"
    tone = "bad" if done in ("refused", "failed") else ""
    return {"text": words(f"done.{done}", why=why), "tone": tone}


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=bool(body), max_num_fields=8)
    except ValueError:
        raise bad_request("the form can't be read") from None
    return dict(pairs)


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tongbao.services.my_data.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"day": _day, "code": _code, "days": _days, "months": _months}
    return made


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M")


def _code(asset: str) -> str:
    return asset.partition(".")[0]


def _months(batches: tuple[str, ...], periods: dict[str, str]) -> str:
    """The months of batches; of what the ledger does not have, a dash."""
    return ", ".join(sorted({periods.get(name, "-") for name in batches}))


def _days(ms: int) -> int:
    return ms // DAY_MS
