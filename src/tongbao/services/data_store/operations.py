"""The operations of a store over HTTP: docs/data-services.md has the table."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

import tongbao
from tongbao.sdk.request_checker import Asked
from tongbao.services.data_store.blobs import PIECE_BYTES
from tongbao.services.data_store.folder import Listing, StoreFolder
from tongbao.services.data_store.inbox import Inbox, inbox_full
from tongbao.services.data_store.keeping import Body, Keeping, Spaces
from tongbao.services.data_store.names import (
    PAGE,
    PARCEL_BYTES_LIMIT,
    WRAPPED_KEY_BYTES,
    Kept,
    Quota,
    check_name,
)
from tongbao.services.serving.bodies import spooled_body
from tongbao.services.serving.problems import Problem, bad_request, not_found
from tongbao.services.serving.signed import signed, signed_file

SERVICE: Final = "tongbao-data-store"
OCTETS: Final = "application/octet-stream"
UPLOADS: Final = 32
"""Bodies that are taken in at once; more are asked to come again."""
OF_SPACE: Final = 8
"""Of them for one space: who sends slowly holds up nobody else."""
OK: Final = 200
CREATED: Final = 201
NUMBER_DIGITS: Final = 6


class Operations:
    """The operations on one store's spaces."""

    def __init__(self, folder: StoreFolder, listing: Listing, spaces: Spaces) -> None:
        """Serve these spaces to whom is listed."""
        self._listing = listing
        self._keeping = Keeping(spaces)
        self._inbox = Inbox(spaces)
        self._incoming = folder.incoming
        self._uploads = Counter[str]()

    def routes(self) -> Sequence[BaseRoute]:
        """Path, method and handler of each operation."""
        space = "/v1/spaces/{space}"
        table: tuple[tuple[str, str, Callable[[Request], Any]], ...] = (
            ("GET", "/v1", self.about),
            ("GET", f"{space}/blobs", self.list_blobs),
            ("PUT", f"{space}/blobs/{{name}}", self.put_blob),
            ("GET", f"{space}/blobs/{{name}}", self.get_blob),
            ("DELETE", f"{space}/blobs/{{name}}", self.delete_blob),
            ("PUT", f"{space}/keys/{{name}}", self.put_key),
            ("GET", f"{space}/keys/{{name}}", self.get_key),
            ("PUT", f"{space}/drops/{{name}}", self.allow_drop),
            ("DELETE", f"{space}/drops/{{name}}", self.forbid_drop),
            ("POST", f"{space}/inbox", self.leave_parcel),
            ("GET", f"{space}/inbox", self.list_inbox),
            ("GET", f"{space}/inbox/{{name}}", self.get_parcel),
            ("DELETE", f"{space}/inbox/{{name}}", self.delete_parcel),
        )
        return [Route(path, run, methods=[method]) for method, path, run in table]

    async def about(self, request: Request) -> Response:
        """Which service this is."""
        parameters(request)
        return _json({"service": SERVICE, "version": tongbao.__version__})

    async def put_blob(self, request: Request) -> Response:
        """Keep a blob."""
        parameters(request)
        space, name = _names(request)
        quota = self._quota(space)
        room, beyond = await asyncio.to_thread(self._keeping.room, space, name, quota)
        async with (
            self._uploading(space),
            signed_file(request, room, self._incoming, _only(space), beyond) as (_, spooled),
        ):
            body = Body(spooled.path, spooled.size, spooled.hash)
            made = await asyncio.to_thread(self._keeping.put_blob, space, name, body, quota)
        return _json({"name": name, "size": body.size}, CREATED if made else OK)

    async def get_blob(self, request: Request) -> Response:
        """Give a blob, or some chunks of it."""
        asked = parameters(request, "from", "count")
        space, name = await self._of_owner(request)
        start = number(asked.get("from", "0"))
        count = number(asked["count"]) if "count" in asked else None
        size, pieces = await asyncio.to_thread(self._keeping.get_blob, space, name, start, count)
        return _stream(size, pieces)

    async def delete_blob(self, request: Request) -> Response:
        """Destroy blob and key for good."""
        parameters(request)
        space, name = await self._of_owner(request)
        return _json(await asyncio.to_thread(self._keeping.erase, space, name))

    async def list_blobs(self, request: Request) -> Response:
        """A page of names."""
        after = _after(request)
        space = await self._owner(request)
        return _page(await asyncio.to_thread(self._keeping.list_blobs, space, after))

    async def put_key(self, request: Request) -> Response:
        """Keep a wrapped key."""
        parameters(request)
        space, name = _names(request)
        quota = self._quota(space)
        who = await signed(request, WRAPPED_KEY_BYTES, may=_only(space))
        made = await asyncio.to_thread(self._keeping.put_key, space, name, who.body, quota)
        return _json({"name": name, "size": WRAPPED_KEY_BYTES}, CREATED if made else OK)

    async def get_key(self, request: Request) -> Response:
        """Give a wrapped key."""
        parameters(request)
        space, name = await self._of_owner(request)
        found = await asyncio.to_thread(self._keeping.get_key, space, name)
        return Response(found, media_type=OCTETS)

    async def allow_drop(self, request: Request) -> Response:
        """Let whoever knows a token leave parcels."""
        parameters(request)
        space, name = await self._of_owner(request)
        made = await asyncio.to_thread(self._inbox.allow, space, name)
        return _json({"name": name}, CREATED if made else OK)

    async def forbid_drop(self, request: Request) -> Response:
        """Withdraw a token for good."""
        parameters(request)
        space, name = await self._of_owner(request)
        return _json(await asyncio.to_thread(self._inbox.forbid, space, name))

    async def leave_parcel(self, request: Request) -> Response:
        """Leave a parcel, by a token."""
        parameters(request)
        space = check_name(request.path_params["space"], "a space")
        quota = self._listing.quota_of(space)
        told = request.headers.get("authorization", "") if quota is not None else ""
        digest = await asyncio.to_thread(self._inbox.check_token, space, told)
        assert quota is not None, "no token lets in where nobody is served"
        room = await asyncio.to_thread(self._inbox.room, space, quota)
        beyond = inbox_full() if room < PARCEL_BYTES_LIMIT else None
        async with (
            self._uploading(space),
            spooled_body(request, room, self._incoming, beyond) as spooled,
        ):
            if not spooled.size:
                raise bad_request("a parcel is not empty")
            body = Body(spooled.path, spooled.size, spooled.hash)
            name = await asyncio.to_thread(self._inbox.leave, space, digest, body, quota)
        return _json({"name": name, "size": body.size}, CREATED)

    async def list_inbox(self, request: Request) -> Response:
        """A page of the names of parcels."""
        after = _after(request)
        space = await self._owner(request)
        return _page(await asyncio.to_thread(self._inbox.waiting, space, after))

    async def get_parcel(self, request: Request) -> Response:
        """Give a parcel."""
        parameters(request)
        space, name = await self._of_owner(request)
        size, file = await asyncio.to_thread(self._inbox.take, space, name)
        return _stream(size, _from_start(file))

    async def delete_parcel(self, request: Request) -> Response:
        """Remove a parcel for good."""
        parameters(request)
        space, name = await self._of_owner(request)
        return _json(await asyncio.to_thread(self._inbox.remove, space, name))

    def _quota(self, space: str) -> Quota:
        """The quota of a space that is served. Raises Problem."""
        quota = self._listing.quota_of(space)
        if quota is None:
            raise not_found("no such space is served here: ask the operator of the store")
        return quota

    async def _owner(self, request: Request) -> str:
        """The space whose key has signed a request without a body. Raises Problem."""
        space = check_name(request.path_params["space"], "a space")
        self._quota(space)
        await signed(request, 0, may=_only(space))
        return space

    async def _of_owner(self, request: Request) -> tuple[str, str]:
        """The same with the name in the path."""
        _, name = _names(request)
        return await self._owner(request), name

    @asynccontextmanager
    async def _uploading(self, space: str) -> AsyncIterator[None]:
        if self._uploads.total() >= UPLOADS or self._uploads[space] >= OF_SPACE:
            raise Problem(
                503, "the store takes in all that it can: try again", headers={"Retry-After": "2"}
            )
        self._uploads[space] += 1
        try:
            yield
        finally:
            self._uploads[space] -= 1
            if not self._uploads[space]:
                del self._uploads[space]


