"""Agents that answer anything: the buyer believes none of it, and waits for nothing for ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tests.node.access.authority import Authority
from tests.sdk.data.lying_agent import spoiled
from tests.sdk.data.market import ADDRESSES
from tests.sdk.data.shop import Shop
from tests.services.serving.served import serving
from tongbao.kernel import jcs
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.sdk.data.agent_client import ANSWER_BYTES, AgentAway, AgentClient, AgentRefused
from tongbao.sdk.data.fetching import DeliveryDiffers
from tongbao.sdk.data.store_client import StoreAway, leave_parcel
from tongbao.services.serving.app import service_app
from tongbao.services.serving.tls import Tls
from tongbao.testing.keys import named_key

ORDER = "22" * 20
HEARD = jcs.encode({"request_hash": "11" * 32})
ANSWERS: dict[str, tuple[Response, type[Exception]]] = {
    "a redirect": (RedirectResponse("http://127.0.0.1:1/"), AgentAway),
    "an error of its own": (Response(status_code=500), AgentAway),
    "a page": (Response("<html></html>", media_type="text/html"), AgentAway),
    "a member more": (Response(HEARD[:-1] + b',"more":1}'), AgentAway),
    "no hash": (Response(b'{"request_hash":"11"}'), AgentAway),
    "too much": (Response(b" " * (ANSWER_BYTES + 1) + HEARD), AgentAway),
    "a refusal without a reason": (Response(status_code=403), AgentRefused),
    "a refusal that is no problem": (Response("[1,2", status_code=403), AgentRefused),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_none_is_told_as_such(answer: str) -> None:
    """
    Given an agent that answers a request with something else than the protocol says,
    when a buyer asks,
    then that is an error that says whether to ask again, and nothing is followed or believed.
    """
    response, error = ANSWERS[answer]

    async def hear(request: Request) -> Response:
        return response

    app = service_app([Route("/v1/requests", hear, methods=["POST"])])
    with (
        serving(app) as url,
        AgentClient(url, named_key("bob"), ADDRESSES["bob"]) as client,
        pytest.raises(error),
    ):
        client.request(b"{}")


def test_deliveries_without_an_end_end(shop: Shop) -> None:
    """
    Given an agent whose list of deliveries tells the same one for ever,
    when bob pulls,
    then he is told so, once, and pulling ends.
    """
    page = jcs.encode({"deliveries": [{"cursor": "7", "order": ORDER}], "next": "7"})

    async def deliveries(request: Request) -> Response:
        return Response(page)

    shop.ordered()
    with serving(service_app([Route("/v1/deliveries", deliveries)])) as url:
        shop.buyer.agents[ADDRESSES["carol"]] = url
        pulled = [(one.order, bool(one.why)) for one in shop.buyer.pull()]

    assert pulled == [(ORDER, True), ("", True)]


def fewer(chunks: list[bytes]) -> list[bytes]:
    """A chunk less than was sealed."""
    return chunks[:-1]


def longer(chunks: list[bytes]) -> list[bytes]:
    """A byte more than is asked for."""
    return [*chunks[:-1], chunks[-1] + b"\x00"]


def shorter(chunks: list[bytes]) -> list[bytes]:
    """Half a chunk at the end."""
    return [*chunks[:-1], chunks[-1][: SEALED_CHUNK_BYTES // 2]]


@pytest.mark.parametrize("spoil", [fewer, longer, shorter])
def test_chunks_that_are_not_whole_are_asked_for_again(
    shop: Shop, spoil: Callable[[list[bytes]], list[bytes]]
) -> None:
    """
    Given a sealed order of two chunks,
    when the agent delivers too little or too much, and then what it has sealed,
    then the first is no package, and the second is, with what of the first was whole.
    """
    shop.agent.least_chunks = 2
    order = shop.sealed()
    sold = shop.agent.sold[order]
    shop.agent.sold[order] = spoiled(sold, chunks=spoil(sold.chunks))
    with pytest.raises((AgentAway, DeliveryDiffers)):
        shop.buyer.fetch(order)
    first = shop.buyer.is_fetched(order)
    shop.agent.sold[order] = sold
    shop.buyer.fetch(order)

    assert (first, shop.buyer.is_fetched(order)) == (False, True)


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_an_agent_whose_certificate_nobody_knows_is_not_asked(tmp_path: Path, scheme: str) -> None:
    """
    Given an agent and a store with a certificate of no authority that this machine knows,
    when they are asked, by an address in small letters or capitals,
    then nothing is sent to them.
    """
    pair = Authority(tmp_path).for_node()
    asked = []

    async def hear(request: Request) -> Response:
        asked.append(request.method)
        return Response(HEARD)

    app = service_app([Route("/{path:path}", hear, methods=["GET", "POST"])])
    with serving(app, tls=Tls(pair.certificate, pair.key)) as url:
        place = url.replace("https", scheme, 1)
        with (
            AgentClient(place, named_key("bob"), ADDRESSES["bob"]) as client,
            pytest.raises(AgentAway),
        ):
            client.request(b"{}")
        with pytest.raises(StoreAway):
            leave_parcel(place, "11" * 32, bytes(32), b"parcel")

    assert asked == []
