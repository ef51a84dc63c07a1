"""The verifiers of bundles in TypeScript and in Python say the same, with the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.clients.conftest import result, running
from tests.fixed_chain import FixedChain
from tests.sdk.bundled import (
    AT,
    Bundled,
    altered,
    bundle_of,
    changed_story,
    fixed_story,
    inventions,
    paper_story,
)
from tongbao.sdk.bundle_verification import VerifiedBundle, check_joined, verify_bundle
from tongbao.sdk.proofs import to_json
from tongbao.sdk.verification import VerificationError

pytestmark = [pytest.mark.needs("node", "npm"), pytest.mark.usefixtures("built")]

TRIED: Final = 500
"""Altered bundles that both judge: a part of them, drawn by a seed."""


def test_bundles_are_joined_alike(tmp_path: Path) -> None:
    """
    Given a bundle, one from its end on, one that begins after a payment in between, and an older,
    when both verifiers join each with the first,
    then they find the same: that they join, that they are apart, that it is earlier.
    """
    fixed = FixedChain()
    fixed.make(fixed.pay("1.00"))
    oldest = bundle_of(fixed.reading(), FixedChain.alice, 0, None)
    fixed.make(fixed.pay("2.00"))
    chain = fixed.reading()
    earlier, end = bundle_of(chain, FixedChain.alice, 0, None), chain.head().time
    trust = to_json(chain.trust())
    fixed.make(fixed.pay("4.00"))
    fixed.make(fixed.pay("8.00"))
    chain = fixed.reading()
    begins = (0, end + 1, chain.head().time)
    bundles = [earlier, *(bundle_of(chain, FixedChain.alice, one, None) for one in begins), oldest]
    paths = [tmp_path / f"{at}.zip" for at in range(len(bundles))]
    for path, bundle in zip(paths, bundles, strict=True):
        path.write_bytes(bundle)
    asked = {"files": [*map(str, paths)], "trust": trust.decode(), "at": AT}
    with running("join_bundles.mjs", asked) as program:
        found = result(program)
    judged = [verify_bundle(one, trust, AT) for one in bundles]
    assert found == [joined(judged[0], one) for one in judged] == [0, 0, 0, 29, 28]


def joined(earlier: VerifiedBundle, later: VerifiedBundle) -> int:
    """What Python finds wrong with two bundles, 0 for nothing."""
    try:
        check_joined(earlier, later)
    except VerificationError as error:
        return error.finding.number
    return 0


def verdict(bundle: bytes, trust: bytes, partly: bool) -> list[int]:
    """What Python finds wrong, 0 for nothing, and how many movements are proven and not."""
    try:
        found = verify_bundle(bundle, trust, AT, partly)
    except VerificationError as error:
        return [error.finding.number, 0, 0]
    return [0, found.proven, found.unproven]


@pytest.mark.parametrize(
    ("story", "partly"),
    [
        (fixed_story, False),
        (paper_story, False),
        (paper_story, True),
        (changed_story, True),
    ],
)
def test_altered_bundles_have_the_same_findings(
    tmp_path: Path, story: Callable[[], object], partly: bool
) -> None:
    """
    Given bundles of both engines, and copies with one thing altered, most under a manifest that was
    made again to fit,
    when both verifiers judge each,
    then they find the same wrong, and pass the same.
    """
    made = Bundled(story)  # type: ignore[arg-type]
    bundle = made.partly if partly else made.middle
    lies = list(altered(bundle, seed=11))
    chosen = [("as it is", bundle), *Random(5).sample(lies, TRIED)]
    chosen += inventions(bundle, story is not fixed_story)
    file = tmp_path / "bundles"
    file.write_bytes(b"".join(len(one).to_bytes(4, "little") + one for _, one in chosen))
    expected = [verdict(one, made.trust, partly) for _, one in chosen]
    asked = {"file": str(file), "trust": made.trust.decode(), "at": AT, "partly": partly}
    with running("judge_bundles.mjs", asked) as program:
        found = result(program)
    differing = [
        (where, mine, yours)
        for (where, _), mine, yours in zip(chosen, expected, found, strict=True)
        if mine != yours
    ]
    assert differing == []
    assert expected[0][0] == 0
