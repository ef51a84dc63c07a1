"""Addresses of databases, judged before anybody connects: what may stand in settings and logs."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tongbao.index.database import BadAddress

FILE: Final = "index.sqlite"
SCHEMES: Final = ("postgresql://", "postgres://")

Place = Path | str | None
"""Where an index is: a file, the address of a PostgreSQL database, or in memory."""


def place_of(folder: Path, setting: str) -> Path | str:
    """Where the index of a chain's folder is, as the setting `index` says."""
    return setting if setting.startswith(SCHEMES) else folder / FILE


def check_address(address: str) -> None:
    """Whether text is an address that everybody may see. Raises BadAddress, which never has it."""
    if not address.startswith(SCHEMES):
        raise BadAddress("the index is a file, or at postgresql://HOST:PORT/DATABASE")
    try:
        parts = urlsplit(address)
        has_password = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        raise BadAddress(
            "the index's address is none of PostgreSQL's: postgresql://HOST:PORT/DATABASE"
        ) from None
    if has_password:
        raise BadAddress(
            "the index's address has a password, which others can read there: take it out, and "
            "put it into ~/.pgpass (or a file that PGPASSFILE names), or into PGPASSWORD"
        )
