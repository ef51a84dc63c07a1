"""Where faults happen: nodes, clients that go on meanwhile, and what must hold of the nodes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from tongbao.localnet.plan import Member
from tongbao.simulation.network.clients import Door
from tongbao.simulation.network.cluster import Cluster, Wrong
from tongbao.simulation.network.history import Book

PROBE_SECONDS: Final = 90.0
STILL_SECONDS: Final = 3.0
"""Without a block for so long a loaded network stands still."""
UNDER_WAY_SECONDS: Final = 20.0
"""After a cut, blocks that were decided already are told for a while on a busy machine."""


BY_ITSELF: Final = "damaged, and recovered by itself"
ANEW: Final = "damaged, refused, and laid anew"
WAYS: Final = ("came by block sync", "came by a snapshot")


class Scene:
    """One campaign's nodes and what was counted of them."""

    def __init__(self, cluster: Cluster, book: Book, random: Random, offset: int) -> None:
        """Every choice comes from the random; faults that go in a circle begin at the offset."""
        self.cluster = cluster
        self.book = book
        self.random = random
        self.offset = offset
        self.counts: Counter[str] = Counter()
        """What was reached: a fault, a crash point, a kind of hostile block."""
        self.gone: list[str] = []
        """Members that were removed; their folders are kept and compared as far as they go."""
        self._door = Door(book, self.members, random)

    def members(self) -> Sequence[Member]:
        """The members that clients may ask."""
        return self.cluster.plan.members

    def some(self, count: int = 1) -> list[str]:
        """So many members by chance."""
        return self.random.sample(self.cluster.names, count)

    def one(self) -> str:
        """A member by chance."""
        return self.some()[0]

    def turn(self, of: str, length: int) -> int:
        """Whose turn it is in a circle of so many."""
        return (self.offset + self.counts[of]) % length

    def hold(self, seconds: float) -> None:
        """Let clients and nodes go on for a while."""
        threading.Event().wait(seconds)

    def probe(self, name: str, seconds: float = PROBE_SECONDS) -> int:
        """A member takes a new transaction, and tells that it is decided; its height.

        Raises Wrong.
        """
        payer, payee = self.random.sample(self.book.ground.payers, 2)
        operation = self.book.pay(payer, payee, 1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            member = self.cluster.member(name)
            if self._door.send(operation, member) or self._door.look(operation, member):
                return operation.told[-1].height
            threading.Event().wait(0.1)
        ready = {each: self.cluster.ask_any(each, "/readyz") for each in self.cluster.names}
        heights = {each: self.cluster.height(each) for each in self.cluster.names}
        raise Wrong(
            f"{name} has decided nothing for {seconds:.0f} s: heights {heights}, ready {ready}:\n"
            f"{self.cluster.node(name).log_tail()}"
        )

    def stands_still(self, names: Sequence[str], seconds: float) -> None:
        """The members come to rest, for so long at least: they lack two thirds. Raises Wrong."""
        until = time.monotonic() + UNDER_WAY_SECONDS
        seen = [[self.cluster.height(name) for name in names]]
        while time.monotonic() < until:
            self.hold(max(seconds, STILL_SECONDS))
            seen.append([self.cluster.height(name) for name in names])
            if seen[-1] == seen[-2] and min(seen[-1]) >= 0:
                return
        raise Wrong(f"{names} went on without two thirds: {seen}")

    def settle(self) -> int:
        """Everything is well again: heal, start what is down, every member decides, all agree.

        The height at which they do. Raises Wrong, LocalnetError.
        """
        self.cluster.fabric.heal()
        for name in self.cluster.names:
            node = self.cluster.node(name)
            if node.has_fallen:
                raise Wrong(f"{name} has ended by itself:\n{node.log_tail()}")
            if node.is_paused:
                node.resume()
            if name in self.cluster.wrong:
                node.kill()
                self.cluster.wrong.pop(name)
            if not node.is_running:
                self.cluster.start(name, until_ready=False)
        for name in self.cluster.names:
            self.cluster.node(name).wait_until_ready()
        top = self.cluster.top()
        for name in self.cluster.names:
            self.cluster.wait_for(name, top)
        height = max(self.probe(name) for name in self.cluster.names)
        self.cluster.agree(height)
        return height

    def came(self, *, is_by_snapshot: bool) -> str:
        """Count how a member came to the state of the others; which way that was."""
        way = WAYS[is_by_snapshot]
        self.counts[way] += 1
        return way

    def lines(self, name: str, text: str, *, of_engine: bool = False) -> int:
        """How often a text stands in a member's log, or in that of its CometBFT."""
        folder = self.cluster.folder
        path = folder / name / "cometbft.log" if of_engine else folder / f"{name}.log"
        return path.read_text(errors="replace").count(text) if path.exists() else 0

    def close(self) -> None:
        """Close connections."""
        self._door.close()


Act = Callable[[Scene, float], str]
"""A fault: does it, lets so many seconds pass where time matters, and says what exactly it did."""
