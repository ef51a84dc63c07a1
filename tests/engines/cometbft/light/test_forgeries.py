"""Each way to forge a header, its votes or its validators has its fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.engines.cometbft.light.test_verifier import fault_of, network
from tests.paper_network import (
    FOUR,
    commit_of,
    header_of,
    members,
    voted,
    with_commit,
    with_header,
)
from tongbao.engines.cometbft.light.faults import Fault
from tongbao.engines.cometbft.light.hashes import header_hash, validators_hash
from tongbao.engines.cometbft.light.types import (
    BlockID,
    Consensus,
    LightBlock,
    PartSetHeader,
    Validator,
    ValidatorSet,
)
from tongbao.engines.cometbft.light.verifier import trusted_after
from tongbao.engines.cometbft.messages import PublicKey, Timestamp


def twice(block: LightBlock) -> LightBlock:
    """A header, a set and votes in which the first validator has the first two places."""
    who = FOUR.validators[:1] + FOUR.validators[:3]
    found = with_header(block, validators_hash=validators_hash(who))
    votes = commit_of(voted(header_of(found), FOUR))
    first, second, third, _ = votes.signatures
    found = with_commit(found, block_id=votes.block_id, signatures=(first, first, second, third))
    return replace(found, validator_set=ValidatorSet(validators=who))


def with_set(block: LightBlock, *who: Validator) -> LightBlock:
    """The same header and votes beside other validators."""
    return replace(block, validator_set=ValidatorSet(validators=who))


def with_vote(block: LightBlock, **changes: object) -> LightBlock:
    """The first vote changed."""
    first, *others = commit_of(block).signatures
    return with_commit(block, signatures=(replace(first, **changes), *others))


FORGERIES: dict[str, tuple[Callable[[LightBlock], LightBlock], Fault]] = {
    "an app hash": (lambda b: with_header(b, app_hash=b"\1" * 32), Fault.OTHER_BLOCK),
    "results": (lambda b: with_header(b, last_results_hash=b"\1" * 32), Fault.OTHER_BLOCK),
    "a chain": (lambda b: with_header(b, chain_id="other-01234567"), Fault.OTHER_CHAIN),
    "a height": (lambda b: with_header(b, height=7), Fault.OTHER_BLOCK),
    "height 0": (lambda b: with_header(b, height=0), Fault.MALFORMED),
    "a form": (lambda b: with_header(b, version=Consensus(block=12)), Fault.MALFORMED),
    "no form": (lambda b: with_header(b, version=None), Fault.MALFORMED),
    "no time": (lambda b: with_header(b, time=None), Fault.MALFORMED),
    "a year": (lambda b: with_header(b, time=Timestamp(1 << 50, 0)), Fault.MALFORMED),
    "nanoseconds": (lambda b: with_header(b, time=Timestamp(1, 1 << 30)), Fault.MALFORMED),
    "a long chain": (lambda b: with_header(b, chain_id="c" * 51), Fault.MALFORMED),
    "a short hash": (lambda b: with_header(b, data_hash=b"\1" * 31), Fault.MALFORMED),
    "no validators' hash": (lambda b: with_header(b, validators_hash=b""), Fault.MALFORMED),
    "a proposer": (lambda b: with_header(b, proposer_address=b"\1" * 19), Fault.MALFORMED),
    "no last block": (lambda b: with_header(b, last_block_id=None), Fault.MALFORMED),
    "no header": (lambda b: replace(b, signed_header=None), Fault.MALFORMED),
    "no validators": (lambda b: replace(b, validator_set=None), Fault.MALFORMED),
    "an empty set": (with_set, Fault.MALFORMED),
    "a set": (lambda b: with_set(b, *members(*"abcd").validators), Fault.OTHER_VALIDATORS),
    "a power": (
        lambda b: with_set(b, *members("north", "east", "south", "west", power=11).validators),
        Fault.OTHER_VALIDATORS,
    ),
    "the order": (lambda b: with_set(b, *FOUR.validators[::-1]), Fault.OTHER_VALIDATORS),
    "much power": (
        lambda b: with_set(b, *members(*"abcd", power=1 << 60).validators),
        Fault.MALFORMED,
    ),
    "less than no power": (
        lambda b: with_set(b, *members(*"abcd", power=-1).validators),
        Fault.MALFORMED,
    ),
    "an address": (
        lambda b: with_set(b, replace(FOUR.validators[0], address=bytes(20))),
        Fault.MALFORMED,
    ),
    "another kind of key": (
        lambda b: with_set(b, replace(FOUR.validators[0], pub_key=PublicKey(secp256k1=b"\2" * 33))),
        Fault.MALFORMED,
    ),
    "1,001 validators": (
        lambda b: with_set(b, *[FOUR.validators[0]] * 1_001),
        Fault.MALFORMED,
    ),
    "fewer votes": (
        lambda b: with_commit(b, signatures=commit_of(b).signatures[:3]),
        Fault.MALFORMED,
    ),
    "no votes": (lambda b: with_commit(b, signatures=()), Fault.MALFORMED),
    "votes of a height": (lambda b: with_commit(b, height=7), Fault.OTHER_BLOCK),
    "votes of a round": (lambda b: with_commit(b, round=1), Fault.WRONG_SIGNATURE),
    "a round below 0": (lambda b: with_commit(b, round=-1), Fault.MALFORMED),
    "other parts": (
        lambda b: with_commit(
            b,
            block_id=BlockID(
                hash=header_hash(header_of(b)),
                part_set_header=PartSetHeader(total=2, hash=bytes(32)),
            ),
        ),
        Fault.WRONG_SIGNATURE,
    ),
    "votes for no block": (
        lambda b: with_commit(b, block_id=BlockID(part_set_header=PartSetHeader())),
        Fault.MALFORMED,
    ),
    "a signature": (lambda b: with_vote(b, signature=bytes(64)), Fault.WRONG_SIGNATURE),
    "a signature's length": (lambda b: with_vote(b, signature=bytes(63)), Fault.WRONG_SIGNATURE),
    "a long signature": (lambda b: with_vote(b, signature=bytes(97)), Fault.MALFORMED),
    "no signature": (lambda b: with_vote(b, signature=b""), Fault.MALFORMED),
    "a vote's time": (lambda b: with_vote(b, timestamp=Timestamp(5, 5)), Fault.WRONG_SIGNATURE),
    "a vote of no kind": (lambda b: with_vote(b, block_id_flag=4), Fault.MALFORMED),
    "a vote turned round": (lambda b: with_vote(b, block_id_flag=1), Fault.MALFORMED),
    "votes in other places": (
        lambda b: with_commit(b, signatures=commit_of(b).signatures[::-1]),
        Fault.OTHER_VALIDATORS,
    ),
    "one who votes in two places": (twice, Fault.VOTED_TWICE),
}
NEXT = {"one who votes in two places": Fault.OTHER_VALIDATORS}
"""Where the next header has another fault than a later one: its set is known beforehand."""


@pytest.mark.parametrize("what", FORGERIES)
def test_each_forgery_has_its_fault(what: str) -> None:
    """
    Given a good header with one thing forged,
    when it is judged as the next one and as a later one,
    then it is refused for what was forged.
    """
    paper = network()
    spoil, expected = FORGERIES[what]
    forged = spoil(paper.at(3))
    assert fault_of(paper.genesis(), forged, paper.terms()) is expected
    as_next = fault_of(trusted_after(paper.at(2)), forged, paper.terms())
    assert as_next is NEXT.get(what, expected)


def test_every_fault_is_reached_by_a_test() -> None:
    """Given all faults, when the tests above are looked at, then each has one that expects it."""
    others = {
        Fault.EXPIRED,
        Fault.AHEAD,
        Fault.NOT_AFTER,
        Fault.TOO_FEW_VOTES,
        Fault.TOO_LITTLE_TRUST,
    }
    assert {fault for _, fault in FORGERIES.values()} | others == set(Fault)
