"""Audit bundles that say what they cannot know: beside an earlier one, and of what was pruned."""

from __future__ import annotations

import pytest

from tests.fixed_chain import FixedChain
from tests.sdk.bundled import (
    AT,
    Bundled,
    bundle_of,
    fixed_story,
    invented,
    inventions,
    paper_story,
)
from tongbao.sdk.bundle_verification import VerifiedBundle, check_joined, verify_bundle
from tongbao.sdk.proofs import to_json
from tongbao.sdk.verification import Finding, VerificationError


def test_a_bundle_that_begins_after_an_earlier_one_ends_accuses_nobody() -> None:
    """
    Given a bundle, a payment after it, and an honest bundle that begins after that payment,
    when the two are joined,
    then they are said to be apart, and from when on to ask; a bundle from then on joins.
    """
    fixed = FixedChain()
    fixed.make(fixed.pay("1.00"))
    chain = fixed.reading()
    trust = to_json(chain.trust())
    earlier = verify_bundle(bundle_of(chain, FixedChain.alice, 0, None), trust)
    fixed.make(fixed.pay("4.00"))
    fixed.make(fixed.pay("8.00"))
    chain = fixed.reading()
    later = chain.head().time

    def begun(first: int) -> VerifiedBundle:
        return verify_bundle(bundle_of(chain, FixedChain.alice, first, None), trust)

    with pytest.raises(VerificationError, match=f"ask for one from {earlier.time + 1} on") as told:
        check_joined(earlier, begun(later))
    assert told.value.finding is Finding.BUNDLES_ARE_APART
    check_joined(earlier, begun(earlier.time + 1))


@pytest.mark.parametrize("is_network", [False, True])
def test_what_is_shown_leaves_no_room_for_movements_without_a_proof(is_network: bool) -> None:
    """
    Given bundles with invented movements, said to be pruned or due work, in what receipts show,
    when they are verified and movements without a proof are taken,
    then each is refused; one in a block before all that is proven is the node's word.
    """
    made = Bundled(paper_story if is_network else fixed_story)
    lies = list(inventions(made.partly, is_network))
    assert len(lies) >= 6
    for where, bundle in lies:
        with pytest.raises(VerificationError) as told:
            verify_bundle(bundle, made.trust, AT, partly=True)
        assert told.value.finding is Finding.STATEMENT_IS_WRONG, where
        assert "unproven" in str(told.value), where
    before = invented(made.partly, 0, height=0, unproven="pruned")
    assert verify_bundle(before, made.trust, AT, partly=True).unproven == 2 + is_network
