"""What an agent answers over HTTP: docs/data-services.md, "Agent"."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from tongbao import __version__
from tongbao.kernel import jcs
from tongbao.rights.limits import COPY_CHUNKS_LIMIT, PARCEL_HEAD_BYTES_LIMIT, SEALED_CHUNK_BYTES
from tongbao.sdk.exchange_keys import sign_exchange_key
from tongbao.sdk.request_checker import Asked
from tongbao.services.data_agent.bringing import Bringing
from tongbao.services.data_agent.folder import Keys, public_exchange_key
from tongbao.services.data_agent.following import Following
from tongbao.services.data_agent.heard import Refused, Requests
from tongbao.services.data_agent.journal import PAGE, Journal, Row
from tongbao.services.data_agent.ledger import Ledger
from tongbao.services.data_agent.refusals import Refusal
from tongbao.services.data_agent.selling import SEALING, SERVED, Selling
from tongbao.services.data_agent.shelf import AT_ONCE, Shelf
from tongbao.services.serving.problems import Problem, bad_request, not_found
from tongbao.services.serving.signed import Who, signed, signed_file

KEY_LASTS_MS: Final = 7 * 86_400_000
PARCEL_BYTES: Final = COPY_CHUNKS_LIMIT * SEALED_CHUNK_BYTES + PARCEL_HEAD_BYTES_LIMIT + 4
BATCH: Final = re.compile(r"[0-9a-f]{40}\Z")


class Api(Struct, kw_only=True):
    """The operations of one agent."""

    account: str
    keys: Keys
    folder: Path
    journal: Journal
    ledger: Ledger
    shelf: Shelf
    requests: Requests
    selling: Selling
    bringing: Bringing
    following: Following
    parcels: asyncio.Semaphore

    def routes(self) -> list[BaseRoute]:
        """Where each is asked."""
        return [
            Route("/v1", self.about, methods=["GET"]),
            Route("/v1/key", self.key, methods=["GET"]),
            Route("/v1/requests", self.hear, methods=["POST"]),
            Route("/v1/requests", self.log, methods=["GET"]),
            Route("/v1/deliveries", self.deliveries, methods=["GET"]),
            Route("/v1/deliveries/{order}", self.delivery, methods=["GET"]),
            Route("/v1/deliveries/{order}/chunks", self.chunks, methods=["GET"]),
            Route("/v1/receipts/{order}", self.receipt, methods=["GET"]),
            Route("/v1/copies", self.copies, methods=["GET"]),
            Route("/v1/copies/{batch}", self.bring, methods=["PUT"]),
            Route("/v1/copies/{batch}", self.erase, methods=["DELETE"]),
        ]

    # Anybody

    async def about(self, request: Request) -> Response:
        """Which agent this is, of which chain."""
        given(request)
        return answer(
            {
                "account": self.account,
                "chain": self.ledger.chain.id,
                "service": "tongbao-data-agent",
                "version": __version__,
            }
        )

    async def key(self, request: Request) -> Response:
        """The key that the agent can be written to at."""
        given(request)
        now = await asyncio.to_thread(self.ledger.now)
        text = sign_exchange_key(
            self.keys.account,
            self.account,
            self.ledger.chain.id,
            public_exchange_key(self.keys),
            now + KEY_LASTS_MS,
        )
        return Response(text, media_type="application/jose")

    # Buyers

    async def hear(self, request: Request) -> Response:
        """Hear a request."""
        given(request)
        who = await of_account(request)
        name = await trying(lambda: self.requests.hear(who.account or "", who.body))
        found = await asyncio.to_thread(self._orders_of_request, name)
        for each in found:
            await asyncio.to_thread(self.following.hint, each)
        return answer({"request_hash": name})

    def _orders_of_request(self, name: str) -> list[str]:
        found = self.journal.rows("SELECT id FROM orders WHERE request = ?", name)
        return [row["id"] for row in found]

    async def deliveries(self, request: Request) -> Response:
        """What is sealed for the buyer."""
        after = number_of(given(request, "after").get("after", "0"))
        who = await of_account(request)
        found = await asyncio.to_thread(
            self.journal.rows,
            "SELECT number, id FROM orders WHERE buyer = ? AND number > ?"
            " AND step IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT ?",
            *(who.account, after, json.dumps(SERVED), PAGE),
        )
        lines = [{"cursor": str(row["number"]), "order": row["id"]} for row in found]
        return answer({"deliveries": lines, "next": next_of(lines)})

    async def delivery(self, request: Request) -> Response:
        """Envelope and receipt of one order."""
        given(request)
        row = await self._served(request)
        try:
            secret = await asyncio.to_thread(self.selling.secret, row["id"])
        except KeyError:
            raise not_found() from None
        return answer(
            {
                "chunks": row["chunks"],
                "envelope": secret.envelope,
                "order": row["id"],
                "receipt": row["receipt"].decode(),
            }
        )

    async def chunks(self, request: Request) -> Response:
        """Some chunks of one order's package."""
        asked = given(request, "from", "count")
        row = await self._served(request)
        first = number_of(asked.get("from", "0"))
        count = min(number_of(asked.get("count", str(row["chunks"]))), row["chunks"] - first)
        if count <= 0:
            raise bad_request(f"the package has {row['chunks']} chunks: ask for those")

        async def pieces() -> Any:
            for place in range(first, first + count, AT_ONCE):
                some = min(AT_ONCE, first + count - place)
                yield await asyncio.to_thread(self.shelf.chunks, row["blob"], place, some)

        size = str(count * SEALED_CHUNK_BYTES)
        headers = {"content-length": size}
        return StreamingResponse(pieces(), media_type="application/octet-stream", headers=headers)

    async def _served(self, request: Request) -> Row:
        who = await of_account(request)
        row = await asyncio.to_thread(self.selling.row, request.path_params["order"])
        if row is None or row["buyer"] != who.account:
            raise not_found()
        if not await asyncio.to_thread(self.selling.serves, row):
            raise not_found()
        return row

    # Both sides

    async def receipt(self, request: Request) -> Response:
        """The receipt of a grant, for its owner and its buyer, also after its end."""
        given(request)
        who = await of_account(request)
        row = await asyncio.to_thread(self.selling.row, request.path_params["order"])
        is_sealed = row is not None and row["receipt"] and row["step"] != SEALING
        if row is None or not is_sealed or who.account not in (row["buyer"], row["owner"]):
            raise not_found()
        return Response(row["receipt"], media_type="application/ld+json")

    # Owners

    async def log(self, request: Request) -> Response:
        """Everything that was asked about the owner."""
        after = number_of(given(request, "after").get("after", "0"))
        who = await of_account(request)
        found = await asyncio.to_thread(self.requests.lines, who.account or "", after)
        return answer({"next": next_of(found), "requests": found})

    async def copies(self, request: Request) -> Response:
        """Which copies of the owner's are here."""
        after = given(request, "after").get("after", "")
        who = await of_account(request)
        found = await asyncio.to_thread(self.shelf.lines, who.account or "", after, PAGE)
        lines = [{"at": line.at, "batch": line.batch, "fields": line.fields} for line in found]
        following = found[-1].batch if len(found) == PAGE else None
        return answer({"copies": lines, "next": following})

    async def bring(self, request: Request) -> Response:
        """Take a copy."""
        given(request)
        batch = batch_of(request)
        owner = await asyncio.to_thread(self.bringing.awaited, batch)

        def may(asked: Asked) -> None:
            if owner is None or asked.account != owner:
                why = Refusal.OWNER_DIFFERS
                raise Problem(HTTPStatus.FORBIDDEN, why.rule, number=why.number)

        receiving = signed_file(request, PARCEL_BYTES, self.folder, may)
        async with self.parcels, receiving as (_, spooled):
            assert owner is not None
            parcel = await asyncio.to_thread(spooled.path.read_bytes)
            line = await trying(lambda: self.bringing.bring(owner, batch, parcel))
        await asyncio.to_thread(self.following.hint_owner, owner)
        return answer({"at": line.at, "batch": line.batch, "fields": line.fields})

    async def erase(self, request: Request) -> Response:
        """Destroy a copy and its key."""
        given(request)
        who = await of_account(request)
        batch = batch_of(request)
        found = await asyncio.to_thread(self.bringing.erase, who.account or "", batch)
        if found is None:
            raise not_found()
        return answer(found)


