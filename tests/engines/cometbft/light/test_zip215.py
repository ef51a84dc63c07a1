"""ZIP-215 takes what CometBFT takes, and the ledger's own rule takes less."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel import reference_ed25519 as reference
from tests.vectors_folder import vectors
from tongbao.engines.cometbft.light import zip215
from tongbao.kernel import ed25519

SPECCHECK = (True,) * 6 + (False,) * 3 + (True,) * 3
"""Which of the 12 cases of ed25519-speccheck ZIP-215 takes. In 6 and 7 S is not below L; 8 holds
only when R is hashed in another spelling than it has."""
LEDGER = (False,) * 3 + (True,) + (False,) * 8
"""What the ledger's rule takes of them, as `tests/kernel/test_ed25519.py` has it."""
SECOND_NEUTRAL = 151
SMALL = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)
"""The 8 points of small order in all their 14 spellings."""


def speccheck() -> list[tuple[bytes, ...]]:
    """Keys, messages and signatures of the published cases."""
    return [
        tuple(bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature"))
        for case in json.loads((vectors("ed25519") / "cases.json").read_text())
    ]


def test_speccheck_cases_are_taken_as_zip_215_says_and_not_as_the_ledger_does() -> None:
    """
    Given the 12 edge cases of ed25519-speccheck,
    when both rules judge them,
    then ZIP-215 takes the nine that it has to, and the ledger one of those.
    """
    cases = speccheck()
    assert tuple(zip215.verify(*case) for case in cases) == SPECCHECK
    assert tuple(zip215.satisfies(*case) for case in cases) == SPECCHECK
    assert tuple(ed25519.verify(*case) for case in cases) == LEDGER


def test_every_spelling_of_a_small_point_is_a_key_and_an_r() -> None:
    """
    Given all pairs of spellings of points of small order as key and R, with an S of 0,
    when they are judged,
    then ZIP-215 takes all 196, which is its test vector, and the ledger's rule none.
    """
    pairs = [(bytes.fromhex(key), bytes.fromhex(r)) for key in SMALL for r in SMALL]
    judged: Counter[Any] = Counter(
        (zip215.verify(key, b"Zcash", r + bytes(32)), ed25519.verify(key, b"Zcash", r + bytes(32)))
        for key, r in pairs
    )
    assert judged == {(True, False): 196}


def test_wycheproof_cases_are_judged_as_published() -> None:
    """
    Given all of Wycheproof's cases for Ed25519,
    when ZIP-215 judges them in integers alone and with libsodium before,
    then valid ones are taken and invalid ones refused, but for the one whose R is the neutral point
    in a spelling that ZIP-215 takes.
    """
    published = json.loads((vectors("ed25519") / "ed25519_test.json").read_text())
    counts: Counter[bool] = Counter()
    for group in published["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            case = (key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            expected = test["result"] == "valid" or test["tcId"] == SECOND_NEUTRAL
            assert (zip215.verify(*case), zip215.satisfies(*case)) == (expected, expected), test
            counts[expected] += 1
    assert min(counts[True], counts[False]) > 0


@settings(max_examples=40)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511))
def test_integers_say_the_same_as_libsodium_of_honest_signatures(
    seed: bytes, message: bytes, bit: int
) -> None:
    """
    Given a signature of any key on any message, as it is and with any one bit flipped,
    when libsodium, our integers and the test's own integers judge it,
    then all agree.
    """
    key, signature = ed25519.public_key_of(seed), ed25519.sign(seed, message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    for each, right in ((signature, True), (bytes(flipped), False)):
        assert ed25519.verify(key, message, each) is right
        assert zip215.satisfies(key, message, each) is right
        below = int.from_bytes(each[32:], "little") < reference.L
        assert (below and reference.accepts_with_cofactor(key, message, each)) is right


def test_wrong_lengths_are_refused() -> None:
    """Given keys and signatures that are too short or long, when judged, then none is valid."""
    seed = bytes(32)
    key, signature = ed25519.public_key_of(seed), ed25519.sign(seed, b"m")
    assert zip215.verify(key, b"m", signature)
    for wrong in (
        (key[:-1], signature),
        (key, signature[:-1]),
        (key, signature + b"\0"),
        (b"", b""),
    ):
        assert not zip215.verify(wrong[0], b"m", wrong[1])
