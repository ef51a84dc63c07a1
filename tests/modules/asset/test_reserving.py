"""Reserved value stays in its owner's holding, and goes only where its module may send it."""

from __future__ import annotations

import pytest

from tests.modules.asset_steps import GOLD, pay, redeem, units
from tests.modules.control_steps import claw_back, controlled, freeze, standing
from tongbao.kernel import Address, Amount, AssetId
from tongbao.modules import account, asset, hold
from tongbao.modules.asset import Moved, Share, Standing, Statement, Why
from tongbao.simulation import mischief
from tongbao.simulation.mischief import Deliver, LetGo, SetAside
from tongbao.testing import CNY, Chain, alice, bob, carol


@pytest.fixture
def chain() -> Chain:
    """A chain with a module that reserves, the simulator's."""
    return Chain(mischief.module)


def set_aside(amount: str, asset_id: AssetId = GOLD) -> SetAside:
    """Some of bob's is reserved."""
    return SetAside(owner=bob, asset=asset_id, amount=Amount(amount))


def let_go(amount: str) -> LetGo:
    """Some of what was reserved of bob's gold is free again."""
    return LetGo(owner=bob, asset=GOLD, amount=Amount(amount))


def deliver(amount: str, payee: str = alice) -> Deliver:
    """Some of what was reserved of bob's gold is paid."""
    return Deliver(owner=bob, asset=GOLD, amount=Amount(amount), payee=Address(payee))


def reserved(amount: str) -> Standing:
    """What stands on bob's gold where the module has reserved so much."""
    share = Share(by=mischief.module.vault, amount=Amount(amount))
    return Standing(reserved=(share,))


def test_reserved_value_stays_in_the_holding_and_is_not_spent(chain: Chain) -> None:
    """
    Given bob with 100 of gold,
    when a module reserves 70 of it and later lets 20 go,
    then he holds 100 all the time, and can spend 30, and then 50, of it.
    """
    controlled(chain)
    chain.apply("bob", set_aside("70"))

    assert units(chain, bob, GOLD) == 100
    assert standing(chain, bob) == reserved("70")
    with chain.refuses(Why.VALUE_IS_RESERVED):
        chain.apply("bob", pay("31", alice, GOLD))
    with chain.refuses(Why.BALANCE_IS_TOO_LOW):
        chain.apply("bob", pay("101", alice, GOLD))
    chain.apply("bob", let_go("20"))
    chain.apply("bob", pay("50", alice, GOLD))

    assert units(chain, bob, GOLD) == 50
    chain.apply("bob", let_go("50"))
    assert standing(chain, bob) is None


def test_a_module_settles_what_it_has_reserved(chain: Chain) -> None:
    """
    Given bob, of whose gold a module has reserved 70,
    when it pays alice 40 out of that, which somebody else asks for,
    then she has it, 30 stay reserved, and the movement is told as his payment.
    """
    controlled(chain)
    chain.apply("bob", set_aside("70"))

    chain.apply("mallory", deliver("40"))

    assert chain.receipt.events == (Moved(asset=GOLD, amount=Amount("40"), payer=bob, payee=alice),)
    assert [units(chain, owner, GOLD) for owner in (alice, bob)] == [140, 60]
    assert standing(chain, bob) == reserved("30")


def test_a_module_reserves_of_those_alone_who_ask_for_it(chain: Chain) -> None:
    """
    Given bob with gold,
    when mallory has a module reserve it, bob more than he has, and bob the same twice,
    then all are refused.
    """
    controlled(chain)

    with chain.refuses(Why.PAYER_HAS_NOT_AGREED):
        chain.apply("mallory", set_aside("1"))
    with chain.refuses(Why.BALANCE_IS_TOO_LOW):
        chain.apply("bob", set_aside("101"))
    with chain.refuses(Why.AMOUNT_IS_ZERO):
        chain.apply("bob", set_aside("0"))
    with chain.refuses(Why.VALUE_IS_RESERVED):
        chain.apply("bob", set_aside("60"), set_aside("60"))


def test_no_more_is_given_up_than_is_reserved(chain: Chain) -> None:
    """
    Given 70 of bob's gold reserved,
    when the module is asked to let 71 go, or to settle them,
    then it refuses by itself: assets would stop the node, since only a bug asks for it.
    """
    controlled(chain)
    chain.apply("bob", set_aside("70"))

    for message in (let_go("71"), deliver("71")):
        with chain.refuses(mischief.Why.CLAIM_IS_TOO_SMALL):
            chain.apply("bob", message)


