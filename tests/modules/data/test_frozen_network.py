"""What a network that stood still, a freeze or a suspension must not do to anybody."""

from __future__ import annotations

import pytest

from tests.modules.data_steps import DAY_MS, HALT_MS, HOUR_MS, B, Market, hash_of
from tongbao.kernel import Small, Time
from tongbao.modules import data
from tongbao.modules.data import Licence
from tongbao.testing import bob

MINUTE_MS = 60_000


@pytest.fixture
def market() -> Market:
    """A market."""
    return Market()


def licence(market: Market) -> Licence | None:
    """The licence of the order that was revealed."""
    return data.licence(market.view(data.module), market.licence)


def stand_still(market: Market, until: int) -> None:
    """No block until a time, and then one."""
    market.advance_to(until)
    market.block()


def test_a_freeze_that_ended_before_the_confirmation_excuses_nobody(market: Market) -> None:
    """
    Given an order that was frozen for a minute while it was open, and is confirmed after that,
    when the agent does not reveal,
    then its bond pays the owner: it had all the time that there is.
    """
    order = market.opened()
    until = Time(market.time + MINUTE_MS)
    market.apply("bank", data.Freeze(order=order, until=until, reason=Small(1)))
    market.pass_time(2 * MINUTE_MS)
    market.apply("carol", market.sealing(order))
    market.apply("bob", market.confirming(order))
    market.pass_time(7 * HOUR_MS)

    assert (market.earned("alice"), market.lapses("carol")) == ("20.00", 1)


def test_a_freeze_that_lasts_into_the_time_to_reveal_excuses(market: Market) -> None:
    """
    Given an order that is frozen while open, until an hour after its confirmation,
    when the agent does not reveal,
    then nobody is at fault.
    """
    order = market.opened()
    until = Time(market.time + HOUR_MS)
    market.apply("bank", data.Freeze(order=order, until=until, reason=Small(1)))
    market.apply("carol", market.sealing(order))
    market.apply("bob", market.confirming(order))
    market.pass_time(7 * HOUR_MS)

    assert (market.earned("alice"), market.lapses("carol")) == ("0.00", 0)


def test_a_suspension_that_began_before_the_confirmation_excuses_too(market: Market) -> None:
    """
    Given a buyer that is suspended, then confirms, and is registered again an hour before the end,
    when the agent, which had less than its margin then, does not reveal,
    then nobody is at fault.
    """
    order = market.sealed()
    market.apply("bank", data.SuspendEnterprise(enterprise=bob))
    market.apply("bob", market.confirming(order))
    market.pass_time(5 * HOUR_MS)
    market.apply("bank", market.registering())
    market.pass_time(2 * HOUR_MS)

    assert (market.held("bob"), market.earned("alice")) == ("1000.00", "0.00")
    assert (market.bond("carol"), market.lapses("carol")) == (("100.00", "0.00"), 0)


def test_a_suspension_that_ended_before_the_confirmation_excuses_nobody(market: Market) -> None:
    """
    Given a buyer that was suspended, is registered again, and confirms after that,
    when the agent does not reveal,
    then its bond pays the owner.
    """
    order = market.sealed()
    market.apply("bank", data.SuspendEnterprise(enterprise=bob))
    market.apply("bank", market.registering())
    market.apply("bob", market.confirming(order))
    market.pass_time(7 * HOUR_MS)

    assert (market.earned("alice"), market.lapses("carol")) == ("20.00", 1)


@pytest.mark.parametrize("still_ms", [2 * HOUR_MS, DAY_MS, 5 * DAY_MS])
@pytest.mark.parametrize("after_ms", [-1, MINUTE_MS // 2, 2 * HALT_MS])
def test_a_buyer_has_as_long_to_delete_as_the_network_stood_still(
    market: Market, still_ms: int, after_ms: int
) -> None:
    """
    Given a licence, and a network that stands still over the time when deletion is due, or until
    just before or after it, whether or not that is longer than the threshold,
    when blocks are made again,
    then the buyer keeps its bond, has as long as the network stood still, and loses it then.
    """
    order = market.revealed()
    market.apply("bob", data.Accept(order=order))
    found = licence(market)
    assert found is not None
    market.pass_time(found.delete_by + after_ms - still_ms - market.time)
    stand_still(market, found.delete_by + after_ms)

    longer = licence(market)
    assert longer is not None
    assert longer.delete_by >= market.time + still_ms - HALT_MS
    held = market.held("bob")
    market.pass_time(longer.delete_by - market.time - 2_000)
    attested = data.AttestDeletion(licence=market.licence, attestation_hash=hash_of(6))
    market.apply("bob", attested)
    assert market.held("bob") != held


def test_the_time_to_delete_is_not_over_before_the_package_is_open(market: Market) -> None:
    """
    Given an order that the network stood still over for so long that its deletion is due,
    when the agent reveals in the time that has grown,
    then the buyer has a day to delete, as long as it may claim.
    """
    order = market.confirmed()
    stand_still(market, market.shown(order).delete_by + MINUTE_MS)
    market.licence = market.must(market.apply("carol", data.Reveal(order=order, b=B)))
    market.apply("bob", data.Accept(order=order))
    market.pass_time(DAY_MS - HOUR_MS)

    found = licence(market)
    assert found is not None and found.delete_by >= market.time
