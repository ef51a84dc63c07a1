"""Errors as problem documents (RFC 9457): `status`, `title`, `detail`, and a rule's `number`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
DETAIL_LIMIT: Final = 500
MARKUP: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


class Problem(Exception):
    """An answer that is an error; `detail` says what to do, and nothing about a person."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        number: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Carry it; `number` is that of the rule that refuses."""
        super().__init__(detail)
        self.status = HTTPStatus(status)
        self.detail = detail
        self.number = number
        self.headers = headers or {}

    def document(self) -> bytes:
        """JSON that is nothing else, wherever it is shown: ASCII, and no markup."""
        detail = self.detail
        members: dict[str, Any] = {
            "status": int(self.status),
            "title": self.status.phrase,
            "detail": detail if len(detail) <= DETAIL_LIMIT else detail[:DETAIL_LIMIT] + "...",
        }
        if self.number is not None:
            members["number"] = self.number
        return json.dumps(members, separators=(",", ":")).translate(MARKUP).encode()

    def response(self) -> Response:
        """The document as an answer."""
        return Response(
            self.document(), self.status, media_type=MEDIA_TYPE, headers=dict(self.headers)
        )


def not_found(detail: str = "there is nothing here for you") -> Problem:
    """Nothing is there, or it is another's: the two are not told apart."""
    return Problem(HTTPStatus.NOT_FOUND, detail)


def bad_request(detail: str) -> Problem:
    """A request that can't be understood; the text says what to change."""
    return Problem(HTTPStatus.BAD_REQUEST, detail)
