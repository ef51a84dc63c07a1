"""Many histories on two cores, what they have reached together, and the command for one that fails.

Nothing that can happen may be missed: in a campaign of 100,000 transactions every message of every
module must have been tried, and every number of a refusal or of an invalid transaction be reached.
What some seed comes to seldom gets more histories, to five times as many; then it is a failure.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, Final

from msgspec import Struct, field

from tongbao.kernel.schema import wire_name_of
from tongbao.modules import governance
from tongbao.simulation import mischief
from tongbao.simulation.playing import REGISTRY, Tally, play

FULL: Final = 100_000
"""A campaign of so many transactions leaves nothing out."""

WORKERS: Final = 2

LONGEST: Final = 5
"""How many times its histories a campaign may play to come to everything."""

AT_ONCE: Final = 20
"""Histories that are played before it is asked again what is unreached."""

OF_OLDER_CHAINS: Final = frozenset((governance.Why.MEMBERS_ARE_NOT_KEPT,))
"""What only a chain without some module comes to; tests of the modules do."""


class Failure(Struct):
    """A history that went wrong, and how to see it again."""

    command: str
    text: str


class Report(Struct):
    """A campaign's counts and failures."""

    seed: int
    histories: int
    transactions: int
    full: int = FULL
    tally: Tally = field(default_factory=Tally)
    failures: list[Failure] = field(default_factory=list)
    played: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the campaign is long enough for everything to be reached."""
        return self.histories * self.transactions >= self.full

    @property
    def unreached(self) -> list[str]:
        """Messages and numbers that no transaction and no due work has come to."""
        numbers = [
            f"{reason.number} {type(reason).module_name}.{reason.name}"
            for number, reason in sorted(REGISTRY.reasons.items())
            if reason not in OF_OLDER_CHAINS
            and not self.tally.numbers[number]
            and not self.tally.stuck[number]
        ]
        return [*(f"message {name}" for name in map(str, self._unsent())), *numbers]

    def _unsent(self) -> list[str]:
        """Messages never applied; for those of `mischief`, some of which can't be: never tried."""
        own = {wire_name_of(kind) for kind in mischief.module.handlers}
        return [
            name
            for name in map(wire_name_of, REGISTRY.messages)
            if not self.tally.applied[name] and not (name in own and self.tally.refused[name])
        ]

    @property
    def is_good(self) -> bool:
        """No history failed and, in a full campaign, everything was reached."""
        return not self.failures and not (self.is_full and self.unreached)

    def verdict(self) -> str:
        """The last line."""
        count = f"{self.played} histories, {self.tally.transactions} transactions"
        if self.failures:
            return f"simulation: FAILED: {len(self.failures)} of {self.histories} histories"
        if self.is_full and self.unreached:
            return f"simulation: FAILED: never reached: {', '.join(self.unreached)}"
        if self.played > self.histories:
            count += f" ({self.played - self.histories} more than asked, for what is seldom)"
        missing = f"; {len(self.unreached)} numbers or messages unreached" if self.unreached else ""
        return f"simulation: passed: seed {self.seed}, {count}, {self.tally.blocks} blocks{missing}"


def command(seed: int, index: int, transactions: int) -> str:
    """What plays one history of a campaign again."""
    return (
        f"python -m tongbao.simulation --seed {seed} --only {index} --transactions {transactions}"
    )


def run_campaign(
    seed: int,
    indexes: range,
    transactions: int,
    progress: Callable[[int, int], Any] = lambda done, total: None,
    full: int = FULL,
) -> Report:
    """Play histories `indexes` of a seed, on two processes; the first failure ends the campaign.

    One of at least `full` transactions plays further ones for what they have not come to.
    `progress` is told how many are done, and of how many.
    """
    report = Report(seed=seed, histories=len(indexes), transactions=transactions, full=full)
    workers = min(WORKERS, len(indexes))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        _play(pool, report, indexes, progress)
        longest = indexes.start + LONGEST * len(indexes)
        while not report.failures and report.is_full and report.unreached:
            first = indexes.start + report.played
            if first == longest:
                break
            _play(pool, report, range(first, min(first + AT_ONCE, longest)), progress)
    return report


def _play(
    pool: ProcessPoolExecutor,
    report: Report,
    indexes: range,
    progress: Callable[[int, int], Any],
) -> None:
    """Play some histories and add what they came to; the first failure ends it."""
    total = report.played + len(indexes)
    futures = {
        pool.submit(play, f"{report.seed}/{index}", report.transactions): index for index in indexes
    }
    for future in as_completed(futures):
        error = future.exception()
        if error is not None:
            again = command(report.seed, futures[future], report.transactions)
            text = "".join(traceback.format_exception(error))
            report.failures.append(Failure(again, text))
            pool.shutdown(cancel_futures=True)
            break
        report.played += 1
        report.tally.add(future.result())
        progress(report.played, total)
