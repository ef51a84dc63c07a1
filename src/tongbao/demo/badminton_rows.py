"""Rows of badminton, GENERATED from a seed: no public data of who plays how often are known.

The schema says so in its name, which stands in every header, so that nobody takes them for real.
A club's check-in is a day, a court and the minutes played.
"""

from __future__ import annotations

import calendar
import random
from typing import Final

from tongbao.rights.batch import Period
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash

BADMINTON: Final = Schema(
    SchemaName("badminton_generated.1"),
    (
        Field(FieldName("day"), "date"),
        Field(FieldName("court"), "integer"),
        Field(FieldName("minutes"), "integer"),
    ),
)
"""Check-ins that a generator made up."""

COURTS: Final = 8
SHORTEST_MINUTES: Final = 30
LONGEST_MINUTES: Final = 150
MOST_A_WEEK: Final = 4


def generated_rows(seed: int, player: int, period: Period, club_key: bytes) -> tuple[Row, ...]:
    """A player's check-ins of a month: the same for the same seed, player, month and club.

    A player has a habit, none to four times a week, that holds in all months; a third never plays.
    """
    habit = random.Random(f"{seed}/{player}").choice((0, 0, *range(1, MOST_A_WEEK + 1)))
    draw = random.Random(f"{seed}/{player}/{period}")
    days = calendar.monthrange(int(period[:4]), int(period[5:]))[1]
    played = [day for day in range(1, days + 1) if draw.randrange(7) < habit]
    return tuple(
        Row(
            event_hash(club_key, f"{seed}/{player}/{period}-{day:02}".encode()),
            (
                f"{period}-{day:02}",
                draw.randint(1, COURTS),
                draw.randrange(SHORTEST_MINUTES, LONGEST_MINUTES + 1, 15),
            ),
        )
        for day in played
    )
