"""A bounded queue that is in order of arrival while it is short, and fair by sender when it is not.

A part of its places is first come, first served, so that who sends several transactions that build
on each other finds them decided in that order. Behind it everybody has a lane, and lanes get the
places in turn. A lane may not be longer than the room that is left: one flood alone stops at half
of the lanes' places, two at a third each, and there is always room for another sender.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

IN_ORDER: Final = 8_000
"""The most places in order of arrival: two full blocks."""


class Full(Exception):
    """There is no room for this sender now; nothing was added."""


class FairQueue(Generic[T]):
    """Things that wait, each under a lane. Not safe in several threads at once."""

    def __init__(self, limit: int) -> None:
        """Let `limit` things wait at once."""
        self._limit = limit
        self._in_order_limit = min(IN_ORDER, (limit + 1) // 2)
        self._in_order: deque[T] = deque()
        self._lanes: dict[str, deque[T]] = {}
        """Those with something in them; the first one's turn is next."""
        self._behind = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._in_order) + self._behind

    @property
    def first(self) -> T:
        """What `pop` would give."""
        return self._in_order[0]

    def add(self, lane: str, thing: T) -> None:
        """Put something behind what waits under its lane. Raises Full."""
        if not self._lanes and len(self._in_order) < self._in_order_limit:
            self._in_order.append(thing)
            return
        waiting = self._lanes.get(lane)
        left = self._limit - self._in_order_limit - self._behind
        if (0 if waiting is None else len(waiting)) >= left:
            raise Full
        if waiting is None:
            waiting = self._lanes[lane] = deque()
        waiting.append(thing)
        self._behind += 1
        self._fill()

    def pop(self) -> T:
        """What is next; ask `len` before."""
        thing = self._in_order.popleft()
        self._fill()
        return thing

    def clear(self) -> list[T]:
        """All that waits, which waits no more."""
        found = [*self._in_order, *(thing for lane in self._lanes.values() for thing in lane)]
        self._in_order.clear()
        self._lanes.clear()
        self._behind = 0
        return found

    def _fill(self) -> None:
        """Give places that are free to the lanes, one each in turn."""
        lanes = self._lanes
        while lanes and len(self._in_order) < self._in_order_limit:
            name = next(iter(lanes))
            lane = lanes.pop(name)
            self._in_order.append(lane.popleft())
            self._behind -= 1
            if lane:
                lanes[name] = lane  # behind all others
