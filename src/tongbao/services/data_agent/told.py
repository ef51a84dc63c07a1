"""What commands tell of an agent's folder, while it runs or not: out of the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tongbao.services.data_agent.folder import read_settings
from tongbao.services.data_agent.heard import rule_of
from tongbao.services.data_agent.journal import Journal
from tongbao.services.data_agent.shelf import CopyLine, line_of


@contextmanager
def _reading(folder: Path) -> Iterator[Journal]:
    read_settings(folder)
    journal = Journal(folder, writes=False)
    try:
        yield journal
    finally:
        journal.close()


def told_copies(folder: Path) -> list[CopyLine]:
    """Every copy that was ever there."""
    with _reading(folder) as journal:
        return [line_of(row) for row in journal.rows("SELECT * FROM copies ORDER BY owner, batch")]


def told_requests(folder: Path, owner: str | None) -> list[tuple[Any, ...]]:
    """Every request: when, who, about whom, its hash, and the rule that refused it."""
    with _reading(folder) as journal:
        rows = journal.rows(
            "SELECT * FROM asked WHERE owner = coalesce(?, owner) ORDER BY number", owner
        )
    names = ("at", "buyer", "owner", "hash", "refused")
    return [(*(row[name] for name in names), rule_of(row["refused"])) for row in rows]


def told_status(folder: Path) -> dict[str, Any]:
    """As whom the agent acts, how far it is, and its orders by step."""
    settings = read_settings(folder)
    with _reading(folder) as journal:
        rows = journal.rows("SELECT step, count(*) AS n FROM orders GROUP BY step ORDER BY step")
        return {
            "account": settings.account,
            "node": settings.node,
            "store": settings.store,
            "cursor": journal.cursor,
            "orders": {row["step"]: row["n"] for row in rows},
        }
