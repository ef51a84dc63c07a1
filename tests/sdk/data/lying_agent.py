"""An agent that seals what a test tells it, right or wrong, and serves it over real sockets."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests.sdk.data.market import ADDRESSES, Market
from tests.services.serving.served import serving
from tongbao.kernel import Address, Hash, Id, jcs
from tongbao.modules import data
from tongbao.rights.batch import Batch
from tongbao.rights.chunks import chunk_count, chunks_root, seal_chunks
from tongbao.rights.envelope import envelope_info, put_into_envelope
from tongbao.rights.halves import Halves, a_commit_of, b_lock_of, draw_halves, package_key
from tongbao.rights.receipt import make_receipt
from tongbao.rights.requests import grant_hash, read_request, request_hash
from tongbao.rights.seal import Sealed, seal_package
from tongbao.sdk.signed_requests import account_has_key
from tongbao.services.serving.app import service_app
from tongbao.services.serving.problems import Problem, not_found
from tongbao.services.serving.signed import signed

JSON = "application/json"


class Sold(Struct):
    """What the agent has for one order; a test may change any of it."""

    halves: Halves
    sealed: Sealed
    envelope: bytes
    receipt: bytes
    chunks: list[bytes]


class LyingAgent:
    """Carol's agent. `refuses` is the number of a rule by which it refuses each request."""

    def __init__(self, market: Market) -> None:
        """Act in a market."""
        self.market = market
        self.heard: list[bytes] = []
        self.sold: dict[str, Sold] = {}
        self.refuses: int | None = None
        self.served = 0
        self.least_chunks = 1

    # On the ledger

    def seal(
        self,
        order: str,
        batches: Sequence[Batch] | None = None,
        *,
        fields: Sequence[str] | None = None,
        receipt: bytes | None = None,
    ) -> Sold:
        """Seal an order with its batches, or others, and tell the ledger."""
        row = self.market.row(order)
        own = [self.market.batches[name] for name in row.batches]
        halves, chunks = draw_halves(), list[bytes]()
        name = bytes.fromhex(order)
        sealed = seal_package(
            name,
            halves,
            own if batches is None else batches,
            fields or row.fields,
            chunks.append,
            least_chunks=self.least_chunks,
        )
        return self.tell(order, halves, sealed, chunks, receipt)

    def seal_text(self, order: str, text: bytes) -> Sold:
        """Seal any text."""
        halves, name = draw_halves(), bytes.fromhex(order)
        key = package_key(name, halves.a, halves.b)
        count = chunk_count(len(text))
        return self.seal_chunks(
            order, halves, list(seal_chunks(key, name, (text,), len(text), count))
        )

    def seal_chunks(self, order: str, halves: Halves, chunks: list[bytes]) -> Sold:
        """Commit to any chunks."""
        name = bytes.fromhex(order)
        sealed = Sealed(
            package_root=chunks_root(chunks),
            chunk_count=len(chunks),
            a_commit=a_commit_of(name, halves.a),
            b_lock=b_lock_of(name, halves.b),
        )
        return self.tell(order, halves, sealed, chunks)

    def tell(
        self,
        order: str,
        halves: Halves,
        sealed: Sealed,
        chunks: list[bytes],
        receipt: bytes | None = None,
    ) -> Sold:
        """Send the seal, and have the delivery ready."""
        row = self.market.row(order)
        receipt = receipt or self.receipt(order)
        granted = grant_hash(receipt)
        info = envelope_info(bytes.fromhex(order), granted, sealed)
        key = urlsafe_b64decode(row.buyer_key + "=")
        sold = Sold(halves, sealed, put_into_envelope(key, halves.a, info), receipt, chunks)
        self.sold[order] = sold
        name, _, offer = self.seller(order)
        message = data.Seal(
            order=Id(order),
            offer=offer,
            grant_hash=Hash(granted.hex()),
            package_root=Hash(sealed.package_root.hex()),
            chunks=data.Chunks(sealed.chunk_count),
            a_commit=Hash(sealed.a_commit.hex()),
            b_lock=Hash(sealed.b_lock.hex()),
        )
        self.market.send(name, message)
        return sold

    def seller(self, order: str) -> tuple[str, Address, Id]:
        """Who seals an order: name, account, and by which offer."""
        return "carol", ADDRESSES["carol"], self.market.offers[self.market.row(order).mode]

    def receipt(self, order: str) -> bytes:
        """The receipt of an order's grant."""
        market, row = self.market, self.market.row(order)
        _, seller, offer_id = self.seller(order)
        requests = {request_hash(read_request(text)).hex(): text for text in self.heard}
        offer = market.chain.query(data.offer, offer_id)
        enterprise = market.chain.query(data.enterprise, row.buyer)
        assert offer is not None and enterprise is not None
        return make_receipt(
            chain=market.chain.id,
            order_id=Id(order),
            order=row,
            request=read_request(requests[row.request_hash]),
            offer_id=offer_id,
            offer=offer,
            enterprise=enterprise,
            seller=seller,
            made_at=market.chain.now(),
        )

    def reveal(self, order: str) -> None:
        """Publish `b`."""
        b = Hash(self.sold[order].halves.b.hex())
        self.market.send(self.seller(order)[0], data.Reveal(order=Id(order), b=b))

    # Over HTTP

    def routes(self) -> list[BaseRoute]:
        """The agent's interface, as far as buyers use it."""
        return [
            Route("/step/{order}", self.step, methods=["POST"]),
            Route("/v1/requests", self.hear, methods=["POST"]),
            Route("/v1/deliveries", self.deliveries),
            Route("/v1/deliveries/{order}", self.delivery),
            Route("/v1/deliveries/{order}/chunks", self.chunks),
        ]

    async def step(self, request: Request) -> Response:
        """Seal or reveal, whichever is next: for a story in a process of its own."""
        await asyncio.to_thread(self.take_step, request.path_params["order"])
        return Response()

    def take_step(self, order: str) -> None:
        """Seal an open order, reveal a confirmed one, and let others be."""
        phase = self.market.phase(order)
        if phase == "open":
            self.seal(order)
        elif phase == "confirmed":
            self.reveal(order)

    async def hear(self, request: Request) -> Response:
        """Hear a request."""
        who = await signed(request)
        if self.refuses is not None:
            raise Problem(403, "a rule refuses it", number=self.refuses)
        self.heard.append(who.body)
        told = {"request_hash": request_hash(read_request(who.body)).hex()}
        return Response(jcs.encode(told), media_type=JSON)

    async def deliveries(self, request: Request) -> Response:
        """Every delivery after a cursor, one a page."""
        who = await signed(request)
        after = int(request.query_params.get("after", "0"))
        mine = [order for order in self.sold if self.is_for(order, who.account)]
        page = [{"cursor": f"{after + 1}", "order": order} for order in mine[after : after + 1]]
        told = {"deliveries": page, "next": f"{after + 1}" if mine[after + 1 :] else None}
        return Response(jcs.encode(told), media_type=JSON)

    async def delivery(self, request: Request) -> Response:
        """One delivery."""
        sold = await self.mine(request)
        told = {
            "chunks": len(sold.chunks),
            "envelope": sold.envelope.hex(),
            "order": request.path_params["order"],
            "receipt": sold.receipt.decode(),
        }
        return Response(jcs.encode(told), media_type=JSON)

    async def chunks(self, request: Request) -> Response:
        """Some chunks of it."""
        sold = await self.mine(request)
        first, count = (int(request.query_params[name]) for name in ("from", "count"))
        self.served += count
        return Response(b"".join(sold.chunks[first : first + count]))

    async def mine(self, request: Request) -> Sold:
        """What is sealed for who asks."""
        who = await signed(request)
        order = request.path_params["order"]
        if order not in self.sold or not self.is_for(order, who.account):
            raise not_found()
        return self.sold[order]

    def is_for(self, order: str, account: str | None) -> bool:
        """Whether an account is the buyer of an order."""
        return self.market.row(order).buyer == account


def spoiled(sold: Sold, **changes: Any) -> Sold:
    """What is delivered in the place of what was sealed."""
    return replace(sold, **changes)


@contextmanager
def agent(market: Market) -> Iterator[tuple[LyingAgent, dict[str, str]]]:
    """Carol's agent while it serves, and where it is."""
    lying = LyingAgent(market)
    app = service_app(
        lying.routes(), has_key=lambda account, kid: account_has_key(market.chain, account, kid)
    )
    with serving(app) as url:
        yield lying, {ADDRESSES["carol"]: url}
