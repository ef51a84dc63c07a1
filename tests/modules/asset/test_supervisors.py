"""A supervisor freezes by the chain's power, whatever an asset's flags, and is counted for it."""

from __future__ import annotations

import pytest

from tests.modules.asset_steps import GOLD, pay, redeem
from tests.modules.control_steps import (
    HOUR_MS,
    controlled,
    freeze,
    standing,
    switch,
    unfreeze,
)
from tests.modules.member_steps import FIRST, FIRST_BANK
from tongbao.kernel import Count
from tongbao.kernel.genesis import section
from tongbao.modules import asset, member, reading
from tongbao.modules.asset import Controls, Tally, Why
from tongbao.modules.asset.control_messages import ISSUER, SUPERVISOR
from tongbao.modules.member import FirstMember, Role, Start
from tongbao.testing import CNY, Chain, alice, bank, bob, carol, mallory


@pytest.fixture
def chain() -> Chain:
    """A chain on which the bank acts for a supervisor."""
    first = FirstMember(
        lei=FIRST, name=FIRST_BANK, accounts=(bank,), roles=(Role(member.SUPERVISOR),)
    )
    return Chain(sections=(section("member", Start(members=(first,))),))


def test_a_supervisor_freezes_where_an_issuer_has_locked_it_away(chain: Chain) -> None:
    """
    Given gold whose issuer has locked freezing away,
    when the bank, a supervisor, freezes bob's and carol's, who issues it,
    then neither pays, and she does not redeem, until the freezes end by themselves.
    """
    controlled(chain)
    chain.apply("carol", switch(lock=("freezing",)))
    chain.apply("alice", pay("10", carol, GOLD))
    for owner in (bob, carol):
        chain.apply("bank", freeze(chain, owner, as_supervisor=True))

    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("bob", pay("1", alice, GOLD))
    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("carol", redeem("1"))
    chain.advance(HOUR_MS)
    chain.apply("bob", pay("1", alice, GOLD))
    chain.apply("carol", redeem("1"))


def test_an_asset_comes_under_control_by_a_supervisor_s_first_freeze(chain: Chain) -> None:
    """
    Given CNY, whose issuer has no flags,
    when the bank freezes alice's as a supervisor, and not as the issuer that it is too,
    then she does not pay, and the asset has a row of controls without any flag.
    """
    message = freeze(chain, alice, as_supervisor=True)
    frozen = asset.Freeze(
        asset=CNY,
        account=alice,
        scope=message.scope,
        reason=message.reason,
        until=message.until,
        as_supervisor=True,
    )
    chain.apply("bank", frozen)

    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("alice", pay("1.00", bob))
    assert asset.controls_of(chain.view(asset.module), CNY) == Controls()


def test_neither_ends_the_other_s_freeze(chain: Chain) -> None:
    """
    Given bob's gold, frozen by its issuer and by a supervisor,
    when the issuer ends hers, and then the supervisor its own,
    then he pays only after both.
    """
    controlled(chain, "freezing")
    chain.apply("carol", freeze(chain, bob))
    chain.apply("bank", freeze(chain, bob, as_supervisor=True))

    with chain.refuses(Why.SENDER_IS_NOT_SUPERVISOR):
        chain.apply("carol", unfreeze(bob, as_supervisor=True))
    with chain.refuses(Why.SENDER_IS_NOT_ISSUER):
        chain.apply("bank", unfreeze(bob))
    chain.apply("carol", unfreeze(bob))
    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("bob", pay("1", alice, GOLD))
    chain.apply("bank", unfreeze(bob, as_supervisor=True))
    chain.apply("bob", pay("1", alice, GOLD))

    assert standing(chain, bob) is None


def test_supervisors_and_issuers_are_counted_apart(chain: Chain) -> None:
    """
    Given the bank, which issues CNY and supervises,
    when it freezes twice as a supervisor, ends one, and authorises mallory as an issuer,
    then its tally tells how often it acted in each capacity, and carol's acts are her own.
    """
    controlled(chain, "freezing")
    for _ in range(2):
        chain.apply("bank", freeze(chain, bob, as_supervisor=True))
    chain.apply("bank", unfreeze(bob, as_supervisor=True))
    chain.apply("bank", asset.Authorise(asset=CNY, account=mallory))
    chain.apply("carol", freeze(chain, bob))
    view = chain.view(asset.module)

    told = {key[1]: tally for key, tally in asset.acts_by(view, bank).rows}
    assert told == {
        ISSUER: Tally(authorised=Count(1)),
        SUPERVISOR: Tally(frozen=Count(2), unfrozen=Count(1)),
    }
    acts = [(act.by, act.capacity, str(act.kind)) for _, act in asset.acts_on(view, bob).rows]
    assert acts == [
        (bank, SUPERVISOR, "frozen"),
        (bank, SUPERVISOR, "frozen"),
        (bank, SUPERVISOR, "unfrozen"),
        (carol, ISSUER, "frozen"),
    ]


def test_on_a_chain_without_members_nobody_supervises() -> None:
    """
    Given a chain that was begun before there were members,
    when the bank freezes as a supervisor,
    then it is refused; an issuer's freeze goes on to work.
    """
    chain = Chain(without=(member.module, reading.module))
    controlled(chain, "freezing")

    with chain.refuses(Why.SENDER_IS_NOT_SUPERVISOR):
        chain.apply("bank", freeze(chain, bob, as_supervisor=True))
    chain.apply("carol", freeze(chain, bob))
