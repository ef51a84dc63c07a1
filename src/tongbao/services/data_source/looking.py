"""How far a source is: what it said, what is undone, which months are missing, what it may do."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tongbao.kernel import Cursor
from tongbao.modules import data
from tongbao.sdk.client import Client
from tongbao.services.data_source.consents import PAGES_LIMIT
from tongbao.services.data_source.source import Source
from tongbao.services.data_source.statements import Step

YEAR: Final = 12
"""Months."""


class Progress(Struct, frozen=True, kw_only=True):
    """How many statements of a schema and month are at each step, and how many were refused."""

    schema: str
    period: str
    drawn: int
    attested: int
    committed: int
    sealed: int
    delivered: int
    refused: int
    missing: int
    """Consents that have told months before and after this one, but not this one."""


class Admission(Struct, frozen=True, kw_only=True):
    """What the ledger lets the source do."""

    schema: str
    method: str
    volume: int
    asset: str
    bond: str


class Standing(Struct, frozen=True, kw_only=True):
    """All of it. `refusals` counts the ledger's reasons for what waits."""

    consents: dict[str, int]
    months: tuple[Progress, ...]
    refusals: dict[str, int]
    admissions: tuple[Admission, ...]
    events: int


def standing(source: Source, chain: Client | None) -> Standing:
    """How far the source is; without a chain nothing is told of what the ledger says."""
    read = source.journal.database.execute
    consents = dict(read("SELECT state, count(*) FROM consents GROUP BY state").fetchall())
    refusals = dict(
        read(
            "SELECT refused, count(*) FROM statements"
            " WHERE refused NOT NULL AND step < ? AND body NOT NULL GROUP BY refused",
            (Step.COMMITTED,),
        ).fetchall()
    )
    (events,) = read("SELECT count(*) FROM events WHERE body NOT NULL AND given = 0").fetchone()
    return Standing(
        consents=consents,
        months=_months(source),
        refusals=refusals,
        admissions=() if chain is None else _admissions(source, chain),
        events=events,
    )


def _months(source: Source) -> tuple[Progress, ...]:
    read = source.journal.database.execute
    found: dict[tuple[str, str], dict[str, int]] = {}
    for schema, period, step, many, refused in read(
        "SELECT schema, period, step, count(*), count(refused) FROM statements"
        " GROUP BY schema, period, step"
    ):
        month = found.setdefault((schema, period), {})
        month[Step(step).name.lower()] = many
        month["refused"] = month.get("refused", 0) + refused
    for schema in {schema for schema, _ in found}:
        told = sorted(period for name, period in found if name == schema)
        for period in _between(told[0], told[-1]):
            month = found.setdefault((schema, period), {})
            (month["missing"],) = read(_MISSING, (schema, period)).fetchone()
    names = ("drawn", "attested", "committed", "sealed", "delivered", "refused", "missing")
    return tuple(
        Progress(schema=schema, period=period, **{name: month.get(name, 0) for name in names})
        for (schema, period), month in sorted(found.items())
    )


_MISSING: Final = """
SELECT count(*) FROM (
    SELECT subject FROM statements WHERE schema = ?1
    GROUP BY subject HAVING min(period) < ?2 AND max(period) > ?2
) AS told WHERE NOT EXISTS (
    SELECT 1 FROM statements s WHERE s.subject = told.subject AND s.schema = ?1 AND s.period = ?2
)
"""


def _between(first: str, last: str) -> list[str]:
    """The months from one to another, both included."""
    ends = [int(month[:4]) * YEAR + int(month[5:]) - 1 for month in (first, last)]
    return [f"{at // YEAR:04}-{at % YEAR + 1:02}" for at in range(ends[0], ends[1] + 1)]


def _admissions(source: Source, chain: Client) -> tuple[Admission, ...]:
    found: list[Admission] = []
    after: Cursor | None = None
    for _ in range(PAGES_LIMIT):
        page = chain.query(data.admitted, source.account, after)
        found += (
            Admission(
                schema=name,
                method=row.method,
                volume=row.volume,
                asset=row.asset,
                bond=str(row.bond),
            )
            for (_, name), row in page.rows
        )
        after = page.after
        if after is None:
            break
    return tuple(found)
