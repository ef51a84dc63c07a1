"""The verifiers in TypeScript and in Python say the same of everything, with the same numbers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.clients.conftest import result, running
from tests.kernel.test_ed25519 import fuzz
from tests.spoiling import spoiled
from tongbao.kernel import ed25519
from tongbao.sdk.verification import VerificationError, verify

pytestmark = [pytest.mark.needs("node", "npm"), pytest.mark.usefixtures("built")]

GOLDEN = Path(__file__).parents[1] / "golden" / "solo.json"
NAMES = ("holding", "absence", "transaction")


def number_of(proof: str, trust: str) -> int:
    """What Python finds wrong with a proof file; 0 for nothing."""
    try:
        verify(proof.encode(), trust.encode())
    except VerificationError as error:
        return error.finding.number
    return 0


def judged(folder: Path, asked: dict[str, Any]) -> Any:
    """What the client says of proof files and signatures."""
    file = folder / "asked.json"
    file.write_text(json.dumps({"proofs": [], "trust": "", "signatures": []} | asked))
    with running("judge.mjs", str(file)) as program:
        return result(program)


def test_altered_proofs_have_the_same_findings(tmp_path: Path) -> None:
    """
    Given the golden proofs with every single member replaced, left out, added or moved,
    when both verifiers judge each,
    then they find the same wrong, and pass the same.
    """
    golden = json.loads(GOLDEN.read_text())
    trust = json.dumps(golden["trust"])
    proofs = [json.dumps(one) for name in NAMES for one in (golden[name], *spoiled(golden[name]))]
    expected = [number_of(proof, trust) for proof in proofs]
    found = judged(tmp_path, {"proofs": proofs, "trust": trust})["proofs"]

    differing = [
        (proof, mine, yours)
        for proof, mine, yours in zip(proofs, expected, found, strict=True)
        if mine != yours
    ]
    assert differing == []
    assert set(expected) == {0, 1, 3, 4, 7, 8, 9}


def test_signatures_of_every_class_have_the_same_verdict(tmp_path: Path) -> None:
    """
    Given signatures of every class in which libraries are known to differ, and plain damage,
    when the node's library, WebCrypto behind the client's checks, and the client's library judge,
    then all say the same.
    """
    cases = [case[1:] for case in fuzz(Random(20260101))]
    asked = [[part.hex() for part in case] for case in cases]
    found = judged(tmp_path, {"signatures": asked})

    expected = [ed25519.verify(*case) for case in cases]
    assert found == {"proofs": [], "signatures": expected, "disagreeing": 0, "rule": True}
    assert Counter(expected)[True] > 40
