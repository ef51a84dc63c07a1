"""Who is a member, with which accounts and roles, and who says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.governance_steps import done, governed, propose
from tests.modules.member_steps import (
    FIRST,
    FIRST_BANK,
    SECOND,
    THIRD,
    acts_with,
    admitting,
    lei,
    shown,
)
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import Address, GenesisError, Module
from tongbao.kernel.genesis import section
from tongbao.modules import account, member
from tongbao.modules.governance import (
    AddAccount,
    EndMembership,
    GrantRole,
    ReadmitMember,
    RemoveAccount,
    RevokeRole,
    SuspendMember,
)
from tongbao.modules.member import (
    ISSUER,
    SUPERVISOR,
    Acting,
    FirstMember,
    Lei,
    Member,
    MemberStatus,
    Role,
    Start,
    Why,
)
from tongbao.testing import Chain, alice, bob, carol, mallory

NOBODY = Address("ee" * 20)
ACTIVE, SUSPENDED, LEFT = MemberStatus("active"), MemberStatus("suspended"), MemberStatus("left")


def first(status: MemberStatus, *roles: str) -> Member:
    """The first bank, with a status and roles."""
    return Member(name=FIRST_BANK, status=status, roles=tuple(map(Role, roles)))


def test_a_member_is_admitted_with_accounts_and_roles() -> None:
    """
    Given operators who admit a bank for which carol acts, and who may issue,
    when it is looked up,
    then it is active, carol acts for it, with that role and no other, and nobody else does.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,), roles=(ISSUER,)))
    view = chain.view(member.module)
    assert shown(chain) == first(ACTIVE, ISSUER)
    assert [key for key, _ in member.listed(view).rows] == [FIRST]
    assert [key for key, _ in member.accounts(view, FIRST).rows] == [carol]
    assert member.acting(view, carol) == Acting(member=FIRST)
    assert member.member_of(view, carol) == FIRST
    assert acts_with(chain, carol, ISSUER)
    assert not acts_with(chain, carol, SUPERVISOR)
    assert not acts_with(chain, mallory, ISSUER)
    assert member.member_of(view, mallory) is None


def test_a_suspended_member_acts_with_no_role_until_it_is_readmitted() -> None:
    """
    Given a bank that may issue,
    when it is suspended, and then readmitted,
    then its account has the role not meanwhile, and has it again.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,), roles=(ISSUER,)))
    done(chain, SuspendMember(member=FIRST))
    assert shown(chain) == first(SUSPENDED, ISSUER)
    assert not acts_with(chain, carol, ISSUER)
    for action in (
        SuspendMember(member=FIRST),
        GrantRole(member=FIRST, role=Role(SUPERVISOR)),
        AddAccount(member=FIRST, account=mallory),
        RemoveAccount(member=FIRST, account=carol),
    ):
        with chain.refuses(Why.MEMBER_IS_NOT_ACTIVE):
            propose(chain, action)
    done(chain, ReadmitMember(member=FIRST))
    assert acts_with(chain, carol, ISSUER)
    with chain.refuses(Why.MEMBER_IS_NOT_SUSPENDED):
        propose(chain, ReadmitMember(member=FIRST))


def test_one_that_left_is_admitted_anew() -> None:
    """
    Given a bank that has left, and so has no role,
    when it would be readmitted, and then it is admitted with mallory's account,
    then the first is refused, and carol, who acted for it before, does so no more.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,), roles=(ISSUER,)))
    with chain.refuses(Why.MEMBER_IS_ADMITTED):
        propose(chain, admitting())
    done(chain, EndMembership(member=FIRST))
    assert shown(chain) == first(LEFT)
    for action in (ReadmitMember(member=FIRST), EndMembership(member=FIRST)):
        with chain.refuses(Why.MEMBER_NOT_FOUND):
            propose(chain, action)
    done(chain, admitting(accounts=(mallory,), roles=(ISSUER,)))
    assert acts_with(chain, mallory, ISSUER)
    assert not acts_with(chain, carol, ISSUER)
    assert member.member_of(chain.view(member.module), carol) is None


