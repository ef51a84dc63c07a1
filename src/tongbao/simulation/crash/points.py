"""Where a node may die: at each site of the store, and at the index, before, within or after."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from tongbao.store.sites import Change, Site


class Moment(StrEnum):
    """When, measured by the change. `WITHIN` is after half of it, or soon after its begin."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"


BY_HALF: Final = frozenset({Change.WRITE, Change.ROWS})
"""What can be done by half. Of the rest the system does all, or nothing."""


class Trouble(StrEnum):
    """What a start or a block meets, so that there is something to mend."""

    NONE = "nothing"
    TORN_LOG = "half a block at the end of the log"
    TORN_SEGMENT = "half a head of a new segment"
    TORN_HEADERS = "half a line at the end of the headers"
    NO_HEADERS = "the headers are gone"
    NO_ROWS = "the rows are gone"
    ONLY_LOG = "the headers and the rows are gone"
    NO_INDEX = "the index is gone"
    FULL_AT_BLOCK = "no space for a block"
    FULL_AT_SEGMENT = "no space for a segment"
    NO_BLOCK = "a chain without any block yet"
    BASE = "a base, and bodies that nobody wants any more"
    OLD_BASE = "a base, and an earlier one"
    BASE_ALONE = "a base, and the rows are gone"


ON_A_COPY: Final = (Trouble.NO_BLOCK, Trouble.BASE, Trouble.OLD_BASE, Trouble.BASE_ALONE)
"""What is tried on a copy of the chain, which goes on without it."""


LEADS: Final = {
    Site.TORN_SEGMENT: Trouble.TORN_SEGMENT,
    Site.TORN_TAIL: Trouble.TORN_LOG,
    Site.FOUND_TAIL: Trouble.ONLY_LOG,
    Site.FRAME_BACK: Trouble.FULL_AT_BLOCK,
    Site.LOG_NAME: Trouble.NO_BLOCK,
    Site.SEGMENT_BACK: Trouble.FULL_AT_SEGMENT,
    Site.HEADERS_CUT: Trouble.TORN_HEADERS,
    Site.ROWS_LEFT_OVER: Trouble.NO_ROWS,
    Site.ROWS_EMPTY: Trouble.NO_ROWS,
    Site.ROWS_OLD: Trouble.NO_ROWS,
    Site.ROWS_NAME: Trouble.NO_ROWS,
    Site.ROWS_OF_BASE: Trouble.BASE_ALONE,
    Site.BASE_OLD: Trouble.OLD_BASE,
    Site.PRUNED_SEGMENT: Trouble.BASE,
    Site.PRUNED_NAME: Trouble.BASE,
    Site.ROOM_FILE: Trouble.FULL_AT_BLOCK,
    Site.ROOM_WRITE: Trouble.FULL_AT_BLOCK,
    Site.ROOM_BACK: Trouble.FULL_AT_BLOCK,
}
"""Sites that nothing comes by unless there is some trouble."""

OFTEN: Final = {
    Site.FRAME: 20,
    Site.FRAME_SYNC: 20,
    Site.HEADERS_LINE: 20,
    Site.ROWS_FLUSH: 10,
    Site.LOG_FOLDER: 2,
    Site.SEGMENT_FILE: 2,
    Site.SEGMENT_HEAD: 2,
    Site.SEGMENT_SYNC: 2,
    Site.SEGMENT_NAME: 2,
}
"""A death is planned for one of the first so many passages after a start; else for the first."""

INDEX_BATCH: Final = "INDEX_BATCH"
INDEX_ANEW: Final = "INDEX_ANEW"


class Point(Struct, frozen=True):
    """A place that changes something on a disk, and a moment of it."""

    place: str
    moment: Moment
    trouble: Trouble = Trouble.NONE
    passages: int = 1

    def __str__(self) -> str:
        """As it stands in the report."""
        return f"{self.moment} {self.place}"


class Death(Struct, frozen=True):
    """A planned end: at the n-th passage of a place since the start, at a moment of it."""

    place: str
    moment: Moment
    passage: int

    def __str__(self) -> str:
        """As it stands in the report."""
        return f"{self.moment} {self.place}"


def moments_of(place: str) -> tuple[Moment, ...]:
    """The moments at which a node may die at a place."""
    by_half = place == INDEX_BATCH or (place != INDEX_ANEW and Site[place].change in BY_HALF)
    return tuple(Moment) if by_half else (Moment.BEFORE, Moment.AFTER)


def places() -> tuple[str, ...]:
    """Every site of the store, and what else a node writes."""
    return (*Site.__members__, INDEX_BATCH, INDEX_ANEW)


def points() -> tuple[Point, ...]:
    """Every place with each of its moments."""
    leads = {site.name: trouble for site, trouble in LEADS.items()}
    leads[INDEX_ANEW] = Trouble.NO_INDEX
    often = {site.name: count for site, count in OFTEN.items()} | {INDEX_BATCH: 10}
    return tuple(
        Point(place, moment, leads.get(place, Trouble.NONE), often.get(place, 1))
        for place in places()
        for moment in moments_of(place)
    )
