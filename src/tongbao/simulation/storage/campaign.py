"""Many voyages on two cores: what they met, and the command for one that fails."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, Final

from msgspec import Struct, field

from tongbao.simulation.storage import mutations
from tongbao.simulation.storage.faults import (
    UNMET,
    AtRest,
    Failure,
    Fate,
    Moment,
    faults_of,
)
from tongbao.simulation.storage.voyage import Tally, sail
from tongbao.store.sites import Site

WORKERS: Final = 2
AT_ONCE: Final = 20
FULL: Final = 10_000
"""A campaign of so many seeds leaves no cell of the matrix empty."""

QUICK: Final = 200
"""One of so many leaves no write site without each stop and error that it can meet."""


class Failed(Struct):
    """A voyage that went wrong, and how to see it again."""

    seed: int
    text: str
    mutation: str = ""

    @property
    def command(self) -> str:
        """What plays it again."""
        only = f"python -m tongbao.simulation.storage --only {self.seed}"
        return f"{only} --mutation {self.mutation}" if self.mutation else only


class Report(Struct):
    """A campaign's counts and failures."""

    first: int
    seeds: int
    tally: Tally = field(default_factory=Tally)
    failed: list[Failed] = field(default_factory=list)
    played: int = 0

    def cells(self) -> Iterator[tuple[Site, str, int]]:
        """Of the matrix of faults by write sites: each cell that can be, with its count."""
        for site in Site:
            for fault in faults_of(site):
                yield site, fault.name, self.tally.points[f"{site.name}/{fault.name}"]
            for fate in Fate:
                if (site, fate) not in UNMET:
                    yield site, fate.name, self.tally.fates[f"{site.name}/{fate.name}"]

    @property
    def unreached(self) -> list[str]:
        """Cells of the matrix that are empty, and changes at rest that never happened."""
        fates = {fate.name for fate in Fate} if self.played < FULL else set[str]()
        return [
            *(
                f"{site.name}/{fault}"
                for site, fault, count in self.cells()
                if not count and fault not in fates
            ),
            *(what.name for what in AtRest if not self.tally.at_rest[what.name]),
        ]

    @property
    def is_good(self) -> bool:
        """No voyage failed and, where there were enough of them, everything was met."""
        return not self.failed and not (self.played >= QUICK and self.unreached)

    def verdict(self) -> str:
        """The last line."""
        tally = self.tally
        if self.failed:
            return f"storm: FAILED: seed {self.failed[0].seed}"
        if not self.is_good:
            return f"storm: FAILED: never met: {', '.join(self.unreached)}"
        missing = f"; {len(self.unreached)} cells unmet" if self.unreached else ""
        return (
            f"storm: passed: {self.played} seeds from {self.first} on, {tally.faults} faults, "
            f"{tally.blocks} blocks, {tally.transactions} transactions{missing}"
        )


COLUMNS: Final = (*Moment, *Failure, *Fate)


def sail_many(first: int, count: int, mutation: str = "") -> tuple[Tally, int, Failed | None]:
    """Seeds one after the other, up to the first that fails: counts, how many, the failure."""
    tally = Tally()
    with mutations.broken(mutation):
        for seed in range(first, first + count):
            try:
                tally.add(sail(seed))
            except Exception:
                return tally, seed - first, Failed(seed, traceback.format_exc(), mutation)
    return tally, count, None


def run_campaign(
    first: int,
    seeds: int,
    progress: Callable[[int, int], Any] = lambda done, total: None,
    mutation: str = "",
) -> Report:
    """Sail so many seeds on two processes; the first failure ends the campaign."""
    report = Report(first, seeds)
    starts = range(first, first + seeds, AT_ONCE)
    with ProcessPoolExecutor(min(WORKERS, len(starts)), mp_context=get_context("spawn")) as pool:
        futures = [
            pool.submit(sail_many, start, min(AT_ONCE, first + seeds - start), mutation)
            for start in starts
        ]
        for future in as_completed(futures):
            tally, played, failed = future.result()
            report.tally.add(tally)
            report.played += played
            progress(report.played, seeds)
            if failed is not None:
                report.failed.append(failed)
                pool.shutdown(cancel_futures=True)
                break
    return report
