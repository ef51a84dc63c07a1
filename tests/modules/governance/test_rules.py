"""Operators decide together: proposals, votes, delays and ends."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.modules.governance_steps import (
    DELAY_MS,
    NODE,
    done,
    governed,
    known,
    propose,
    proposed,
    validator,
    vote,
    wait,
)
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import Address, Count, Id, Invalid, Small, Time
from tongbao.kernel.genesis import section
from tongbao.kernel.kernel_module import Power, SettingName
from tongbao.modules import governance
from tongbao.modules.governance import (
    AdmitPeer,
    Ballot,
    Cancel,
    Choice,
    Decided,
    Delay,
    Phase,
    Propose,
    RemovePeer,
    SetParameter,
    SetValidator,
    Start,
    Why,
)
from tongbao.testing import Chain, alice, bank, bob
from tongbao.testing.genesis import ADDRESSES

ADMIT = AdmitPeer(node=NODE)
NOBODY = Address("ee" * 20)


def test_two_of_three_operators_decide_and_after_the_delay_it_is_done() -> None:
    """
    Given three operators of whom two must agree, and a delay of five seconds,
    when bank proposes to admit a node, alice approves, and the seconds pass,
    then the proposal is open, then approved, then carried out, each told, and the node is admitted.
    """
    chain = governed()
    made = proposed(chain, ADMIT)
    assert (known(chain, made).phase, known(chain, made).approvals) == ("open", 1)
    vote(chain, "alice", made)
    approved = known(chain, made)
    assert (approved.phase, approved.carries_at) == ("approved", chain.machine.time + DELAY_MS)
    assert chain.receipt.events == (Decided(proposal=made, phase=Phase("approved")),)
    wait(chain, DELAY_MS - 2)
    assert governance.peers(chain.view(governance.module)).rows == ()
    wait(chain)
    assert known(chain, made).phase == "carried_out"
    assert [node for node, _ in governance.peers(chain.view(governance.module)).rows] == [NODE]
    assert b"carried_out" in (chain.decided.due or b"")


def test_who_rejects_can_make_approval_impossible() -> None:
    """
    Given three operators of whom two must agree,
    when alice and bob reject what bank proposes,
    then it is rejected, at the second word, and lists say where it is.
    """
    chain = governed()
    made = proposed(chain, ADMIT)
    vote(chain, "alice", made, "reject")
    view = chain.view(governance.module)
    assert [name for name, _ in governance.waiting(view).rows] == [made]
    vote(chain, "bob", made, "reject")
    view = chain.view(governance.module)
    assert known(chain, made).phase == "rejected"
    assert governance.waiting(view).rows == ()
    assert [name for name, _ in governance.ended(view).rows] == [made]
    said = {voter: ballot for (_, voter), ballot in governance.votes(view, made).rows}
    assert set(said) == {bank, alice, bob}
    assert said[bob] == Ballot(choice=Choice("reject"), at=Time(chain.machine.time))


def test_a_proposal_lapses_when_its_time_has_come() -> None:
    """
    Given an open proposal,
    when the time at which it closes has come,
    then it has lapsed, nothing was done, and no vote counts any more.
    """
    chain = governed()
    made = proposed(chain, ADMIT)
    chain.advance_to(known(chain, made).closes_at)
    with chain.refuses(Why.PROPOSAL_IS_CLOSED):
        vote(chain, "alice", made)
    assert known(chain, made).phase == "lapsed"


def test_a_vote_too_late_is_refused_though_nobody_has_swept() -> None:
    """
    Given more proposals that close at once than the due work of one block ends,
    when a vote comes in the block of that time for one that is still listed as open,
    then it is refused.
    """
    chain = governed(parameters={"kernel.due_items": 1})
    both = [proposed(chain, ADMIT) for _ in range(2)]
    chain.advance_to(max(known(chain, made).closes_at for made in both))
    with chain.refuses(Why.PROPOSAL_IS_CLOSED):
        vote(chain, "alice", both[1])
    assert sorted(known(chain, made).phase for made in both) == ["lapsed", "open"]


def test_the_proposer_takes_a_proposal_back_until_it_is_carried_out() -> None:
    """
    Given a proposal that is approved and waits,
    when another would cancel it, and then its proposer does, twice,
    then the first is refused, the second ends it for good, and the third is refused.
    """
    chain = governed()
    made = proposed(chain, ADMIT)
    vote(chain, "bob", made)
    with chain.refuses(Why.SENDER_IS_NOT_PROPOSER):
        chain.apply("alice", Cancel(proposal=made))
    chain.apply("bank", Cancel(proposal=made))
    with chain.refuses(Why.PROPOSAL_HAS_ENDED):
        chain.apply("bank", Cancel(proposal=made))
    wait(chain)
    assert known(chain, made).phase == "cancelled"
    assert governance.peers(chain.view(governance.module)).rows == ()


def test_only_operators_propose_and_each_votes_once() -> None:
    """
    Given three operators,
    when carol proposes or votes, alice votes twice, bank on its own proposal, or on nothing known,
    then each is refused.
    """
    chain = governed()
    with chain.refuses(Why.SENDER_IS_NOT_OPERATOR):
        propose(chain, ADMIT, by="carol")
    made = proposed(chain, ADMIT)
    with chain.refuses(Why.SENDER_IS_NOT_VOTER):
        vote(chain, "carol", made)
    vote(chain, "alice", made, "reject")
    with chain.refuses(Why.SENDER_HAS_VOTED):
        vote(chain, "alice", made)
    with chain.refuses(Why.SENDER_HAS_VOTED):
        vote(chain, "bank", made, "reject")
    with chain.refuses(Why.PROPOSAL_NOT_FOUND):
        vote(chain, "bob", Id("ee" * 20))
    with chain.refuses(Why.PROPOSAL_NOT_FOUND):
        chain.apply("bank", Cancel(proposal=Id("ee" * 20)))


def test_nobody_governs_a_chain_without_operators(chain: Chain) -> None:
    """
    Given a chain whose genesis names no operators,
    when somebody proposes,
    then it is refused, and the list of operators is empty.
    """
    with chain.refuses(Why.SENDER_IS_NOT_OPERATOR):
        propose(chain, ADMIT)
    assert governance.operators(chain.view(governance.module)) is None


def test_what_can_not_be_done_any_more_fails_whole_and_stops_nothing() -> None:
    """
    Given two approved proposals to remove the same node, the second of which also sets a parameter,
    when both are carried out,
    then the second fails with the kernel's number, its parameter is not set, and blocks go on.
    """
    chain = governed()
    done(chain, ADMIT)
    day = Count(86_400_000)
    setting = SetParameter(name=SettingName("governance.voting_ms"), value=day)
    actions = ((RemovePeer(node=NODE),), (setting, RemovePeer(node=NODE)))
    first, second = (proposed(chain, *each) for each in actions)
    vote(chain, "alice", first)
    vote(chain, "alice", second)
    wait(chain)
    assert known(chain, first).phase == "carried_out"
    assert (known(chain, second).phase, known(chain, second).number) == ("failed", 117)
    chain.block()
    assert chain.machine.parameters["governance.voting_ms"] != day


def test_work_that_is_too_much_fails_too_and_is_told() -> None:
    """
    Given a chain where a transaction may touch few rows, and a validator set that has grown since,
    when an approved proposal needs more of them,
    then it has failed for that, and what waits behind it is done.
    """
    chain = governed(parameters={"kernel.transaction_rows": 100})
    adding = [
        SetValidator(key=validator(f"validator {count}"), power=Power(1)) for count in range(16)
    ]
    first, second = proposed(chain, *adding[:8]), proposed(chain, *adding[8:])
    third = proposed(chain, AdmitPeer(node=NODE))
    for each in (first, second, third):
        vote(chain, "bob", each)
    wait(chain)
    phases = sorted(known(chain, each).phase for each in (first, second, third))
    assert phases == ["carried_out", "carried_out", "failed"]
    [failed] = [each for each in (first, second) if known(chain, each).phase == "failed"]
    assert known(chain, failed).number == 100


def test_a_proposal_closes_within_the_voting_time() -> None:
    """
    Given a chain where proposals are open for an hour at most,
    when one would close now, or a millisecond too late,
    then it is refused.
    """
    hour = 3_600_000
    chain = governed(parameters={"governance.voting_ms": hour})
    for closes_at in (chain.time, chain.time + hour + 2):
        with chain.refuses(Why.CLOSING_TIME_IS_WRONG):
            chain.apply("bank", Propose(actions=(ADMIT,), closes_at=Time(closes_at)))


def test_an_operator_has_a_few_proposals_under_way() -> None:
    """
    Given an operator who has as many proposals under way as one may,
    when one more is made, and then again after one was cancelled,
    then the first is refused, and the second not; others are not kept from theirs.
    """
    chain = governed(parameters={"governance.proposals_limit": 2})
    made = [proposed(chain, ADMIT) for _ in range(2)]
    with chain.refuses(Why.TOO_MANY_PROPOSALS):
        propose(chain, ADMIT)
    proposed(chain, ADMIT, by="alice")
    chain.apply("bank", Cancel(proposal=made[0]))
    proposed(chain, ADMIT)


def test_a_proposal_says_one_to_sixteen_things() -> None:
    """
    Given operators,
    when a proposal says nothing, or seventeen things, or has a choice that is none,
    then it is invalid.
    """
    chain = governed()
    for actions in ((), (ADMIT,) * 17):
        with chain.is_invalid(Invalid.PAYLOAD_IS_MALFORMED):
            propose(chain, *actions)
    made = proposed(chain, *(ADMIT,) * 16)
    with chain.is_invalid(Invalid.PAYLOAD_IS_MALFORMED):
        vote(chain, "alice", made, "perhaps")


@settings(max_examples=40)
@given(
    threshold=st.integers(1, 5),
    said=st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["approve", "reject"]))),
)
def test_however_operators_vote_the_first_that_is_certain_decides(
    threshold: int, said: list[tuple[int, str]]
) -> None:
    """
    Given five operators and any threshold,
    when they vote in any order, some more than once,
    then it is approved with the approval that reaches the threshold, rejected with the rejection
    that puts it out of reach, whichever is first, and every later vote is refused.
    """
    people = tuple(ADDRESSES)
    chain = Chain(funded=False, sections=(section("governance", five(threshold)),))
    made = proposed(chain, ADMIT)
    heard = {0: "approve"}
    for voter, choice in said:
        counts = [list(heard.values()).count(each) for each in ("approve", "reject")]
        is_closed = counts[0] >= threshold or counts[1] > len(people) - threshold
        if is_closed or voter in heard:
            why = Why.PROPOSAL_IS_CLOSED if is_closed else Why.SENDER_HAS_VOTED
            with chain.refuses(why):
                vote(chain, people[voter], made, choice)
        else:
            vote(chain, people[voter], made, choice)
            heard[voter] = choice
    yes, no = (list(heard.values()).count(each) for each in ("approve", "reject"))
    wanted = "approved" if yes >= threshold else "open"
    assert known(chain, made).phase == ("rejected" if no > len(people) - threshold else wanted)


def five(threshold: int) -> Start:
    """A section in which everybody governs."""
    everybody = tuple(ADDRESSES.values())
    day = Delay(86_400_000)
    return Start(operators=everybody, threshold=Small(threshold), delay_ms=day)


def test_every_reason_of_this_module_is_reached_here() -> None:
    """
    Given the reasons of this module,
    when the names that its tests expect are read,
    then none is missing.
    """
    assert unnamed_reasons(governance.module, Path(__file__)) == []
