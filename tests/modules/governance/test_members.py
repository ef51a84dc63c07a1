"""Members among those who decide: what suspension, leaving and two seats do to votes."""

from __future__ import annotations

import pytest

from tests.modules.governance_steps import (
    DELAY_MS,
    NODE,
    decide,
    done,
    governed,
    known,
    propose,
    proposed,
    seats,
    validator,
    vote,
    wait,
)
from tests.modules.member_steps import FIRST, SECOND, THIRD, admitting, lei
from tongbao.kernel import GenesisError, Name, Small
from tongbao.kernel.genesis import section
from tongbao.modules import governance, member, reading
from tongbao.modules.governance import (
    AddAccount,
    AddOperator,
    AdmitPeer,
    Duration,
    EndMembership,
    Halt,
    ReadmitMember,
    RemoveOperator,
    SetThreshold,
    SuspendMember,
    Why,
)
from tongbao.modules.member import FirstMember, MemberName, Start
from tongbao.testing import Chain, alice, bank, bob, carol

ADMIT = AdmitPeer(node=NODE)
MEMBERS = 100


def consortium() -> Chain:
    """Bank, alice and bob are operators, of whom two must agree, each for a member of its own."""
    chain = governed()
    done(
        chain,
        admitting(FIRST, accounts=(bank,)),
        admitting(SECOND, accounts=(alice,)),
        admitting(THIRD, accounts=(bob,)),
    )
    return chain


def test_nobody_votes_twice() -> None:
    """
    Given bob's bank, for which carol acts too,
    when bob votes twice, and when carol would become an operator beside him,
    then the second vote is refused, and so is the second seat; and carol has no vote.
    """
    chain = consortium()
    done(chain, SetThreshold(threshold=Small(3)), AddAccount(member=THIRD, account=carol))
    open_one = proposed(chain, ADMIT)
    vote(chain, "bob", open_one)
    with chain.refuses(Why.SENDER_HAS_VOTED):
        vote(chain, "bob", open_one)
    with chain.refuses(Why.SENDER_IS_NOT_VOTER):
        vote(chain, "carol", open_one)
    with chain.refuses(Why.MEMBER_HAS_TWO_SEATS):
        propose(chain, AddOperator(operator=carol))


def test_an_operator_joins_no_member_that_has_a_seat() -> None:
    """
    Given bank, alice and bob, of whom bob alone acts for no member,
    when bob would act for alice's,
    then that is refused, since it would vote with two accounts.
    """
    chain = governed()
    done(chain, admitting(SECOND, accounts=(alice,)))
    with chain.refuses(Why.MEMBER_HAS_TWO_SEATS):
        propose(chain, AddAccount(member=SECOND, account=bob))


def test_a_suspended_member_is_not_heard() -> None:
    """
    Given an open proposal, and bob, whose member is then suspended,
    when bob votes on it and proposes, and again when the member is readmitted,
    then both are refused first, and then the vote counts.
    """
    chain = consortium()
    first = proposed(chain, ADMIT)
    done(chain, SuspendMember(member=THIRD))
    with chain.refuses(Why.MEMBER_IS_NOT_ACTIVE):
        vote(chain, "bob", first)
    with chain.refuses(Why.MEMBER_IS_NOT_ACTIVE):
        propose(chain, ADMIT, by="bob")
    assert known(chain, proposed(chain, ADMIT)).voters == (bank, alice)
    done(chain, ReadmitMember(member=THIRD))
    vote(chain, "bob", first)
    assert known(chain, first).phase == "approved"


def test_who_is_not_heard_does_not_take_back_what_others_decided() -> None:
    """
    Given a proposal of bob's that is open, and bob, whose member is then suspended,
    when bob takes the proposal back, and again when the member is readmitted,
    then it is refused first, and done then.
    """
    chain = consortium()
    made = proposed(chain, ADMIT, by="bob")
    done(chain, SuspendMember(member=THIRD))
    back = governance.Cancel(proposal=made)
    with chain.refuses(Why.MEMBER_IS_NOT_ACTIVE):
        chain.apply("bob", back)
    done(chain, ReadmitMember(member=THIRD))
    chain.apply("bob", back)
    assert known(chain, made).phase == "cancelled"


def test_one_that_has_left_is_not_heard() -> None:
    """
    Given an open proposal on which bob may vote,
    when bob's member leaves, and bob votes and proposes,
    then both are refused, bob has no seat, and the other two can decide.
    """
    chain = consortium()
    first = proposed(chain, ADMIT)
    done(chain, EndMembership(member=THIRD))
    with chain.refuses(Why.MEMBER_IS_NOT_ACTIVE):
        vote(chain, "bob", first)
    with chain.refuses(Why.SENDER_IS_NOT_OPERATOR):
        propose(chain, ADMIT, by="bob")
    with chain.refuses(Why.MEMBER_IS_NOT_ACTIVE):
        propose(chain, AddOperator(operator=bob))
    vote(chain, "alice", first)
    wait(chain)
    assert known(chain, first).phase == "carried_out"


