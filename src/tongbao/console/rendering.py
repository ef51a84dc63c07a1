"""Turning what a page shows into HTML: templates that escape everything, and strict headers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Language, Cookie",
}
LATEST_TIME: Final = 253_402_300_799_999
"""The last millisecond that has a date of four digits."""


def environment() -> Environment:
    """The templates of this package, with their filters."""
    made = Environment(
        loader=PackageLoader("tongbao.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "count": count,
        "amount": amount,
        "moment": moment,
        "exact": exact,
        "rate": rate,
    }
    return made


def count(number: int) -> str:
    """A number in groups of three digits."""
    return f"{number:,}"


def rate(number: float) -> str:
    """A rate with two decimals while it is small, and none where they would say nothing."""
    return f"{number:.2f}" if number < 100 else f"{number:,.0f}"


def amount(value: object) -> str:
    """A decimal text with its whole part in groups of three; its decimals stay as they are."""
    whole, point, fraction = str(value).partition(".")
    return f"{int(whole):,}{point}{fraction}"


def moment(ms: int) -> Markup:
    """A time to the second as `<time>`, whose title and value are exact."""
    if not 0 <= ms <= LATEST_TIME:
        return Markup("{}").format(ms)
    when = datetime.fromtimestamp(ms // 1000, UTC)
    return Markup(
        '<time datetime="{date}T{clock}.{rest:03}Z" title="{date} {clock}.{rest:03} UTC">'
        "<span>{date}</span> <span>{clock}</span></time>"
    ).format(date=when.strftime("%Y-%m-%d"), clock=when.strftime("%H:%M:%S"), rest=ms % 1000)


def exact(ms: int) -> Markup:
    """A time to the millisecond as `<time>`."""
    if not 0 <= ms <= LATEST_TIME:
        return Markup("{}").format(ms)
    when = datetime.fromtimestamp(ms // 1000, UTC)
    return Markup(
        '<time datetime="{date}T{clock}.{rest:03}Z">{date} {clock}.{rest:03} UTC</time>'
    ).format(date=when.strftime("%Y-%m-%d"), clock=when.strftime("%H:%M:%S"), rest=ms % 1000)


def page(text: str, status: int, language_tag: str) -> HTMLResponse:
    """An answer that holds a page."""
    return HTMLResponse(text, status, headers={**HEADERS, "Content-Language": language_tag})
