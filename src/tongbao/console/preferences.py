"""What somebody prefers: a language and an appearance, by a link, a cookie, or the browser."""

from __future__ import annotations

from typing import Final, Literal, get_args
from urllib.parse import quote, urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tongbao.console.words import LANGUAGES, Language

Theme = Literal["system", "light", "dark"]

THEMES: Final[tuple[Theme, ...]] = get_args(Theme)
YEAR_S: Final = 31_536_000
LANGUAGES_ASKED: Final = 16
"""Entries of Accept-Language that are looked at."""

CHOICES: Final[dict[str, tuple[str, ...]]] = {"lang": LANGUAGES, "theme": THEMES}
"""Query parameters that choose, and what they may be. Each has a cookie of its own."""


class Preferences(Struct, frozen=True):
    """How pages are shown to one person."""

    language: Language
    theme: Theme


def preferences(request: Request) -> Preferences:
    """What a request says; whatever is not a choice counts as nothing said."""
    kept = {name: request.cookies.get(cookie_name(name)) for name in CHOICES}
    wished = accepted(request.headers.get("accept-language", ""))
    language = next((one for one in LANGUAGES if one == kept["lang"]), wished)
    theme: Theme = next((one for one in THEMES if one == kept["theme"]), "system")
    return Preferences(language, theme)


def accepted(header: str) -> Language:
    """The language that Accept-Language (RFC 9110, 12.5.4) likes best; English when none fits."""
    best: tuple[int, Language] = (0, "en")
    for entry in header.split(",", LANGUAGES_ASKED)[:LANGUAGES_ASKED]:
        tag, _, weight = entry.strip().lower().partition(";")
        primary = tag.strip().split("-")[0]
        for language in LANGUAGES:
            if primary == language and (thousandths := _thousandths(weight)) > best[0]:
                best = thousandths, language
    return best[1]


def _thousandths(weight: str) -> int:
    """A weight such as `q=0.8` in thousandths; 1000 without one, 0 for what is none."""
    name, _, value = weight.strip().partition("=")
    if not name:
        return 1000
    whole, _, fraction = value.partition(".")
    digits = whole + fraction
    if name != "q" or whole not in ("0", "1") or len(fraction) > 3 or not digits.isascii():
        return 0
    return min(1000, int(whole + fraction.ljust(3, "0"))) if digits.isdigit() else 0


def cookie_name(choice: str) -> str:
    """The cookie that keeps a choice."""
    return f"tongbao_{choice}"


def choosing(request: Request) -> Response | None:
    """The answer to a link that chooses: a cookie, and the way back to the page without it."""
    query = request.query_params.multi_items()
    chosen = {name: value for name, value in query if name in CHOICES}
    if not chosen:
        return None
    left = [(name, value) for name, value in query if name not in CHOICES]
    # A path that begins with two slashes would name another host.
    path = "/" + quote(request.url.path.lstrip("/"))
    answer = RedirectResponse(path + ("?" + urlencode(left) if left else ""), status_code=303)
    for name, value in chosen.items():
        if value in CHOICES[name]:
            secure = request.url.scheme == "https"
            key = cookie_name(name)
            answer.set_cookie(
                key, value, max_age=YEAR_S, httponly=True, samesite="lax", secure=secure
            )
    return answer


def links(path: str, query: list[tuple[str, str]]) -> dict[str, str]:
    """For each choice, such as `lang=zh`, the address of this page that makes it."""
    left = [(name, value) for name, value in query if name not in CHOICES]
    return {
        f"{name}={value}": f"{quote(path)}?{urlencode([*left, (name, value)])}"
        for name, values in CHOICES.items()
        for value in values
    }
