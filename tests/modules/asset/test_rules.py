"""Assets: issuers alone make and end value, payers alone pay, and the sum is what was issued."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.asset_steps import GOLD, define_gold, issue, pay, redeem, units
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import (
    DECIMALS_LIMIT,
    UNITS_LIMIT,
    Amount,
    AssetCode,
    AssetId,
    Hash,
    Message,
    Reference,
    Small,
)
from tongbao.modules import asset
from tongbao.modules.asset import (
    Define,
    Definition,
    Holding,
    Moved,
    Settled,
    Supply,
    Why,
)
from tongbao.modules.asset.tables import settled
from tongbao.testing import CNY, Chain, alice, bob, carol, mallory


def test_an_asset_is_what_its_issuer_has_defined(chain: Chain) -> None:
    """
    Given carol,
    when she defines an asset with scale, cap and a hash of its terms,
    then it is named for her, has all of these, and none of it is issued.
    """
    terms = Hash("0f" * 32)
    chain.apply(
        "carol",
        Define(code=AssetCode("GOLD"), scale=Small(3), cap=Amount("10.000"), metadata_hash=terms),
    )
    view = chain.view(asset.module)

    wanted = Definition(issuer=carol, scale=Small(3), cap=Amount("10.000"), metadata_hash=terms)
    assert asset.show(view, GOLD) == wanted
    assert asset.supply(view, GOLD) == Supply(issued=Amount("0.000"))
    assert asset.issued_by(view, carol).rows == ((GOLD, wanted),)


def test_one_code_belongs_to_each_issuer_once(chain: Chain) -> None:
    """
    Given the bank's CNY,
    when the bank defines CNY again, and mallory defines one,
    then the bank is refused, and mallory's is another asset.
    """
    again = Define(code=AssetCode("CNY"), scale=Small(2))

    with chain.refuses(Why.ASSET_IS_DEFINED):
        chain.apply("bank", again)
    chain.apply("mallory", again)

    assert asset.show(chain.view(asset.module), AssetId(f"CNY.{mallory}")) == Definition(
        issuer=mallory, scale=Small(2)
    )


def test_an_asset_has_at_most_eighteen_decimals(chain: Chain) -> None:
    """
    Given carol,
    when she defines assets with 18 and with 19 decimals,
    then the second is refused.
    """
    chain.apply("carol", Define(code=AssetCode("FINE"), scale=Small(DECIMALS_LIMIT)))

    with chain.refuses(Why.SCALE_IS_TOO_LARGE):
        chain.apply("carol", Define(code=AssetCode("GOLD"), scale=Small(DECIMALS_LIMIT + 1)))


def test_a_cap_is_an_amount_of_its_asset(chain: Chain) -> None:
    """
    Given carol,
    when she defines assets whose cap has other decimals, or is nothing,
    then both are refused.
    """
    with chain.refuses(Why.DECIMALS_DIFFER):
        define_gold(chain, cap="500.00")
    with chain.refuses(Why.AMOUNT_IS_ZERO):
        define_gold(chain, cap="0")


def test_issuing_makes_value_once_for_each_reference(chain: Chain) -> None:
    """
    Given carol's gold,
    when she issues 30 for bob, then again with the same reference, then with another,
    then bob has both but the one in the middle, each with its record, and the supply is the sum.
    """
    define_gold(chain)
    chain.apply("carol", issue("30"))
    told = chain.receipt.events

    with chain.refuses(Why.REFERENCE_WAS_USED):
        chain.apply("carol", issue("30"))
    chain.apply("carol", issue("12", "r2"))

    view = chain.view(asset.module)
    assert told == (Moved(asset=GOLD, amount=Amount("30"), payee=bob),)
    assert asset.balance(view, bob, GOLD) == Holding(amount=Amount("42"))
    assert asset.supply(view, GOLD) == Supply(issued=Amount("42"))
    assert view[settled].get((GOLD, Reference("r1"))) == Settled(amount=Amount("30"), account=bob)


def test_redeeming_ends_value_that_came_back(chain: Chain) -> None:
    """
    Given 30 of carol's gold, 10 of which bob has paid back to her,
    when she redeems these 10 against a reference, then once more,
    then the supply is 20, her holding is gone, and the second is refused.
    """
    define_gold(chain)
    chain.apply("carol", issue("30"))
    chain.apply("bob", pay("10", carol, GOLD))
    chain.apply("carol", redeem("10"))
    told = chain.receipt.events

    with chain.refuses(Why.REFERENCE_WAS_USED):
        chain.apply("carol", redeem("10"))

    view = chain.view(asset.module)
    assert told == (Moved(asset=GOLD, amount=Amount("10"), payer=carol),)
    assert asset.balance(view, carol, GOLD) is None
    assert asset.supply(view, GOLD) == Supply(issued=Amount("20"))
    assert view[settled].get((GOLD, Reference("r2"))) == Settled(
        amount=Amount("10"), account=carol, redeemed=True
    )


def test_a_reference_serves_issue_or_redeem(chain: Chain) -> None:
    """
    Given gold issued to carol herself against reference r1,
    when she redeems some of it against r1,
    then she is refused: a reference stands for one movement of the world outside.
    """
    define_gold(chain)
    chain.apply("carol", issue("30", payee=carol))

    with chain.refuses(Why.REFERENCE_WAS_USED):
        chain.apply("carol", redeem("10", "r1"))


def test_only_the_issuer_issues_and_redeems(chain: Chain) -> None:
    """
    Given CNY of the bank, of which mallory has some,
    when she issues more and redeems hers,
    then both are refused.
    """
    with chain.refuses(Why.SENDER_IS_NOT_ISSUER):
        chain.apply("mallory", issue("1.00", of=CNY))
    with chain.refuses(Why.SENDER_IS_NOT_ISSUER):
        chain.apply("mallory", redeem("1.00", of=CNY))


def test_an_asset_is_issued_up_to_its_cap(chain: Chain) -> None:
    """
    Given gold with a cap of 500,
    when 499 are issued, then 2, then 1, then 1,
    then the second and the last are refused.
    """
    define_gold(chain)
    chain.apply("carol", issue("499"))

    with chain.refuses(Why.CAP_IS_EXCEEDED):
        chain.apply("carol", issue("2", "r2"))
    chain.apply("carol", issue("1", "r2"))
    with chain.refuses(Why.CAP_IS_EXCEEDED):
        chain.apply("carol", issue("1", "r3"))


def test_an_asset_without_cap_ends_where_amounts_do(chain: Chain) -> None:
    """
    Given gold without a cap,
    when all of 2^63 - 1 units are issued, and one more,
    then the one more is refused, and whoever holds all of them can pay all of them.
    """
    define_gold(chain, cap=None)
    chain.apply("carol", issue(str(UNITS_LIMIT)))

    with chain.refuses(Why.CAP_IS_EXCEEDED):
        chain.apply("carol", issue("1", "r2"))
    chain.apply("bob", pay(str(UNITS_LIMIT), alice, GOLD))

    assert units(chain, alice, GOLD) == UNITS_LIMIT


@pytest.mark.parametrize("amount", ["12", "12.5", "12.500"])
def test_an_amount_has_exactly_the_decimals_of_its_asset(chain: Chain, amount: str) -> None:
    """
    Given CNY with two decimals,
    when it is paid or issued in amounts of another number of decimals,
    then both are refused: what a person signs is what a person reads.
    """
    with chain.refuses(Why.DECIMALS_DIFFER):
        chain.apply("alice", pay(amount, bob))
    with chain.refuses(Why.DECIMALS_DIFFER):
        chain.apply("bank", issue(amount, of=CNY))


def test_nothing_is_no_amount_to_move(chain: Chain) -> None:
    """
    Given CNY,
    when 0.00 of it are paid, issued and redeemed,
    then all three are refused.
    """
    with chain.refuses(Why.AMOUNT_IS_ZERO):
        chain.apply("alice", pay("0.00", bob))
    with chain.refuses(Why.AMOUNT_IS_ZERO):
        chain.apply("bank", issue("0.00", of=CNY))
    with chain.refuses(Why.AMOUNT_IS_ZERO):
        chain.apply("bank", redeem("0.00", of=CNY))


def test_what_is_not_defined_does_not_move(chain: Chain) -> None:
    """
    Given no gold,
    when it is paid, issued and redeemed,
    then all three are refused.
    """
    messages: tuple[Message, ...] = (pay("1", bob, GOLD), issue("1"), redeem("1"))
    for message in messages:
        with chain.refuses(Why.ASSET_NOT_FOUND):
            chain.apply("carol", message)


def test_nobody_pays_more_than_there_is(chain: Chain) -> None:
    """
    Given alice with 1000.00 CNY and no gold,
    when she pays 1000.01, and gold, and when the bank redeems CNY that it does not hold,
    then all three are refused.
    """
    define_gold(chain)

    with chain.refuses(Why.BALANCE_IS_TOO_LOW):
        chain.apply("alice", pay("1000.01", bob))
    with chain.refuses(Why.BALANCE_IS_TOO_LOW):
        chain.apply("alice", pay("1", bob, GOLD))
    with chain.refuses(Why.BALANCE_IS_TOO_LOW):
        chain.apply("bank", redeem("1.00", of=CNY))


def test_every_reason_of_assets_is_reached() -> None:
    """
    Given the reasons of the module,
    when they are looked for in the tests of this folder,
    then each of them is expected somewhere by its name.
    """
    assert unnamed_reasons(asset.module, Path(__file__)) == []
