"""What becomes of orders that somebody stops, forgets or makes too many of."""

from __future__ import annotations

from pathlib import Path

from tests.services.data_agent.buying import Bought
from tests.services.data_agent.looking import earned, until_over, until_step
from tests.services.data_agent.market import ADDRESSES, Market, market
from tongbao.kernel import Hash, Id, Small, Time
from tongbao.modules import data
from tongbao.services.data_agent.refusals import Refusal

CAP_OF_THE_LEDGER = 11_044
FROZEN_MS = 2_000
QUICK_MS = 2_000


def test_a_frozen_order_is_revealed_when_the_freeze_has_ended(shop: Market) -> None:
    """Given an order that a supervisor has frozen, when bob confirms, then b comes later."""
    bought = Bought(shop, shop.request(shop.march))
    chunks = bought.fetch()
    until = Time(shop.chain.now() + FROZEN_MS)
    shop.send("bank", data.Freeze(order=bought.order, until=until, reason=Small(1)))
    bought.confirm()
    until_step(shop, bought.order, "confirmed")
    assert shop.shown(bought.order).b is None
    assert bought.rows(chunks) == [1, 2, 3]
    for happening in shop.chain.happenings("0.0", thing=bought.order, type="data.reveal"):
        assert happening.number == 0 and happening.time >= until
        break
    shop.send("bob", data.Accept(order=bought.order))


def test_who_takes_a_package_and_never_confirms_has_ciphertext_alone(tmp_path: Path) -> None:
    """Given a fetched package, when bob does not confirm in time, then all is back and gone."""
    with market(tmp_path, {data.CONFIRM_MS.name: QUICK_MS, data.TRANSFER_MS.name: 1}) as shop:
        shop.start()
        march = shop.committed("2026-03", [1])
        shop.bring(march)
        bought = Bought(shop, shop.request(march))
        bought.fetch()
        assert shop.reach(bought.order, "lapsed").b is None
        until_over(shop, bought.order, "lapsed")
        assert earned(shop) == 0
        (line,) = shop.chain.query(data.bonded, ADDRESSES["carol"]).rows
        assert line[1].reserved.units == 0


def test_an_offer_s_cap_is_kept_whoever_is_quicker(tmp_path: Path) -> None:
    """Given an offer of one grant a day, when three orders come at once, then one is sealed."""
    with market(tmp_path) as shop:
        shop.start()
        shop.send("alice", data.WithdrawOffer(offer=Id(shop.offer)))
        shop.send("alice", shop.offering(daily_cap=data.DailyCap(1)))
        march = shop.committed("2026-03", [1])
        shop.bring(march)
        three = [Bought(shop, shop.request(march), orders=False) for _ in range(3)]
        for one in three:
            one.place()
        rows = [until_step(shop, one.order, "sealed", "refused") for one in three]
        assert sorted(row["step"] for row in rows) == ["refused", "refused", "sealed"]
        refused = {row["refused"] for row in rows if row["step"] == "refused"}
        assert refused <= {Refusal.DAILY_CAP_IS_REACHED.number, CAP_OF_THE_LEDGER}


def test_an_order_that_the_owner_seals_herself_is_none_of_the_agent_s(shop: Market) -> None:
    """Given an order that was refused here, when alice seals it herself, then the agent lets go."""
    request = shop.request(shop.march)
    order = shop.order(request, b"5" * 32)
    until_step(shop, order, "refused")
    lock = data.data_hash("b", bytes.fromhex(order), bytes(32)).hex()
    seal = data.Seal(
        order=order,
        offer=Id(shop.offer),
        grant_hash=Hash("01" * 32),
        package_root=Hash("02" * 32),
        chunks=data.Chunks(1),
        a_commit=Hash("03" * 32),
        b_lock=Hash(lock),
    )
    shop.send("alice", seal)
    until_over(shop, order, "elsewhere")
    assert shop.ask(request).status_code == 200
    assert shop.shown(order).phase == "sealed"
    shop.send("bob", data.CancelOrder(order=order))
