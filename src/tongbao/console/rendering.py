"""Turning what a page shows into HTML: templates that escape everything, and strict headers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from msgspec import Struct
from starlette.responses import HTMLResponse

from tongbao.console import actions

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

SHORT_AMOUNT: Final = 10
"""Characters that an amount may have and is still never broken into two lines."""

SHORT_CODE: Final = 6
"""Letters that an asset's code may have and is still never broken; then after each as many."""

GROUP: Final = 3
BREAK: Final = Markup("<wbr>")
"""Where a line may end. Whoever copies the text does not get it."""


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
        "code": code,
        "moment": moment,
        "exact": exact,
        "rate": rate,
        "sentence": sentence,
        "duration": duration,
        "role": role,
    }
    return made


def count(number: int) -> str:
    """A number in groups of three digits."""
    return f"{number:,}"


def rate(number: float) -> str:
    """A rate with two decimals while it is small, and none where they would say nothing."""
    return f"{number:.2f}" if number < 100 else f"{number:,.0f}"


def amount(value: object) -> str:
    """A decimal text with its whole part in groups of three; its decimals stay as they are.

    A long one may be broken between groups, in its decimals as well.
    """
    whole, point, fraction = str(value).partition(".")
    text = f"{int(whole):,}{point}{fraction}"
    if len(text) <= SHORT_AMOUNT:
        return text
    groups = f"{int(whole):,}{point}{fraction[:GROUP]}".replace(",", ", ").split()
    return _breakable(*groups, *_cut(fraction[GROUP:], GROUP))


def code(asset: str) -> Markup:
    """The code of an asset's id. A long one may be broken in the middle."""
    return _breakable(*_cut(asset.partition(".")[0], SHORT_CODE))


def _cut(text: str, length: int) -> list[str]:
    """A text in pieces of a length; the last one may be shorter."""
    return [text[start : start + length] for start in range(0, len(text), length)]


def _breakable(*pieces: str) -> Markup:
    """Pieces that stand in one line where there is room; several are marked as such."""
    if len(pieces) == 1:
        return escape(pieces[0])
    return Markup('<span class="pieces">{}</span>').format(BREAK.join(pieces))


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


@pass_context
def sentence(context: Context, action: Struct) -> Markup:
    """What an action of a proposal does, in the words of the page."""
    return actions.sentence(context["t"], action)


@pass_context
def duration(context: Context, ms: int) -> Markup:
    """A time that passes, in the words of the page."""
    return actions.duration(context["t"], ms)


@pass_context
def role(context: Context, name: str) -> Markup:
    """A role of members, in the words of the page."""
    return actions.role(context["t"], name)


def page(text: str, status: int, language_tag: str) -> HTMLResponse:
    """An answer that holds a page."""
    return HTMLResponse(text, status, headers={**HEADERS, "Content-Language": language_tag})
