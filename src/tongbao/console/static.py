"""The stylesheet, the script and the picture: served from the package, cached for ever by name."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPES: Final = {
    "console.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "morph.js": "text/javascript; charset=utf-8",
    "coin.svg": "image/svg+xml",
}
"""Every file, and what it is."""

PATH: Final = "/console/{version}/{name}"
FOR_EVER: Final = "public, max-age=31536000, immutable"


class Static:
    """The files in memory. Their path has a hash of all of them, so a new one is a new path."""

    def __init__(self) -> None:
        """Read the files of the package."""
        folder = resources.files("tongbao.console").joinpath("static")
        self._files = {name: folder.joinpath(name).read_bytes() for name in MEDIA_TYPES}
        self._tags = {name: f'"{_hash(content)}"' for name, content in self._files.items()}
        self.version = _hash(b"".join(self._files.values()))

    def path(self, name: str) -> str:
        """Where a page finds a file."""
        assert name in self._files, name
        return PATH.format(version=self.version, name=name)

    def answer(self, request: Request) -> Response | None:
        """A file, or that it has not changed; None when there is none of that name."""
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            return None
        current = request.path_params["version"] == self.version
        headers = {
            "Cache-Control": FOR_EVER if current else "no-cache",
            "ETag": self._tags[name],
            "Content-Type": MEDIA_TYPES[name],
        }
        asked = request.headers.get("if-none-match", "").split(",")
        if self._tags[name] in [tag.strip().removeprefix("W/") for tag in asked]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(content, headers=headers)


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]
