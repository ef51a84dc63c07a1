"""An agent that does what it is told, right or wrong: the real one can't be made to misbehave.

It serves buyers over HTTP as the real one does, as far as they use it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tongbao.demo.failures import DemoError
from tongbao.demo.market.opening import STOPPED
from tongbao.kernel import Hash, Id, jcs
from tongbao.kernel.envelope import decode_base64url
from tongbao.modules import data
from tongbao.rights.batch import Batch
from tongbao.rights.envelope import envelope_info, put_into_envelope
from tongbao.rights.halves import Halves, draw_halves
from tongbao.rights.receipt import make_receipt
from tongbao.rights.requests import DataRequest, grant_hash, read_request, request_hash
from tongbao.rights.seal import seal_package
from tongbao.sdk.client import Client
from tongbao.sdk.data.facts import order_row
from tongbao.sdk.data.parties import institution_of
from tongbao.sdk.signed_requests import account_has_key
from tongbao.sdk.wallet import Wallet
from tongbao.services.serving.app import service_app
from tongbao.services.serving.listening import run_service
from tongbao.services.serving.problems import not_found
from tongbao.services.serving.signed import signed

JSON: Final = "application/json"
START_S: Final = 30.0


class Sold(Struct, frozen=True, kw_only=True):
    """What the agent has for one order, and delivers."""

    halves: Halves
    envelope: bytes
    receipt: bytes
    chunks: tuple[bytes, ...]
    info: bytes


class CrookedAgent:
    """Seals and reveals by order of the story."""

    def __init__(self, chain: Client, batches: Mapping[Id, Batch]) -> None:
        """It knows these batches whole."""
        self.chain = chain
        self.batches = batches
        self.heard: dict[str, DataRequest] = {}
        self.sold: dict[str, Sold] = {}

    # On the ledger

    def seal(
        self, seller: Wallet, order: str, offer: Id, batches: Sequence[Batch] | None = None,
        halves: Halves | None = None,
    ) -> Sold:  # fmt: skip
        """Seal an order as an account, with what was ordered or with other batches."""
        row = order_row(self.chain, order)
        own = [self.batches[name] for name in row.batches]
        drawn, chunks = halves or draw_halves(), list[bytes]()
        place = bytes.fromhex(order)
        sealed = seal_package(place, drawn, batches or own, row.fields, chunks.append)
        receipt = self._receipt(seller, order, row, offer)
        grant = grant_hash(receipt)
        info = envelope_info(place, grant, sealed)
        key = decode_base64url(row.buyer_key.encode("ascii"))
        sold = Sold(
            halves=drawn,
            envelope=put_into_envelope(key, drawn.a, info),
            receipt=receipt,
            chunks=tuple(chunks),
            info=info,
        )
        self.sold[order] = sold
        seller.send(
            data.Seal(
                order=Id(order),
                offer=offer,
                grant_hash=Hash(grant.hex()),
                package_root=Hash(sealed.package_root.hex()),
                chunks=data.Chunks(sealed.chunk_count),
                a_commit=Hash(sealed.a_commit.hex()),
                b_lock=Hash(sealed.b_lock.hex()),
            )
        )
        return sold

    def _receipt(self, seller: Wallet, order: str, row: data.Order, offer: Id) -> bytes:
        offered = self.chain.query(data.offer, offer)
        enterprise = self.chain.query(data.enterprise, row.buyer)
        assert offered is not None and enterprise is not None
        return make_receipt(
            chain=self.chain.id,
            order_id=Id(order),
            order=row,
            request=self.heard[row.request_hash],
            offer_id=offer,
            offer=offered,
            enterprise=enterprise,
            seller=seller.address,
            made_at=self.chain.now(),
            institution=institution_of(self.chain, row.buyer),
        )

    def reveal(self, seller: Wallet, order: str, b: bytes | None = None) -> None:
        """Publish `b`, the right one or another."""
        half = self.sold[order].halves.b if b is None else b
        seller.send(data.Reveal(order=Id(order), b=Hash(half.hex())))

    # What it delivers in the place of what it sealed

    def deliver_other_half(self, order: str) -> None:
        """Put another `a` into the envelope."""
        sold = self.sold[order]
        row = order_row(self.chain, order)
        key = decode_base64url(row.buyer_key.encode("ascii"))
        envelope = put_into_envelope(key, draw_halves().a, sold.info)
        self.sold[order] = replace(sold, envelope=envelope)

    def deliver_other_chunk(self, order: str) -> None:
        """Turn a bit of a chunk."""
        sold = self.sold[order]
        first = sold.chunks[0]
        turned = bytes((first[0] ^ 1,)) + first[1:]
        self.sold[order] = replace(sold, chunks=(turned, *sold.chunks[1:]))

    # Over HTTP

    def routes(self) -> list[BaseRoute]:
        """The agent's interface, as far as buyers use it."""
        return [
            Route("/v1/requests", self.hear, methods=["POST"]),
            Route("/v1/deliveries/{order}", self.delivery),
            Route("/v1/deliveries/{order}/chunks", self.chunks),
        ]

    async def hear(self, request: Request) -> Response:
        """Hear a request: it refuses none."""
        who = await signed(request)
        asked = read_request(who.body)
        name = request_hash(asked).hex()
        self.heard[name] = asked
        return Response(jcs.encode({"request_hash": name}), media_type=JSON)

    async def delivery(self, request: Request) -> Response:
        """One delivery."""
        sold = await self._mine(request)
        told = {
            "chunks": len(sold.chunks),
            "envelope": sold.envelope.hex(),
            "order": request.path_params["order"],
            "receipt": sold.receipt.decode(),
        }
        return Response(jcs.encode(told), media_type=JSON)

    async def chunks(self, request: Request) -> Response:
        """Some chunks of it."""
        sold = await self._mine(request)
        first, count = (int(request.query_params[name]) for name in ("from", "count"))
        return Response(b"".join(sold.chunks[first : first + count]))

    async def _mine(self, request: Request) -> Sold:
        await signed(request)
        sold = self.sold.get(request.path_params["order"])
        if sold is None:
            raise not_found()
        return sold


@contextmanager
def served(agent: CrookedAgent) -> Iterator[str]:
    """The agent's address while it serves in a thread. Raises DemoError."""
    app = service_app(
        agent.routes(), has_key=lambda account, kid: account_has_key(agent.chain, account, kid)
    )
    told = threading.Event()
    found: dict[str, Any] = {}

    def ready(url: str) -> None:
        found["url"] = url
        told.set()

    def stopping(stop: Callable[[], None]) -> None:
        found["stop"] = stop

    def run() -> None:
        try:
            run_service(app, ready=ready, stopping=stopping)
        finally:
            told.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    told.wait(START_S)
    if "url" not in found:
        raise DemoError("the crooked agent does not serve", "start again", STOPPED)
    try:
        yield str(found["url"])
    finally:
        found["stop"]()
        thread.join(START_S)
