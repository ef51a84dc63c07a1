"""Audit bundles that say what they cannot know: beside an earlier one, and of what was pruned."""

from __future__ import annotations

import pytest

from tests.fixed_chain import FixedChain
from tests.sdk.bundled import bundle_of
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
