"""What an owner sees and decides at the agent: who asked, and which copies there are."""

from __future__ import annotations

import threading
from hashlib import sha256
from typing import Any

import httpx2
import msgspec
import pytest

from tests.modules.data_steps import COUNT, DAY, RESEARCH
from tests.services.data_agent.buying import Bought
from tests.services.data_agent.looking import LOOK_S, until_step, until_tidy
from tests.services.data_agent.market import ADDRESSES, WHY, Market
from tongbao.kernel import Address, Amount, ChainId, Id
from tongbao.modules import data
from tongbao.rights.requests import request_bytes, request_hash
from tongbao.sdk.signed_requests import HEADER, now_ms, sign_request
from tongbao.services.data_agent.refusals import Refusal
from tongbao.testing.keys import named_key

Problem = httpx2.codes


def logged(shop: Market, who: str = "alice") -> list[dict[str, Any]]:
    """The log that an owner reads, all pages of it."""
    found: list[dict[str, Any]] = []
    after = "0"
    with shop.asking(who) as client:
        while after:
            page = client.get(f"/v1/requests?after={after}").json()
            found += page["requests"]
            after = page["next"]
    return found


def there(shop: Market) -> dict[str, list[str]]:
    """The copies that the agent has of alice's."""
    with shop.asking("alice") as client:
        told = client.get("/v1/copies").json()
    return {line["batch"]: line["fields"] for line in told["copies"]}


def until_gone(shop: Market, batch: Id) -> None:
    """Wait until the agent has destroyed a copy by itself."""
    while batch in there(shop):
        threading.Event().wait(LOOK_S)


ASKED: list[tuple[str, Refusal, dict[str, Any]]] = [
    ("for a field too many", Refusal.FIELD_IS_NOT_REGISTERED, {"fields": (DAY, COUNT)}),
    (
        "for another purpose",
        Refusal.PURPOSE_IS_NOT_REGISTERED,
        {"purpose": data.Purpose("dpv:Advertising")},
    ),
    ("to keep it", Refusal.MODE_IS_NOT_OFFERED, {"mode": data.Mode("store")}),
    ("for less than the floor", Refusal.PRICE_IS_TOO_LOW, {"price": Amount("9.99")}),
    ("on another chain", Refusal.CHAIN_DIFFERS, {"chain": ChainId("other-00000000")}),
    ("for a month that nobody has", Refusal.BATCH_IS_NOT_SOLD, {"batches": (Id("0f" * 20),)}),
]


@pytest.mark.parametrize(("what", "why", "changes"), ASKED, ids=[row[0] for row in ASKED])
def test_what_is_refused_is_told_by_number_and_shown_to_the_owner(
    shop: Market, what: str, why: Refusal, changes: dict[str, Any]
) -> None:
    """Given a request that a rule forbids, when made, then 403, and the owner's log has it."""
    request = shop.request(shop.march, **changes)
    answer = shop.ask(request)
    assert answer.status_code == Problem.FORBIDDEN, answer.text
    assert answer.json()["number"] == why.number
    line = logged(shop)[-1]
    assert line["refused"] == why.number and line["rule"] == why.rule, what
    assert line["buyer"] == ADDRESSES["bob"] and line["request"]["why"] == WHY


def test_an_owner_sees_what_became_of_each_request(shop: Market) -> None:
    """Given a request that was ordered, when the owner looks, then it says who and what came."""
    bought = Bought(shop, shop.request(shop.march))
    until_step(shop, bought.order, "sealed")
    line = logged(shop)[-1]
    assert line["orders"] == [{"order": bought.order, "step": "sealed"}]
    asked = line["request"]
    assert (asked["purpose"], asked["fields"], asked["price"]) == (RESEARCH, [COUNT], "20.00")
    assert asked["delete_by"] == bought.request.delete_by and "refused" not in line
    shop.send("bob", data.CancelOrder(order=bought.order))
    assert logged(shop, "mallory") == []


def test_a_request_that_is_asked_again_is_one_line(shop: Market) -> None:
    """Given a request, when it is sent twice, then both are answered and the log has one line."""
    request = shop.request(shop.march)
    before = len(logged(shop))
    for _ in range(2):
        assert shop.ask(request).json() == {"request_hash": request_hash(request).hex()}
    assert len(logged(shop)) == before + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": [RESEARCH, "dpv:Marketing"]},
        {"purpose": f"{RESEARCH} dpv:Marketing"},
        {"purposes": [RESEARCH]},
        {"why": ""},
    ],
)
def test_a_bundle_of_purposes_is_no_request_and_is_shown(
    shop: Market, changes: dict[str, Any]
) -> None:
    """Given a request for two purposes at once, when made, then 400, and the owner sees that."""
    told = msgspec.json.decode(request_bytes(shop.request(shop.march))) | changes
    text = msgspec.json.encode(dict(sorted(told.items())))
    with shop.asking("bob") as client:
        answer = client.post("/v1/requests", content=text)
    assert answer.status_code == Problem.BAD_REQUEST
    assert answer.json()["number"] == Refusal.REQUEST_IS_MALFORMED.number
    line = logged(shop)[-1]
    assert (line["buyer"], line["request"]) == (ADDRESSES["bob"], None)


def test_nobody_asks_in_another_s_name(shop: Market) -> None:
    """Given bob's request, when mallory sends it, then it is refused and nobody's log has it."""
    request = shop.request(shop.march)
    before = len(logged(shop))
    answer = shop.ask(request, "mallory")
    assert answer.json()["number"] == Refusal.SENDER_IS_NOT_BUYER.number
    assert len(logged(shop)) == before


def test_who_is_not_registered_is_refused_and_shown(shop: Market) -> None:
    """Given mallory, who is no enterprise, when she asks, then 403, and alice sees that she did."""
    answer = shop.ask(shop.request(shop.march, buyer=ADDRESSES["mallory"]), "mallory")
    assert answer.json()["number"] == Refusal.BUYER_IS_NOT_REGISTERED.number
    assert logged(shop)[-1]["buyer"] == ADDRESSES["mallory"]


def test_a_signed_request_is_carried_out_once(shop: Market) -> None:
    """Given a signed request that was answered, when it is sent again as it was, then 409."""
    assert shop.agent is not None
    url = f"{shop.agent.address}/v1/deliveries"
    header = sign_request(
        named_key("bob"),
        method="GET",
        url=url,
        body_hash=sha256().digest(),
        account=ADDRESSES["bob"],
        now_ms=now_ms(),
    )
    codes = [httpx2.get(url, headers={HEADER: header}).status_code for _ in range(2)]
    assert codes == [Problem.OK, Problem.CONFLICT]
    assert httpx2.get(url).status_code == Problem.UNAUTHORIZED


def test_a_copy_that_shows_more_than_is_offered_is_not_taken(shop: Market) -> None:
    """Given an offer of the counts, when a copy shows the days too, then the agent refuses it."""
    batch = shop.committed("2022-01", [1])
    answer = shop.bring(batch, (DAY, COUNT))
    assert answer.json()["number"] == Refusal.COPY_SAYS_TOO_MUCH.number
    assert batch not in there(shop)


def test_a_copy_of_another_s_batch_is_not_taken(shop: Market) -> None:
    """Given alice's batch, when mallory brings a copy of it, then it is refused."""
    batch = shop.committed("2022-02", [1])
    answer = shop.bring(batch, owner="mallory")
    assert answer.json()["number"] == Refusal.OWNER_DIFFERS.number


def test_a_copy_of_another_month_than_it_says_is_not_taken(shop: Market) -> None:
    """Given two batches, when one's copy is brought as the other's or altered, then refused."""
    first, second = shop.committed("2022-03", [1]), shop.committed("2022-04", [2])
    parcel = shop.parcel(first)
    altered = parcel[:-1] + bytes([parcel[-1] ^ 1])
    with shop.asking("alice") as client:
        for name, text in ((second, parcel), (first, altered), (first, b"")):
            answer = client.put(f"/v1/copies/{name}", content=text)
            assert answer.json()["number"] == Refusal.COPY_IS_WRONG.number
    assert not {first, second} & set(there(shop))


def test_a_month_without_rows_is_brought_and_sold_as_any_other(shop: Market) -> None:
    """Given a month of no rows, when its copy is brought and sold, then bob sees that it is empty.

    Nothing is hidden in it, and it is equally long.
    """
    batch = shop.committed("2022-08", [])
    assert shop.bring(batch).json()["fields"] == [COUNT]
    bought = Bought(shop, shop.request(batch))
    chunks = bought.fetch()
    assert len(chunks) == 1
    bought.confirm()
    assert bought.rows(chunks) == []
    shop.send("bob", data.Accept(order=bought.order))


def test_about_who_has_appointed_nobody_nothing_is_kept(shop: Market) -> None:
    """Given mallory, who has no offer, when bob asks about her, then 403, and no log grows."""
    answer = shop.ask(shop.request(shop.march, owner=ADDRESSES["mallory"]))
    assert answer.json()["number"] == Refusal.NO_OFFER.number
    assert logged(shop, "mallory") == []


def test_an_owner_lets_a_copy_be_destroyed_and_gets_a_receipt(shop: Market) -> None:
    """Given a copy, when the owner deletes it, then key and blob are gone for good."""
    batch = shop.committed("2022-05", [1])
    assert shop.bring(batch).status_code == Problem.OK
    assert there(shop)[batch] == [COUNT]
    for who, status in (("mallory", Problem.NOT_FOUND), ("alice", Problem.OK)):
        with shop.asking(who) as client:
            assert client.delete(f"/v1/copies/{batch}").status_code == status
    with shop.asking("alice") as client:
        receipt = client.delete(f"/v1/copies/{batch}").json()
    assert (receipt["agent"], receipt["batch"]) == (ADDRESSES["carol"], batch)
    assert batch not in there(shop)
    until_tidy(shop)
    answer = shop.ask(shop.request(batch))
    assert answer.json()["number"] == Refusal.COPY_IS_MISSING.number


def test_a_copy_goes_when_its_batch_or_its_offer_does(shop: Market) -> None:
    """Given copies, when the batch is retired or the offer withdrawn, then they go."""
    batch = shop.committed("2022-06", [1])
    assert shop.bring(batch).status_code == Problem.OK
    shop.send("alice", data.Retire(batch=batch))
    until_gone(shop, batch)
    assert shop.march in there(shop)
    shop.send("alice", data.WithdrawOffer(offer=Id(shop.offer)))
    until_gone(shop, shop.march)
    (shop.offer,) = shop.send("alice", shop.offering())
    assert shop.bring(shop.march).status_code == Problem.OK


def test_an_order_is_sealed_when_its_copy_comes(shop: Market) -> None:
    """Given an order that was asked for while the copy was there, when it is back, then sealed."""
    batch = shop.committed("2022-07", [4])
    shop.bring(batch)
    request = shop.request(batch)
    assert shop.ask(request).status_code == Problem.OK
    with shop.asking("alice") as client:
        client.delete(f"/v1/copies/{batch}")
    order = shop.order(request, b"4" * 32)
    assert until_step(shop, order, "refused")["refused"] == Refusal.COPY_IS_MISSING.number
    shop.bring(batch)
    shop.reach(order, "sealed")
    shop.send("bob", data.CancelOrder(order=order))


def test_an_order_that_is_sealed_late_comes_after_the_cursor(shop: Market) -> None:
    """
    Given two orders, of which the first waits for its copy while the second is delivered,
    when bob has listed the second, and then the copy of the first comes,
    then the first is listed after his cursor.
    """
    batch = shop.committed("2021-03", [4])
    shop.bring(batch)
    waiting, other = shop.request(batch), shop.request(shop.march)
    assert shop.ask(waiting).status_code == shop.ask(other).status_code == Problem.OK
    with shop.asking("alice") as client:
        client.delete(f"/v1/copies/{batch}")
    first = shop.order(waiting, b"5" * 32)
    until_step(shop, first, "refused")
    second = shop.order(other, b"6" * 32)
    until_step(shop, second, "sealed")
    with shop.asking("bob") as client:
        last = client.get("/v1/deliveries").json()["deliveries"][-1]
        assert last["order"] == second
        shop.bring(batch)
        until_step(shop, first, "sealed")
        told = client.get(f"/v1/deliveries?after={last['cursor']}").json()["deliveries"]
    assert [line["order"] for line in told] == [first]
    for order in (first, second):
        shop.send("bob", data.CancelOrder(order=order))


def test_a_suspended_buyer_is_not_revealed_to(shop: Market) -> None:
    """Given a confirmed order, when bob is suspended first, then b is sent once he is back."""
    bought = Bought(shop, shop.request(shop.march))
    chunks = bought.fetch()
    shop.send("bank", data.SuspendEnterprise(enterprise=ADDRESSES["bob"]))
    bought.confirm()
    until_step(shop, bought.order, "confirmed")
    assert shop.ask(shop.request(shop.march)).json()["number"] == Refusal.BUYER_IS_SUSPENDED.number
    assert shop.shown(bought.order).b is None
    shop.send("bank", shop.registering())
    assert bought.rows(chunks) == [1, 2, 3]
    shop.send("bob", data.Accept(order=bought.order))


def test_who_the_agent_is_and_its_key_anybody_may_ask(shop: Market) -> None:
    """Given nobody in particular, when asked, then account, chain, service and version are told."""
    assert shop.agent is not None
    told = httpx2.get(f"{shop.agent.address}/v1").json()
    assert told["service"] == "tongbao-data-agent"
    assert (told["account"], told["chain"]) == (ADDRESSES["carol"], shop.chain.id)
    assert httpx2.get(f"{shop.agent.address}/v1?x=1").status_code == Problem.BAD_REQUEST


def test_the_log_of_the_agent_names_nobody(shop: Market) -> None:
    """Given all that was asked here, when its log is read, then no account is in it."""
    assert shop.agent is not None
    said = shop.agent.text()
    assert not [name for name, address in ADDRESSES.items() if Address(address) in said]
    assert WHY not in said
