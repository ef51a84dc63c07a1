"""A machine over memory, with every live row kept beside it and checked against it."""

from __future__ import annotations

from tongbao.kernel import Block, Count, Decided, Genesis, Machine, Registry, Time
from tongbao.testing.backing import SortedBacking
from tongbao.testing.checks import check_state


class Ledger:
    """One chain in memory: commits blocks, and brings the machine's backing up to date at times.

    The machine reads through a backing that lags behind, so that its overlay and its backing both
    count; `live` has all rows of the last block.
    """

    def __init__(self, registry: Registry, genesis: Genesis, flush_every: int = 3) -> None:
        """Do block 0. The backing follows after every `flush_every` blocks."""
        assert flush_every >= 1
        self.registry = registry
        self.genesis = genesis
        self.live = SortedBacking()
        self._backing = SortedBacking()
        self._waiting: list[Decided] = []
        self._flush_every = flush_every
        self.machine = Machine(registry, genesis, self._backing, -1, 0)
        self.commit(self.machine.genesis())

    def block(self, time: int, transactions: tuple[bytes, ...]) -> Block:
        """The next block."""
        height = Count(self.machine.height + 1)
        return Block(height=height, time=Time(time), transactions=transactions)

    def commit(self, decided: Decided) -> None:
        """Keep what the machine has decided last."""
        self.machine.commit()
        self.live.put(decided.rows)
        self._waiting.append(decided)
        if len(self._waiting) >= self._flush_every:
            self.flush()

    def flush(self) -> None:
        """Bring the machine's backing up to the last block."""
        for decided in self._waiting:
            self._backing.put(decided.rows)
        self._waiting.clear()
        self.machine.flushed()

    def restart(self) -> None:
        """Stand up a new machine on the rows alone, as a process does that starts again."""
        self.flush()
        height, time = self.machine.height, self.machine.time
        self.machine = Machine(self.registry, self.genesis, self._backing, height, time)

    def check(self) -> None:
        """Assert every invariant, and that indexes and structures are what the rows make them."""
        check_state(self.machine, self.live.rows)
