"""Which headers are believed, and that each way to forge one has its fault."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.paper_network import (
    DAY,
    FOUR,
    SECOND,
    Members,
    PaperNetwork,
    commit_of,
    header_of,
    members,
    moment,
    signed_vote,
    time_of,
    voted,
    with_commit,
)
from tongbao.engines.cometbft.codec import encode
from tongbao.engines.cometbft.light.faults import Fault, LightError
from tongbao.engines.cometbft.light.form import nanoseconds, read_light_block
from tongbao.engines.cometbft.light.hashes import header_hash, validators_hash
from tongbao.engines.cometbft.light.types import (
    LightBlock,
)
from tongbao.engines.cometbft.light.verifier import Terms, Trusted, trusted_after, verify

CHAIN = "paper-01234567"


def network(blocks: int = 3) -> PaperNetwork:
    """Four validators and some blocks."""
    found = PaperNetwork(CHAIN)
    for _ in range(blocks):
        found.make([b"payment"], [(0, b"receipt")], bytes(32))
    return found


def fault_of(trusted: Trusted, block: LightBlock, terms: Terms) -> Fault | None:
    """Why a header is not believed; None where it is."""
    try:
        verify(trusted, block, terms)
    except LightError as error:
        return error.fault
    return None


def test_honest_headers_are_believed_one_by_one_and_by_skipping() -> None:
    """
    Given a network of four validators,
    when each header is judged by the one before, and each by the genesis file alone,
    then all are believed, and what is trusted next is the header itself.
    """
    paper = network(5)
    trusted = paper.genesis()
    for block in paper.blocks:
        assert fault_of(paper.genesis(), block, paper.terms()) is None
        trusted = verify(trusted, block, paper.terms())
        assert trusted == trusted_after(block)
        assert trusted.hash == header_hash(header_of(block))


@pytest.mark.parametrize(
    ("absent", "against", "expected"),
    [
        (["east"], [], None),
        ([], ["east"], None),
        (["east"], ["west"], Fault.TOO_FEW_VOTES),
        (["east", "west"], [], Fault.TOO_FEW_VOTES),
        (["north", "east", "south"], [], Fault.TOO_FEW_VOTES),
    ],
)
def test_more_than_two_thirds_must_have_voted_for_the_header(
    absent: list[str], against: list[str], expected: Fault | None
) -> None:
    """
    Given four equal validators of whom some are absent or vote for no block,
    when the next header is judged,
    then three votes for it are enough and two are not.
    """
    paper = network()
    block = voted(header_of(paper.at(2)), FOUR, absent, against)
    assert fault_of(trusted_after(paper.at(1)), block, paper.terms()) is expected


@pytest.mark.parametrize(
    ("powers", "votes", "expected"),
    [
        ((10, 10, 10), "abc", None),
        ((10, 10, 10), "ab", Fault.TOO_FEW_VOTES),  # two thirds are not more than two thirds
        ((67, 33), "a", None),
        ((66, 34), "a", Fault.TOO_FEW_VOTES),
        ((1,), "a", None),
        ((1 << 58, 1 << 57), "ab", None),
    ],
)
def test_power_counts_and_not_heads(
    powers: tuple[int, ...], votes: str, expected: Fault | None
) -> None:
    """
    Given validators of unequal power of whom some vote,
    when the next header is judged,
    then exactly more than two thirds of the power are needed.
    """
    who = Members(tuple(zip("abc", powers, strict=False)))
    paper = PaperNetwork(CHAIN, who)
    paper.make()
    paper.make()
    absent = [name for name, _ in who.powers if name not in votes]
    block = voted(header_of(paper.at(2)), who, absent)
    assert fault_of(trusted_after(paper.at(1)), block, paper.terms()) is expected


def changed_network() -> PaperNetwork:
    """The four leave one by one; from block 6 on nobody is left of the first."""
    paper = PaperNetwork(CHAIN)
    for names in (
        ("north", "east", "south", "up"),
        ("north", "east", "up", "down"),
        ("north", "up", "down", "left"),
        ("up", "down", "left", "right"),
        ("up", "down", "left", "right"),
        ("up", "down", "left", "right"),
    ):
        paper.make(after=members(*names))
    return paper


def test_a_header_of_others_needs_the_headers_between() -> None:
    """
    Given a network whose validators change until none of the first is left,
    when later headers are judged by the genesis file,
    then those that two of the four have signed are believed, and further ones by what they vouch
    for: one after the other, every one is.
    """
    paper = changed_network()
    genesis = paper.genesis()
    found = {height: fault_of(genesis, paper.at(height), paper.terms()) for height in range(1, 7)}
    assert found == {
        1: None,
        2: None,
        3: None,
        4: None,
        5: Fault.TOO_LITTLE_TRUST,
        6: Fault.TOO_LITTLE_TRUST,
    }
    believed = verify(genesis, paper.at(4), paper.terms())
    assert fault_of(believed, paper.at(6), paper.terms()) is None


def test_trust_needs_more_than_a_third() -> None:
    """
    Given a later header for which exactly a third, and then a little more, of the trusted power
    has voted,
    when it is judged,
    then the first is too little and the second enough.
    """
    for power, expected in ((10, Fault.TOO_LITTLE_TRUST), (11, None)):
        first = Members((("north", power), ("east", 10), ("south", 10)))
        paper = PaperNetwork(CHAIN, first)
        later = Members((("north", power), ("up", 5)))
        for _ in range(3):
            paper.make(after=later)
        assert fault_of(paper.genesis(), paper.at(3), paper.terms()) is expected


def test_the_next_header_has_just_the_validators_that_were_named() -> None:
    """
    Given the next header with validators who were not named for it, though three of four were,
    when it is judged,
    then it is refused; two headers later, they would do.
    """
    paper = network(1)
    others = members("north", "east", "south", "up")
    forged = replace(header_of(paper.make()), validators_hash=validators_hash(others.validators))
    block = voted(forged, others)
    assert fault_of(trusted_after(paper.at(1)), block, paper.terms()) is Fault.OTHER_VALIDATORS
    assert fault_of(paper.genesis(), block, paper.terms()) is None


def test_trust_expires_and_headers_are_not_of_the_future() -> None:
    """
    Given a trusting period of a day and a clock,
    when the period ends, or a header lies further ahead than the drift allows,
    then it is refused in that very nanosecond.
    """
    paper = network(2)
    trusted, block = trusted_after(paper.at(1)), paper.at(2)
    end = trusted.time + DAY
    assert fault_of(trusted, block, Terms(end - 1, DAY, 0)) is None
    assert fault_of(trusted, block, Terms(end, DAY, 0)) is Fault.EXPIRED
    own = nanoseconds(time_of(block))
    assert fault_of(trusted, block, Terms(own - SECOND + 1, DAY, SECOND)) is None
    assert fault_of(trusted, block, Terms(own - SECOND, DAY, SECOND)) is Fault.AHEAD


def test_time_and_height_only_rise() -> None:
    """
    Given headers of the same and lower heights, and a later one that bears no later time,
    when they are judged,
    then they are refused; but the first block may bear the time of the genesis file.
    """
    paper = network(3)
    trusted, terms = trusted_after(paper.at(2)), paper.terms()
    for height in (1, 2):
        assert fault_of(trusted, paper.at(height), terms) is Fault.NOT_AFTER
    same = replace(header_of(paper.at(3)), time=time_of(paper.at(2)))
    assert fault_of(trusted, voted(same, FOUR), terms) is Fault.NOT_AFTER
    assert fault_of(paper.genesis(), paper.at(1), terms) is None
    assert nanoseconds(time_of(paper.at(1))) == paper.genesis().time
    early = replace(header_of(paper.at(1)), time=moment(paper.begin_ms - 1))
    assert fault_of(paper.genesis(), voted(early, FOUR), terms) is Fault.NOT_AFTER


@pytest.mark.parametrize(
    ("posing", "expected"), [(False, Fault.OTHER_VALIDATORS), (True, Fault.WRONG_SIGNATURE)]
)
def test_a_vote_of_a_stranger_counts_for_nobody(posing: bool, expected: Fault) -> None:
    """
    Given a header with two votes and a stranger's in the place of a third, under the stranger's
    address or the validator's,
    when it is judged,
    then it is not believed.
    """
    paper = network()
    block = voted(header_of(paper.at(3)), FOUR, absent=["north", "east"])
    votes = list(commit_of(block).signatures)
    place = next(at for at, vote in enumerate(votes) if not vote.signature)
    stranger = signed_vote(CHAIN, commit_of(block), "stranger", time_of(block))
    address = FOUR.validators[place].address if posing else stranger.validator_address
    votes[place] = replace(stranger, validator_address=address)
    forged = with_commit(block, signatures=tuple(votes))
    assert fault_of(trusted_after(paper.at(2)), forged, paper.terms()) is expected


@given(st.data())
def test_no_changed_bit_of_a_header_makes_another_believed(data: st.DataObject) -> None:
    """
    Given a good light block with any one bit of its header, votes or validators flipped,
    when it is judged,
    then it is refused, or only a vote that is not needed was changed.
    """
    paper = network()
    block = paper.at(3)
    wire = bytearray(encode(block))
    wire[data.draw(st.integers(0, len(wire) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = read_light_block(bytes(wire))
        verify(paper.genesis(), changed, paper.terms())
    except LightError as error:
        event(error.fault.name)
        return
    event("only a vote that is not needed was changed")
    assert header_of(changed) == header_of(block)
    assert changed.validator_set == block.validator_set
    assert commit_of(changed) != commit_of(block)
