"""Where a node may die: each place that changes something on a disk, before, within or after it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Moment(StrEnum):
    """When, measured by the write. `WITHIN` is after half of it."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"


WRITE: Final = (Moment.BEFORE, Moment.WITHIN, Moment.AFTER)
STEP: Final = (Moment.BEFORE, Moment.AFTER)
"""Of what can't be done by half: the system does it, or not."""


class Damage(StrEnum):
    """What is done to a folder before a start, so that the start has something to mend."""

    NONE = "nothing"
    TORN_LOG = "half a block at the end of the log"
    TORN_SEGMENT = "half a head of a new segment"
    TORN_HEADERS = "half a line at the end of the headers"
    NO_HEADERS = "the headers are gone"
    NO_ROWS = "the rows are gone"
    NO_INDEX = "the index is gone"


class Site(Struct, frozen=True):
    """A place that changes something on a disk, at which moments, and what leads a start there."""

    name: str
    moments: tuple[Moment, ...]
    damage: Damage = Damage.NONE
    passages: int = 1
    """A death is planned for one of the first so many passages after a start."""


SITES: Final = (
    Site("log frame", WRITE, passages=20),
    Site("log sync", STEP, passages=20),
    Site("segment head", WRITE, passages=2),
    Site("segment names", STEP, passages=2),
    Site("log cut", STEP, Damage.TORN_LOG),
    Site("log remove", STEP, Damage.TORN_SEGMENT),
    Site("header line", WRITE, passages=20),
    Site("headers cut", STEP, Damage.TORN_HEADERS),
    Site("headers anew", WRITE, Damage.NO_HEADERS),
    Site("rows flush", WRITE, passages=10),
    Site("rows anew", STEP, Damage.NO_ROWS),
    Site("index batch", WRITE, passages=10),
    Site("index anew", STEP, Damage.NO_INDEX),
)


class Death(Struct, frozen=True):
    """A planned end: at the n-th passage of a site since the start, at a moment of it."""

    site: str
    moment: Moment
    passage: int

    def __str__(self) -> str:
        """As it stands in the report."""
        return f"{self.moment} {self.site}"


def pairs() -> tuple[tuple[Site, Moment], ...]:
    """Every site with each of its moments."""
    return tuple((site, moment) for site in SITES for moment in site.moments)
