"""Amounts: decimal text outside, whole units inside."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongbao.kernel import Amount


@given(units=st.integers(0, 2**63 - 1), decimals=st.integers(0, 18))
def test_an_amount_is_written_and_read_back(units: int, decimals: int) -> None:
    """
    Given any units and decimals,
    when the amount is written and read,
    then it is the same, with exactly that many decimals.
    """
    amount = Amount.of(units, decimals)
    again = Amount(str(amount))
    assert (again.units, again.decimals) == (units, decimals)
    assert again == amount and hash(again) == hash(amount)
    assert str(amount).partition(".")[2] == str(amount)[-decimals:] * bool(decimals)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".1",
        "-1",
        "+1",
        "01",
        "00.1",
        "1 ",
        " 1",
        "1\n",
        "1_0",
        "1e1",
        "1,5",
        "NaN",
        "1.5.0",
        "0x1",
        "9223372036854775808",
        "92233720368547758.08",
        "0." + "0" * 19,
        "¹",
    ],
)
def test_any_other_text_is_no_amount(text: str) -> None:
    """
    Given a text that is not digits with at most one point in them,
    when it is read,
    then it is a ValueError.
    """
    with pytest.raises(ValueError, match="amount"):
        Amount(text)


def test_amounts_add_up_and_compare_by_their_units() -> None:
    """
    Given amounts,
    when they are added, compared and counted,
    then their units are; equality asks for the decimals too.
    """
    first, second = Amount("12.50"), Amount("0.50")
    assert (first + second, first - second, 5 + second, 100 - second) == (1300, 1200, 55, 50)
    assert second < first and first >= 1250 and second > 0 and bool(second)
    assert first != Amount("1250") and first == 1250 and int(first) == 1250
    owed = Counter[str]()
    owed["CNY"] += first
    assert owed == {"CNY": 1250}
