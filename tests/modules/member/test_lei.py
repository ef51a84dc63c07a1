"""Check digits of Legal Entity Identifiers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tongbao.modules.member import check_digits_of, is_lei

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BASES = st.text(DIGITS + CAPITALS, min_size=18, max_size=18)


@given(base=BASES)
def test_exactly_one_pair_of_digits_is_right(base: str) -> None:
    """
    Given any 18 characters,
    when each of the hundred pairs of digits is put behind them,
    then one pair alone makes an identifier: 97, 98 and 02 have no second spelling 00, 01 and 99.
    """
    right = [f"{digits:02d}" for digits in range(100) if is_lei(f"{base}{digits:02d}")]
    assert right == [check_digits_of(base)]


@given(base=BASES, place=st.integers(0, 17), step=st.integers(1, 25))
def test_one_mistyped_character_is_noticed(base: str, place: int, step: int) -> None:
    """
    Given an identifier,
    when one digit of it becomes another digit, or one letter another letter,
    then it is an identifier no more.
    """
    kind = DIGITS if base[place] in DIGITS else CAPITALS
    letter = kind[(kind.index(base[place]) + step) % len(kind)]
    whole = base + check_digits_of(base)
    other = whole[:place] + letter + whole[place + 1 :]
    assert is_lei(other) == (other == whole)


def test_the_digits_are_those_of_the_standard() -> None:
    """
    Given 18 characters whose remainder is worked out by hand: 17 zeros and a 1, and then two zeros
    more, are 100, which leaves 3,
    when their check digits are made,
    then they are 98 - 3.
    """
    assert check_digits_of("0" * 17 + "1") == "95"
