"""A bounded queue that is in order of arrival while it is short, and fair when it is not.

A part of its places is first come, first served, so that who sends several transactions that build
on each other finds them decided in that order. Behind it everybody who pays has a lane, and lanes
get the places in turn; within a lane those who send get them in turn. So a thousand accounts of one
payer have one share, and one of them does not eat it all. A lane may not be longer than the room
that is left: one flood alone stops at half of the lanes' places, two at a third each, and there is
always room for another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

IN_ORDER: Final = 8_000
"""The most places in order of arrival: two full blocks."""


class Full(Exception):
    """There is no room for this sender now; nothing was added."""


class _Turns(Generic[T]):
    """What waits in one lane: its senders get their turns one after the other."""

    __slots__ = ("count", "senders")

    def __init__(self) -> None:
        self.senders: dict[str, deque[T]] = {}
        """Those with something in them; the first one's turn is next."""
        self.count = 0

    def __iter__(self) -> Iterator[T]:
        return (thing for waiting in self.senders.values() for thing in waiting)

    def of(self, sender: str) -> int:
        """How much of a sender's waits."""
        waiting = self.senders.get(sender)
        return 0 if waiting is None else len(waiting)

    def add(self, sender: str, thing: T) -> None:
        self.senders.setdefault(sender, deque()).append(thing)
        self.count += 1

    def pop(self) -> T:
        sender = next(iter(self.senders))
        waiting = self.senders.pop(sender)
        thing = waiting.popleft()
        self.count -= 1
        if waiting:
            self.senders[sender] = waiting  # behind all others
        return thing


class FairQueue(Generic[T]):
    """Things that wait, each under who sends it and who pays. Not safe in several threads."""

    def __init__(self, limit: int) -> None:
        """Let `limit` things wait at once."""
        self._limit = limit
        self._in_order_limit = min(IN_ORDER, (limit + 1) // 2)
        self._in_order: deque[T] = deque()
        self._lanes: dict[str, _Turns[T]] = {}
        """Those with something in them; the first one's turn is next."""
        self._behind = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._in_order) + self._behind

    @property
    def first(self) -> T:
        """What `pop` would give."""
        return self._in_order[0]

    def add(self, sender: str, thing: T, payer: str | None = None, outside: int = 0) -> None:
        """Put something behind what its sender has waiting. Raises Full.

        Who has no payer has a lane alone. `outside` are places that are taken elsewhere.
        """
        if not self._lanes and len(self._in_order) < self._in_order_limit:
            self._in_order.append(thing)
            return
        lane = sender if payer is None else payer
        turns = self._lanes.get(lane)
        left = self._limit - self._in_order_limit - self._behind - outside
        own = 0 if turns is None else turns.count
        if own >= left:
            raise Full
        if payer is not None and turns is not None and turns.of(sender) >= left - own:
            raise Full  # what is left is for the payer's others
        if turns is None:
            turns = self._lanes[lane] = _Turns()
        turns.add(sender, thing)
        self._behind += 1
        self._fill()

    def pop(self) -> T:
        """What is next; ask `len` before."""
        thing = self._in_order.popleft()
        self._fill()
        return thing

    def clear(self) -> list[T]:
        """All that waits, which waits no more."""
        found = [*self._in_order, *(thing for turns in self._lanes.values() for thing in turns)]
        self._in_order.clear()
        self._lanes.clear()
        self._behind = 0
        return found

    def forget(self, is_over: Callable[[T], bool]) -> None:
        """Take out what nobody waits for any more; the others keep their order."""
        self._in_order = deque(thing for thing in self._in_order if not is_over(thing))
        before, self._lanes, self._behind = self._lanes, {}, 0
        for lane, turns in before.items():
            kept = _Turns[T]()
            for sender, waiting in turns.senders.items():
                for thing in waiting:
                    if not is_over(thing):
                        kept.add(sender, thing)
            if kept.count:
                self._lanes[lane] = kept
                self._behind += kept.count
        self._fill()

    def _fill(self) -> None:
        """Give places that are free to the lanes, one each in turn."""
        lanes = self._lanes
        while lanes and len(self._in_order) < self._in_order_limit:
            name = next(iter(lanes))
            turns = lanes.pop(name)
            self._in_order.append(turns.pop())
            self._behind -= 1
            if turns.count:
                lanes[name] = turns  # behind all others
