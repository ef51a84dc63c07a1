"""The library that verifies follows the equations that we wrote down, in every corner."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from tests.kernel import reference_ed25519 as reference
from tests.vectors_folder import vectors
from tongbao.kernel import ed25519

EACH = 48

# Which of the 12 cases of ed25519-speccheck the ledger accepts, by their number. Case 3 has a key
# and R of mixed order for which the equation without cofactor holds.
SPECCHECK = (False, False, False, True) + (False,) * 8


def test_the_installed_library_passes_the_self_test() -> None:
    """
    Given the libsodium that is installed,
    when a node runs its self test,
    then no frozen case is answered otherwise.
    """
    ed25519.self_test()


def test_frozen_cases_are_what_the_equations_say() -> None:
    """
    Given the frozen cases and keys of the self test,
    when the equations are worked out in plain integers,
    then the answers are the frozen ones.
    """
    found = [
        reference.accepts(*(bytes.fromhex(text) for text in case[1:4])) for case in ed25519.CASES
    ]
    assert found == [case.valid for case in ed25519.CASES]
    keys = [reference.key_is_acceptable(bytes.fromhex(key)) for _, key, _ in ed25519.KEYS]
    assert keys == [acceptable for _, _, acceptable in ed25519.KEYS]


def test_self_test_refuses_a_library_with_another_answer() -> None:
    """
    Given a frozen case, then a frozen key, with its answer turned round,
    when the library is checked against it,
    then the check fails and names it.
    """
    case = ed25519.CASES[0]
    with pytest.raises(ed25519.LibraryDiffersError, match="nothing wrong"):
        ed25519.check_cases([case._replace(valid=not case.valid)], [])
    with pytest.raises(ed25519.LibraryDiffersError, match="in order"):
        ed25519.check_cases([], [(*ed25519.KEYS[0][:2], False)])


def test_speccheck_cases_are_accepted_as_frozen() -> None:
    """
    Given the 12 edge cases of ed25519-speccheck,
    when the library and the equations judge them,
    then both give the frozen list.
    """
    cases = [
        tuple(bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature"))
        for case in json.loads((vectors("ed25519") / "cases.json").read_text())
    ]
    assert tuple(ed25519.verify(*case) for case in cases) == SPECCHECK
    assert tuple(reference.accepts(*case) for case in cases) == SPECCHECK


def test_wycheproof_cases_are_judged_as_published() -> None:
    """
    Given all of Wycheproof's cases for Ed25519,
    when the library and the equations judge them,
    then valid ones are accepted and invalid ones refused, without an exception.
    """
    published = json.loads((vectors("ed25519") / "ed25519_test.json").read_text())
    counts: Counter[bool] = Counter()
    for group in published["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            expected = {"valid": True, "invalid": False}[test["result"]]
            case = (key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            found = (ed25519.verify(*case), reference.accepts(*case))
            assert found == (expected, expected), test
            counts[expected] += 1
    assert counts.total() == published["numberOfTests"]
    assert min(counts[True], counts[False]) > 0


def test_library_and_equations_agree_on_a_seeded_fuzz(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Given signatures of every class in which libraries are known to differ, and plain damage,
    when the library and the equations judge each,
    then they agree, every class occurs, and each class has the answers that it must have.
    """
    answers: dict[str, Counter[bool]] = {}
    cofactor_differs = 0
    for name, key, message, signature in fuzz(Random(20250101)):
        found = ed25519.verify(key, message, signature)
        assert found == reference.accepts(key, message, signature), (name, key, message, signature)
        assert ed25519.public_key_is_acceptable(key) == reference.key_is_acceptable(key), key.hex()
        answers.setdefault(name, Counter())[found] += 1
        if name.startswith("mixed order"):
            cofactor_differs += found != reference.accepts_with_cofactor(key, message, signature)
    with capsys.disabled():
        for name, counts in answers.items():
            print(f"\n  {name}: {counts[True]} accepted, {counts[False]} refused", end="")
    both = {"mixed order key", "mixed order key and R"}
    for name, counts in answers.items():
        expected = {True} if name == "honest" else {True, False} if name in both else {False}
        assert {answer for answer in counts if counts[answer]} == expected, (name, counts)
        assert counts.total() >= EACH, (name, counts)
    assert cofactor_differs > 0


