"""What happens in each kill of a campaign: a function of the seed and the kill's number."""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import Final

from msgspec import Struct

from tongbao.simulation.crash.points import ON_A_COPY, Death, Point, Trouble, points

SOONEST_S: Final = 0.03
LATEST_S: Final = 0.5
START_S: Final = 0.3
STOPPED_S: Final = 0.1
TWICE_OF: Final = 3
LATER: Final = (Trouble.FULL_AT_BLOCK, Trouble.FULL_AT_SEGMENT)
"""Troubles that come after a start."""


class Kind(StrEnum):
    """How a node comes to its end."""

    POINT = "at a point of the disk"
    LOAD = "at random under load"
    START = "at random in the start"
    STOPPED = "stopped for a while, then killed"


class Plan(Struct, frozen=True):
    """One kill. `after_s` counts from when the node serves, or from its start in a START."""

    kind: Kind
    after_s: float
    death: Death | None = None
    trouble: Trouble = Trouble.NONE
    twice: bool = False


RANDOM: Final = (Kind.LOAD, Kind.LOAD, Kind.START, Kind.LOAD, Kind.STOPPED)


def plan(seed: int, number: int) -> Plan:
    """The plan of a kill: points and chance take turns, the points in a circle."""
    random = Random(f"{seed}/{number}")
    half, is_random = divmod(number, 2)
    if not is_random:
        every = points()
        return at_point(every[half % len(every)], random)
    kind = RANDOM[half % len(RANDOM)]
    if kind is not Kind.START:
        return Plan(kind, _moment_of(random))
    trouble = random.choice([one for one in Trouble if one not in ON_A_COPY])
    return Plan(kind, random.uniform(0, START_S), trouble=trouble, twice=True)


def at_point(point: Point, random: Random) -> Plan:
    """A death at a point; where a start comes by, sometimes in the next start again."""
    death = Death(point.place, point.moment, random.randint(1, point.passages))
    mends = point.trouble not in (Trouble.NONE, *LATER)
    twice = mends and random.randrange(TWICE_OF) == 0
    return Plan(Kind.POINT, _moment_of(random), death, point.trouble, twice)


def _moment_of(random: Random) -> float:
    return random.uniform(SOONEST_S, LATEST_S)
