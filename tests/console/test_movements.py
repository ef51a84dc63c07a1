"""Recent movements out of an index in memory, which has been fed so many blocks of a chain."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.console.conftest import read
from tests.fixed_chain import FixedChain
from tongbao.console import Console
from tongbao.index import Movements, Statement, Transactions
from tongbao.index.history import Index
from tongbao.sdk.local import Chain

MINUS = "\N{MINUS SIGN}"


class Unreadable(Index):
    """An index whose file is damaged."""

    def movements_of(
        self, account: str, *, asset: str | None = None, before: str | None = None, limit: int = 50
    ) -> Movements:
        """Raises sqlite3.Error."""
        raise sqlite3.DatabaseError("file is not a database")

    def transactions_of(self, *asked: Any, **named: Any) -> Transactions:
        """Raises sqlite3.Error."""
        raise sqlite3.DatabaseError("file is not a database")

    def statement(self, *asked: Any, **named: Any) -> Statement:
        """Raises sqlite3.Error."""
        raise sqlite3.DatabaseError("file is not a database")


@contextmanager
def fed(chain: Chain, height: int | None = None) -> Iterator[Index]:
    """An index in memory that knows a chain's blocks up to a height, or all."""
    last = chain.head().height if height is None else height
    with Index.open(None, chain.id) as index:
        index.add([chain.block(at) for at in range(last + 1)])
        yield index


def paying_chain(payments: int) -> FixedChain:
    """A chain on which alice pays so often, one payment a block."""
    fixed = FixedChain()
    for _ in range(payments):
        fixed.make(fixed.pay("1.25"))
    return fixed


def test_movements_are_listed_with_signs_and_counterparties() -> None:
    """
    Given alice, who got 100.00 and paid 1.25 twice, and an index that knows all of it,
    when her page and the shop's are read,
    then each has its own side of every movement, the newest first, and no lag.
    """
    fixed = paying_chain(2)
    chain = fixed.reading()
    with fed(chain) as index:
        console = Console(chain, index)
        hers = read(console, f"/accounts/{fixed.alice}")
        shops = read(console, f"/accounts/{fixed.shop}")

    amounts = re.compile(r'<td class="number (in|out)"><span class="one">(\S+)</span>')
    assert amounts.findall(hers) == [
        ("out", f"{MINUS}1.25"),
        ("out", f"{MINUS}1.25"),
        ("in", "+100.00"),
    ]
    assert amounts.findall(shops) == [("in", "+1.25"), ("in", "+1.25")]
    assert "The index is at height" not in hers
    assert "data-again" not in hers


def test_an_index_that_lags_says_so_and_the_page_looks_again() -> None:
    """
    Given an index that is two blocks behind the chain,
    when an account's page is read,
    then both heights are named, and the page's script is told to look again.
    """
    fixed = paying_chain(2)
    chain = fixed.reading()
    with fed(chain, 1) as index:
        text = read(Console(chain, index), f"/accounts/{fixed.alice}")

    assert "The index is at height 1, the chain at 3" in text
    assert 'data-again=""' in text


def test_movements_are_turned_page_by_page_and_odd_cursors_refused() -> None:
    """
    Given more movements than a page has,
    when the pages are turned by their links, and when a cursor is odd,
    then each movement is listed once, and the odd one gets an error page.
    """
    fixed = paying_chain(30)
    chain = fixed.reading()
    with fed(chain) as index:
        console = Console(chain, index)
        path, listed = f"/accounts/{fixed.alice}", []
        while path:
            text = read(console, path)
            listed += re.findall(r'data-key="moved-(\d+-\d+-\d+)"', text)
            following = re.search(rf'href="(/accounts/{fixed.alice}\?before=[0-9.]+)"', text)
            path = following[1] if following else ""

        every = index.movements_of(fixed.alice, before=None, limit=100)
        assert listed == [f"{row.height}-{row.index}-{row.place}" for row in every.movements]
        read(console, f"/accounts/{fixed.alice}?before=yesterday", 400)


def test_an_asset_lists_who_paid_whom() -> None:
    """
    Given an asset that was issued once and paid once,
    when its page is read,
    then both movements are there with payer and payee, and amounts without a sign.
    """
    fixed = paying_chain(1)
    chain = fixed.reading()
    with fed(chain) as index:
        text = read(Console(chain, index), f"/assets/{fixed.cny}")
    rows = re.findall(r'<tr data-key="moved-.*?</tr>', text, re.DOTALL)

    paid, issued = rows
    assert fixed.alice in paid and fixed.shop in paid and '<td class="number">1.25</td>' in paid
    assert "issued" in issued and '<td class="number">100.00</td>' in issued


def test_an_index_that_fails_leaves_the_rest_of_the_page() -> None:
    """
    Given an index whose file cannot be read,
    when an account's page is read,
    then the balance is there, and that movements are not.
    """
    chain = FixedChain().reading()
    with Unreadable.open(None, chain.id) as index:
        text = read(Console(chain, index), f"/accounts/{FixedChain.alice}")

    assert '<td class="number">100.00</td>' in text
    assert "The index cannot be read now" in text
