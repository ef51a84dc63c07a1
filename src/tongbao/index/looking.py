"""Looking at the file of an index without changing it, also beside the node that writes it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple

from tongbao.index.file import Unusable, judge_chain, judge_size, judge_version
from tongbao.store.errors import StoreError


class Seen(NamedTuple):
    """Up to which block an index goes, and SHA-256 of that block's signed header.

    `has_journal`: a killed node has left more, which the next one takes in; the height is -1 where
    all is in there.
    """

    height: int
    header: bytes
    has_journal: bool


def look(path: Path, chain: str, *, is_alone: bool) -> Seen:
    """What an index says of itself; `is_alone`: nobody writes it.

    Raises WrongChain, WrongVersion, OSError; another StoreError where a node makes it anew.
    """
    journal = path.with_name(f"{path.name}-wal")
    has_journal = journal.exists() and journal.stat().st_size > 0
    # Without a journal, or where nobody writes, SQLite need not make files of its own beside it.
    mode = "mode=ro" if has_journal and not is_alone else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
    try:
        judge_version(connection, path)
        if not has_journal:
            judge_size(connection, path)
        judge_chain(connection, path, chain)
        height, header = connection.execute("SELECT height, header FROM state").fetchone()
    except (Unusable, sqlite3.Error, TypeError) as error:
        if has_journal and is_alone:
            return Seen(-1, b"", True)
        raise StoreError(f"{error}: a node sets it aside and makes it anew") from error
    finally:
        connection.close()
    return Seen(int(height), bytes(header), has_journal and is_alone)
