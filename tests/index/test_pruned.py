"""An index over a chain whose first bodies were pruned: what it knows, and from where on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixed_chain import FixedChain
from tests.index.conftest import NewPlace
from tests.index.test_accidents import Blocks, fed, fixed_records, rows_of
from tongbao.index import Movements
from tongbao.index.feeder import Feeder
from tongbao.index.history import Index
from tongbao.index.writer import SMALLEST_BATCH

CHAIN = FixedChain().producer.machine.chain
RECORDS = fixed_records(9)
LAST = len(RECORDS) - 1


def feed(index: Index, first: int) -> Movements:
    """The bank's money after an index was fed by a chain with bodies from `first` on."""
    return fed(index, RECORDS, first)


def test_an_index_made_anew_begins_with_the_first_body_and_says_so(
    place: Path | str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a chain with bodies from block 5 on,
    when a new index is fed, and opened again,
    then it has what happened from block 5 on, says so in every answer and logs it once.
    """
    with caplog.at_level(logging.WARNING, "tongbao.index"):
        with Index.open(place, CHAIN) as index:
            found = feed(index, 5)
        with Index.open(place, CHAIN) as index:
            assert index.movements_of_asset(FixedChain.cny) == found
            assert index.first == 5
            assert index.transactions_of(FixedChain.alice).from_block == 5

    assert [one.height for one in found.movements] == list(range(LAST, 4, -1))
    assert (found.height, found.from_block) == (LAST, 5)
    assert [line.getMessage() for line in caplog.records] == [
        "index: begun with block 5: the bodies before it were pruned"
    ]


def test_the_other_process_goes_on_where_bodies_begin(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a chain of large blocks with bodies from block 2 on,
    when a new index is fed with another process at hand,
    then that process adds them, from block 2 on.
    """
    fixed = FixedChain()
    for _ in range(2):
        fixed.make(*(fixed.pay("0.01") for _ in range(SMALLEST_BATCH)))
    records = [fixed.store.block(height) for height in range(4)]
    with (
        caplog.at_level(logging.WARNING, "tongbao.index"),
        Index.open(tmp_path / "index.sqlite", CHAIN) as index,
    ):
        fed(index, records, 2, elsewhere=True)
        page = index.movements_of(fixed.shop, limit=1_000)

    assert [one.height for one in page.movements] == [3] * 100 + [2] * 100
    assert page.from_block == 2
    assert "process that adds to it has ended" not in caplog.text


@pytest.mark.parametrize("known", [4, 7])
def test_an_index_that_knows_what_was_pruned_keeps_it(new_place: NewPlace, known: int) -> None:
    """
    Given an index that was fed up to a block before the bodies were pruned up to block 4,
    when it is fed by the pruned chain, even where its last block was pruned too,
    then it has all that ever happened.
    """
    place, other = new_place(), new_place()
    with Index.open(place, CHAIN) as index:
        index.add(RECORDS[: known + 1])
    with Index.open(place, CHAIN) as index:
        found = feed(index, 5)
    with Index.open(other, CHAIN) as whole:
        whole.add(RECORDS)

    assert found.from_block == 0
    assert rows_of(place) == rows_of(other)
    if isinstance(place, Path):
        assert not place.with_name(f"{place.name}.damaged").exists()


def behind(index: Index) -> None:
    """An index whose next block was pruned."""
    index.add(RECORDS[:3])


def of_another_history(index: Index) -> None:
    """An index whose last block, which was pruned, is another one."""
    other = FixedChain()
    for _ in range(3):
        other.make(other.pay("0.02"))
    index.add([other.store.block(height) for height in range(5)])


@pytest.mark.parametrize("spoil", [behind, of_another_history])
def test_an_index_that_does_not_join_up_is_made_anew_from_the_first_body(
    place: Path | str, caplog: pytest.LogCaptureFixture, spoil: Callable[[Index], None]
) -> None:
    """
    Given an index with a gap before the first body, and one of another history up to there,
    when it is fed by the pruned chain,
    then the file is set aside, that is logged, and the new one begins with the first body.
    """
    with Index.open(place, CHAIN) as index:
        spoil(index)
    with caplog.at_level(logging.WARNING, "tongbao.index"), Index.open(place, CHAIN) as index:
        found = feed(index, 5)

    assert found.from_block == 5
    assert [one.height for one in found.movements] == list(range(LAST, 4, -1))
    if isinstance(place, Path):
        assert place.with_name(f"{place.name}.damaged").exists()
    assert "set aside and made anew" in caplog.text


def test_before_the_first_body_is_there_the_index_has_the_height_of_the_base(
    place: Path | str,
) -> None:
    """
    Given a chain that stands on its base, without a body yet,
    when a new index is fed,
    then it tells the base's height, so that nobody waits for it in vain.
    """
    heights: list[int] = []
    with Index.open(place, CHAIN) as index:
        feeder = Feeder(index, Blocks(RECORDS, LAST + 1), heights.append)
        feeder.start()
        while not heights:
            feeder.wake(LAST)
        feeder.stop()

        assert heights[0] == index.height == LAST
