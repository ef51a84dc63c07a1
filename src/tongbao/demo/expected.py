"""The totals that the chain's proofs must equal, by a way that shares no arithmetic with it.

Every line of the data file is read as the decimal text that its number prints as, and added up in
integers, one line after the other: no grouping, no multiplied floats, and none of `baskets`' sums.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.demo.baskets import BadDataset, transactions_file

COLUMNS: Final = ("basket_id", "household_id", "store_id", "sales_value")
CENTS_IN_DOLLAR: Final = 100
DOLLARS: Final = re.compile(r"([0-9]+)\.([0-9]{2})0{6}")


class Expected(Struct, frozen=True):
    """Cents by household and by store; all that the data file names, 0 where nothing was paid."""

    households: dict[str, int]
    stores: dict[str, int]


def expected_totals(basket_ids: AbstractSet[str]) -> Expected:
    """What the lines of these baskets add up to. Raises DatasetMissing, BadDataset."""
    return totals_of_file(transactions_file(), basket_ids)


def totals_of_file(path: Path, basket_ids: AbstractSet[str]) -> Expected:
    """What `expected_totals` does, of a file of the same columns. Raises BadDataset."""
    from pyarrow import parquet

    wanted = {int(name) for name in basket_ids}
    households: dict[int, int] = {}
    stores: dict[int, int] = {}
    prices: dict[float, int] = {}
    for batch in parquet.ParquetFile(path).iter_batches(columns=list(COLUMNS)):
        columns = (batch.column(name).to_pylist() for name in COLUMNS)
        for basket, household, store, value in zip(*columns, strict=True):
            cents = 0
            if basket in wanted:
                cents = prices.get(value, -1)
                if cents < 0:
                    cents = prices[value] = cents_of(value)
            households[household] = households.get(household, 0) + cents
            stores[store] = stores.get(store, 0) + cents
    return Expected(
        {str(number): cents for number, cents in households.items()},
        {str(number): cents for number, cents in stores.items()},
    )


def cents_of(value: float) -> int:
    """The cents of a value in dollars, from its decimal text. Raises BadDataset.

    Twenty values of the file are what sums in binary floating point leave of zero, such as 5.6e-17,
    so the text has eight digits behind the point, of which the last six must be zero.
    """
    found = DOLLARS.fullmatch(f"{value:.8f}")
    if found is None:
        raise BadDataset(f"sales_value {value!r} is no whole number of cents")
    return int(found[1]) * CENTS_IN_DOLLAR + int(found[2])