def answer(value: Any) -> Response:
    """A JSON answer."""
    return Response(jcs.encode(value), media_type="application/json")


def given(request: Request, *names: str) -> dict[str, str]:
    """The parameters of a request, each once and none but these. Raises Problem."""
    found = request.query_params.multi_items()
    asked = dict(found)
    if len(asked) != len(found) or not set(asked) <= set(names):
        raise bad_request(f"parameters here: {', '.join(names) or 'none'}, each once")
    return asked


def batch_of(request: Request) -> str:
    """The batch that a path names. Raises Problem."""
    name = str(request.path_params["batch"])
    if BATCH.match(name) is None:
        raise bad_request("a batch is named by the 40 hex digits of its id")
    return name


def number_of(text: str) -> int:
    """A cursor or a count. Raises Problem."""
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise bad_request("a number is missing, or is none: digits alone")
    return int(text)


def next_of(lines: list[Any]) -> str | None:
    """The cursor after a full page; None where there is no more."""
    if len(lines) < PAGE:
        return None
    last = lines[-1]
    found = last["cursor"] if isinstance(last, dict) else last.cursor
    return str(found)


async def of_account(request: Request) -> Who:
    """Who asks, which must be an account. Raises Problem."""
    who = await signed(request)
    account_of(who)
    return who


def account_of(who: Who) -> str:
    """The account that asks. Raises Problem."""
    if who.account is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "an account asks here: name it in the request")
    return who.account


async def trying(act: Callable[[], Any]) -> Any:
    """What an act gives; a rule that refuses is told by its number."""
    try:
        return await asyncio.to_thread(act)
    except Refused as error:
        status = HTTPStatus.FORBIDDEN
        if error.why is Refusal.REQUEST_IS_MALFORMED:
            status = HTTPStatus.BAD_REQUEST
        if error.why is Refusal.TOO_MANY_REQUESTS:
            status = HTTPStatus.TOO_MANY_REQUESTS
        raise Problem(status, str(error), number=error.why.number) from None
