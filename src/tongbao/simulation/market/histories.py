"""Writes the blocks of a history of the market: stories beside each other, and random business."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Machine, Message, Time
from tongbao.modules import account, data
from tongbao.simulation.market.ground import (
    AGENTS,
    BANK,
    BUYERS,
    JUDGES,
    OWNERS,
    PEOPLE,
    PLACES,
    batch,
    bond,
    enterprise,
    market_opens,
    offer,
)
from tongbao.simulation.market.orders import HALT_MS, PASSING_MS, an_order, offers_end, say
from tongbao.simulation.playing import REGISTRY
from tongbao.testing.chapters import Chapter
from tongbao.testing.data_chapters import Said
from tongbao.testing.data_mischief import (
    lies_are_proven,
    offers_end_together,
    orders_in_vain,
    too_much_of_a_month,
)
from tongbao.testing.data_recipes import hash_at
from tongbao.testing.drafts import Draft, Submission
from tongbao.testing.histories import History, Step
from tongbao.testing.keys import named_key
from tongbao.testing.order_recipes import DATA_RECIPES
from tongbao.testing.recipes import RECIPES, Recipe, Recipes
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

AT_ONCE: Final = 3
LAST_BLOCKS: Final = 10


def repaired(world: World, writer: Writer) -> Said:
    """What earlier stories have spoiled is put right: buyers, bonds, rows, offers."""
    for name in BUYERS:
        row = world.market["enterprises"].get(PLACES[name])
        if row is None or row.suspended:
            yield from say(world, writer, BANK, enterprise(PLACES[name]))
    place = world.number(0, len(OWNERS) - 1)
    owner = PLACES[OWNERS[place]]
    yield from say(world, writer, owner, batch(world, owner))
    yield from say(world, writer, owner, offer(world, place))
    yield from say(world, writer, PLACES[world.one(AGENTS)], bond())
    yield from say(world, writer, PLACES[world.one(JUDGES)], data.Serve(serves=True))


def said_in_vain(world: World, writer: Writer) -> Said:
    """A month is said again, and somebody is suspended who buys nothing."""
    owner = PLACES[world.one(OWNERS)]
    nobody = data.SuspendEnterprise(enterprise=owner)
    yield from say(world, writer, BANK, nobody)
    first = batch(world, owner)
    assert isinstance(first, data.Commit)
    again = replace(first, commitment=hash_at(world))
    yield from say(world, writer, owner, first)
    yield from say(world, writer, owner, again)


CHAPTERS: Final[tuple[Chapter, ...]] = (
    *(an_order,) * 26,
    *(repaired,) * 3,
    orders_in_vain,
    offers_end_together,
    *(offers_end,) * 4,
    *(said_in_vain,) * 2,
    too_much_of_a_month,
    lies_are_proven,
)


def of_the_market() -> Recipes:
    """Only messages of the market, and closing an account."""
    nothing: dict[type[Message], Recipe] = {
        kind: Recipe(0, World.somebody, lambda world, sender: None) for kind in REGISTRY.messages
    }
    return {**nothing, **DATA_RECIPES, account.Close: RECIPES[account.Close]}


class MarketHistory(History):
    """Some stories go on at once, a step of each in a block; random messages come in between."""

    def __init__(self, machine: Machine, seed: str, transactions: int) -> None:
        """Begin after genesis."""
        signers = [named_key(name) for name in PEOPLE]
        super().__init__(machine, seed, transactions, signers, of_the_market())
        self._stories: list[Iterator[list[Draft]]] = [market_opens(self.world, self.writer)]
        self._is_open = False

    def steps(self) -> Iterator[Step]:
        """The blocks of the history, and some empty ones in which deadlines pass."""
        yield from super().steps()
        for _ in range(LAST_BLOCKS):
            yield Step(Time(self.world.machine.time + PASSING_MS), (), (), ())

    def _step(self) -> Step:
        world = self.world
        wait, world.patience = world.patience or world.number(1, 5_000), None
        if self._is_open and world.chance(0.02):
            wait = world.one(HALT_MS)
        world.time = Time(world.machine.time + wait)
        told = self._told()
        more = self._random(world.one((0, 0, 1, 2))) if self._is_open else ()
        submissions = (*told, *more)[: self._left]
        others: tuple[tuple[bytes, ...], ...] = ()
        if submissions and world.chance(0.15):
            others = (tuple(found.wire for found in reversed(submissions)),)
        return Step(world.time, submissions, others, ())

    def _told(self) -> list[Submission]:
        """One step of each story under way; when the market is open, others begin."""
        told: list[Submission] = []
        waits: list[int] = []
        for story in tuple(self._stories):
            self.world.patience = None
            said = next(story, None)
            waits += [] if self.world.patience is None else [self.world.patience]
            if said is None:
                self._stories.remove(story)
            # Sent at once, so that no two stories have one nonce.
            told += map(self._sent, said or ())
        self._is_open = self._is_open or not self._stories
        while self._is_open and len(self._stories) < AT_ONCE:
            self._stories.append(self.world.one(CHAPTERS)(self.world, self.writer))
        self.world.patience = self.world.one(waits) if waits else None
        return told


def market_history(machine: Machine, seed: str, transactions: int) -> History:
    """The history of a seed."""
    return MarketHistory(machine, seed, transactions)
