"""A process that reads rows beside a writer: `python foreign_reader.py KIND FOLDER`.

`stays` holds one read transaction until its input ends, as no reader of ours does; `pages` reads
all rows again and again, page by page, with `ForeignRows`, and says each height that it saw whole.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lmdb

from tongbao.store.foreign import ForeignRows
from tongbao.store.state import DATABASES

END = b"\xff"
PAGE = 50


def stay(folder: Path) -> None:
    """Hold a transaction."""
    with lmdb.open(str(folder), max_dbs=DATABASES, readonly=True) as environment:
        rows = environment.open_db(b"rows", create=False)
        with environment.begin() as transaction:
            print(transaction.stat(rows)["entries"], flush=True)
            sys.stdin.read()
            print(transaction.stat(rows)["entries"], flush=True)


def read_pages(folder: Path) -> None:
    """Read everything, again and again, until the input ends."""
    with ForeignRows(folder) as rows:
        for _ in sys.stdin:
            page = rows.page(b"", END, PAGE)
            count, height = len(page.rows), page.height
            while page.following is not None and page.height == height:
                page = rows.page(page.following, END, PAGE)
                count += len(page.rows)
            print(height if page.height == height else -1, count, flush=True)


if __name__ == "__main__":
    {"stays": stay, "pages": read_pages}[sys.argv[1]](Path(sys.argv[2]))
