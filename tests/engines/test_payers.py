"""A copy of who pays for whom: it lets in what a block takes, and says when there is more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sponsored_chain import Sponsored, SponsoredChain
from tongbao.engines.payer_rows import FORGET, PayerRows, settings_of
from tongbao.engines.payers import STRANGERS, Payers
from tongbao.engines.solo import Answer, Ticket
from tongbao.kernel import Address, Decided, InvalidTransaction, Time
from tongbao.kernel.kernel_module import COMMON, Share, Tokens
from tongbao.kernel.reasons import Invalid
from tongbao.modules import sponsor

FEW = Sponsored(5, 2, ("a", "b"))
SHARE = Share(capacity=Tokens(2), per_minute=Tokens(1))


class Copy:
    """A copy beside a chain, told of each block."""

    def __init__(self, chain: SponsoredChain, limit: int = 1_000) -> None:
        """Nothing is known yet but that there are quotas."""
        self.chain = chain
        self.payers = Payers()
        self.payers.set(settings_of(chain.machine))
        self._rows = PayerRows(limit)

    def ticket(self, wire: bytes) -> Ticket:
        """What waits for an answer."""
        return Ticket(self.chain.machine.parse(wire))

    def lane(self, wire: bytes) -> str | None:
        """Under whom it waits."""
        return self.payers.admit(self.ticket(wire).transaction, self.next)

    @property
    def next(self) -> Time:
        """The time of the next block."""
        return Time(self.chain.machine.time + 1_000)

    def block(self, tickets: Sequence[Ticket]) -> Decided:
        """Make a block of these, and tell of it."""
        made = self.chain.make(*[one.transaction.wire for one in tickets])
        senders = [Address(one.transaction.payload.sender) for one in tickets]
        self.payers.learn(self._rows.after(self.chain.machine, made, senders).items())
        for place, one in enumerate(tickets):
            result = made.results[place]
            one.answer(Answer(result.id, made.height, place, result.outcome, result.number, b""))
        self.payers.answered(tickets)
        return made

    def let_in(self, *wires: bytes) -> tuple[list[Ticket], list[Ticket]]:
        """What is let in for the next block, and what is not."""
        tickets = [self.ticket(wire) for wire in wires]
        out = self.payers.let_in(tickets, self.next)
        return [one for one in tickets if one not in out], out


def refused(ticket: Ticket) -> tuple[Invalid, int | None]:
    """Why something was not let in, and when it may be."""
    error = ticket.given
    assert isinstance(error, InvalidTransaction)
    return error.why, error.again_at


def test_a_payer_is_known_of_those_whom_a_block_has_answered() -> None:
    """
    Given accounts of a sponsor, and one for whom nobody stands,
    when a copy is asked about them before and after a block with a payment of each,
    then they are strangers first, and then their sponsor's, their own, and of the common bucket.
    """
    chain = SponsoredChain({"bank": FEW}, ["alone"])
    copy = Copy(chain)
    names = ("a", "b", "bank", "alone")
    wires = [chain.pay(name) for name in names]
    assert {copy.lane(wire) for wire in wires} == {STRANGERS}
    copy.block([copy.ticket(wire) for wire in wires])
    bank = chain.address("bank")
    assert [copy.lane(chain.pay(name)) for name in names] == [bank, bank, bank, COMMON]


def test_a_stranger_who_names_a_sponsor_waits_among_strangers_and_spends_nothing() -> None:
    """
    Given a sponsor whose account is known, and a stranger,
    when the stranger sends what names that sponsor, many times,
    then it waits among strangers, and the account can still spend all that there is.
    """
    chain = SponsoredChain({"bank": FEW}, ["stranger"])
    copy = Copy(chain)
    copy.block([copy.ticket(chain.pay("a"))])
    named = [chain.pay("stranger", sponsor="bank") for _ in range(20)]
    assert {copy.lane(wire) for wire in named} == {STRANGERS}
    copy.let_in(*named)
    right, wrong = copy.let_in(*[chain.pay(name) for name in "bbba"])
    assert (len(right), len(wrong)) == (4, 0)


def test_who_signs_in_anothers_name_with_a_key_of_their_own_holds_nothing_back() -> None:
    """
    Given a sponsor with five tokens whose account is known,
    when somebody sends many in that account's name, rightly signed with another key,
    then those wait among strangers, and the account can still spend all that there is.
    """
    chain = SponsoredChain({"bank": Sponsored(6, 2, ("a",))})
    copy = Copy(chain)
    copy.block([copy.ticket(chain.pay("a"))])
    false = [chain.pay("a", as_key="thief") for _ in range(20)]
    assert {copy.lane(wire) for wire in false} == {STRANGERS}
    copy.let_in(*false)
    right, wrong = copy.let_in(*[chain.pay("a") for _ in range(4)])
    assert (len(right), len(wrong)) == (4, 0)


def test_many_accounts_of_one_sponsor_have_its_bucket_alone() -> None:
    """
    Given a sponsor with five tokens, and two accounts of it that are known,
    when both send four each,
    then as many as there are tokens are let in, and the others are told when there is one more.
    """
    chain = SponsoredChain({"bank": FEW})
    copy = Copy(chain)
    copy.block([copy.ticket(chain.pay("a")), copy.ticket(chain.pay("b"))])
    right, wrong = copy.let_in(*[chain.pay(name) for name in "abababab"])
    assert (len(right), len(wrong)) == (3, 5)
    [(why, again)] = {refused(one) for one in wrong}
    assert why is Invalid.ALLOWANCE_IS_SPENT and again is not None
    assert again > chain.machine.time + 25_000
    assert {result.outcome.value for result in copy.block(right).results} == {"applied"}
    more = chain.pay("a")
    with pytest.raises(InvalidTransaction, match="ALLOWANCE_IS_SPENT") as told:
        copy.payers.admit(copy.ticket(more).transaction, copy.next)
    assert told.value.again_at is not None
    chain.make(after_ms=told.value.again_at - chain.machine.time)
    assert chain.make(more, after_ms=1).results[0].outcome.value == "applied"


def test_what_costs_more_than_a_bucket_holds_is_never_there() -> None:
    """
    Given a sponsor with five tokens,
    when an account of it sends six payments in one transaction,
    then it is refused without a time at which to come again.
    """
    chain = SponsoredChain({"bank": FEW})
    copy = Copy(chain)
    copy.block([copy.ticket(chain.pay("a"))])
    [_], [wrong] = copy.let_in(chain.pay("a", count=4), chain.pay("a", count=6))
    assert refused(wrong) == (Invalid.ALLOWANCE_IS_SPENT, None)


def test_a_share_is_the_accounts_own_limit() -> None:
    """
    Given a sponsor that gives one of its two accounts a share of two,
    when both send three,
    then one of the first account's is refused for its share, and none of the other's.
    """
    chain = SponsoredChain({"bank": Sponsored(50, 60, ("a", "b"))})
    copy = Copy(chain)
    chain.make(chain.signed("bank", sponsor.Grant(account=chain.address("a"), share=SHARE)))
    chain.make(after_ms=120_000)
    copy.block([copy.ticket(chain.pay("a")), copy.ticket(chain.pay("b"))])
    chain.make(after_ms=120_000)
    right, wrong = copy.let_in(*[chain.pay(name) for name in "aaabbb"])
    assert len(right) == 5
    [(why, again)] = [refused(one) for one in wrong]
    assert why is Invalid.SHARE_IS_SPENT and again is not None


def test_one_whose_sponsor_revokes_is_known_to_pay_in_common() -> None:
    """
    Given an account whose sponsor is known,
    when the sponsor revokes its grant, and then grants it until a time, and that time passes,
    then a copy knows each time who pays, from the next block on.
    """
    chain = SponsoredChain({"bank": Sponsored(50, 60, ("a", "b"))})
    copy = Copy(chain)
    bank, account = chain.address("bank"), chain.address("a")
    copy.block([copy.ticket(chain.pay("a"))])
    assert copy.lane(chain.pay("a")) == bank
    copy.block([copy.ticket(chain.signed("bank", sponsor.Revoke(account=account)))])
    assert copy.lane(chain.pay("a")) == COMMON
    ends = Time(chain.machine.time + 10_000)
    again = sponsor.Grant(account=account, expires_at=ends)
    copy.block([copy.ticket(chain.signed("bank", again))])
    assert copy.lane(chain.pay("a")) == bank
    chain.make(after_ms=20_000)
    assert copy.lane(chain.pay("a")) in (COMMON, STRANGERS)
    copy.block([copy.ticket(chain.pay("a"))])
    assert copy.lane(chain.pay("a")) == COMMON


def test_what_is_told_is_bounded_and_begins_anew() -> None:
    """
    Given a copy that is told eight rows at most,
    when many accounts send, one block after the other,
    then now and then telling begins anew, and the one that has sent last is always known.
    """
    names = tuple(f"account {number}" for number in range(30))
    chain = SponsoredChain({"bank": Sponsored(100, 60, names)})
    copy = Copy(chain, 8)
    for name in names:
        copy.block([copy.ticket(chain.pay(name))])
        assert copy.lane(chain.pay(name)) == chain.address("bank")
        assert copy.payers.size < 8 + 6
    assert copy.lane(chain.pay(names[0])) == STRANGERS
    copy.payers.learn([(FORGET, None)])
    assert copy.lane(chain.pay(names[-1])) == STRANGERS


def test_without_quotas_all_is_let_in() -> None:
    """
    Given a copy on a chain whose quotas are switched off,
    when it is asked,
    then it says so, and all is let in.
    """
    chain = SponsoredChain({"bank": FEW})
    copy = Copy(chain)
    copy.block([copy.ticket(chain.pay("a"))])
    copy.payers.set((0, 16, 1))
    assert not copy.payers.is_on
    right, wrong = copy.let_in(*[chain.pay("a") for _ in range(20)])
    assert (len(right), wrong) == (20, [])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcd"), max_size=8), st.integers(1, 90_000)),
        min_size=1,
        max_size=6,
    )
)
def test_a_copy_lets_in_exactly_what_a_block_takes(story: list[tuple[list[str], int]]) -> None:
    """
    Given two sponsors and one for whom nobody stands, all of them known,
    when any of them send any number, block after block, at any distance,
    then what is let in is valid in the block, and what is not the machine refuses for that too.
    """
    chain = SponsoredChain({"one": FEW, "two": Sponsored(3, 1, ("c",))}, ["d"])
    copy = Copy(chain)
    copy.block([copy.ticket(chain.pay(name)) for name in "abcd"])
    for names, after_ms in story:
        chain.make(after_ms=after_ms)
        right, wrong = copy.let_in(*[chain.pay(name) for name in names])
        made = copy.block(right)
        assert len(made.results) == len(right)
        assert {result.outcome.value for result in made.results} <= {"applied"}
        for one in wrong:
            why, again = refused(one)
            with pytest.raises(InvalidTransaction, match=why.name):
                chain.machine.check(one.transaction.wire, Time(chain.machine.time + 1))
            assert again is not None and again > chain.machine.time
