"""What can go wrong with a disk, by name, and where it can."""

from __future__ import annotations

from enum import Enum
from typing import Final

from tongbao.store.sites import Change, Site


class Moment(Enum):
    """When the power fails, or the process is killed, at a write site."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"


class Fate(Enum):
    """What becomes of bytes and names that were not synced when everything stops."""

    KEPT = "all of it is there: the process was killed, the system was not"
    DROPPED = "nothing of it is there"
    TORN = "it ends somewhere within"
    REORDERED = "some sectors are there, earlier ones may be missing"
    FLIPPED = "it is there with a bit changed"
    UNNAMED = "files without a durable name are gone, removed ones are back"


class Failure(Enum):
    """An error of the operating system at a write site; the process goes on."""

    FULL = "no space is left"
    BROKEN = "input/output error"


class AtRest(Enum):
    """What is found changed when a chain that was closed well is opened again."""

    ROWS_OLDER = "state/ of an earlier block"
    ROWS_MISSING = "no state/"
    ROWS_GARBAGE = "pages of state/ overwritten"
    ROWS_CUT = "state/ cut short"
    ROWS_FOREIGN = "state/ of another chain"
    HEADERS_MISSING = "no copy of the headers"
    HEADERS_DAMAGED = "a bit of the copy of the headers changed"
    LOG_BIT = "a bit of an acknowledged block changed"
    LOG_CUT = "acknowledged blocks cut off"
    LOG_SEGMENT_MISSING = "a segment of the log gone"
    LOG_FOREIGN = "a segment of another chain"
    BASE = "a base, and bodies that nobody wants any more"
    BASE_DAMAGED = "the manifest of the base cut short"
    BASE_MISSING = "no base, where bodies were pruned"


REFUSED: Final = frozenset(
    {
        *(AtRest.LOG_BIT, AtRest.LOG_CUT, AtRest.LOG_SEGMENT_MISSING, AtRest.LOG_FOREIGN),
        *(AtRest.BASE_DAMAGED, AtRest.BASE_MISSING),
    }
)
"""Changes that nothing can mend: the chain must not open, and no byte may change."""

ATOMIC: Final = frozenset(
    {Change.FOLDER, Change.FILE, Change.CUT, Change.REMOVE, Change.RENAME, Change.ROWS}
)
"""Changes that a file system or LMDB does as a whole: there is nothing within them."""

FULL_CHANGES: Final = frozenset({Change.FOLDER, Change.FILE, Change.WRITE})
"""Changes that need space. LMDB's are tried on a small real file system."""

BROKEN_CHANGES: Final = frozenset(
    {
        *(Change.FILE, Change.WRITE, Change.REWRITE, Change.SYNC),
        *(Change.CUT, Change.REMOVE, Change.NAMES),
    }
)
"""Changes that can end in an error of the disk. LMDB's own are LMDB's to test."""


def moments_of(site: Site) -> tuple[Moment, ...]:
    """The crash points of a site."""
    if site.change in ATOMIC:
        return (Moment.BEFORE, Moment.AFTER)
    return tuple(Moment)


def failures_of(site: Site) -> tuple[Failure, ...]:
    """The errors that a site can meet."""
    return tuple(
        failure
        for failure, changes in (
            (Failure.FULL, FULL_CHANGES),
            (Failure.BROKEN, BROKEN_CHANGES),
        )
        if site.change in changes and site not in STATE_REMOVALS
    )


STATE_REMOVALS: Final = frozenset({Site.ROWS_LEFT_OVER, Site.ROWS_OLD, Site.BASE_OLD})
"""Removals in the real file system, where LMDB and bases are: no error is made up there."""


def faults_of(site: Site) -> list[Moment | Failure]:
    """All that can go wrong at a site."""
    return [*moments_of(site), *failures_of(site)]


NAMES_PENDING: Final = frozenset(
    {
        *(Site.TORN_SEGMENT, Site.LAST_SEGMENT, Site.FOUND_BLOCKS, Site.FOUND_SEGMENTS),
        *(Site.LOG_FOLDER, Site.SEGMENT_FILE, Site.SEGMENT_HEAD, Site.SEGMENT_SYNC),
        *(Site.SEGMENT_NAME, Site.LOG_NAME, Site.SEGMENT_BACK),
        *(Site.PRUNED_SEGMENT, Site.PRUNED_NAME),
    }
)
"""Sites at which names may not be durable yet. Elsewhere it takes a chain of other failures."""

UNMET: Final = frozenset(
    [
        *((Site.LOG_NAME, fate) for fate in Fate if fate not in (Fate.KEPT, Fate.UNNAMED)),
        *((site, Fate.UNNAMED) for site in Site if site not in NAMES_PENDING),
    ]
)
"""Fates that are not to be met. Where the log gets its name there is one synced head, no more."""
