"""What happens in each kill of a campaign: a function of the seed and the kill's number."""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import Final

from msgspec import Struct

from tongbao.simulation.crash.points import Damage, Death, Moment, Site, pairs

SOONEST_S: Final = 0.03
LATEST_S: Final = 0.5
START_S: Final = 0.3
STOPPED_S: Final = 0.1
TWICE_OF: Final = 3


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
    damage: Damage = Damage.NONE
    twice: bool = False


RANDOM: Final = (Kind.LOAD, Kind.LOAD, Kind.START, Kind.LOAD, Kind.STOPPED)


def plan(seed: int, number: int) -> Plan:
    """The plan of a kill: points and chance take turns, the points in a circle."""
    random = Random(f"{seed}/{number}")
    half, is_random = divmod(number, 2)
    if not is_random:
        site, moment = pairs()[half % len(pairs())]
        return at_point(site, moment, random)
    kind = RANDOM[half % len(RANDOM)]
    after_s = random.uniform(0, START_S) if kind is Kind.START else _moment_of(random)
    damage = random.choice(list(Damage)) if kind is Kind.START else Damage.NONE
    return Plan(kind, after_s, damage=damage, twice=kind is Kind.START)


def at_point(site: Site, moment: Moment, random: Random) -> Plan:
    """A death at a point; where a start comes by, sometimes in the next start again."""
    passage = random.randint(1, site.passages)
    twice = site.damage is not Damage.NONE and random.randrange(TWICE_OF) == 0
    death = Death(site.name, moment, passage)
    return Plan(Kind.POINT, _moment_of(random), death, site.damage, twice)


def _moment_of(random: Random) -> float:
    return random.uniform(SOONEST_S, LATEST_S)