def test_what_was_said_before_leaving_counts() -> None:
    """
    Given a proposal of which all three must approve, and bob has,
    when bob's member is suspended in the meantime, for which fewer must agree,
    then his approval counts, and the third decides.
    """
    chain = consortium()
    done(chain, SetThreshold(threshold=Small(3)))
    first = proposed(chain, ADMIT)
    vote(chain, "bob", first)
    suspended = proposed(chain, SetThreshold(threshold=Small(2)), SuspendMember(member=THIRD))
    vote(chain, "alice", suspended)
    vote(chain, "bob", suspended)
    wait(chain)
    assert known(chain, suspended).phase == "carried_out"
    vote(chain, "alice", first)
    assert known(chain, first).phase == "approved"


def test_no_proposal_about_members_locks_the_threshold() -> None:
    """
    Given three members of whom two must agree,
    when it is proposed to suspend two, or that two leave,
    then it is refused at once; one may go.
    """
    chain = consortium()
    for action in (SuspendMember, EndMembership):
        with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
            propose(chain, action(member=SECOND), action(member=THIRD))
    done(chain, EndMembership(member=THIRD))
    with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
        propose(chain, SuspendMember(member=SECOND))


def test_two_proposals_that_lock_the_threshold_together_are_not_both_carried_out() -> None:
    """
    Given two proposals, each of which suspends another member, and would leave two,
    when both are approved and fall due in one block,
    then one is carried out, and the other fails with the reason.
    """
    chain = consortium()
    both = [
        proposed(chain, SuspendMember(member=SECOND)),
        proposed(chain, SuspendMember(member=THIRD)),
    ]
    for one in both:
        vote(chain, "alice", one)
    wait(chain)
    ends = sorted((known(chain, one).phase, known(chain, one).number) for one in both)
    assert ends == [("carried_out", 0), ("failed", Why.THRESHOLD_IS_OUT_OF_REACH.number)]


def test_the_last_operator_does_not_leave() -> None:
    """
    Given a member that governs alone,
    when it would leave, be suspended or be removed,
    then each is refused.
    """
    chain = governed(operators=("bank",), threshold=1)
    made = proposed(chain, admitting(FIRST, accounts=(bank,)))
    wait(chain)
    assert known(chain, made).phase == "carried_out"
    for action in (
        EndMembership(member=FIRST),
        SuspendMember(member=FIRST),
        RemoveOperator(operator=bank),
    ):
        with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
            propose(chain, action)


def test_a_vote_of_a_hundred_members_settles_in_one_block() -> None:
    """
    Given a hundred operators, each for a member of its own, of whom all must agree,
    when one has proposed and the ninety-nine others approve in one block,
    then the proposal is approved in that block, and carried out when its delay is over.
    """
    chain = Chain()
    names = [f"operator-{place}" for place in range(MEMBERS)]
    accounts = [chain.open_account(name) for name in names]
    founding = governance.Found(
        authority=validator("authority"),
        operators=tuple(accounts),
        threshold=Small(1),
        delay_ms=governance.Delay(DELAY_MS),
    )
    chain.apply("bank", founding, also_sign=("authority",))
    for start in range(0, MEMBERS, 10):
        place = range(start, start + 10)
        proposed(chain, *(admitting(lei(at), (accounts[at],)) for at in place), by=names[0])
        wait(chain)
    made = proposed(chain, SetThreshold(threshold=Small(MEMBERS)), by=names[0])
    wait(chain)
    assert known(chain, made).phase == "carried_out"
    first = proposed(chain, ADMIT, by=names[0])
    approve = governance.Vote(proposal=first, choice=governance.Choice("approve"))
    decided = chain.block(*(chain.sign(name, approve) for name in names[1:]))
    assert {result.outcome.value for result in decided.results} == {"applied"}
    assert known(chain, first).phase == "approved"
    wait(chain)
    assert known(chain, first).phase == "carried_out"


def test_genesis_gives_a_member_one_seat() -> None:
    """
    Given a genesis file whose operators bank and alice act for one member,
    when a chain would begin with it, and again with members named after the operators,
    then the error says so, and which section comes first.
    """
    both = FirstMember(lei=FIRST, name=MemberName("Both"), accounts=(bank, alice))
    members = section("member", Start(members=(both,)))
    with pytest.raises(GenesisError, match="MEMBER_HAS_TWO_SEATS"):
        governed(sections=(members,))
    with pytest.raises(GenesisError, match="put it before"):
        Chain(sections=(seats(), members))


def test_a_chain_without_the_module_goes_on_without_members() -> None:
    """
    Given a chain that is older than members,
    when its operators decide something, halt a module, and would admit a member,
    then the first two are done, and the third is refused with what is missing.
    """
    chain = governed(without=(member.module, reading.module))
    assert decide(chain, ADMIT).phase == "carried_out"
    made = proposed(chain, Halt(module=Name("hold"), duration_ms=Duration(1_000)))
    chain.block()
    assert known(chain, made).phase == "carried_out"
    with chain.refuses(Why.MEMBERS_ARE_NOT_KEPT):
        propose(chain, admitting())
