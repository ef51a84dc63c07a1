"""What the law asks of the whole market, acted on from outside: HTTP, files, the ledger's words."""

from __future__ import annotations

import secrets
import time

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.modules.data_steps import COUNT, DAY, DAY_MS, EGGS, SCAN
from tests.scenarios.casts import BOND, Cast
from tests.scenarios.stage import Stage
from tests.scenarios.town import ADDRESSES, CNY, NOTE
from tests.services.data_agent.buying import patiently
from tongbao.kernel import Address, Amount, Hash, Id, Small, Time
from tongbao.modules import asset, data
from tongbao.rights.batch import commitment_of
from tongbao.rights.envelope import BadEnvelope, take_out_of_envelope
from tongbao.sdk.client import Refused
from tongbao.sdk.data.agent_client import AgentRefused
from tongbao.sdk.data.facts import sealed_of
from tongbao.services.data_agent.refusals import Refusal

ABROAD = data.Region("SG")
SOON_MS = 3_000
MINUTES_S = 60


def test_what_was_bought_is_not_sold_again(market: Stage) -> None:
    """
    Given a buyer with a month of an owner's, and another enterprise,
    when the other asks the agent for the delivery, opens the envelope with a key of its own, and
    when the buyer would sell the same commitment as its own, or the month is ordered of the buyer,
    then each is refused: a grant has one recipient, and a month one owner.
    """
    cast, other = market.cast("carol"), market.cast("carol")
    order = cast.sealed()
    with cast.buyer.agent(ADDRESSES["carol"]) as agent:
        envelope = agent.delivery(order).envelope
    with cast.asking(other.buys) as client:
        stolen = client.get(f"/v1/deliveries/{order}").status_code
    row = market.town.row(order)
    assert row.grant_hash is not None
    with pytest.raises(BadEnvelope):
        take_out_of_envelope(
            secrets.token_bytes(32),
            bytes.fromhex(envelope),
            bytes.fromhex(order),
            bytes.fromhex(row.grant_hash),
            sealed_of(order, row),
        )
    batch = market.town.batches[row.batches[0]]
    again = data.Commit(
        owner=ADDRESSES[cast.buys],
        subject=Hash(secrets.token_hex(32)),
        schema=EGGS,
        period=data.Period("2026-03"),
        version=data.Version(1),
        commitment=Hash(commitment_of(batch.header).hex()),
        method=data.Method("self"),
    )
    with pytest.raises(Refused) as taken:
        market.town.send(cast.buys, again)
    request = cast.request(*row.batches, owner=ADDRESSES[other.owns])
    with pytest.raises(AgentRefused) as refused:
        cast.buyer.request(request, ADDRESSES["carol"])
    cast.buyer.cancel(order)

    assert (stolen, taken.value.number) == (404, data.Why.COMMITMENT_IS_TAKEN.number)
    assert refused.value.number == Refusal.BATCH_IS_NOT_SOLD.number


def test_cross_border_needs_its_own_consent(market: Stage) -> None:
    """
    Given a buyer from abroad, and an owner that offers within the country,
    when it asks, and when it orders and a careless agent would seal,
    then agent and ledger refuse; once the owner offers abroad too, the agent seals.
    """
    cast = market.cast("carol")
    name = cast.batch()
    market.town.send("bank", market.town.registering(cast.buys, region=ABROAD))
    with pytest.raises(AgentRefused) as refused:
        cast.buyer.request(cast.request(name))
    careless = market.cast("cheat")
    order = careless.ordered()
    market.town.send("bank", market.town.registering(careless.buys, region=ABROAD))
    with pytest.raises(Refused) as unsealed:
        careless.cheat.seal(order)
    market.town.offer(cast.owns, "carol", regions=(ABROAD,))
    granted = cast.buyer.order(cast.buyer.request(cast.request(name)), deletion_bond=BOND)
    market.town.reach(granted, "sealed")
    cast.buyer.cancel(granted)

    assert refused.value.number == Refusal.REGION_IS_NOT_OFFERED.number
    assert unsealed.value.number == data.Why.OFFER_DOES_NOT_COVER.number


def test_a_frozen_order_is_not_revealed_until_the_freeze_ends(market: Stage) -> None:
    """
    Given an order that the agent's program has sealed,
    when a supervisor freezes it, and the buyer confirms,
    then it is not revealed before the freeze ends, and is revealed then.
    """
    cast = market.cast("carol")
    order = Id(cast.sealed())
    until = Time(market.town.chain.now() + SOON_MS)
    market.town.send("bank", data.Freeze(order=order, until=until, reason=Small(1)))
    cast.confirm(order)
    market.town.reach(order, "revealed", "lapsed")
    revealed = market.town.row(order).deadline - 10_000
    cast.buyer.accept(order)

    assert market.town.row(order).phase == "settled"
    assert revealed >= until