def _only(space: str) -> Callable[[Asked], None]:
    """Who may ask about a space: its own key. To others there is nothing."""

    def may(asked: Asked) -> None:
        if asked.account is not None or asked.key != space:
            raise not_found("no such space is served here: ask the operator of the store")

    return may


def _names(request: Request) -> tuple[str, str]:
    space = check_name(request.path_params["space"], "a space")
    return space, check_name(request.path_params["name"])


def parameters(request: Request, *known: str) -> dict[str, str]:
    """The parameters of a query, each at most once, none that is not known. Raises Problem."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known or name in found:
            allowed = ", ".join(known) or "no parameters"
            raise bad_request(f"this operation takes {allowed}, each once")
        found[name] = value
    return found


def number(text: str) -> int:
    """A number in plain digits. Raises Problem."""
    plain = text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS
    if not plain or (text[0] == "0" and text != "0"):
        raise bad_request("from and count are numbers in plain digits")
    return int(text)


def _after(request: Request) -> str:
    found = parameters(request, "after").get("after")
    return "" if found is None else check_name(found)


def _json(value: object, status: int = OK) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _page(found: list[Kept]) -> Response:
    answer: dict[str, object] = {"names": found[:PAGE]}
    if len(found) > PAGE:
        answer["next"] = found[PAGE - 1].name
    return _json(answer)


def _stream(size: int, pieces: Iterator[bytes]) -> Response:
    headers = {"content-length": str(size)}
    return StreamingResponse(pieces, media_type=OCTETS, headers=headers)


def _from_start(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece
