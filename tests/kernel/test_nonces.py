"""The nonce window against a plain set of used numbers."""

import random

import pytest

from tests.golden_file import check_golden
from tongbao.kernel import Invalid, InvalidTransaction, jcs
from tongbao.kernel.nonces import WINDOW, Nonces, check, use


def expected(used: set[int], nonce: int) -> Invalid | None:
    """What the rule says, over the plain set."""
    highest = max(used, default=0)
    if nonce > highest + WINDOW:
        return Invalid.NONCE_IS_TOO_FAR
    if nonce < highest - WINDOW:
        return Invalid.NONCE_IS_TOO_OLD
    return Invalid.NONCE_WAS_USED if nonce in used else None


@pytest.mark.parametrize("seed", range(8))
def test_random_nonces_are_judged_as_a_plain_set_judges_them(seed: int) -> None:
    """
    Given random nonces around the window's edges,
    when each is checked and used,
    then both accept or refuse it as the rule over a set of all used ones says.
    """
    choose = random.Random(seed)
    seen: Nonces | None = None
    used: set[int] = set()
    reached: dict[Invalid | None, int] = {}
    for _ in range(3_000):
        highest = max(used, default=0)
        edge = choose.choice((highest - WINDOW, highest, highest + WINDOW, 1))
        nonce = max(1, edge + choose.randint(-3, 3))
        answer = expected(used, nonce)
        reached[answer] = reached.get(answer, 0) + 1
        if answer is None:
            check(seen, nonce)
            seen = use(seen, nonce)
            used.add(nonce)
            assert seen.highest == max(used)
        else:
            for judge in (check, use):
                with pytest.raises(InvalidTransaction) as caught:
                    judge(seen, nonce)
                assert caught.value.why is answer
    assert len(reached) == 4, f"an answer was never reached: {reached}"


def test_many_in_flight_in_any_order_are_all_used_once() -> None:
    """
    Given two hundred nonces,
    when they come in a random order,
    then each is accepted once and none twice.
    """
    order = list(range(1, 201))
    random.Random(5).shuffle(order)
    seen: Nonces | None = None
    for nonce in order:
        seen = use(seen, nonce)
    for nonce in order:
        with pytest.raises(InvalidTransaction):
            use(seen, nonce)


def test_the_bytes_of_the_record_are_frozen() -> None:
    """
    Given some nonces used,
    when the record is encoded,
    then its bytes are the golden ones.
    """
    seen: Nonces | None = None
    for nonce in (1, 2, 5, 261, 250):
        seen = use(seen, nonce)
    check_golden("records.json", "nonces", jcs.encode(seen).decode())