def test_an_account_of_one_that_left_may_act_for_another() -> None:
    """
    Given carol, who acts for a bank,
    when she would act for another, and again after the first bank has left,
    then she does so the second time.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,)), admitting(SECOND, name="Second Bank"))
    with chain.refuses(Why.ACCOUNT_ACTS_ALREADY):
        propose(chain, AddAccount(member=SECOND, account=carol))
    done(chain, EndMembership(member=FIRST), AddAccount(member=SECOND, account=carol))
    assert member.member_of(chain.view(member.module), carol) == SECOND


def test_roles_come_and_go() -> None:
    """
    Given a bank without roles,
    when it is given two and one is taken, and such as make no sense are proposed,
    then it has the other one, and those are refused.
    """
    chain = governed()
    supervisor, issuer = Role(SUPERVISOR), Role(ISSUER)
    done(
        chain,
        admitting(accounts=(carol,)),
        GrantRole(member=FIRST, role=supervisor),
        GrantRole(member=FIRST, role=issuer),
    )
    assert shown(chain) == first(ACTIVE, ISSUER, SUPERVISOR)
    done(chain, RevokeRole(member=FIRST, role=issuer))
    assert shown(chain) == first(ACTIVE, SUPERVISOR)
    with chain.refuses(Why.ROLE_IS_UNKNOWN):
        propose(chain, GrantRole(member=FIRST, role=Role("jester")))
    with chain.refuses(Why.ROLE_IS_HELD):
        propose(chain, GrantRole(member=FIRST, role=supervisor))
    with chain.refuses(Why.ROLE_IS_NOT_HELD):
        propose(chain, RevokeRole(member=FIRST, role=issuer))
    with chain.refuses(Why.MEMBER_NOT_FOUND):
        propose(chain, GrantRole(member=THIRD, role=issuer))


def test_accounts_come_and_go() -> None:
    """
    Given a bank for which carol acts,
    when mallory's account is added and carol's removed, and such as make no sense are proposed,
    then mallory acts for it, and those are refused.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,)))
    done(
        chain,
        AddAccount(member=FIRST, account=mallory),
        RemoveAccount(member=FIRST, account=carol),
    )
    view = chain.view(member.module)
    assert [key for key, _ in member.accounts(view, FIRST).rows] == [mallory]
    with chain.refuses(Why.ACCOUNT_NOT_FOUND):
        propose(chain, AddAccount(member=FIRST, account=NOBODY))
    with chain.refuses(Why.ACCOUNT_ACTS_ALREADY):
        propose(chain, AddAccount(member=FIRST, account=mallory))
    with chain.refuses(Why.ACCOUNT_DOES_NOT_ACT):
        propose(chain, RemoveAccount(member=FIRST, account=carol))


def test_at_most_sixteen_accounts_act_for_a_member() -> None:
    """
    Given seventeen accounts,
    when sixteen act for a bank, and the last one would too,
    then that is refused.
    """
    chain = governed()
    opened = [chain.open_account(f"teller-{place}") for place in range(17)]
    with chain.refuses(Why.TOO_MANY_ACCOUNTS):
        propose(
            chain,
            admitting(accounts=tuple(opened[:16])),
            AddAccount(member=FIRST, account=opened[16]),
        )
    done(chain, admitting(accounts=tuple(opened[:16])))


def test_a_closed_account_acts_for_nobody() -> None:
    """
    Given carol, who acts for a bank,
    when she closes her account,
    then nobody acts for it.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,), roles=(ISSUER,)))
    chain.apply("carol", account.Close(heir=bob))
    assert member.accounts(chain.view(member.module), FIRST).rows == ()


@pytest.mark.parametrize("wrong", ["00", "13", "99"])
def test_check_digits_are_checked(wrong: str) -> None:
    """
    Given an identifier whose last two digits are others,
    when its member would be admitted,
    then that is refused.
    """
    chain = governed()
    with chain.refuses(Why.LEI_IS_WRONG):
        propose(chain, admitting(Lei(FIRST[:18] + wrong)))


def test_genesis_names_members() -> None:
    """
    Given a section with a bank for which carol acts,
    when a chain begins with it,
    then it is there; and no chain begins with two of one identifier.
    """
    bank = FirstMember(lei=FIRST, name=FIRST_BANK, accounts=(carol,), roles=(Role(ISSUER),))
    chain = Chain(sections=(section("member", Start(members=(bank,))),))
    assert shown(chain) == first(ACTIVE, ISSUER)
    assert acts_with(chain, carol, ISSUER)
    with pytest.raises(GenesisError, match="MEMBER_IS_ADMITTED"):
        Chain(sections=(section("member", Start(members=(bank, bank))),))


def test_a_module_above_adds_a_role() -> None:
    """
    Given a module that declares a role of its own,
    when a bank gets it on its chain,
    then its account has it, and on a chain without that module nobody can.
    """
    maker = "market_maker"
    chain = Chain(sections=(section("member", with_role(ISSUER)),))
    assert acts_with(chain, alice, ISSUER)
    with pytest.raises(GenesisError, match="ROLE_IS_UNKNOWN"):
        Chain(sections=(section("member", with_role(maker)),))
    quotes = Module(1_000, "quotes")
    assert quotes.role(maker, "quotes prices at which others may trade") == maker
    quotes.package = "tests.modules.member"
    chain = Chain(quotes, sections=(section("member", with_role(maker)),))
    assert acts_with(chain, alice, maker)


def with_role(role: str) -> Start:
    """A section with a bank of a role, for which alice acts."""
    made = FirstMember(lei=lei(7), name=FIRST_BANK, accounts=(alice,), roles=(Role(role),))
    return Start(members=(made,))


def test_each_reason_is_reached() -> None:
    """
    Given the reasons of the module,
    when the tests beside this one are read,
    then each reason is expected by one of them.
    """
    assert unnamed_reasons(member.module, Path(__file__)) == []