def test_a_freeze_stops_settlement_and_never_release(chain: Chain) -> None:
    """
    Given 70 of bob's gold reserved, and his holding frozen,
    when the module settles, reserves more, and releases,
    then only what stays his is done: the release.
    """
    controlled(chain, "freezing")
    chain.apply("bob", set_aside("70"))
    chain.apply("carol", freeze(chain, bob))

    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("alice", deliver("1"))
    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("bob", set_aside("1"))
    chain.apply("alice", let_go("70"))

    assert standing(chain, bob) is not None
    assert units(chain, bob, GOLD) == 100


def test_settlement_pays_only_who_can_be_paid(chain: Chain) -> None:
    """
    Given 70 of bob's gold reserved, and alice's holding frozen,
    when the module settles for alice, for bob himself, for a vault, and for nobody,
    then each is refused.
    """
    controlled(chain, "freezing")
    chain.apply("bob", set_aside("70"))
    chain.apply("carol", freeze(chain, alice))

    for payee, why in (
        (alice, Why.PAYEE_IS_FROZEN),
        (bob, Why.PAYEE_IS_PAYER),
        (hold.module.vault, Why.VAULT_IS_CLOSED),
        ("ab" * 20, Why.PAYEE_NOT_FOUND),
    ):
        with chain.refuses(why):
            chain.apply("bob", deliver("1", payee))


def test_reserved_value_is_clawed_back_after_its_release(chain: Chain) -> None:
    """
    Given bob with 100 of gold that has clawback, 70 of it reserved,
    when carol claws back 31, and again after a release,
    then the first is refused: what was promised to others is undone before it is taken.
    """
    controlled(chain, "clawback")
    chain.apply("bob", set_aside("70"))

    with chain.refuses(Why.VALUE_IS_RESERVED):
        chain.apply("carol", claw_back("31", bob))
    chain.apply("bob", let_go("1"))
    chain.apply("carol", claw_back("31", bob))

    assert units(chain, carol, GOLD) == 31


def test_nobody_closes_or_redeems_what_is_reserved(chain: Chain) -> None:
    """
    Given bob and carol, who each have gold reserved,
    when bob closes his account, and carol, who issues gold, redeems what she has reserved,
    then both are refused.
    """
    controlled(chain)
    chain.apply("bob", set_aside("1"))
    chain.apply("bob", pay("50", carol, GOLD))
    chain.apply("carol", SetAside(owner=carol, asset=GOLD, amount=Amount("50")))

    with chain.refuses(Why.VALUE_IS_RESERVED):
        chain.apply("bob", account.Close(heir=alice))
    with chain.refuses(Why.VALUE_IS_RESERVED):
        chain.apply("carol", redeem("1"))


def test_a_statement_says_where_all_that_was_issued_is(chain: Chain) -> None:
    """
    Given 200 of gold issued, of which 30 are on hold and 50 reserved,
    when anybody asks for the asset's statement,
    then issued is held, on hold and reserved together; of what is no asset there is none.
    """
    controlled(chain)
    chain.apply("bob", set_aside("50"))
    place = hold.Place(payee=bob, asset=GOLD, amount=Amount("30"), expires_at=chain.in_days(1))
    chain.apply("alice", place)
    view = chain.view(asset.module)

    told = asset.statement(view, GOLD)

    assert told == Statement(
        issued=Amount("200"), held=Amount("120"), on_hold=Amount("30"), reserved=Amount("50")
    )
    free = units(chain, alice, GOLD) + units(chain, bob, GOLD) - 50
    assert told is not None and told.held.units == free
    vault = asset.balance(view, hold.module.vault, GOLD)
    rules = asset.controls_of(view, GOLD)
    assert vault is not None and vault.amount == told.on_hold
    assert rules is not None and rules.reserved == told.reserved
    assert asset.statement(view, AssetId(f"NONE.{bob}")) is None
    assert asset.statement(view, CNY) == Statement(
        issued=Amount("4000.00"),
        held=Amount("4000.00"),
        on_hold=Amount("0.00"),
        reserved=Amount("0.00"),
    )
