"""The index against an oracle that walks all receipts; in order, once, and true at a height."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixed_chain import FixedChain
from tests.index.history_oracle import Oracle, random_blocks
from tongbao.index import CursorError
from tongbao.index.chunks import kind_of
from tongbao.index.finding import SEARCHED
from tongbao.index.history import Index
from tongbao.store.record import BlockRecord

pytestmark = pytest.mark.filterwarnings("ignore:invalid characters:FutureWarning")

INJECTIONS = (
    "' OR 1=1 --",
    "x'; DROP TABLE chunks; --",
    "%",
    "*",
    "a\x00b",
    "",
    "😀",
    "-" * 40,
    "f" * 41,
)


@pytest.fixture(scope="module")
def played() -> tuple[str, list[BlockRecord]]:
    """A random history."""
    return random_blocks("recall", 1_100)


@pytest.fixture(params=["sqlite", "memory", "postgresql"])
def index(
    request: pytest.FixtureRequest, played: tuple[str, list[BlockRecord]], tmp_path: Path
) -> Iterator[Index]:
    """Its index, fed in batches of seven blocks."""
    chain, records = played
    place: Path | str | None = None
    if request.param == "sqlite":
        place = tmp_path / "index.sqlite"
    elif request.param == "postgresql":
        place = request.getfixturevalue("postgresql").database()
    with Index.open(place, chain) as found:
        for at in range(0, len(records), 7):
            found.add(records[at : at + 7])
        yield found


def walked(read: Callable[..., Any], member: str, limit: int) -> list[Any]:
    """All rows, page by page."""
    found: list[Any] = []
    before = None
    while True:
        page = read(before=before, limit=limit)
        rows = getattr(page, member)
        assert len(rows) <= limit
        found += rows
        if page.before is None:
            return found
        before = page.before


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50, 1000])
def test_every_answer_is_what_a_walk_through_all_receipts_finds(
    index: Index, played: tuple[str, list[BlockRecord]], limit: int
) -> None:
    """
    Given a random history with refusals, issues, holds and due work,
    when movements, transactions and references are read in pages of any size,
    then they are those that the oracle finds, in its order, each once.
    """
    oracle = Oracle(played[1])
    due = [one for one in oracle.movements if one.id == ""]
    references = sorted(set().union(*oracle.references.values()))

    assert index.height == len(played[1]) - 1
    assert len(oracle.movements) > 200 and due and len(references) > 10
    for account in oracle.accounts:

        def moves(account: str = account, **how: Any) -> Any:
            return index.movements_of(account, **how)

        def sent(account: str = account, **how: Any) -> Any:
            return index.transactions_of(account, **how)

        assert walked(moves, "movements", limit) == oracle.movements_of(account)
        assert walked(sent, "transactions", limit) == oracle.transactions_of(account)
        for asset in oracle.assets[:3]:

            def of_both(account: str = account, asset: str = asset, **how: Any) -> Any:
                return index.movements_of(account, asset=asset, **how)

            assert walked(of_both, "movements", limit) == oracle.movements_of(account, asset)
    for asset in oracle.assets:

        def of_asset(asset: str = asset, **how: Any) -> Any:
            return index.movements_of_asset(asset, **how)

        wanted = [one for one in oracle.movements if one.asset == asset]
        assert walked(of_asset, "movements", limit) == wanted
    for reference in references[:20]:

        def bearing(reference: str = reference, **how: Any) -> Any:
            return index.by_reference(reference, **how)

        assert walked(bearing, "transactions", limit) == oracle.by_reference(reference)


def test_blocks_that_it_knows_change_nothing(
    index: Index, played: tuple[str, list[BlockRecord]]
) -> None:
    """
    Given an index that is up to date,
    when all blocks are added once more,
    then its height and its answers are as before.
    """
    oracle = Oracle(played[1])
    index.add(played[1])

    assert index.height == len(played[1]) - 1
    for asset in oracle.assets:
        wanted = tuple(one for one in oracle.movements if one.asset == asset)
        assert index.movements_of_asset(asset, limit=10_000).movements == wanted


def test_a_gap_is_our_own_bug_and_changes_nothing(
    played: tuple[str, list[BlockRecord]],
) -> None:
    """
    Given an empty index,
    when a block after the first is added,
    then that is an assertion, and nothing is in it.
    """
    with Index.open(None, played[0]) as index:
        with pytest.raises(AssertionError, match="blocks are missing"):
            index.add(played[1][1:3])
        with pytest.raises(AssertionError, match="blocks are missing"):
            index.add([played[1][0], played[1][2]])
        assert index.height == -1


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "-1.0.0",
        "01.0.0",
        "1.0.0\n",
        "9" * 13 + ".0.0",
        "a.b.c",
        "1.16777216.0",
        "1.0.0 OR 1=1",
    ],
)
def test_a_cursor_that_no_answer_gave_is_refused(index: Index, cursor: str) -> None:
    """
    Given text that is no cursor,
    when a page before it is asked for,
    then the error says so.
    """
    with pytest.raises(CursorError, match="cursor"):
        index.movements_of("a" * 40, before=cursor)
    with pytest.raises(CursorError, match="cursor"):
        index.by_reference("x", before=cursor)


@pytest.mark.parametrize("text", INJECTIONS)
def test_names_are_values_and_never_statements(
    index: Index, played: tuple[str, list[BlockRecord]], text: str
) -> None:
    """
    Given names that would be something in a statement,
    when they are asked for,
    then nothing is found, and nothing happened to the index.
    """
    assert index.movements_of(text, asset=text).movements == ()
    assert index.movements_of_asset(text).movements == ()
    assert index.transactions_of(text).transactions == ()
    assert index.by_reference(text).transactions == ()
    assert index.height == len(played[1]) - 1


def test_a_long_search_ends_and_says_where_to_go_on() -> None:
    """
    Given an account with more blocks than an answer looks at, none of which moved the asset that
    has the same number as one that they moved,
    when its movements of that asset are asked for,
    then the first page is empty with a next one, and following them comes to an end.
    """
    fixed = FixedChain()
    with Index.open(None, fixed.producer.machine.chain) as index:
        needed = SEARCHED + 3
        for _ in range(needed):
            fixed.make(fixed.pay("0.01"))
        index.add([fixed.store.block(height) for height in range(fixed.store.height + 1)])
        names = (f"X{number}.{fixed.bank}" for number in range(10**7))
        other = next(name for name in names if kind_of(name) == kind_of(fixed.cny))
        first = index.movements_of(fixed.alice, asset=other, limit=5)

        def of_bank_money(**how: Any) -> Any:
            return index.movements_of(fixed.alice, asset=other, **how)

        assert (first.movements, first.before is None) == ((), False)
        assert walked(of_bank_money, "movements", 5) == []
        assert len(walked(lambda **how: index.movements_of(fixed.shop, **how), "movements", 9)) == (
            needed
        )
