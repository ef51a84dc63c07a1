"""The books of the data market as the rows that the ledger must have."""

from __future__ import annotations

from typing import Any

from tongbao.simulation.model.books import Books, write_amount


def data_rows(books: Books, version: dict[str, Any]) -> dict[str, dict[Any, dict[str, Any]]]:
    """Every row of the module `data`, by table; `version` is a member of each."""

    def amount(asset: str, units: int) -> str:
        return write_amount(units, books.assets[asset].scale)

    def named(rows: dict[str, str], member: str) -> dict[Any, dict[str, Any]]:
        return {key: version | {member: name} for key, name in rows.items()}

    kept: dict[str, Any] = {
        "schemas": books.data_schemas,
        "enterprises": books.data_enterprises,
        "sources": books.data_sources,
        "batches": books.data_batches,
        "offers": books.data_offers,
        "orders": books.data_orders,
        "licences": books.data_licences,
        "clocks": books.data_clock,
        "proven": books.data_proven,
    }
    return {
        f"data.{table}": {key: version | row for key, row in rows.items()}
        for table, rows in kept.items()
    } | {
        "data.bonds": {
            key: version | {"amount": amount(key[1], posted), "reserved": amount(key[1], reserved)}
            for key, (posted, reserved) in books.data_bonds.items()
        },
        "data.commitments": named(books.data_commitments, "batch"),
        "data.statements": named(books.data_statements, "batch"),
        "data.committed": {
            key: version | {"batches": count} for key, count in books.data_committed.items()
        },
        "data.used_keys": named(books.data_keys, "order"),
        "data.parties": {
            key: version
            | ({"open": running} if running else {})
            | ({"lapses": lapses} if lapses else {})
            for key, (running, lapses) in books.data_parties.items()
        },
        "data.earnings": {
            key: version | {"amount": amount(key[1], units)}
            for key, units in books.data_earnings.items()
        },
        "data.adjudicators": {
            address: version | {"since": since}
            for address, since in books.data_adjudicators.items()
        },
    }
