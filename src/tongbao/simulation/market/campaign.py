"""Many histories of the market on two processes, and what all of them together have come to."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, ClassVar, Final

from msgspec import Struct, field

from tongbao.kernel import Decided
from tongbao.modules import data
from tongbao.simulation.campaign import WORKERS, Failure
from tongbao.simulation.market.counts import Books, Counts, Watch
from tongbao.simulation.market.ground import PEOPLE, market_genesis
from tongbao.simulation.market.histories import market_history
from tongbao.simulation.playing import REGISTRY, Play, Tally
from tongbao.testing.histories import Step

TRANSACTIONS: Final = 70
FULL: Final = 120
"""A campaign of so many histories leaves nothing out."""

REASONS: Final = {
    number: reason.name
    for number, reason in sorted(REGISTRY.reasons.items())
    if type(reason).module_name == data.module.name
}


class MarketPlay(Play):
    """A history of the market, whose every step is counted."""

    people: ClassVar[tuple[str, ...]] = PEOPLE

    def __init__(self, seed: str, transactions: int = TRANSACTIONS) -> None:
        """Begin it."""
        super().__init__(seed, transactions, market_genesis(seed), market_history)
        self._watch = Watch()

    def watch(self, step: Step, receipts: list[Any], decided: Decided, due: Any) -> None:
        """Count what a block came to."""
        books = self._model.books
        after = Books(
            orders=dict(books.data_orders),
            enterprises=dict(books.data_enterprises),
            licences=dict(books.data_licences),
            lapses={party: lapses for party, (_, lapses) in books.data_parties.items()},
            grown=books.data_clock.get(0, {}).get("grown", 0),
        )
        payloads = [found.payload for found in step.submissions]
        said = list(zip(payloads, receipts, strict=True))
        self._watch.block(decided.time, said, due, after)

    def counts(self) -> Counts:
        """What the history came to, after its end."""
        faults = self._watch.counts.faults
        faults["a machine begun anew from its rows"] += self.tally.outcomes["restarts"]
        return self._watch.counts


class Part(Struct):
    """What some histories have come to, and the one that went wrong."""

    histories: int = 0
    tally: Tally = field(default_factory=Tally)
    counts: Counts = field(default_factory=Counts)
    failure: Failure | None = None

    def add(self, other: Part) -> None:
        """Count others in."""
        self.histories += other.histories
        self.tally.add(other.tally)
        self.counts.add(other.counts)
        self.failure = self.failure or other.failure

    def missing(self) -> Iterator[str]:
        """What never happened."""
        yield from self.counts.missing()
        numbers = self.tally.numbers
        yield from (f"{number} {name}" for number, name in REASONS.items() if not numbers[number])


def command(seed: int, index: int) -> str:
    """What plays one history again."""
    return f"python -m tongbao.simulation.market --seed {seed} --only {index}"


def play_one(seed: int, index: int) -> Part:
    """Play a history to its end. Raises what goes wrong in it."""
    play = MarketPlay(f"market/{seed}/{index}")
    tally = play.run()
    return Part(1, tally, play.counts())


def run_campaign(
    seed: int, indexes: range, progress: Callable[[int, int], Any] = lambda done, total: None
) -> Part:
    """Play histories of a seed on two processes; the first failure ends the campaign."""
    whole = Part()
    workers = min(WORKERS, len(indexes))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(play_one, seed, index): index for index in indexes}
        for future in as_completed(futures):
            error = future.exception()
            if error is not None:
                text = "".join(traceback.format_exception(error))
                whole.failure = Failure(command(seed, futures[future]), text)
                pool.shutdown(cancel_futures=True)
                break
            whole.add(future.result())
            progress(whole.histories, len(indexes))
    return whole