def test_signing_is_that_of_rfc_8032() -> None:
    """
    Given the seed of test 1 of RFC 8032,
    when a message is signed twice,
    then key and signature are those of the standard, and the same each time.
    """
    case = ed25519.CASES[0]
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert ed25519.public_key_of(seed).hex() == case.public_key
    assert [ed25519.sign(seed, b"").hex() for _ in range(2)] == [case.signature] * 2


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_keys_and_signatures_of_other_lengths_are_refused(length: int) -> None:
    """
    Given a key, then a signature, of a wrong length,
    when it is verified,
    then the answer is no, and nothing is raised.
    """
    key = ed25519.public_key_of(bytes(32))
    signature = ed25519.sign(bytes(32), b"text")
    assert not ed25519.verify((key * 3)[:length], b"text", signature)
    wrong = (signature * 3)[: length + 1]
    assert not ed25519.verify(key, b"text", wrong)
    assert not ed25519.public_key_is_acceptable((key * 3)[:length])


def fuzz(random: Random) -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """(class, key, message, signature), EACH of every class."""
    for _ in range(EACH):
        seed, message = random.randbytes(32), random.randbytes(random.randrange(80))
        key, signature = ed25519.public_key_of(seed), ed25519.sign(seed, message)
        r, s = signature[:32], int.from_bytes(signature[32:], "little")
        yield "honest", key, message, signature
        yield "flipped bit in R", key, message, _flipped(random, r) + signature[32:]
        yield "flipped bit in S", key, message, r + _flipped(random, signature[32:])
        yield "flipped bit in the message", key, _flipped(random, message + b"x"), signature
        yield "flipped bit in the key", _flipped(random, key), message, signature
        raised = s + random.randrange(1, 15) * reference.L
        yield "S plus multiples of L", key, message, r + raised.to_bytes(32, "little")
        yield "random bytes", random.randbytes(32), message, random.randbytes(64)
        yield "cut or longer", key, message, (signature * 2)[: random.choice((0, 31, 32, 63, 65))]
        yield from _special_points(random, seed, message)


def _special_points(
    random: Random, seed: bytes, message: bytes
) -> Iterator[tuple[str, bytes, bytes, bytes]]:
    """Signatures that satisfy the equation at least up to a small point."""
    secret, nonce = reference.secret_scalar(seed), random.randrange(1, reference.L)
    key, r = reference.times(secret, reference.BASE), reference.times(nonce, reference.BASE)
    small, other = random.choices(reference.SMALL_POINTS[1:], k=2)
    encode, add = reference.encode, reference.add
    neutral, one = encode(reference.NEUTRAL), reference.SMALL_POINTS[0]

    def signed(key_text: bytes, r_text: bytes, secret: int, nonce: int) -> tuple[bytes, bytes]:
        s = (nonce + reference.challenge(r_text, key_text, message) * secret) % reference.L
        return key_text, r_text + s.to_bytes(32, "little")

    for name, made in (
        ("small order key", signed(encode(small), encode(r), 0, nonce)),
        ("neutral key", signed(neutral, encode(r), 0, nonce)),
        ("small order R", signed(encode(key), encode(small), secret, 0)),
        ("neutral R", signed(encode(key), encode(one), secret, 0)),
        ("small order key and R", signed(encode(small), encode(other), 0, 0)),
        ("mixed order key", signed(encode(add(key, small)), encode(r), secret, nonce)),
        ("mixed order R", signed(encode(key), encode(add(r, small)), secret, nonce)),
        (
            "mixed order key and R",
            signed(encode(add(key, small)), encode(add(r, other)), secret, nonce),
        ),
        ("second spelling of a key", signed(_respelled(random), encode(r), 0, nonce)),
        ("second spelling of R", signed(encode(key), _respelled(random), secret, 0)),
    ):
        yield name, made[0], message, made[1]


def _respelled(random: Random) -> bytes:
    """An encoding with y from p up, either sign; p and p + 1 are small, most others are not."""
    y = reference.P + random.randrange(19)
    return (y | random.getrandbits(1) << 255).to_bytes(32, "little")


def _flipped(random: Random, text: bytes) -> bytes:
    """The same bytes but for one bit."""
    bit = random.randrange(8 * len(text))
    return (int.from_bytes(text, "little") ^ 1 << bit).to_bytes(len(text), "little")
