"""What a page is asked, what it answers, and how it says that it can't."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct

AFTER_ALL: Final = 10**9 - 1
"""An index after the last of any block, in a cursor of the event stream."""


class Asked(Struct, frozen=True):
    """The parameters of a page: those of its path and those of its query, all text."""

    path: dict[str, str]
    query: dict[str, str]


class View(Struct, frozen=True, kw_only=True):
    """What a page shows: a template and its facts, true at a height.

    `follow` is the event stream that tells when the page is old, `again` that it is behind already.
    `json` is where a program reads the same.
    """

    template: str
    facts: dict[str, Any]
    height: int | None = None
    follow: str | None = None
    again: bool = False
    json: str | None = None
    status: HTTPStatus = HTTPStatus.OK


class Elsewhere(Struct, frozen=True):
    """The page is at another path of this site."""

    path: str


class PageError(Exception):
    """There is no such page, or what was asked makes no sense: keys of the texts that say so."""

    def __init__(self, status: HTTPStatus, title: str, text: str, **values: object) -> None:
        """Carry the status, the texts and the values in them."""
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.values = values


def missing(title: str, text: str, **values: object) -> PageError:
    """Nothing is there."""
    return PageError(HTTPStatus.NOT_FOUND, title, text, **values)


def gone(title: str, text: str, **values: object) -> PageError:
    """It was here, and was given up."""
    return PageError(HTTPStatus.GONE, title, text, **values)


def not_understood(text: str) -> PageError:
    """What was asked is not of the form that it must have; the text says which."""
    return PageError(HTTPStatus.BAD_REQUEST, "error.title_400", text)


def follow(height: int, **filters: str) -> str:
    """The stream of what comes after a height, and mentions what the filters name."""
    given = "".join(f"&{name}={value}" for name, value in filters.items())
    return f"/v1/events?after={height}.{AFTER_ALL}{given}"