def test_the_list_for_a_breach_takes_seconds(market: Stage) -> None:
    """
    Given a buyer that has months of an owner's, and says that they got out,
    when a supervisor asks the ledger what it keeps,
    then all owners, fields and months are named within a minute, without asking the buyer.
    """
    cast = market.cast("carol")
    orders = [cast.revealed() for _ in range(3)]
    begun = time.monotonic()
    rows = market.town.chain.query(data.licensed_to, Address(ADDRESSES[cast.buys])).rows
    told = {
        one.order: (
            one.owner,
            market.town.row(one.order).fields,
            market.town.row(one.order).batches,
        )
        for _, one in rows
    }
    took = time.monotonic() - begun
    for order in orders:
        cast.buyer.accept(order)

    assert set(told) == set(orders)
    assert {owner for owner, _, _ in told.values()} == {ADDRESSES[cast.owns]}
    assert all(fields == (COUNT,) and batches for _, fields, batches in told.values())
    assert took < MINUTES_S


def test_notices_are_versioned_in_two_languages(market: Stage) -> None:
    """
    Given a sealed grant,
    when owner and buyer ask the agent's program for its receipt,
    then both get the same notice, with a version, in English and Chinese.
    """
    cast = market.cast("carol")
    order = cast.sealed()
    texts = []
    for who in (cast.owns, cast.buys):
        with cast.asking(who) as client:
            texts.append(patiently(client, f"/v1/receipts/{order}").content)
    notice = msgspec.json.decode(texts[0])["dpv:hasRecordOfActivity"]["dpv:hasNotice"]
    words = {one["@language"]: one["@value"] for one in notice["dct:description"]}
    cast.buyer.cancel(order)

    assert texts[0] == texts[1] and notice["dct:hasVersion"]
    assert set(words) == {"en", "zh-Hans"} and all(words.values())
    assert any("\u4e00" <= letter <= "\u9fff" for letter in words["zh-Hans"])


def test_who_grants_nothing_is_served_as_anybody(market: Stage) -> None:
    """
    Given a person who withdraws the only offer, and has granted nothing,
    when it is paid, pays, and gets its month attested,
    then all is done as for others, and the agent has no request about it.
    """
    cast = market.cast("carol")
    market.town.send(cast.owns, data.WithdrawOffer(offer=cast.offer))
    paid = asset.Transfer(asset=CNY, amount=Amount("3.00"), payee=ADDRESSES[cast.owns])
    market.town.send("bank", paid)
    pays = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=ADDRESSES["club"])
    market.town.send(cast.owns, pays)
    name = market.town.attest(cast.owns, (1, 2))
    batch = market.town.chain.query(data.batch, name)

    assert market.town.held(cast.owns) == 200
    assert batch is not None and (batch.owner, batch.method) == (ADDRESSES[cast.owns], SCAN)
    with pytest.raises(AgentRefused) as refused:
        cast.buyer.request(cast.request(name), ADDRESSES["carol"])
    assert refused.value.number


@pytest.fixture(scope="module")
def asking(market: Stage) -> tuple[Cast, Id]:
    """A cast whose owner offers the count alone, with a month."""
    cast = market.cast("carol")
    return cast, cast.batch()


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    fields=st.lists(
        st.sampled_from((COUNT, NOTE, DAY, data.Field("event"), data.Field("salt"))),
        min_size=1,
        unique=True,
    ),
    days=st.integers(1, 60),
)
def test_only_granted_fields_are_asked_for(
    asking: tuple[Cast, Id], fields: list[data.Field], days: int
) -> None:
    """
    Given an owner that offers the count for 30 days,
    when any fields are asked for, for any time,
    then the agent hears just what is within the offer, and the owner's log has every other one.
    """
    cast, name = asking
    until = Time(cast.town.chain.now() + days * DAY_MS)
    request = cast.request(name, fields=tuple(fields), delete_by=until)
    with cast.asking(cast.owns) as client:
        before = len(client.get("/v1/requests").json()["requests"])
    try:
        cast.buyer.request(request, ADDRESSES["carol"])
        heard = True
    except AgentRefused:
        heard = False
    with cast.asking(cast.owns) as client:
        after = client.get("/v1/requests").json()["requests"]

    assert heard == (fields == [COUNT] and days <= 30)
    assert len(after) == before + 1
    assert ("refused" in after[0] or "refused" in after[-1]) or heard
